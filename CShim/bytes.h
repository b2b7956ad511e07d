/* bytes.h: reads numbers out of tables that came with a program, never past their end. */
#ifndef SILT_BYTES_H
#define SILT_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is left to read; `bad` once more was asked for than there was, which reads as 0. */
struct silt_bytes {
    const uint8_t *at, *end;
    bool bad;
};

static inline uint64_t silt_take(struct silt_bytes *b, unsigned count) {
    uint64_t value = 0;
    if ((uintptr_t)(b->end - b->at) < count) {
        b->bad = true;
        b->at = b->end;
        return 0;
    }
    memcpy(&value, b->at, count);
    b->at += count;
    return value;
}

/* LEB128 numbers (DWARF 5 section 7.6). */
static inline uint64_t silt_uleb(struct silt_bytes *b) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)silt_take(b, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            break;
        }
    }
    return value;
}

static inline int64_t silt_sleb(struct silt_bytes *b) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)silt_take(b, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) && shift < 64);
    if (shift < 64 && (byte & 0x40)) {
        value |= ~0ull << shift;
    }
    return (int64_t)value;
}

/* The expression whose length lies at `at`, of a row that silt_cfi_find filled in: it lies within
 * its table. */
static inline struct silt_bytes silt_expression_at(const uint8_t *at) {
    struct silt_bytes b = {at, at + 16, false};
    uint64_t length = silt_uleb(&b);
    b.end = b.at + length;
    return b;
}

#endif

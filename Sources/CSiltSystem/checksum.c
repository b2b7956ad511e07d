#include "silt_checksum.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* bit-reversed */

static uint32_t by_bits(uint32_t sum, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ (POLYNOMIAL & -(sum & 1));
        }
    }
    return sum;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t by_words(uint32_t sum, const unsigned char *bytes,
                                                           size_t count) {
    uint64_t wide = sum;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    sum = (uint32_t)wide;
    for (; count > 0; bytes++, count--) {
        sum = __builtin_ia32_crc32qi(sum, *bytes);
    }
    return sum;
}

uint32_t silt_crc32c(uint32_t before, const void *bytes, size_t count) {
    return ~(__builtin_cpu_supports("sse4.2") ? by_words(~before, bytes, count)
                                              : by_bits(~before, bytes, count));
}

#else

uint32_t silt_crc32c(uint32_t before, const void *bytes, size_t count) {
    return ~by_bits(~before, bytes, count);
}

#endif

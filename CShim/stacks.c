/* stacks.c: stack → id, one table per sink. Runs inside hooks. */
#include "stacks.h"

#include "system.h"

#include <string.h>

#define FIRST_BITS 12
#define LAST_ID    ((1u << 26) - 1)

bool silt_trie_init(struct silt_trie *trie) {
    trie->bits = FIRST_BITS;
    trie->used = trie->last_id = 0;
    trie->entries = silt_pages(sizeof *trie->entries << trie->bits);
    return trie->entries != NULL;
}

void silt_trie_unlink(struct silt_trie *trie) {
    memset(trie->entries, 0, sizeof *trie->entries << trie->bits);
    trie->used = 0;
}

void silt_trie_reset(struct silt_trie *trie) {
    silt_trie_unlink(trie);
    trie->last_id = 0;
}

static inline size_t slot_of(uint64_t address, uint32_t parent, uint32_t bits) {
    return ((address ^ (uint64_t)parent << 32) * 0x9E3779B97F4A7C15ull ^
            (uint64_t)parent * 0xD6E8FEB86659FD93ull) >>
           (64 - bits);
}

static bool grow(struct silt_trie *trie) {
    struct silt_trie_entry *old = trie->entries;
    size_t count = (size_t)1 << trie->bits, mask = count * 2 - 1;
    struct silt_trie_entry *made = silt_pages(sizeof *made << (trie->bits + 1));
    if (!made) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (old[i].id) {
            size_t at = slot_of(old[i].address, old[i].parent, trie->bits + 1);
            while (made[at].id) {
                at = (at + 1) & mask;
            }
            made[at] = old[i];
        }
    }
    trie->entries = made;
    trie->bits++;
    silt_call(SYS_munmap, old, sizeof *old * count);
    return true;
}

uint32_t silt_trie_child(struct silt_trie *trie, uint32_t parent, uintptr_t address, uint8_t flags,
                         struct silt_sink *sink) {
    uint64_t key = (uint64_t)address | (uint64_t)flags << 56;
    size_t mask = ((size_t)1 << trie->bits) - 1;
    size_t at = slot_of(key, parent, trie->bits);
    for (; trie->entries[at].id; at = (at + 1) & mask) {
        if (trie->entries[at].address == key && trie->entries[at].parent == parent) {
            return trie->entries[at].id;
        }
    }
    if (trie->last_id == LAST_ID || (trie->used > mask / 4 * 3 && !grow(trie))) {
        return parent;
    }
    mask = ((size_t)1 << trie->bits) - 1;
    for (at = slot_of(key, parent, trie->bits); trie->entries[at].id; at = (at + 1) & mask) {
    }
    uint32_t id = ++trie->last_id;
    trie->entries[at] = (struct silt_trie_entry){key, parent, id};
    trie->used++;
    bool is_frame = !(flags & (SILT_NODE_INCOMPLETE | SILT_NODE_TRUNCATED));
    uint16_t module =
        is_frame ? silt_module_of(flags & SILT_NODE_EXACT ? address : address - 1) : 0;
    silt_emit_node(sink, id, parent, flags, module, address);
    return id;
}

/* stacks.h: stack ids. A node is a frame with the stack outside of it; ids are sequential, 1 and
 * up. */
#ifndef SILT_STACKS_H
#define SILT_STACKS_H

#include "silt_internal.h"

struct silt_trie_entry {
    uint64_t address; /* with the flags in the top byte */
    uint32_t parent;
    uint32_t id; /* 0: empty */
};

struct silt_trie {
    struct silt_trie_entry *entries;
    uint32_t bits;
    uint32_t used;
    uint32_t last_id;
};

bool silt_trie_init(struct silt_trie *trie);
/* A new stream: ids begin again. */
void silt_trie_reset(struct silt_trie *trie);
/* A module has gone: addresses mean something else from now on, ids go on. */
void silt_trie_unlink(struct silt_trie *trie);
/* The node of a frame inside `parent`; a new one is announced before it is returned. 0 when ids are
 * used up. */
uint32_t silt_trie_child(struct silt_trie *trie, uint32_t parent, uintptr_t address, uint8_t flags,
                         struct silt_sink *sink);

#endif

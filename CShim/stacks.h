/* stacks.h: stack ids. A node is a frame with the stack outside of it; ids are sequential, 1 and
 * up. */
#ifndef SILT_STACKS_H
#define SILT_STACKS_H

#include "silt_internal.h"

/* A frame as a key: the address with its silt_node_flags in the top byte. */
#define SILT_KEY(address, flags) ((uint64_t)(address) | (uint64_t)(flags) << 56)

struct silt_trie_node {
    uint64_t key;
    uint32_t child; /* the first of at most SIBLINGS children in a list; the others are hashed */
    uint32_t next;
};

struct silt_trie_entry {
    uint64_t key;
    uint32_t parent;
    uint32_t id; /* 0: empty */
};

struct silt_trie {
    struct silt_trie_node *nodes; /* by id; [0] is the parent of the outermost frames */
    uint32_t node_limit;
    uint32_t last_id;
    struct silt_trie_entry *entries; /* open addressing; made with the first entry */
    uint32_t bits;
    uint32_t used;
};

bool silt_trie_init(struct silt_trie *trie);
void silt_trie_drop(struct silt_trie *trie); /* one that has no nodes yet */
/* A module has gone: addresses mean something else from now on, ids go on. */
void silt_trie_unlink(struct silt_trie *trie);
/* Looks further than silt_trie_child's first glance, and makes the node if it is new: it is
 * announced before its id is returned. The parent's id when ids or memory are used up. */
uint32_t silt_trie_find(struct silt_trie *trie, uint32_t parent, uint64_t key,
                        struct silt_sink *sink);

/* The node of a frame inside `parent`. */
static inline uint32_t silt_trie_child(struct silt_trie *trie, uint32_t parent, uint64_t key,
                                       struct silt_sink *sink) {
    uint32_t child = trie->nodes[parent].child;
    if (SILT_LIKELY(child && trie->nodes[child].key == key)) {
        return child;
    }
    return silt_trie_find(trie, parent, key, sink);
}

#endif

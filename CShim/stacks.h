/* stacks.h: stack ids. A node is a frame with the stack outside of it; ids are sequential, 1 and
 * up. */
#ifndef SILT_STACKS_H
#define SILT_STACKS_H

#include "macros.h"
#include "stream.h"

/* A frame as a key: the address with its silt_node_flags in the top byte. */
#define SILT_KEY(address, flags) ((uint64_t)(address) | (uint64_t)(flags) << 56)

#define SILT_MAX_FRAMES 2048 /* of one walk; at least 1024 of them name a deeper stack */

#define SILT_SIBLINGS 4 /* children that a node holds itself; the others are hashed */

struct silt_trie_node {
    uint64_t key;
    uint64_t tags;                    /* 16 bits for each child, from silt_trie_tag */
    uint32_t children[SILT_SIBLINGS]; /* 0: none */
};

struct silt_trie_entry {
    uint64_t key;
    uint32_t parent;
    uint32_t id; /* 0: empty */
};

struct silt_trie {
    struct silt_trie_node *nodes; /* by id; [0] is the parent of the outermost frames */
    struct silt_trie_node *first; /* the nodes until they are more than these */
    uint32_t node_limit;
    uint32_t last_id;
    struct silt_trie_entry *entries; /* open addressing; made with the first entry */
    uint32_t bits;
    uint32_t used;
    uintptr_t wanted;  /* what a node waits for: this address's module; 0: room in the ring */
    uintptr_t foreign; /* an address outside of all modules */
    bool is_full;      /* it has come to its bound: to be cleared before the next capture */
};

/* In place of an id: the node is new, and something rare has to be done before it can be made. */
#define SILT_NODE_WAITS UINT32_MAX

#define SILT_FIRST_NODES 512u

/* `first`: zeroed memory for so many nodes, which stays the caller's. */
void silt_trie_init(struct silt_trie *trie, struct silt_trie_node *first);
void silt_trie_drop(struct silt_trie *trie);
/* A module has gone, so that addresses mean something else from now on, or it is full: ids begin
 * anew, which the caller announces. What is more than a small tree takes is given back. */
void silt_trie_clear(struct silt_trie *trie);
/* Looks further than silt_trie_child's first glance, and makes the node if it is new: it is
 * announced before its id is returned. The parent's id when ids or memory are used up;
 * SILT_NODE_WAITS until silt_trie_provide has been called. */
uint32_t silt_trie_find(struct silt_trie *trie, uint32_t parent, uint64_t key,
                        struct silt_sink *sink);

/* Does what the last node waits for; false when there is no more room to be had, since recording is
 * over. */
bool silt_trie_provide(struct silt_trie *trie, struct silt_sink *sink);

/* Sixteen bits that tell siblings apart, mostly. */
static inline uint64_t silt_trie_tag(uint64_t key) {
    return (key ^ key >> 16) & 0xffff;
}

/* The node of a frame inside `parent`. Which child it is shows without a branch: programs do not
 * choose in a way that could be foreseen. */
static inline uint32_t silt_trie_child(struct silt_trie *trie, uint32_t parent, uint64_t key,
                                       struct silt_sink *sink) {
    const uint64_t ones = 0x0001000100010001ull;
    const struct silt_trie_node *node = &trie->nodes[parent];
    uint64_t differ = node->tags ^ silt_trie_tag(key) * ones;
    uint64_t same = (differ - ones) & ~differ & ones << 15; /* its lowest bit is right */
    if (SILT_LIKELY(same)) {
        uint32_t child = node->children[__builtin_ctzll(same) / 16];
        if (SILT_LIKELY(trie->nodes[child].key == key)) {
            return child;
        }
    }
    return silt_trie_find(trie, parent, key, sink);
}

#endif

/* stacks.c: stack → id, one tree per sink. Runs inside hooks. */
#define _GNU_SOURCE
#include "stacks.h"

#include "memory.h"
#include "modules.h"

#include <string.h>

#define FIRST_NODES  512u
#define DOUBLE_BELOW 16384u /* nodes; beyond, room grows by a quarter */
#define FIRST_BITS   10u
#define LAST_ID      ((1u << 26) - 1)

bool silt_trie_init(struct silt_trie *trie) {
    *trie = (struct silt_trie){.node_limit = FIRST_NODES};
    trie->nodes = silt_pages(sizeof *trie->nodes * FIRST_NODES);
    return trie->nodes != NULL;
}

void silt_trie_drop(struct silt_trie *trie) {
    silt_pages_drop(trie->nodes, sizeof *trie->nodes * trie->node_limit);
    silt_pages_drop(trie->entries, sizeof *trie->entries << trie->bits);
}

void silt_trie_clear(struct silt_trie *trie) {
    memset(trie->nodes, 0, sizeof *trie->nodes * (trie->last_id + 1));
    if (trie->entries) {
        memset(trie->entries, 0, sizeof *trie->entries << trie->bits);
    }
    trie->used = trie->last_id = 0;
}

static inline size_t slot_of(uint64_t key, uint32_t parent, uint32_t bits) {
    return ((key ^ (uint64_t)parent << 32) * 0x9E3779B97F4A7C15ull ^
            (uint64_t)parent * 0xD6E8FEB86659FD93ull) >>
           (64 - bits);
}

static bool grow_nodes(struct silt_trie *trie) {
    struct silt_trie_node *nodes = trie->nodes;
    uint32_t limit = trie->node_limit;
    limit += limit < DOUBLE_BELOW ? limit : limit / 4;
    /* Not to be found while it moves: a fork child of this moment unmaps what it finds. */
    trie->nodes = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    struct silt_trie_node *grown =
        silt_pages_grow(nodes, sizeof *nodes * trie->node_limit, sizeof *nodes * limit);
    trie->nodes = grown ? grown : nodes;
    trie->node_limit = grown ? limit : trie->node_limit;
    return grown != NULL;
}

static bool grow_entries(struct silt_trie *trie) {
    struct silt_trie_entry *old = trie->entries;
    size_t count = old ? (size_t)1 << trie->bits : 0;
    uint32_t bits = old ? trie->bits + 1 : FIRST_BITS;
    size_t mask = ((size_t)1 << bits) - 1;
    struct silt_trie_entry *made = silt_pages(sizeof *made << bits);
    if (!made) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (old[i].id) {
            size_t at = slot_of(old[i].key, old[i].parent, bits);
            while (made[at].id) {
                at = (at + 1) & mask;
            }
            made[at] = old[i];
        }
    }
    trie->entries = made;
    trie->bits = bits;
    silt_pages_drop(old, sizeof *old * count);
    return true;
}

/* A node's record goes out before the node can be found, so that whoever finds it may name it. */
static uint32_t make_node(struct silt_trie *trie, uint32_t parent, uint64_t key,
                          struct silt_sink *sink) {
    uint8_t flags = (uint8_t)(key >> 56);
    uintptr_t address = key & 0xffffffffffffffu;
    bool is_frame = !(flags & (SILT_NODE_INCOMPLETE | SILT_NODE_TRUNCATED));
    int32_t module = 0;
    if (is_frame) {
        uintptr_t inside = flags & SILT_NODE_EXACT ? address : address - 1;
        module = silt_module_known(inside);
        if (SILT_UNLIKELY(module == SILT_MODULE_UNKNOWN)) {
            if (inside != trie->foreign) {
                trie->wanted = inside;
                return SILT_NODE_WAITS;
            }
            module = 0;
        }
    }
    uint32_t id = trie->last_id + 1;
    if (SILT_UNLIKELY(!silt_emit_node(sink, id, parent, flags, (uint16_t)module, address))) {
        trie->wanted = 0;
        return SILT_NODE_WAITS;
    }
    trie->foreign = 0; /* a module may come to lie there */
    trie->last_id = id;
    trie->nodes[id] = (struct silt_trie_node){.key = key};
    return id;
}

bool silt_trie_provide(struct silt_trie *trie, struct silt_sink *sink) {
    if (!trie->wanted) {
        return silt_make_room(sink, 2);
    }
    if (!silt_module_of(trie->wanted)) {
        trie->foreign = trie->wanted;
    }
    return true;
}

/* Makes a node that is there the child of its parent. */
static __attribute__((noinline)) uint32_t add_child(struct silt_trie *trie, uint32_t parent,
                                                    uint64_t key, uint32_t id) {
    struct silt_trie_node *node = &trie->nodes[parent];
    unsigned siblings = 0;
    while (siblings < SILT_SIBLINGS && node->children[siblings]) {
        siblings++;
    }
    if (siblings < SILT_SIBLINGS) {
        node->children[siblings] = id;
        node->tags |= silt_trie_tag(key) << siblings * 16;
        return id;
    }
    size_t mask = ((size_t)1 << trie->bits) - 1;
    size_t at = slot_of(key, parent, trie->bits);
    while (trie->entries[at].id) {
        at = (at + 1) & mask;
    }
    trie->entries[at] = (struct silt_trie_entry){key, parent, id};
    trie->used++;
    return id;
}

/* Jumped to, as what it jumps to: this is as deep as a walk goes on the program's stack. */
static __attribute__((noinline)) uint32_t insert(struct silt_trie *trie, uint32_t parent,
                                                 uint64_t key, struct silt_sink *sink) {
    bool hashed = trie->nodes[parent].children[SILT_SIBLINGS - 1];
    if (trie->last_id == LAST_ID || (trie->last_id + 1 == trie->node_limit && !grow_nodes(trie)) ||
        (hashed && (!trie->entries || trie->used >= (3u << trie->bits) / 4) &&
         !grow_entries(trie))) {
        return parent;
    }
    uint32_t id = make_node(trie, parent, key, sink);
    return SILT_UNLIKELY(id == SILT_NODE_WAITS) ? id : add_child(trie, parent, key, id);
}

uint32_t silt_trie_find(struct silt_trie *trie, uint32_t parent, uint64_t key,
                        struct silt_sink *sink) {
    unsigned siblings = 0;
    while (siblings < SILT_SIBLINGS && trie->nodes[parent].children[siblings]) {
        uint32_t id = trie->nodes[parent].children[siblings++];
        if (trie->nodes[id].key == key) {
            return id;
        }
    }
    bool hashed = siblings == SILT_SIBLINGS;
    if (hashed && trie->entries) {
        size_t mask = ((size_t)1 << trie->bits) - 1;
        for (size_t at = slot_of(key, parent, trie->bits); trie->entries[at].id;
             at = (at + 1) & mask) {
            if (trie->entries[at].key == key && trie->entries[at].parent == parent) {
                return trie->entries[at].id;
            }
        }
    }
    return insert(trie, parent, key, sink);
}

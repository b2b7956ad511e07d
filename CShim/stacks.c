/* stacks.c: stack → id, one tree per sink. Runs inside hooks. */
#define _GNU_SOURCE
#include "stacks.h"

#include "memory.h"
#include "modules.h"
#include "sandbox.h"
#include "system.h"

#include <string.h>
#include <sys/resource.h>

#define DOUBLE_BELOW 16384u /* nodes; beyond, room grows by a quarter */
#define FIRST_BITS   10u
#define LAST_ID      ((1u << 26) - 1)

/* All trees of a process together, where each has the part that it wants; no tree is kept smaller
 * than the last. A search or a parser may go through new stacks without end. */
#define BUDGET_BYTES  (64u << 20)
#define LIMIT_SHARE   8 /* at most this part of what the program may have */
#define MINIMUM_BYTES (1u << 20)

static _Atomic uint64_t all_bytes;
static _Atomic uint32_t trees;

static size_t node_bytes(const struct silt_trie *trie) {
    return sizeof *trie->nodes * trie->node_limit;
}

static size_t entry_bytes(const struct silt_trie *trie) {
    return trie->entries ? sizeof *trie->entries << trie->bits : 0;
}

void silt_trie_init(struct silt_trie *trie, struct silt_trie_node *first) {
    *trie = (struct silt_trie){.nodes = first, .first = first, .node_limit = SILT_FIRST_NODES};
    all_bytes += node_bytes(trie);
    trees++;
}

static void drop_grown(struct silt_trie_node *nodes, const struct silt_trie *of) {
    if (nodes != of->first) {
        silt_pages_drop(nodes, node_bytes(of));
    }
}

void silt_trie_drop(struct silt_trie *trie) {
    all_bytes -= node_bytes(trie) + entry_bytes(trie);
    trees--;
    drop_grown(trie->nodes, trie);
    silt_pages_drop(trie->entries, entry_bytes(trie));
}

/* Gives back what is more than a small tree takes; false where that cannot be done now. */
static bool shrink(struct silt_trie *trie) {
    if (!silt_may_map()) {
        return false;
    }
    struct silt_trie was = *trie;
    trie->entries = NULL;
    trie->bits = 0;
    trie->nodes = trie->first;
    trie->node_limit = SILT_FIRST_NODES;
    all_bytes -= node_bytes(&was) + entry_bytes(&was) - node_bytes(trie);
    silt_pages_drop(was.entries, entry_bytes(&was));
    drop_grown(was.nodes, &was);
    memset(trie->nodes, 0, node_bytes(trie));
    return true;
}

void silt_trie_clear(struct silt_trie *trie) {
    if (node_bytes(trie) + entry_bytes(trie) <= MINIMUM_BYTES || !shrink(trie)) {
        memset(trie->nodes, 0, sizeof *trie->nodes * (trie->last_id + 1));
        if (trie->entries) {
            memset(trie->entries, 0, entry_bytes(trie));
        }
    }
    trie->used = trie->last_id = 0;
    trie->is_full = false;
}

/* Under a filter of the program's the limits cannot be asked for. */
static uint64_t budget(void) {
    static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
    uint64_t bytes = BUDGET_BYTES;
    for (unsigned i = 0; i < 2 && !silt_is_filtered() && !silt_was_filtered_at_start(); i++) {
        struct rlimit limit;
        if (silt_call(SYS_prlimit64, 0, limits[i], 0, &limit) == 0 &&
            limit.rlim_cur / LIMIT_SHARE < bytes) {
            bytes = limit.rlim_cur / LIMIT_SHARE;
        }
    }
    return bytes;
}

/* Whether a tree may take so much more. */
static bool may_take(const struct silt_trie *trie, size_t more) {
    size_t bytes = node_bytes(trie) + entry_bytes(trie) + more;
    if (bytes <= MINIMUM_BYTES) {
        return true;
    }
    uint64_t most = budget();
    return all_bytes + more <= most || bytes <= most / trees;
}

static inline size_t slot_of(uint64_t key, uint32_t parent, uint32_t bits) {
    return ((key ^ (uint64_t)parent << 32) * 0x9E3779B97F4A7C15ull ^
            (uint64_t)parent * 0xD6E8FEB86659FD93ull) >>
           (64 - bits);
}

/* The same nodes with room for more; NULL when there is no memory. */
static struct silt_trie_node *more_nodes(struct silt_trie *trie, size_t bytes) {
    struct silt_trie_node *nodes = trie->nodes, *grown;
    if (nodes == trie->first) {
        grown = silt_pages(bytes);
        return grown ? memcpy(grown, nodes, node_bytes(trie)) : NULL;
    }
    /* Not to be found while it moves: a fork child of this moment unmaps what it finds. */
    trie->nodes = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    grown = silt_pages_grow(nodes, node_bytes(trie), bytes);
    trie->nodes = grown ? grown : nodes;
    return grown;
}

static bool grow_nodes(struct silt_trie *trie) {
    struct silt_trie_node *nodes = trie->nodes;
    uint32_t limit = trie->node_limit;
    uint32_t more = limit < DOUBLE_BELOW ? limit : limit / 4;
    if (!may_take(trie, sizeof *nodes * more)) {
        trie->is_full = true;
        more = SILT_MAX_FRAMES; /* for the capture that is under way */
    }
    limit += more;
    struct silt_trie_node *grown = more_nodes(trie, sizeof *nodes * limit);
    if (!grown) {
        trie->is_full = trie->node_limit > SILT_FIRST_NODES;
        return false;
    }
    trie->nodes = grown;
    all_bytes += sizeof *nodes * (limit - trie->node_limit);
    trie->node_limit = limit;
    return true;
}

static bool grow_entries(struct silt_trie *trie) {
    struct silt_trie_entry *old = trie->entries;
    size_t count = old ? (size_t)1 << trie->bits : 0;
    uint32_t bits = old ? trie->bits + 1 : FIRST_BITS;
    size_t mask = ((size_t)1 << bits) - 1;
    if (!may_take(trie, sizeof *old << bits)) {
        trie->is_full = true;
        /* A quarter is left, and the capture that is under way needs little of it. */
        if (trie->used + SILT_MAX_FRAMES < (7u << trie->bits) / 8) {
            return true;
        }
    }
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
    all_bytes += (sizeof *old << bits) - entry_bytes(trie);
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

/* rules.h: the unwind rule of each code address met so far. Runs inside hooks. */
#ifndef SILT_RULES_H
#define SILT_RULES_H

#include "macros.h"
#include "rule.h"

#include <stdbool.h>

#include <stddef.h>

struct silt_rule_entry {
    _Atomic uint64_t key; /* address << 1 | exact; 0: empty */
    _Atomic uint64_t rule;
};
struct silt_rule_table {
    uint32_t bits;
    _Atomic uint32_t used;
    struct silt_rule_entry entries[];
};
extern struct silt_rule_table *silt_rules SILT_HIDDEN;

/* Computes a rule and enters it, unless no module covers the address, which may change. `key` is
 * that of an entry. In a hook. */
silt_rule silt_rule_learn(uint64_t key);

/* What a table says of a key, which is not 0; SILT_RULE_NONE: nothing. */
static inline silt_rule silt_rule_in(const struct silt_rule_table *table, uint64_t key) {
    size_t mask = ((size_t)1 << table->bits) - 1;
    for (size_t i = (key * 0x9E3779B97F4A7C15ull) >> (64 - table->bits);; i = (i + 1) & mask) {
        uint64_t there = __atomic_load_n(&table->entries[i].key, __ATOMIC_ACQUIRE);
        if (SILT_LIKELY(there == key)) {
            silt_rule rule = __atomic_load_n(&table->entries[i].rule, __ATOMIC_ACQUIRE);
            /* The table may be on its way to being used anew (rules.c). */
            bool is_still = __atomic_load_n(&table->entries[i].key, __ATOMIC_RELAXED) == key;
            return SILT_LIKELY(is_still) ? rule : SILT_RULE_NONE;
        }
        if (there == 0) {
            return SILT_RULE_NONE;
        }
    }
}

/* The rule by which the frame with that return address is left, as far as it was met before;
 * `exact` for the interrupted instruction itself. */
static inline silt_rule silt_rule_known(uintptr_t address, bool exact) {
    const struct silt_rule_table *table = __atomic_load_n(&silt_rules, __ATOMIC_ACQUIRE);
    return SILT_LIKELY(table != NULL) ? silt_rule_in(table, (uint64_t)address << 1 | exact)
                                      : SILT_RULE_NONE;
}

/* Drops the rules of a range of addresses: its module is gone. Aside. */
void silt_rules_forget(uintptr_t start, uintptr_t end);
/* Code made at run time is gone, or is not executable any more: no rule was kept for it, but walks
 * were. In a hook. */
void silt_rules_doubt(void);
/* Rises with either: stacks that were walked before may not be what they were. */
extern uint32_t silt_rules_generation SILT_HIDDEN;
/* Rises with each silt_rules_forget: nodes may name what is gone. */
extern uint32_t silt_rules_forgotten SILT_HIDDEN;

/* In a fork child: the thread that held the lock stayed in the parent. */
void silt_rules_unlock(void);

#endif

/*
 * rules.c: the table of unwind rules, shared by all threads. Runs inside hooks.
 *
 * Readers take no lock. The table only ever gains keys; when it is half full, one thread copies
 * what holds into another, and what others enter into the old one meanwhile is learned again. Where
 * most rules belong to modules that are gone, the other table has the same size, and the two take
 * turns: who still reads in one while it is filled again finds a key with its rule or nothing
 * (silt_rule_in checks the key twice). Otherwise it has twice the size. Smaller tables stay, since
 * somebody may be reading them; together they are smaller than the current one.
 */
#include "rules.h"

#include "aside.h"
#include "cfi.h"
#include "generated.h"
#include "loaded.h"
#include "memory.h"
#include "system.h"
#include "untabled.h"
#include "verify.h"

#define FIRST_BITS 12

struct silt_rule_table *silt_rules;
uint32_t silt_rules_generation, silt_rules_forgotten;
static struct silt_rule_table *spare; /* of the size of the current one; or NULL */
static int changing;                  /* held by whoever replaces the table or drops entries */

static struct silt_rule_table *new_table(uint32_t bits) {
    struct silt_rule_table *table =
        silt_pages(sizeof *table + (sizeof(struct silt_rule_entry) << bits));
    if (table) {
        table->bits = bits;
    }
    return table;
}

static void enter(struct silt_rule_table *table, uint64_t key, uint64_t rule) {
    size_t mask = ((size_t)1 << table->bits) - 1;
    for (size_t i = (key * 0x9E3779B97F4A7C15ull) >> (64 - table->bits);; i = (i + 1) & mask) {
        uint64_t there = table->entries[i].key;
        if (there == 0 && __atomic_compare_exchange_n(&table->entries[i].key, &there, key, false,
                                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            table->used++;
            there = key;
        }
        if (there == key) {
            table->entries[i].rule = rule;
            return;
        }
    }
}

static uint32_t count_rules(const struct silt_rule_table *table) {
    uint32_t count = 0;
    for (size_t i = 0; i < (size_t)1 << table->bits; i++) {
        count += table->entries[i].rule != SILT_RULE_NONE;
    }
    return count;
}

/* An empty table that takes the place of one. */
static struct silt_rule_table *successor(const struct silt_rule_table *table) {
    if (count_rules(table) >= 1u << (table->bits - 2)) {
        spare = NULL;
        return table->bits < 26 ? new_table(table->bits + 1) : NULL;
    }
    struct silt_rule_table *made = spare ? spare : new_table(table->bits);
    if (made == spare && made) {
        for (size_t i = 0; i < (size_t)1 << made->bits; i++) {
            made->entries[i].rule = SILT_RULE_NONE;
            made->entries[i].key = 0;
        }
        made->used = 0;
    }
    return made;
}

/* A table with room for one more entry, or NULL: then the rule is not kept this time. */
static struct silt_rule_table *table_with_room(void) {
    struct silt_rule_table *table = __atomic_load_n(&silt_rules, __ATOMIC_ACQUIRE);
    if (table && table->used < 1u << (table->bits - 1)) {
        return table;
    }
    if (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE)) {
        return NULL;
    }
    table = silt_rules;
    struct silt_rule_table *made = table ? successor(table) : new_table(FIRST_BITS);
    for (size_t i = 0; made && table && i < (size_t)1 << table->bits; i++) {
        if (table->entries[i].key && table->entries[i].rule != SILT_RULE_NONE) {
            enter(made, table->entries[i].key, table->entries[i].rule);
        }
    }
    if (made) {
        spare = table && made->bits == table->bits ? table : NULL;
        __atomic_store_n(&silt_rules, made, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
    return made;
}

static uintptr_t learn(const struct silt_origin *origin, uintptr_t key, uintptr_t unused,
                       uintptr_t unused_too) {
    (void)origin, (void)unused, (void)unused_too;
    uintptr_t address = key >> 1;
    silt_rule rule = silt_rule_make(key & 1 ? address : address - 1);
    if (rule == SILT_RULE_NONE && !(key & 1) && silt_cfi_is_outermost(address)) {
        rule = SILT_RULE_END;
    }
    if (rule == SILT_RULE_NONE && silt_untabled_has_frame(key & 1 ? address : address - 1)) {
        rule = SILT_RULE_FRAME;
    }
    /* What was generated into a module's data may be gone at any time. */
    bool stays = rule != SILT_RULE_NONE &&
                 !(rule == SILT_RULE_FRAME && silt_is_generated(address - 1, address + 1));
    struct silt_rule_table *table = stays ? table_with_room() : NULL;
    if (table) {
        enter(table, key, rule);
    }
    return rule;
}

/* Code that no module covers, as interpreters make it, is asked about again and again: it is
 * recognized without a switch of stacks. No entry is made for it, since the program may unmap it.
 */
silt_rule silt_rule_learn(uint64_t key) {
    uintptr_t address = key >> 1, pc = key & 1 ? address : address - 1;
    if (!silt_is_in_module(address) && !silt_is_in_module(address - 1)) {
        return silt_is_generated(pc, pc + 1) ? SILT_RULE_FRAME : SILT_RULE_NONE;
    }
    return silt_aside(learn, key, 0, 0);
}

void silt_rules_doubt(void) {
    __atomic_fetch_add(&silt_rules_generation, 1, __ATOMIC_SEQ_CST);
}

void silt_rules_unlock(void) {
    changing = 0;
}

void silt_rules_forget(uintptr_t start, uintptr_t end) {
    silt_untabled_forget();
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE)) {
        silt_rest(&changing);
    }
    struct silt_rule_table *table = silt_rules;
    for (size_t i = 0; table && i < (size_t)1 << table->bits; i++) {
        if ((table->entries[i].key >> 1) - start < end - start) {
            table->entries[i].rule = SILT_RULE_NONE;
        }
    }
    __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
    __atomic_fetch_add(&silt_rules_forgotten, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&silt_rules_generation, 1, __ATOMIC_SEQ_CST);
    silt_verify_flush();
}

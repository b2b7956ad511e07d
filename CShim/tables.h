/* tables.h: what the dynamic section of a loaded module says (gABI chapter 5). In a hook. */
#ifndef SILT_TABLES_H
#define SILT_TABLES_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct silt_tables {
    const ElfW(Sym) * symbols;
    size_t symbol_count;
    const char *strings;
    size_t string_bytes;
    const uint32_t *gnu_hash;
    size_t gnu_words; /* 4 at least */
    const uint32_t *hash;
    size_t hash_words;        /* 2 at least */
    const uint16_t *versions; /* top bit: not the default version */
    size_t version_count;
    bool old_versions;                /* those are taken too */
    uint16_t version;                 /* not 0: symbols of this version alone */
    const ElfW(Verdef) * definitions; /* of versions */
    size_t definition_count, definition_bytes;
    /* Relocations; the first `relative` of those that are no calls name no symbol. */
    const ElfW(Rela) * calls, *others;
    size_t call_bytes, other_bytes, relative;
};

static inline ElfW(Addr) silt_distance(ElfW(Addr) a, ElfW(Addr) b) {
    return a > b ? a - b : b - a;
}

/* An address in the dynamic section of a module, relocated by glibc or as it was linked (a vDSO's,
 * which kernels have linked at 0 and at 0xffffffffff700000): the one that is nearer to the section
 * itself. */
static inline const void *silt_pointer(const struct link_map *map, ElfW(Addr) value) {
    ElfW(Addr) section = (ElfW(Addr))map->l_ld, moved = value + map->l_addr;
    return (const void *)(silt_distance(moved, section) < silt_distance(value, section) ? moved
                                                                                        : value);
}

/* Fills in what lies in the module's mapping; false when it has no symbols to be looked up. Counts
 * and sizes are of what can be read, whatever the tables say of themselves. */
bool silt_read_tables(const struct link_map *map, struct silt_tables *tables);

/* A text of the string table; empty where it has none at that offset. One that comes near the
 * table's end is looked at: what compares texts stops at the end of the shorter one, or before. */
#define SILT_NEAR_END 4096
static inline const char *silt_text(const struct silt_tables *tables, size_t offset) {
    if (offset >= tables->string_bytes) {
        return "";
    }
    size_t left = tables->string_bytes - offset;
    const char *text = tables->strings + offset;
    return left > SILT_NEAR_END || strnlen(text, left) < left ? text : "";
}

#endif

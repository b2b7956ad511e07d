/* tables.h: what the dynamic section of a loaded module says (gABI chapter 5). In a hook. */
#ifndef SILT_TABLES_H
#define SILT_TABLES_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silt_tables {
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *gnu_hash;
    const uint32_t *hash;
    const uint16_t *versions;         /* top bit: not the default version */
    bool old_versions;                /* those are taken too */
    uint16_t version;                 /* not 0: symbols of this version alone */
    const ElfW(Verdef) * definitions; /* of versions */
    size_t definition_count;
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

static inline bool silt_read_tables(const struct link_map *map, struct silt_tables *tables) {
    *tables = (struct silt_tables){0};
    for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
        const void *there = silt_pointer(map, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            tables->symbols = there;
            break;
        case DT_STRTAB:
            tables->strings = there;
            break;
        case DT_GNU_HASH:
            tables->gnu_hash = there;
            break;
        case DT_VERSYM:
            tables->versions = there;
            break;
        case DT_VERDEF:
            tables->definitions = there;
            break;
        case DT_VERDEFNUM:
            tables->definition_count = entry->d_un.d_val;
            break;
        case DT_HASH:
            tables->hash = there;
            break;
        case DT_JMPREL:
            tables->calls = there;
            break;
        case DT_PLTRELSZ:
            tables->call_bytes = entry->d_un.d_val;
            break;
        case DT_RELA:
            tables->others = there;
            break;
        case DT_RELASZ:
            tables->other_bytes = entry->d_un.d_val;
            break;
        case DT_RELACOUNT:
            tables->relative = entry->d_un.d_val;
            break;
        }
    }
    return tables->symbols && tables->strings && (tables->gnu_hash || tables->hash);
}

#endif

/*
 * tables.c: what the dynamic section of a loaded module says. In a hook.
 *
 * The loader reads some of these tables only for names that it looks up, and some never: what they
 * say need not be true in a program that runs. So a table is taken as far as the segment goes that
 * it begins in.
 */
#define _GNU_SOURCE
#include "tables.h"

#include "loaded.h"

#include <dlfcn.h>

/* What can be read of a table, in bytes. */
static size_t room(const struct silt_extent *extent, const void *table) {
    uintptr_t start, end;
    return table && silt_readable_at(extent, (uintptr_t)table, &start, &end)
               ? end - (uintptr_t)table
               : 0;
}

static void limit(size_t *bytes, size_t room) {
    *bytes = *bytes < room ? *bytes : room;
}

static void take(const struct link_map *map, struct silt_tables *tables) {
    for (const ElfW(Dyn) *entry = map->l_ld; entry && entry->d_tag != DT_NULL; entry++) {
        const void *there = silt_pointer(map, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            tables->symbols = there;
            break;
        case DT_STRTAB:
            tables->strings = there;
            break;
        case DT_STRSZ:
            tables->string_bytes = entry->d_un.d_val;
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
}

static void bound(struct silt_tables *tables, const struct silt_extent *extent) {
    tables->symbol_count = room(extent, tables->symbols) / sizeof *tables->symbols;
    limit(&tables->string_bytes, room(extent, tables->strings));
    tables->gnu_words = room(extent, tables->gnu_hash) / sizeof *tables->gnu_hash;
    tables->gnu_hash = tables->gnu_words >= 4 ? tables->gnu_hash : NULL;
    tables->hash_words = room(extent, tables->hash) / sizeof *tables->hash;
    tables->hash = tables->hash_words >= 2 ? tables->hash : NULL;
    tables->version_count = room(extent, tables->versions) / sizeof *tables->versions;
    tables->definition_bytes = room(extent, tables->definitions);
    limit(&tables->call_bytes, room(extent, tables->calls));
    limit(&tables->other_bytes, room(extent, tables->others));
}

bool silt_read_tables(const struct link_map *map, struct silt_tables *tables) {
    struct dl_find_object found;
    *tables = (struct silt_tables){0};
    if (!map->l_ld || _dl_find_object(map->l_ld, &found) != 0 || found.dlfo_link_map != map) {
        return false;
    }
    struct silt_extent extent = silt_extent_of(&found);
    take(map, tables);
    bound(tables, &extent);
    return tables->symbol_count && tables->string_bytes && (tables->gnu_hash || tables->hash);
}

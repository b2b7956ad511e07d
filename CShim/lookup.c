/*
 * lookup.c: finds functions as the loader would, without its locks and without dlsym(3), which
 * allocates and leaves an error behind.
 *
 * At start the chain of modules is the global scope, in its order. Later, a module that came with a
 * dlopen is searched with the scope of the module that was opened: that one first, then what it
 * needs, breadth first (ELF gABI, "Shared Object Dependencies").
 */
#define _GNU_SOURCE
#include "lookup.h"

#include "loaded.h"
#include "tables.h"

#include <string.h>

#define MAX_SCOPE 192 /* modules of one scope; what lies beyond is not found */

/* strcmp may be a sanitizer's, which asks dlsym where the real one is before it can be called. */
static bool is_same(const char *one, const char *other) {
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

/* A function that was written in assembly may have no type; one of type STT_GNU_IFUNC says where
 * the function is (psABI, "Symbol Table"): the loader asks it at each relocation. */
static void *defined(const struct link_map *map, const struct silt_tables *tables, uint32_t index,
                     const char *name) {
    if (index >= tables->symbol_count || (tables->versions && index >= tables->version_count)) {
        return NULL;
    }
    const ElfW(Sym) *symbol = &tables->symbols[index];
    if (tables->version && (tables->versions[index] & 0x7fff) != tables->version) {
        return NULL;
    }
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS ||
        (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC) ||
        ELF64_ST_BIND(symbol->st_info) == STB_LOCAL ||
        (tables->versions && !tables->old_versions && !tables->version &&
         tables->versions[index] & 0x8000) ||
        !is_same(silt_text(tables, symbol->st_name), name)) {
        return NULL;
    }
    void *there = (void *)(map->l_addr + symbol->st_value);
    if (silt_map_at(there) != map) {
        return NULL;
    }
    return type == STT_GNU_IFUNC ? ((void *(*)(void))there)() : there;
}

/* DT_GNU_HASH: header, bloom filter, buckets, chain (its layout is that of binutils'
 * bfd/elflink.c). */
static void *find_gnu(const struct link_map *map, const struct silt_tables *tables,
                      const char *name) {
    uint32_t hash = 5381;
    for (const unsigned char *c = (const void *)name; *c; c++) {
        hash = hash * 33 + *c;
    }
    const uint32_t *head = tables->gnu_hash;
    uint32_t buckets = head[0], first = head[1], words = head[2];
    size_t bucket = 4 + (size_t)words * (sizeof(ElfW(Addr)) / 4), chain = bucket + buckets;
    if (!buckets || chain > tables->gnu_words) {
        return NULL;
    }
    uint32_t index = head[bucket + hash % buckets];
    if (index < first) {
        return NULL;
    }
    for (size_t at = chain + (index - first); at < tables->gnu_words; at++, index++) {
        if ((head[at] | 1) == (hash | 1)) {
            void *function = defined(map, tables, index, name);
            if (function) {
                return function;
            }
        }
        if (head[at] & 1) {
            break;
        }
    }
    return NULL;
}

/* DT_HASH (gABI, "Hash Table"). */
static void *find_sysv(const struct link_map *map, const struct silt_tables *tables,
                       const char *name) {
    uint32_t hash = 0;
    for (const unsigned char *c = (const void *)name; *c; c++) {
        hash = (hash << 4) + *c;
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    size_t buckets = tables->hash[0], chain = 2 + buckets;
    if (!buckets || chain > tables->hash_words) {
        return NULL;
    }
    uint32_t index = tables->hash[2 + hash % buckets];
    /* A chain that comes back to itself is as long as the table at most. */
    for (size_t i = chain; index && index < tables->hash_words - chain && i < tables->hash_words;
         i++) {
        void *function = defined(map, tables, index, name);
        if (function) {
            return function;
        }
        index = tables->hash[chain + index];
    }
    return NULL;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool has_file_name(const struct link_map *map, const char *needed) {
    return map->l_name && strcmp(file_name(map->l_name), file_name(needed)) == 0;
}

static bool has_soname(const struct link_map *map, const char *needed) {
    struct silt_tables tables;
    if (!silt_read_tables(map, &tables)) {
        return false;
    }
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SONAME) {
            return strcmp(silt_text(&tables, entry->d_un.d_val), needed) == 0;
        }
    }
    return false;
}

/* The loaded module that a DT_NEEDED entry stands for. */
static const struct link_map *find_needed(const struct link_map *first, const char *needed) {
    for (const struct link_map *map = first; map; map = map->l_next) {
        if (has_file_name(map, needed)) {
            return map;
        }
    }
    for (const struct link_map *map = first; map; map = map->l_next) {
        if (has_soname(map, needed)) {
            return map;
        }
    }
    return NULL;
}

struct scope {
    const struct link_map *modules[MAX_SCOPE];
    unsigned count;
};

static void add(struct scope *scope, const struct link_map *map) {
    for (unsigned i = 0; i < scope->count; i++) {
        if (scope->modules[i] == map) {
            return;
        }
    }
    if (map && scope->count < MAX_SCOPE) {
        scope->modules[scope->count++] = map;
    }
}

static bool needs(const struct link_map *map, const struct link_map *other) {
    struct silt_tables tables;
    if (!silt_read_tables(map, &tables)) {
        return false;
    }
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_NEEDED) {
            const char *needed = silt_text(&tables, entry->d_un.d_val);
            if (has_file_name(other, needed) || has_soname(other, needed)) {
                return true;
            }
        }
    }
    return false;
}

/* All modules that need `module`, it included. */
static void find_dependents(struct scope *dependents, const struct link_map *first,
                            const struct link_map *module) {
    dependents->count = 0;
    add(dependents, module);
    for (unsigned i = 0; i < dependents->count; i++) {
        for (const struct link_map *map = first; map; map = map->l_next) {
            if (needs(map, dependents->modules[i])) {
                add(dependents, map);
            }
        }
    }
}

static void find_scope(struct scope *scope, const struct link_map *first,
                       const struct link_map *root) {
    scope->count = 0;
    add(scope, root);
    for (unsigned i = 0; i < scope->count; i++) {
        struct silt_tables tables;
        if (!silt_read_tables(scope->modules[i], &tables)) {
            continue;
        }
        for (const ElfW(Dyn) *entry = scope->modules[i]->l_ld; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_NEEDED) {
                add(scope, find_needed(first, silt_text(&tables, entry->d_un.d_val)));
            }
        }
    }
}

static void *find(const struct link_map *map, const struct silt_tables *tables, const char *name) {
    return tables->gnu_hash ? find_gnu(map, tables, name) : find_sysv(map, tables, name);
}

void *silt_find_in(const struct link_map *map, const char *name) {
    struct silt_tables tables;
    if (map == silt_map_at((void *)silt_find_in) || !silt_read_tables(map, &tables)) {
        return NULL;
    }
    /* A name that has no default version stands for the one it has (libc_malloc_debug.so). */
    void *function = NULL;
    for (int round = 0; round < 2 && !function; round++) {
        tables.old_versions = round == 1;
        function = find(map, &tables, name);
    }
    return function;
}

/* The number of a version that the module defines (LSB, "Symbol Versioning"); 0: none. */
static uint16_t number_of_version(const struct silt_tables *tables, const char *version) {
    size_t at = 0, bytes = tables->definition_bytes;
    for (size_t i = 0; i < tables->definition_count && at + sizeof(ElfW(Verdef)) <= bytes; i++) {
        const ElfW(Verdef) *definition = (const void *)((const char *)tables->definitions + at);
        size_t name = at + definition->vd_aux;
        if (name + sizeof(ElfW(Verdaux)) > bytes) {
            return 0;
        }
        const ElfW(Verdaux) *text = (const void *)((const char *)tables->definitions + name);
        if (!(definition->vd_flags & VER_FLG_BASE) &&
            is_same(silt_text(tables, text->vda_name), version)) {
            return definition->vd_ndx & 0x7fff;
        }
        at += definition->vd_next;
    }
    return 0;
}

/* The next definition after ours in the global scope. Only at start, when all modules that are
 * loaded are in it. */
void *silt_next(const char *name) {
    const struct link_map *map = silt_map_at((void *)silt_next);
    void *function = NULL;
    while (map && !function && (map = map->l_next)) {
        function = silt_find_in(map, name);
    }
    return function;
}

void *silt_next_version(const char *name, const char *version) {
    const struct link_map *map = silt_map_at((void *)silt_next);
    void *function = NULL;
    struct silt_tables tables;
    while (map && !function && (map = map->l_next)) {
        if (silt_read_tables(map, &tables) && tables.versions &&
            (tables.version = number_of_version(&tables, version)) != 0) {
            function = find(map, &tables, name);
        } else if (!tables.definitions) {
            function = silt_find_in(map, name);
        }
    }
    return function;
}

/* The module whose malloc the program uses when that is not ours: one that comes before us, or the
 * program itself. NULL when it is ours. Only at start, as silt_next. */
const char *silt_malloc_is_elsewhere(void) {
    const struct link_map *ours = silt_map_at((void *)silt_next);
    for (const struct link_map *map = silt_main_program(); map != ours; map = map->l_next) {
        if (silt_find_in(map, "malloc")) {
            return map->l_name && *map->l_name ? map->l_name : "the program itself";
        }
    }
    return NULL;
}

/* The list of modules is in the order of their loading. So the first that needs `module` is the one
 * whose opening loaded it; those that were opened later add their scopes behind. A module that
 * defines the functions itself is a runtime library, which is rarely opened for its own sake. It
 * may be first because those that loaded it have gone, so it is asked last. */
void silt_lookup(const struct link_map *module, const char *const *names, void **functions,
                 unsigned count) {
    struct scope dependents, scope;
    const struct link_map *first = module;
    while (first->l_prev) {
        first = first->l_prev;
    }
    find_dependents(&dependents, first, module);
    bool last = count && silt_find_in(module, names[0]);
    for (const struct link_map *root = first; root; root = root->l_next) {
        bool is_root = false;
        for (unsigned i = 0; i < dependents.count && !is_root; i++) {
            is_root = dependents.modules[i] == root;
        }
        if (!is_root || (last && root == module)) {
            continue;
        }
        find_scope(&scope, first, root);
        for (unsigned name = 0; name < count; name++) {
            for (unsigned i = 0; i < scope.count && !functions[name]; i++) {
                functions[name] = silt_find_in(scope.modules[i], names[name]);
            }
        }
    }
    for (unsigned name = 0; last && name < count; name++) {
        if (!functions[name]) {
            functions[name] = silt_find_in(module, names[name]);
        }
    }
}

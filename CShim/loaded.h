/* loaded.h: what the program headers of a loaded module say. In a hook. */
#ifndef SILT_LOADED_H
#define SILT_LOADED_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

struct dl_find_object; /* dlfcn.h */

/* A module's program headers, and where all of it lies. */
struct silt_extent {
    uintptr_t start, end, bias;
    const ElfW(Phdr) * segments;
    unsigned count;
};

struct silt_extent silt_extent_of(const struct dl_find_object *found);

/* The loader, also where it was executed itself (ld.so(8)). */
bool silt_find_loader(struct dl_find_object *found);

/* The mapped segment that holds an address; NULL when none does. */
const ElfW(Phdr) * silt_segment_at(const struct silt_extent *extent, uintptr_t at);

/* The part of a module's mapping around an address that can be read: its segment, or all of it
 * where its headers are not to be found. False when there is none. */
bool silt_readable_at(const struct silt_extent *extent, uintptr_t at, uintptr_t *start,
                      uintptr_t *end);

/* PT_NOTE's NT_GNU_BUILD_ID; NULL when there is none. */
const uint8_t *silt_build_id(const struct silt_extent *extent, uint32_t *bytes);

/* Tells files apart: by the build id, else by name, segments and where the functions begin. */
uint64_t silt_identity_of(const struct dl_find_object *found, const struct silt_extent *extent);

/* The program itself. Only its segments can lie apart with something else in between: the loader
 * keeps the room between those of a library. */
const struct link_map *silt_main_program(void);

/* The module that holds an address; NULL when none does. */
const struct link_map *silt_map_at(const void *address);
/* Whether any module holds an address. */
bool silt_is_in_module(uintptr_t address);

#endif

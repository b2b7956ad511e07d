/* loaded.c: what the program headers of a loaded module say. Everything here may run in a hook. */
#define _GNU_SOURCE
#include "loaded.h"

#include "careful.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

const ElfW(Phdr) * silt_segment_at(const struct silt_extent *extent, uintptr_t at) {
    for (unsigned i = 0; i < extent->count; i++) {
        const ElfW(Phdr) *segment = &extent->segments[i];
        if (segment->p_type == PT_LOAD &&
            at - (extent->bias + segment->p_vaddr) < segment->p_memsz) {
            return segment;
        }
    }
    return NULL;
}

/* The part of a mapped segment from `at` to the segment's end, in bytes; 0 when no segment holds
 * it. */
static uintptr_t bytes_at(const struct silt_extent *extent, uintptr_t at) {
    const ElfW(Phdr) *segment = silt_segment_at(extent, at);
    return segment ? extent->bias + segment->p_vaddr + segment->p_memsz - at : 0;
}

bool silt_readable_at(const struct silt_extent *extent, uintptr_t at, uintptr_t *start,
                      uintptr_t *end) {
    if (!extent->count) {
        *start = extent->start;
        *end = extent->end;
        return at - extent->start < extent->end - extent->start;
    }
    const ElfW(Phdr) *segment = silt_segment_at(extent, at);
    if (!segment || !(segment->p_flags & PF_R)) {
        return false;
    }
    *start = extent->bias + segment->p_vaddr;
    *end = *start + (segment->p_filesz < segment->p_memsz ? segment->p_filesz : segment->p_memsz);
    return at < *end;
}

/* Weak: else the loader, whose own it is, would be among the libraries that are needed. */
#pragma weak _r_debug

bool silt_find_loader(struct dl_find_object *found) {
    return &_r_debug && _dl_find_object((void *)_r_debug.r_ldbase, found) == 0;
}

const struct link_map *silt_map_at(const void *address) {
    struct dl_find_object found;
    return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

const struct link_map *silt_main_program(void) {
    static const struct link_map *known;
    const struct link_map *map = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!map && (map = silt_map_at((void *)silt_main_program))) {
        while (map->l_prev) {
            map = map->l_prev;
        }
        __atomic_store_n(&known, map, __ATOMIC_RELAXED);
    }
    return map;
}

/* Program headers behind an ELF header. In the first page they are mapped with it; further behind
 * they may not be, and then what lies there need not be they. */
static bool has_headers(const ElfW(Ehdr) * header, const struct dl_find_object *found) {
    size_t bytes = header->e_phnum * sizeof(ElfW(Phdr)), room = (size_t)found->dlfo_map_end;
    room -= (uintptr_t)header;
    if (header->e_phoff > room || header->e_phnum > 512 || bytes > room - header->e_phoff) {
        return false;
    }
    uintptr_t at = (uintptr_t)header + header->e_phoff, last = at + bytes;
    if (header->e_phoff + bytes > 4096 && !(silt_is_there(at) && silt_is_there(last - 1))) {
        return false;
    }
    struct silt_extent extent = {0, 0, found->dlfo_link_map->l_addr, (const void *)at,
                                 header->e_phnum};
    return silt_segment_at(&extent, (uintptr_t)found->dlfo_link_map->l_ld) != NULL;
}

/* The main program's headers are where the kernel says; they are those of the loader if that was
 * executed itself. Others have theirs behind the ELF header; every read is checked against the end
 * of the mapping. */
struct silt_extent silt_extent_of(const struct dl_find_object *found) {
    uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
    struct silt_extent extent = {start, end, found->dlfo_link_map->l_addr, NULL, 0};
    const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);
    if (found->dlfo_link_map == silt_main_program() && segments &&
        silt_map_at(segments) == found->dlfo_link_map) {
        extent.segments = segments;
        extent.count = (unsigned)getauxval(AT_PHNUM);
        for (unsigned i = 0; i < extent.count; i++) {
            uintptr_t at = extent.bias + segments[i].p_vaddr;
            if (segments[i].p_type == PT_LOAD) {
                extent.start = at < extent.start ? at & ~(uintptr_t)4095 : extent.start;
                at += segments[i].p_memsz;
                extent.end = at > extent.end ? at : extent.end;
            }
        }
        return extent;
    }
    const ElfW(Ehdr) *header = (const void *)start;
    if (end - start >= sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
        has_headers(header, found)) {
        extent.segments = (const void *)(start + header->e_phoff);
        extent.count = header->e_phnum;
    }
    return extent;
}

const uint8_t *silt_build_id(const struct silt_extent *extent, uint32_t *bytes) {
    *bytes = 0;
    for (unsigned i = 0; i < extent->count; i++) {
        uintptr_t at = extent->bias + extent->segments[i].p_vaddr;
        uintptr_t stop = at + extent->segments[i].p_memsz;
        if (extent->segments[i].p_type != PT_NOTE || stop < at ||
            bytes_at(extent, at) < stop - at) {
            continue;
        }
        while (stop - at >= sizeof(ElfW(Nhdr))) {
            const ElfW(Nhdr) *note = (const void *)at;
            uintptr_t name = at + sizeof *note;
            uintptr_t text = name + ((note->n_namesz + 3u) & ~3u);
            uintptr_t after = text + ((note->n_descsz + 3u) & ~3u);
            if (note->n_namesz > 64 || note->n_descsz > 1024 || after > stop) {
                break;
            }
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
                memcmp((void *)name, "GNU", 4) == 0) {
                *bytes = note->n_descsz > 64 ? 64 : note->n_descsz;
                return (const uint8_t *)text;
            }
            at = after;
        }
    }
    return NULL;
}

static uint64_t hash_bytes(uint64_t hash, const void *from, size_t count) {
    const uint8_t *bytes = from;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

uint64_t silt_identity_of(const struct dl_find_object *found, const struct silt_extent *extent) {
    uint64_t hash = 0xcbf29ce484222325u;
    uint32_t id_bytes;
    const uint8_t *id = silt_build_id(extent, &id_bytes);
    if (id) {
        return hash_bytes(hash, id, id_bytes);
    }
    const char *path = found->dlfo_link_map->l_name;
    hash = hash_bytes(hash, path, path ? strlen(path) : 0);
    hash = hash_bytes(hash, extent->segments, extent->count * sizeof *extent->segments);
    uintptr_t table = bytes_at(extent, (uintptr_t)found->dlfo_eh_frame);
    return hash_bytes(hash, found->dlfo_eh_frame, table < 4096 ? table : 4096);
}

__attribute__((noinline)) bool silt_is_in_module(uintptr_t address) {
    struct dl_find_object found;
    return _dl_find_object((void *)address, &found) == 0;
}

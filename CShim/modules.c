/* modules.c: loaded-module records, found without locks through _dl_find_object (glibc 2.35 and
 * newer). */
#define _GNU_SOURCE
#include "aside.h"
#include "memory.h"
#include "rules.h"
#include "silt_internal.h"
#include "system.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#define MAX_MODULES 65535 /* a NODE has 16 bits for the index */
#define MAX_RANGES  4096  /* of modules that are loaded at a time */
#define BUCKETS     1024

/* Code that is loaded now: a module, or a segment of a program whose segments lie apart. A slot is
 * used again when its module has gone; `version` is odd while it changes. */
static struct range {
    uint32_t version;
    uint32_t index; /* 0: its module did not fit */
    uintptr_t start, end;
    const struct link_map *map;
} ranges[MAX_RANGES];
static uint32_t range_count; /* slots ever used */

/* What the module log says, by index - 1, to find a module again that is loaded once more where it
 * was. Changed by who holds `registering`, and read by nobody else. */
static struct logged {
    uintptr_t start, end;
    uint64_t identity;
    uint16_t next; /* index of another in the same bucket; 0: none */
    bool gone;
} *logged;
static uint32_t logged_room, module_count;
static uint16_t buckets[BUCKETS];
static uint32_t log_bytes;
static uintptr_t last_lost; /* start of a module for which there was no range */
static int registering;     /* held by the one thread that adds modules or drops them */

/* A module's program headers, and where all of it lies. */
struct extent {
    uintptr_t start, end, bias;
    const ElfW(Phdr) * segments;
    unsigned count;
};

/* The part of a mapped segment from `at` to the segment's end, in bytes; 0 when no segment holds
 * it. */
static uintptr_t bytes_at(const struct extent *extent, uintptr_t at) {
    for (unsigned i = 0; i < extent->count; i++) {
        const ElfW(Phdr) *segment = &extent->segments[i];
        uintptr_t offset = at - (extent->bias + segment->p_vaddr);
        if (segment->p_type == PT_LOAD && offset < segment->p_memsz) {
            return segment->p_memsz - offset;
        }
    }
    return 0;
}

/* The program itself. Only its segments can lie apart with something else in between: the loader
 * keeps the room between those of a library. */
static const struct link_map *main_program(void) {
    static const struct link_map *known;
    struct dl_find_object ours;
    const struct link_map *map = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!map && _dl_find_object((void *)main_program, &ours) == 0) {
        for (map = ours.dlfo_link_map; map->l_prev; map = map->l_prev) {
        }
        __atomic_store_n(&known, map, __ATOMIC_RELAXED);
    }
    return map;
}

/* The main program's headers are where the kernel says; they are those of the loader if that was
 * executed itself. Others have theirs behind the ELF header; every read is checked against the end
 * of the mapping. */
static struct extent extent_of(const struct dl_find_object *found) {
    uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
    struct extent extent = {start, end, found->dlfo_link_map->l_addr, NULL, 0};
    const ElfW(Phdr) *segments = (const void *)getauxval(AT_PHDR);
    struct dl_find_object named;
    if (found->dlfo_link_map == main_program() && segments &&
        _dl_find_object((void *)segments, &named) == 0 &&
        named.dlfo_link_map == found->dlfo_link_map) {
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
        header->e_phoff <= end - start && header->e_phnum <= 512 &&
        header->e_phnum * sizeof(ElfW(Phdr)) <= end - start - header->e_phoff) {
        extent.segments = (const void *)(start + header->e_phoff);
        extent.count = header->e_phnum;
    }
    return extent;
}

/* PT_NOTE's NT_GNU_BUILD_ID. */
static const uint8_t *build_id(const struct extent *extent, uint32_t *bytes) {
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

/* Tells files apart: by the build id, else by name, segments and where the functions begin. */
static uint64_t identity_of(const struct dl_find_object *found, const struct extent *extent) {
    uint64_t hash = 0xcbf29ce484222325u;
    uint32_t id_bytes;
    const uint8_t *id = build_id(extent, &id_bytes);
    if (id) {
        return hash_bytes(hash, id, id_bytes);
    }
    const char *path = found->dlfo_link_map->l_name;
    hash = hash_bytes(hash, path, path ? strlen(path) : 0);
    hash = hash_bytes(hash, extent->segments, extent->count * sizeof *extent->segments);
    uintptr_t table = bytes_at(extent, (uintptr_t)found->dlfo_eh_frame);
    return hash_bytes(hash, found->dlfo_eh_frame, table < 4096 ? table : 4096);
}

/* Makes room for one more; false when there is none. */
static bool grow_logged(void) {
    if (module_count < logged_room) {
        return true;
    }
    uint32_t room = logged_room ? logged_room * 2 : 128;
    struct logged *grown = silt_pages(room * sizeof *grown);
    if (!grown) {
        return false;
    }
    if (logged) {
        memcpy(grown, logged, module_count * sizeof *grown);
        silt_pages_drop(logged, logged_room * sizeof *grown);
    }
    logged = grown;
    logged_room = room;
    return true;
}

/* Writes a module into the log: its index, or 0 when it does not fit. */
static uint32_t log_module(const struct dl_find_object *found, const struct extent *extent) {
    uint32_t id_bytes;
    const uint8_t *id = build_id(extent, &id_bytes);
    char full[SILT_TEXT_BYTES];
    const char *path = found->dlfo_link_map->l_name;
    if (!path || !*path) {
        path = (const char *)silt_shared + SILT_EXE_OFFSET;
    } else if (*path != '/' && strchr(path, '/') && !silt_is_filtered()) {
        /* Opened by a relative path; getcwd(2) counts the NUL. */
        long length = silt_call(SYS_getcwd, full, sizeof full / 2);
        if (length > 1) {
            full[length - 1] = '/';
            strncpy(full + length, path, sizeof full / 2 - 1);
            full[length + (long)sizeof full / 2 - 1] = 0;
            path = full;
        }
    }
    uint32_t path_bytes = (uint32_t)strnlen(path, 4095);
    uint32_t bytes = (uint32_t)((sizeof(struct silt_module) + id_bytes + path_bytes + 7) & ~7u);
    if (module_count >= MAX_MODULES || log_bytes + bytes > SILT_MODULES_BYTES || !grow_logged()) {
        return 0;
    }
    uint8_t *entry = (uint8_t *)silt_shared + SILT_MODULES_OFFSET + log_bytes;
    struct silt_module module = {bytes,        module_count + 1, extent->start, extent->end,
                                 extent->bias, id_bytes,         path_bytes};
    memcpy(entry, &module, sizeof module);
    if (id) {
        memcpy(entry + sizeof module, id, id_bytes);
    }
    memcpy(entry + sizeof module + id_bytes, path, path_bytes);
    log_bytes += bytes;
    __atomic_store_n(&silt_shared->modules_bytes, log_bytes, __ATOMIC_RELEASE);
    return ++module_count;
}

/* The index of a module that is not loaded yet as far as `ranges` knows: the one that it had when
 * it was there before, or a new one. 0 when it does not fit. */
static uint32_t index_of(const struct dl_find_object *found) {
    struct extent extent = extent_of(found);
    uint64_t identity = identity_of(found, &extent);
    uint16_t *bucket = &buckets[(identity ^ extent.start >> 12) % BUCKETS];
    for (uint32_t index = *bucket; index; index = logged[index - 1].next) {
        struct logged *module = &logged[index - 1];
        if (module->gone && module->start == extent.start && module->end == extent.end &&
            module->identity == identity) {
            module->gone = false;
            return index;
        }
    }
    uint32_t index = log_module(found, &extent);
    if (index) {
        logged[index - 1] = (struct logged){extent.start, extent.end, identity, *bucket, false};
        *bucket = (uint16_t)index;
    } else {
        __atomic_fetch_add(&silt_shared->modules_lost, 1, __ATOMIC_RELAXED);
    }
    return index;
}

/* Changes a slot so that who reads it meanwhile, a signal handler perhaps, sees none. */
static void set_range(struct range *range, struct range to) {
    to.version = range->version + 2;
    __atomic_store_n(&range->version, to.version - 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    range->index = to.index;
    range->start = to.start;
    range->end = to.end;
    range->map = to.map;
    __atomic_store_n(&range->version, to.version, __ATOMIC_RELEASE);
}

static uint32_t add_range(const struct dl_find_object *found) {
    uint32_t slot = 0;
    while (slot < range_count && ranges[slot].end) {
        slot++;
    }
    uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
    const struct link_map *map = found->dlfo_link_map;
    if (slot == MAX_RANGES) {
        if (start != last_lost) {
            last_lost = start;
            __atomic_fetch_add(&silt_shared->modules_lost, 1, __ATOMIC_RELAXED);
        }
        return 0;
    }
    uint32_t index = 0;
    bool is_main = map == main_program(); /* then this may be another segment of it */
    for (uint32_t i = 0; i < range_count && is_main; i++) {
        index = ranges[i].end && ranges[i].map == map ? ranges[i].index : index;
    }
    if (!index) {
        index = index_of(found);
    }
    set_range(&ranges[slot], (struct range){0, index, start, end, map});
    if (slot == range_count) {
        __atomic_store_n(&range_count, slot + 1, __ATOMIC_RELEASE);
    }
    return index;
}

/* In a hook. */
int32_t silt_module_known(uintptr_t address) {
    for (uint32_t i = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE); i-- > 0;) {
        const struct range *range = &ranges[i];
        uint32_t version = __atomic_load_n(&range->version, __ATOMIC_ACQUIRE);
        if (address - __atomic_load_n(&range->start, __ATOMIC_RELAXED) >=
            range->end - range->start) {
            continue;
        }
        uint32_t index = range->index;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(version & 1) && __atomic_load_n(&range->version, __ATOMIC_RELAXED) == version) {
            return (int32_t)index;
        }
    }
    return SILT_MODULE_UNKNOWN;
}

__attribute__((noinline)) bool silt_is_in_module(uintptr_t address) {
    struct dl_find_object found;
    return _dl_find_object((void *)address, &found) == 0;
}

/* Waits for the right to change what is known of modules, at least when `patient`. False where
 * signals are not blocked and the code that a handler has interrupted may hold it. */
static bool may_register(bool patient) {
    while (__atomic_exchange_n(&registering, 1, __ATOMIC_ACQUIRE)) {
        if (!patient || silt_thread.state == SILT_IN_SIGNAL) {
            return false;
        }
        silt_rest(&registering);
    }
    return true;
}

static void registered(void) {
    __atomic_store_n(&registering, 0, __ATOMIC_RELEASE);
}

static uintptr_t find_module(const struct silt_origin *origin, uintptr_t address, uintptr_t unused,
                             uintptr_t unused_too) {
    struct dl_find_object found;
    (void)origin, (void)unused, (void)unused_too;
    if (_dl_find_object((void *)address, &found) != 0 || !may_register(true)) {
        return 0;
    }
    int32_t index = silt_module_known(address);
    if (index == SILT_MODULE_UNKNOWN) {
        index = (int32_t)add_range(&found);
    }
    registered();
    return (uintptr_t)index;
}

/* In a hook. */
uint16_t silt_module_of(uintptr_t address) {
    int32_t index = silt_module_known(address);
    if (index != SILT_MODULE_UNKNOWN) {
        return (uint16_t)index;
    }
    return silt_is_in_module(address) ? (uint16_t)silt_aside(find_module, address, 0, 0) : 0;
}

/* Whether the module that was found in a range is the one that it was when the range was added. */
static bool is_same(struct range *range, const struct dl_find_object *found) {
    if (found->dlfo_link_map == range->map) {
        return true;
    }
    struct extent extent = extent_of(found);
    if (!range->index || identity_of(found, &extent) != logged[range->index - 1].identity) {
        return false;
    }
    range->map = found->dlfo_link_map;
    return true;
}

/* Looks whether known modules are still what they were; forgets the rules and stacks of those that
 * are not. Unless `patient`, it may be left to the next time. Aside. */
void silt_modules_check(bool patient) {
    if (!may_register(patient)) {
        return;
    }
    for (uint32_t i = 0; i < range_count; i++) {
        struct range *range = &ranges[i];
        uintptr_t start = range->start, end = range->end;
        struct dl_find_object found;
        if (!end || (_dl_find_object((void *)start, &found) == 0 &&
                     (uintptr_t)found.dlfo_map_start == start &&
                     (uintptr_t)found.dlfo_map_end == end && is_same(range, &found))) {
            continue;
        }
        if (range->index) {
            logged[range->index - 1].gone = true;
        }
        set_range(range, (struct range){0});
        silt_walker_forget_range(start, end);
    }
    registered();
}

/* In a fork child: its own memory file starts with an empty log. */
void silt_modules_forget(void) {
    memset(ranges, 0, range_count * sizeof *ranges);
    memset(buckets, 0, sizeof buckets);
    range_count = module_count = log_bytes = 0;
    last_lost = 0;
    registering = 0;
    silt_rules_unlock();
    silt_operators_unlock();
}

static uintptr_t look_after_close(const struct silt_origin *origin, uintptr_t unused,
                                  uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    silt_operators_forget();
    silt_modules_check(true);
    return 0;
}

/* Modules come and go behind dlopen's back too; a close that we see is looked at at once. */
SILT_EXPORT int dlclose(void *handle) {
    int result = silt_real.dlclose ? silt_real.dlclose(handle) : 0;
    if (*silt_live) {
        silt_aside(look_after_close, 0, 0, 0);
    } else {
        silt_operators_forget();
    }
    return result;
}

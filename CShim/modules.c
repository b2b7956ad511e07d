/* modules.c: loaded-module records, found without locks through _dl_find_object (glibc 2.35 and
 * newer). */
#define _GNU_SOURCE
#include "modules.h"

#include "aside.h"
#include "generated.h"
#include "image.h"
#include "loaded.h"
#include "memory.h"
#include "rules.h"
#include "sandbox.h"
#include "system.h"
#include "untabled.h"

#include <dlfcn.h>
#include <string.h>

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
static const struct silt_module_watcher *watcher;
static int registering; /* held by the one thread that adds modules or drops them */

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
static uint32_t log_module(const struct dl_find_object *found, const struct silt_extent *extent) {
    uint32_t id_bytes;
    const uint8_t *id = silt_build_id(extent, &id_bytes);
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
    struct silt_extent extent = silt_extent_of(found);
    uint64_t identity = silt_identity_of(found, &extent);
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

/* Changes a slot so that a reader of this moment, perhaps a signal handler, sees an empty one. */
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

/* What was generated where a module's code lies now was unmapped in a way that no hook sees. */
static void replace_generated(const struct dl_find_object *found) {
    struct silt_extent extent = silt_extent_of(found);
    for (unsigned i = 0; i < extent.count; i++) {
        const ElfW(Phdr) *segment = &extent.segments[i];
        uintptr_t start = extent.bias + segment->p_vaddr, end = start + segment->p_memsz;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X &&
            silt_generated_drop(start, end)) {
            silt_rules_forget(start, end);
        }
    }
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
    bool is_main = map == silt_main_program(); /* then this may be another segment of it */
    for (uint32_t i = 0; i < range_count && is_main; i++) {
        index = ranges[i].end && ranges[i].map == map ? ranges[i].index : index;
    }
    if (!index) {
        index = index_of(found);
    }
    set_range(&ranges[slot], (struct range){0, index, start, end, map});
    replace_generated(found);
    if (slot == range_count) {
        __atomic_store_n(&range_count, slot + 1, __ATOMIC_RELEASE);
    }
    return index;
}

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
            bool in_data = SILT_UNLIKELY(silt_is_generated(address, address + 1)) &&
                           !silt_is_module_code(address);
            return in_data ? 0 : (int32_t)index;
        }
    }
    return SILT_MODULE_UNKNOWN;
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
    bool is_new = index == SILT_MODULE_UNKNOWN;
    if (is_new) {
        index = (int32_t)add_range(&found);
    }
    registered();
    if (is_new && watcher) {
        watcher->met(&found);
    }
    return (uintptr_t)index;
}

uint16_t silt_module_of(uintptr_t address) {
    int32_t index = silt_module_known(address);
    if (index != SILT_MODULE_UNKNOWN) {
        return (uint16_t)index;
    }
    return silt_is_in_module(address) ? (uint16_t)silt_aside(find_module, address, 0, 0) : 0;
}

void silt_modules_check(bool patient) {
    if (!may_register(patient)) {
        return;
    }
    /* What lies there now is not read: another thread may be about to close it. */
    for (uint32_t i = 0; i < range_count; i++) {
        struct range *range = &ranges[i];
        uintptr_t start = range->start, end = range->end;
        struct dl_find_object found;
        if (!end || (_dl_find_object((void *)start, &found) == 0 &&
                     (uintptr_t)found.dlfo_map_start == start &&
                     (uintptr_t)found.dlfo_map_end == end && found.dlfo_link_map == range->map)) {
            continue;
        }
        if (range->index) {
            logged[range->index - 1].gone = true;
        }
        set_range(range, (struct range){0});
        silt_rules_forget(start, end);
    }
    registered();
}

void silt_modules_forget(void) {
    if (watcher) {
        watcher->forked();
    }
    memset(ranges, 0, range_count * sizeof *ranges);
    memset(buckets, 0, sizeof buckets);
    range_count = module_count = log_bytes = 0;
    last_lost = 0;
    registering = 0;
}

void silt_modules_watch(const struct silt_module_watcher *by) {
    watcher = by;
}

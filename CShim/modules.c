/* modules.c: loaded-module records, found without locks through _dl_find_object (glibc 2.35 and
 * newer). */
#define _GNU_SOURCE
#include "aside.h"
#include "rules.h"
#include "silt_internal.h"
#include "system.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#define MAX_MODULES 4096

/* Modules met so far, in the order of their indexes; an entry is complete before module_count
 * covers it. */
static struct known_module {
    uintptr_t start, end;
    const struct link_map *map;
    uint64_t build_id_hash;
    bool gone;
} known[MAX_MODULES];
static uint32_t module_count;
static uint32_t log_bytes;
static int registering; /* held by the one thread that adds a module; others see "unknown" meanwhile
                           and wait */

/* Finds PT_NOTE's NT_GNU_BUILD_ID inside the mapping; every read is checked against its end. */
static const uint8_t *build_id(uintptr_t start, uintptr_t end, uintptr_t bias, uint32_t *bytes) {
    const ElfW(Ehdr) *header = (const void *)start;
    *bytes = 0;
    if (end - start < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_phoff > end - start || header->e_phnum > 512 ||
        header->e_phnum * sizeof(ElfW(Phdr)) > end - start - header->e_phoff) {
        return NULL;
    }
    const ElfW(Phdr) *segment = (const void *)(start + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type != PT_NOTE) {
            continue;
        }
        uintptr_t at = bias + segment[i].p_vaddr, stop = at + segment[i].p_memsz;
        if (at < start || stop > end || stop < at) {
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

static uint64_t hash_bytes(const uint8_t *bytes, uint32_t count) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static uint16_t add_module(const struct dl_find_object *found) {
    uint32_t index = module_count;
    uintptr_t start = (uintptr_t)found->dlfo_map_start, end = (uintptr_t)found->dlfo_map_end;
    const struct link_map *map = found->dlfo_link_map;
    uint32_t id_bytes;
    const uint8_t *id = build_id(start, end, map->l_addr, &id_bytes);
    char full[4096];
    const char *path = map->l_name;
    if (!path || !*path) {
        long length = silt_call(SYS_readlink, "/proc/self/exe", full, sizeof full - 1);
        full[length > 0 ? length : 0] = 0;
        path = full;
    } else if (*path != '/' && strchr(path, '/')) {
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
    if (index >= MAX_MODULES || log_bytes + bytes > SILT_MODULES_BYTES) {
        __atomic_fetch_add(&silt_shared->modules_lost, 1, __ATOMIC_RELAXED);
        return 0;
    }
    uint8_t *entry = (uint8_t *)silt_shared + SILT_MODULES_OFFSET + log_bytes;
    struct silt_module module = {bytes, index + 1, start, end, map->l_addr, id_bytes, path_bytes};
    memcpy(entry, &module, sizeof module);
    if (id) {
        memcpy(entry + sizeof module, id, id_bytes);
    }
    memcpy(entry + sizeof module + id_bytes, path, path_bytes);
    log_bytes += bytes;
    __atomic_store_n(&silt_shared->modules_bytes, log_bytes, __ATOMIC_RELEASE);
    known[index] = (struct known_module){start, end, map, hash_bytes(id, id ? id_bytes : 0), false};
    __atomic_store_n(&module_count, index + 1, __ATOMIC_RELEASE);
    return (uint16_t)(index + 1);
}

uint16_t silt_module_known(uintptr_t address) {
    for (uint32_t i = __atomic_load_n(&module_count, __ATOMIC_ACQUIRE); i-- > 0;) {
        if (address - known[i].start < known[i].end - known[i].start && !known[i].gone) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

__attribute__((noinline)) bool silt_is_in_module(uintptr_t address) {
    struct dl_find_object found;
    return _dl_find_object((void *)address, &found) == 0;
}

static uintptr_t find_module(const struct silt_origin *origin, uintptr_t address, uintptr_t unused,
                             uintptr_t unused_too) {
    struct dl_find_object found;
    (void)origin, (void)unused, (void)unused_too;
    if (_dl_find_object((void *)address, &found) != 0) {
        return 0;
    }
    while (__atomic_exchange_n(&registering, 1, __ATOMIC_ACQUIRE)) {
        if (silt_thread.state == SILT_IN_SIGNAL) {
            return 0; /* where signals are not blocked, the interrupted code may hold it */
        }
        silt_call(SYS_sched_yield, 0);
    }
    uint16_t index = silt_module_known(address);
    if (!index) {
        index = add_module(&found);
    }
    __atomic_store_n(&registering, 0, __ATOMIC_RELEASE);
    return index;
}

/* In a hook. */
uint16_t silt_module_of(uintptr_t address) {
    uint16_t index = silt_module_known(address);
    if (index || !silt_is_in_module(address)) {
        return index;
    }
    return (uint16_t)silt_aside(find_module, address, 0, 0);
}

/* Looks whether known modules are still what they were; forgets the rules and stacks of those that
 * are not. In a hook. */
void silt_modules_check(void) {
    for (uint32_t i = 0; i < __atomic_load_n(&module_count, __ATOMIC_ACQUIRE); i++) {
        struct dl_find_object found;
        if (known[i].gone) {
            continue;
        }
        bool same = _dl_find_object((void *)known[i].start, &found) == 0 &&
                    (uintptr_t)found.dlfo_map_start == known[i].start &&
                    (uintptr_t)found.dlfo_map_end == known[i].end;
        if (same && found.dlfo_link_map != known[i].map) {
            uint32_t bytes;
            const uint8_t *id =
                build_id(known[i].start, known[i].end, found.dlfo_link_map->l_addr, &bytes);
            same = id && hash_bytes(id, bytes) == known[i].build_id_hash;
        }
        if (!same) {
            known[i].gone = true;
            silt_walker_forget_range(known[i].start, known[i].end);
        }
    }
}

/* In a fork child: its own memory file starts with an empty log. */
void silt_modules_forget(void) {
    __atomic_store_n(&module_count, 0, __ATOMIC_RELEASE);
    log_bytes = 0;
    registering = 0;
    silt_rules_unlock();
    silt_operators_unlock();
}

static uintptr_t look_after_close(const struct silt_origin *origin, uintptr_t unused,
                                  uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    silt_operators_forget();
    silt_modules_check();
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

/*
 * rebind.c: imports that are bound past the exported hooks are pointed to hooks of their own.
 *
 * A library that was opened with RTLD_DEEPBIND finds malloc in its own dependencies before it finds
 * ours, and mallocx, tc_malloc, mi_malloc are no names of ours: a program may test for them by a
 * weak reference. So the slots of such imports are changed (imports.c).
 *
 * When: in the constructor; when dlsym(3) is asked about a handle that it was not asked about
 * before, or at all after a dlopen(3); when a stack has a module that is new. Both functions are
 * hooked by code that ends in a jump, so that their caller stays their caller. No lock is waited
 * for but that of dl_iterate_phdr(3), which keeps the modules where they are meanwhile.
 */
#define _GNU_SOURCE
#include "rebind.h"
#include "loads.h"

#include "aside.h"
#include "held.h"
#include "image.h"
#include "imports.h"
#include "lookup.h"
#include "memory.h"
#include "modules.h"
#include "real.h"
#include "sandbox.h"
#include "start.h"
#include "system.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>

uint32_t silt_opened, silt_opens;

#define HANDLES 256 /* a power of two */

static struct looked {
    const struct link_map *map;
    const void *dynamic;
} *looked;
static uint32_t looked_count, looked_room;
static const void *handles[HANDLES]; /* that dlsym was asked about */
static uint32_t rebinding;           /* held by who looks; only who forks waits for it */
static uint32_t forking;             /* threads that are in fork(3): nobody looks meanwhile */
/* The loader's count of modules; 0: some are to be looked at. */
static unsigned long long adds_seen;
static unsigned long long subs_seen; /* its count of those that have gone */
/* This is a fork child that has opened nothing: there is nothing to look at. */
static uint32_t has_forked;

/* Families whose interface was there at start: all callers find it first. */
static bool is_global[SILT_FAMILIES];

/* Takes the right to look; false where somebody has it, or forks. */
static bool may_begin(void) {
    if (__atomic_exchange_n(&rebinding, 1, __ATOMIC_SEQ_CST)) {
        return false;
    }
    if (__atomic_load_n(&forking, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
        return false;
    }
    return true;
}

static void has_looked(void) {
    __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
}

static bool is_looked_at(const struct link_map *map) {
    for (uint32_t i = 0; i < looked_count; i++) {
        if (looked[i].map == map) {
            return true;
        }
    }
    return false;
}

/* Without memory it is looked at again each time. */
static void remember(const struct link_map *map) {
    if (looked_count == looked_room) {
        size_t bytes = looked_room * sizeof *looked, more = bytes ? 2 * bytes : 4096;
        struct looked *grown = bytes ? silt_pages_grow(looked, bytes, more) : silt_pages(more);
        if (!grown) {
            return;
        }
        looked = grown;
        looked_room = (uint32_t)(more / sizeof *looked);
    }
    looked[looked_count++] = (struct looked){map, map->l_ld};
}

/* One pass over the loaded modules. Those that are known come first, in the order in which they
 * were looked at. */
struct pass {
    uint32_t known; /* of them */
    bool is_begun, is_complete;
};

/* A module that was not looked at yet and that the loader has finished; NULL otherwise. */
static const struct link_map *new_map(const struct dl_phdr_info *info, struct pass *pass) {
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) {
            continue;
        }
        const void *dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        if (pass->known < looked_count && looked[pass->known].dynamic == dynamic) {
            pass->known++;
            return NULL;
        }
        const struct link_map *map = silt_map_at(dynamic);
        if (!map || map->l_ld != dynamic) {
            pass->is_complete &= info->dlpi_addr == getauxval(AT_SYSINFO_EHDR);
            return NULL;
        }
        return is_looked_at(map) ? NULL : map;
    }
    return NULL;
}

static int find_definers(struct dl_phdr_info *info, size_t size, void *argument) {
    struct pass *pass = argument;
    (void)size;
    if (!pass->is_begun && info->dlpi_adds == adds_seen) {
        return 1; /* nothing is new */
    }
    pass->is_begun = true;
    const struct link_map *map = new_map(info, pass);
    if (map) {
        silt_imports_note(map);
    }
    return 0;
}

static int look_at_one(struct dl_phdr_info *info, size_t size, void *argument) {
    struct pass *pass = argument;
    (void)size;
    const struct link_map *map = new_map(info, pass);
    adds_seen = info->dlpi_adds;
    struct silt_extent extent = {0, 0, info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
    if (map && silt_imports_rebind(map, &extent)) {
        remember(map);
    } else if (map) {
        pass->is_complete = false;
    }
    return 0;
}

/* Forgets what is kept of modules that have gone. */
static void forget_gone(void) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < looked_count; i++) {
        if (silt_map_at(looked[i].dynamic) == looked[i].map) {
            looked[kept++] = looked[i];
            continue;
        }
        silt_imports_gone(looked[i].map);
    }
    looked_count = kept;
    adds_seen = 0;
    memset(handles, 0, sizeof handles);
}

/* While modules are held; `info` may be NULL. */
static void forget_if_gone(const struct dl_phdr_info *info) {
    if (!info || info->dlpi_subs != subs_seen) {
        subs_seen = info ? info->dlpi_subs : 0;
        forget_gone();
    }
}

static int look_at_all(struct dl_phdr_info *info, size_t bytes, void *argument) {
    struct pass first = {0, false, true}, second = first;
    (void)bytes, (void)argument;
    forget_if_gone(info);
    int nothing_new = 1;
    if (silt_held_each(find_definers, &first, &nothing_new) && !nothing_new) {
        silt_held_each(look_at_one, &second, NULL);
        adds_seen = second.is_complete ? adds_seen : 0;
    }
    return 1;
}

static uintptr_t look(const struct silt_origin *origin, uintptr_t unused, uintptr_t unused_too,
                      uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    if (!may_begin()) {
        silt_opened = 1;
        return 0;
    }
    if (!silt_held_each(look_at_all, NULL, NULL)) {
        silt_opened = 1; /* the next call looks */
    }
    has_looked();
    return 0;
}

/* Under a filter of the program's mprotect(2) may be forbidden; a vfork(2) child has its parent's
 * memory. */
static bool may_look(void) {
    return silt_phase == SILT_PHASE_RECORDING && *silt_live && !silt_is_filtered() &&
           !silt_is_borrowed();
}

/* A module that the stack goes through. */
static int look_at_met(struct dl_phdr_info *info, size_t bytes, void *argument) {
    const struct dl_find_object *found = argument;
    const struct link_map *map = found->dlfo_link_map;
    struct silt_extent extent = silt_extent_of(found);
    (void)bytes;
    forget_if_gone(info);
    silt_imports_note(map);
    if (silt_imports_rebind(map, &extent)) {
        remember(map);
    }
    return 1;
}

static void meet(const struct dl_find_object *found) {
    if (!silt_opens || has_forked || !may_look() || !may_begin()) {
        return;
    }
    if (!is_looked_at(found->dlfo_link_map) && !silt_held_each(look_at_met, (void *)found, NULL)) {
        silt_opened = 1;
    }
    has_looked();
}

void silt_rebind_forget(void) {
    if (!silt_opens) {
        return;
    }
    if (!may_begin()) {
        silt_opened = 1; /* the next look forgets them */
        return;
    }
    forget_gone();
    has_looked();
}

bool silt_rebind_at_dlsym(const void *handle, const char *name) {
    if (silt_phase != SILT_PHASE_RECORDING) {
        return false;
    }
    const void **seen = &handles[(uintptr_t)handle >> 6 & (HANDLES - 1)];
    bool is_new = handle && handle != RTLD_NEXT && *seen != handle;
    if (has_forked && !silt_opened) {
        is_new = false;
    } else if (has_forked) {
        has_forked = 0;
    }
    if (silt_opened && silt_bound_deep && silt_is_filtered() && *silt_live) {
        silt_opened = 0;
        /* What was opened may call past us. */
        __atomic_fetch_add(&silt_shared->imports_unbound, 1, __ATOMIC_RELAXED);
    } else if ((silt_opened || is_new) && may_look()) {
        silt_opened = 0;
        if (is_new) {
            *seen = handle;
        }
        silt_aside(look, 0, 0, 0);
    }
    const struct silt_interface *interface =
        handle != RTLD_NEXT && silt_may_be_interface(name, true) ? silt_interface_of(name) : NULL;
    return interface && (handle || is_global[interface->family]) && may_look();
}

static uintptr_t bind_found(const struct silt_origin *origin, uintptr_t found, uintptr_t of,
                            uintptr_t unused) {
    const struct silt_interface *interface = (const struct silt_interface *)of;
    (void)origin, (void)unused;
    void *hook = NULL;
    if (may_begin()) {
        hook = silt_imports_hook(interface, (void *)found);
        has_looked();
    }
    return hook ? (uintptr_t)hook : found;
}

void *silt_rebind_found(void *handle, const char *name) {
    void *function = silt_real.dlsym(handle, name);
    const struct silt_interface *interface = silt_interface_of(name);
    return function ? (void *)silt_aside(bind_found, (uintptr_t)function, (uintptr_t)interface, 0)
                    : function;
}

/* In a fork child. */
static void unlock(void) {
    rebinding = forking = 0;
}

#define PATIENCE 1000 /* silt_rest: about a tenth of a second at most */

/* The handlers of pthread_atfork(3), which several threads may run at the same time. A child is not
 * to inherit the list from a thread that changes it. */
static void before_fork(void) {
    __atomic_fetch_add(&forking, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < PATIENCE && __atomic_load_n(&rebinding, __ATOMIC_SEQ_CST); i++) {
        silt_rest(&rebinding);
    }
}

/* None are counted where a handler has made this process an image of its own meanwhile. */
static void after_fork(void) {
    uint32_t count = __atomic_load_n(&forking, __ATOMIC_RELAXED);
    while (count && !__atomic_compare_exchange_n(&forking, &count, count - 1, false,
                                                 __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
}

static void after_fork_in_child(void) {
    unlock();
    has_forked = 1;
    silt_opened = 0;
}

__attribute__((constructor)) static void look_at_start(void) {
    static const struct silt_module_watcher watcher = {meet, unlock};
    silt_wake_up();
    silt_held_init();
    if (silt_phase != SILT_PHASE_RECORDING) {
        return;
    }
    silt_modules_watch(&watcher);
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
    if (may_look()) {
        silt_aside(look, 0, 0, 0);
    }
    for (uint8_t family = 0; family < SILT_FAMILIES; family++) {
        is_global[family] = silt_imports_know(family);
        silt_opens |= is_global[family];
    }
}

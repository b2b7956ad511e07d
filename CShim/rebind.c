/*
 * rebind.c: imports that are bound past the exported hooks are pointed to hooks of their own.
 *
 * A library that was opened with RTLD_DEEPBIND finds malloc in its own dependencies before it finds
 * ours, and mallocx, tc_malloc, mi_malloc are no names of ours: a program may test for them by a
 * weak reference. So the slots that the loader has filled, or will fill at the first call, are
 * changed: R_X86_64_JUMP_SLOT, GLOB_DAT and 64 (psABI, "Relocation Types"). A slot that holds
 * nothing, or a function of its own library, stays as it is.
 *
 * When: in the constructor; when dlsym(3) is asked about a handle that it was not asked about
 * before, or at all after a dlopen(3); when a stack has a module that is new. Both functions are
 * hooked by code that ends in a jump, so that their caller stays their caller. No lock is waited
 * for but that of dl_iterate_phdr(3), which keeps the modules where they are meanwhile.
 *
 * The loader may bind a slot in another thread at the same moment: the slot is only changed as long
 * as it holds what was seen in it, and if the loader writes last, it stays bound past us.
 */
#define _GNU_SOURCE
#include "rebind.h"
#include "loads.h"

#include "aside.h"
#include "bound.h"
#include "image.h"
#include "loaded.h"
#include "lookup.h"
#include "modules.h"
#include "real.h"
#include "sandbox.h"
#include "start.h"
#include "system.h"
#include "tables.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

uint32_t silt_opened, silt_bound_deep, silt_opens;

#define LOOKED  1024 /* modules beyond that are looked at each time */
#define HANDLES 256  /* a power of two */

static struct looked {
    const struct link_map *map;
    const void *dynamic;
} looked[LOOKED];
static uint32_t looked_count;
static const void *handles[HANDLES]; /* that dlsym was asked about */
static uint32_t rebinding;           /* held by who looks; nobody waits for it */
static unsigned long long
    adds_seen; /* the loader's count of modules; 0: some are to be looked at */

/* The one module that has an interface; NULL when none has it, or several. */
static const struct link_map *definers[SILT_FAMILIES];
static const char *const markers[SILT_FAMILIES] = {
    [SILT_FAMILY_JEMALLOC] = "mallocx",
    [SILT_FAMILY_TCMALLOC] = "tc_malloc",
    [SILT_FAMILY_MIMALLOC] = "mi_malloc",
};
static uint32_t definer_count[SILT_FAMILIES];
/* As it was at start: all callers find it first. */
static const struct link_map *global_definers[SILT_FAMILIES];

#define AS_NAME(name, does) #name,
#define AS_REAL(name, does) (void *)silt_real.name,
#define AS_ONE(name, does)  +1
enum { MALLOC_NAMES = 0 SILT_MALLOC_ROWS(AS_ONE) };
static const char *const malloc_names[] = {SILT_MALLOC_ROWS(AS_NAME)};

#define WANTED_BITS 4096

struct module {
    const struct link_map *map;
    const ElfW(Phdr) * segments;
    unsigned count;
    struct silt_tables tables;
    uintptr_t relro, relro_end; /* whole pages */
    bool is_open;               /* they can be written to now */
    bool is_done;               /* else it is looked at again */
    bool has_scope;
    void *scope[MALLOC_NAMES];         /* what the loader would find without us */
    uint64_t wanted[WANTED_BITS / 64]; /* symbols, by index modulo WANTED_BITS */
};

static const struct link_map *module_of(const void *address) {
    struct dl_find_object found;
    return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_link_map : NULL;
}

/* What silt stands in front of by that name; NULL when there is none. */
static void *real_malloc_function(const char *name) {
    void *const functions[] = {SILT_MALLOC_ROWS(AS_REAL)};
    for (unsigned i = 0; i < MALLOC_NAMES; i++) {
        if (strcmp(malloc_names[i], name) == 0) {
            return functions[i];
        }
    }
    return NULL;
}

/* What the loader will bind a call to that was not made yet; NULL where that is not known for sure.
 * Whether a library was opened with RTLD_DEEPBIND cannot be seen: its malloc must be the one that
 * it would get through us as well. */
static void *to_be_bound(struct module *module, const struct silt_interface *interface) {
    if (markers[interface->family]) {
        const struct link_map *definer = definers[interface->family];
        return definer ? silt_find_in(definer, interface->name) : NULL;
    }
    if (interface->family != SILT_FAMILY_MALLOC || !silt_bound_deep) {
        return NULL;
    }
    if (!module->has_scope) {
        module->has_scope = true;
        silt_lookup(module->map, malloc_names, module->scope, MALLOC_NAMES);
    }
    for (unsigned i = 0; i < MALLOC_NAMES; i++) {
        if (strcmp(malloc_names[i], interface->name) == 0) {
            void *function = module->scope[i];
            return function == real_malloc_function(interface->name) ? function : NULL;
        }
    }
    return NULL;
}

/* Whether a word can be written to: futex(2) adds 0 to it. */
static bool can_write(uintptr_t *slot) {
    return silt_call(SYS_futex, slot, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, slot,
                     FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) != -EFAULT;
}

/* Pages that the loader has made read-only after relocation (PT_GNU_RELRO). Those that can be
 * written to before we make them so belong to somebody else: they stay as they are. */
static bool open_relro(struct module *module, uintptr_t *slot) {
    if (module->is_open) {
        return true;
    }
    if (can_write(slot)) {
        module->is_done = false; /* perhaps it is being relocated */
        return false;
    }
    module->is_open = silt_call(SYS_mprotect, module->relro, module->relro_end - module->relro,
                                PROT_READ | PROT_WRITE) == 0;
    return module->is_open;
}

static bool is_in_written_segment(const struct module *module, uintptr_t at) {
    for (unsigned i = 0; i < module->count; i++) {
        const ElfW(Phdr) *segment = &module->segments[i];
        if (segment->p_type == PT_LOAD &&
            at - (module->map->l_addr + segment->p_vaddr) < segment->p_memsz) {
            return segment->p_flags & PF_W;
        }
    }
    return false;
}

static void count_unbound(void) {
    __atomic_fetch_add(&silt_shared->imports_unbound, 1, __ATOMIC_RELAXED);
}

static void rebind(struct module *module, uintptr_t *slot, bool is_call,
                   const struct silt_interface *interface) {
    uintptr_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    const struct link_map *there = value ? module_of((void *)value) : NULL;
    if (!there || there == module_of((void *)silt_bind)) {
        return;
    }
    void *function = NULL;
    if (there != module->map) {
        function = silt_find_in(there, interface->name);
        if ((uintptr_t)function != value) {
            return; /* a wrapper, or what the program has put there */
        }
    } else if (is_call && (uintptr_t)silt_find_in(there, interface->name) != value) {
        function = to_be_bound(module, interface);
    }
    /* Operators that call malloc are seen there. */
    if (!function || (interface->family == SILT_FAMILY_OPERATOR &&
                      !silt_find_in(module_of(function), "malloc"))) {
        return;
    }
    bool is_relro = (uintptr_t)slot - module->relro < module->relro_end - module->relro;
    if (is_relro ? !open_relro(module, slot) : !can_write(slot)) {
        if (module->is_done) {
            count_unbound();
        }
        return;
    }
    void *hook = silt_bind(function, interface->does);
    if (!hook) {
        count_unbound();
        return;
    }
    __atomic_compare_exchange_n(slot, &value, (uintptr_t)hook, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_RELAXED);
}

static void rebind_all(struct module *module, const ElfW(Rela) * first, size_t count) {
    const struct silt_tables *tables = &module->tables;
    for (size_t i = 0; i < count; i++) {
        uint64_t type = ELF64_R_TYPE(first[i].r_info), symbol = ELF64_R_SYM(first[i].r_info);
        uintptr_t slot = module->map->l_addr + first[i].r_offset;
        if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) ||
            !(module->wanted[symbol % WANTED_BITS / 64] >> symbol % 64 & 1) ||
            (type == R_X86_64_64 && first[i].r_addend) || slot & 7 ||
            tables->symbols[symbol].st_shndx != SHN_UNDEF || !is_in_written_segment(module, slot)) {
            continue;
        }
        const struct silt_interface *interface =
            silt_interface_of(tables->strings + tables->symbols[symbol].st_name);
        if (interface) {
            rebind(module, (uintptr_t *)slot, type == R_X86_64_JUMP_SLOT, interface);
        }
    }
}

static uint32_t symbols_named(const ElfW(Rela) * first, size_t bytes, uint32_t end) {
    for (size_t i = 0; i < bytes / sizeof *first; i++) {
        uint32_t symbol = (uint32_t)ELF64_R_SYM(first[i].r_info);
        end = symbol >= end ? symbol + 1 : end;
    }
    return end;
}

/* The symbol behind those that a module imports: DT_GNU_HASH has what it defines at the end. Not so
 * where it defines nothing, nor in an executable, which may have functions there too of which it
 * takes the address: relocations tell. */
static uint32_t imports_end(const struct module *module) {
    const struct silt_tables *tables = &module->tables;
    if (!tables->gnu_hash) {
        return tables->hash[1];
    }
    if (module->map != silt_main_program() && tables->gnu_hash[1] > 1) {
        return tables->gnu_hash[1];
    }
    uint32_t end = symbols_named(tables->calls, tables->call_bytes, tables->gnu_hash[1]);
    return symbols_named(tables->others, tables->other_bytes, end);
}

static bool imports_any(struct module *module) {
    const struct silt_tables *tables = &module->tables;
    bool any = false, with_malloc = silt_bound_deep;
    uint32_t end = imports_end(module);
    for (uint32_t i = 1; i < end; i++) {
        const ElfW(Sym) *symbol = &tables->symbols[i];
        const char *name = tables->strings + symbol->st_name;
        if (symbol->st_shndx != SHN_UNDEF || !silt_may_be_interface(name, with_malloc)) {
            continue;
        }
        const struct silt_interface *interface = silt_interface_of(name);
        if (interface && (with_malloc || markers[interface->family])) {
            module->wanted[i % WANTED_BITS / 64] |= 1ull << i % 64;
            any = true;
        }
    }
    return any;
}

static void find_relro(struct module *module) {
    for (unsigned i = 0; i < module->count; i++) {
        if (module->segments[i].p_type == PT_GNU_RELRO) {
            uintptr_t start = module->map->l_addr + module->segments[i].p_vaddr;
            module->relro = start & ~(uintptr_t)4095;
            module->relro_end = (start + module->segments[i].p_memsz) & ~(uintptr_t)4095;
        }
    }
}

/* False when it must be looked at again. An allocator's own calls are left alone. */
static __attribute__((noinline)) bool look_at(const struct link_map *map,
                                              const ElfW(Phdr) * segments, unsigned count) {
    struct module module = {.map = map, .segments = segments, .count = count, .is_done = true};
    if (map == module_of((void *)silt_bind) || !silt_read_tables(map, &module.tables) ||
        !imports_any(&module) || (map != silt_main_program() && silt_find_in(map, "malloc"))) {
        return true;
    }
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        if (markers[family] && silt_find_in(map, markers[family])) {
            return true;
        }
    }
    find_relro(&module);
    const struct silt_tables *tables = &module.tables;
    rebind_all(&module, tables->calls, tables->call_bytes / sizeof(ElfW(Rela)));
    size_t others = tables->other_bytes / sizeof(ElfW(Rela));
    if (others > tables->relative) {
        rebind_all(&module, tables->others + tables->relative, others - tables->relative);
    }
    if (module.is_open) {
        silt_call(SYS_mprotect, module.relro, module.relro_end - module.relro, PROT_READ);
    }
    return module.is_done;
}

static bool is_looked_at(const struct link_map *map) {
    for (uint32_t i = 0; i < looked_count; i++) {
        if (looked[i].map == map) {
            return true;
        }
    }
    return false;
}

static void remember(const struct link_map *map) {
    if (looked_count < LOOKED) {
        looked[looked_count++] = (struct looked){map, map->l_ld};
    }
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
        const struct link_map *map = module_of(dynamic);
        if (!map || map->l_ld != dynamic) {
            pass->is_complete &= info->dlpi_addr == getauxval(AT_SYSINFO_EHDR);
            return NULL;
        }
        return is_looked_at(map) ? NULL : map;
    }
    return NULL;
}

static void note_interfaces(const struct link_map *map) {
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        if (markers[family] && definers[family] != map && silt_find_in(map, markers[family])) {
            definers[family] = definer_count[family]++ ? NULL : map;
        }
    }
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
        note_interfaces(map);
    }
    return 0;
}

static int look_at_one(struct dl_phdr_info *info, size_t size, void *argument) {
    struct pass *pass = argument;
    (void)size;
    const struct link_map *map = new_map(info, pass);
    adds_seen = info->dlpi_adds;
    if (map && look_at(map, info->dlpi_phdr, info->dlpi_phnum)) {
        remember(map);
    } else if (map) {
        pass->is_complete = false;
    }
    return 0;
}

/* libc's own: the program's, if it has one, may do anything. */
static int (*iterate)(int (*)(struct dl_phdr_info *, size_t, void *), void *);

static uintptr_t look(const struct silt_origin *origin, uintptr_t unused, uintptr_t unused_too,
                      uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    if (!iterate || __atomic_exchange_n(&rebinding, 1, __ATOMIC_ACQUIRE)) {
        silt_opened = 1;
        return 0;
    }
    struct pass first = {0, false, true}, second = first;
    if (iterate(find_definers, &first) == 0) {
        iterate(look_at_one, &second);
        adds_seen = second.is_complete ? adds_seen : 0;
    }
    __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
    return 0;
}

/* Under a filter of the program's mprotect(2) may be forbidden; a vfork(2) child has its parent's
 * memory. */
static bool may_look(void) {
    return silt_phase == SILT_PHASE_RECORDING && *silt_live && !silt_is_filtered() &&
           !silt_is_borrowed();
}

static void meet(const struct dl_find_object *found) {
    if (!silt_opens || !may_look() || __atomic_exchange_n(&rebinding, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    const struct link_map *map = found->dlfo_link_map;
    if (!is_looked_at(map)) {
        struct silt_extent extent = silt_extent_of(found);
        note_interfaces(map);
        if (look_at(map, extent.segments, extent.count)) {
            remember(map);
        }
    }
    __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
}

void silt_rebind_forget(void) {
    if (!silt_opens || __atomic_exchange_n(&rebinding, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < looked_count; i++) {
        if (module_of(looked[i].dynamic) == looked[i].map) {
            looked[kept++] = looked[i];
            continue;
        }
        for (unsigned family = 0; family < SILT_FAMILIES; family++) {
            if (definers[family] == looked[i].map) {
                definers[family] = NULL;
                definer_count[family] = 0;
            }
        }
    }
    looked_count = kept;
    adds_seen = 0;
    memset(handles, 0, sizeof handles);
    __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
}

bool silt_rebind_at_dlsym(const void *handle, const char *name) {
    if (silt_phase != SILT_PHASE_RECORDING) {
        return false;
    }
    const void **seen = &handles[(uintptr_t)handle >> 6 & (HANDLES - 1)];
    bool is_new = handle && handle != RTLD_NEXT && *seen != handle;
    if (silt_opened && silt_bound_deep && silt_is_filtered() && *silt_live) {
        silt_opened = 0;
        count_unbound(); /* what was opened may call past us */
    } else if ((silt_opened || is_new) && may_look()) {
        silt_opened = 0;
        if (is_new) {
            *seen = handle;
        }
        silt_aside(look, 0, 0, 0);
    }
    const struct silt_interface *interface =
        handle != RTLD_NEXT && silt_may_be_interface(name, true) ? silt_interface_of(name) : NULL;
    return interface && (handle || global_definers[interface->family]) && may_look();
}

static uintptr_t bind_found(const struct silt_origin *origin, uintptr_t found, uintptr_t of,
                            uintptr_t unused) {
    const struct silt_interface *interface = (const struct silt_interface *)of;
    (void)origin, (void)unused;
    void *function = (void *)found, *hook = NULL;
    const struct link_map *definer = definers[interface->family];
    bool is_known = markers[interface->family] ? definer && module_of(function) == definer
                                               : function == real_malloc_function(interface->name);
    if (is_known && !__atomic_exchange_n(&rebinding, 1, __ATOMIC_ACQUIRE)) {
        hook = silt_bind(function, interface->does);
        __atomic_store_n(&rebinding, 0, __ATOMIC_RELEASE);
    }
    return (uintptr_t)(hook ? hook : function);
}

void *silt_rebind_found(void *handle, const char *name) {
    void *function = silt_real.dlsym(handle, name);
    const struct silt_interface *interface = silt_interface_of(name);
    return function ? (void *)silt_aside(bind_found, (uintptr_t)function, (uintptr_t)interface, 0)
                    : function;
}

/* In a fork child. */
static void unlock(void) {
    rebinding = 0;
}

__attribute__((constructor)) static void look_at_start(void) {
    static const struct silt_module_watcher watcher = {meet, unlock};
    silt_wake_up();
    if (silt_phase != SILT_PHASE_RECORDING) {
        return;
    }
    silt_modules_watch(&watcher);
    const struct link_map *libc = module_of((void *)strnlen);
    iterate = libc ? (int (*)(int (*)(struct dl_phdr_info *, size_t, void *), void *))silt_find_in(
                         libc, "dl_iterate_phdr")
                   : NULL;
    if (may_look()) {
        silt_aside(look, 0, 0, 0);
    }
    memcpy(global_definers, definers, sizeof definers);
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        silt_opens |= definers[family] != NULL;
    }
}

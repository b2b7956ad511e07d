/*
 * imports.c: the slots through which a module calls others, and which of them are changed.
 *
 * Those that the loader has filled, or will fill at the first call: R_X86_64_JUMP_SLOT, GLOB_DAT
 * and 64 (psABI, "Relocation Types"). A slot that holds nothing, or a function of its own library,
 * stays as it is.
 *
 * The loader may bind a slot in another thread at the same moment: the slot is only changed as long
 * as it holds what was seen in it, and if the loader writes last, it stays bound past us.
 */
#define _GNU_SOURCE
#include "imports.h"

#include "bound.h"
#include "image.h"
#include "lookup.h"
#include "real.h"
#include "system.h"
#include "tables.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>

uint32_t silt_bound_deep;

/* The one module that has an interface; NULL when none has it, or several. */
static const struct link_map *definers[SILT_FAMILIES];
static const char *const markers[SILT_FAMILIES] = {
    [SILT_FAMILY_JEMALLOC] = "mallocx",
    [SILT_FAMILY_TCMALLOC] = "tc_malloc",
    [SILT_FAMILY_MIMALLOC] = "mi_malloc",
};
static uint32_t definer_count[SILT_FAMILIES];
#define AS_NAME(name, does) #name,
#define AS_REAL(name, does) (void *)silt_real.name,
#define AS_ONE(name, does)  +1
enum { MALLOC_NAMES = 0 SILT_MALLOC_ROWS(AS_ONE) };
static const char *const malloc_names[] = {SILT_MALLOC_ROWS(AS_NAME)};

#define WANTED_BITS 4096

struct module {
    const struct link_map *map;
    const struct silt_extent *extent;
    struct silt_tables tables;
    uintptr_t relro, relro_end; /* whole pages */
    bool is_open;               /* they can be written to now */
    bool is_done;               /* else it is looked at again */
    bool has_scope;
    void *scope[MALLOC_NAMES];         /* what the loader would find without us */
    uint64_t wanted[WANTED_BITS / 64]; /* symbols, by index modulo WANTED_BITS */
};

static bool has_interface(const struct link_map *map, unsigned family) {
    return markers[family] && silt_find_in(map, markers[family]);
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
    const ElfW(Phdr) *segment = silt_segment_at(module->extent, at);
    return segment && segment->p_flags & PF_W;
}

static void count_unbound(void) {
    __atomic_fetch_add(&silt_shared->imports_unbound, 1, __ATOMIC_RELAXED);
}

static void rebind(struct module *module, uintptr_t *slot, bool is_call,
                   const struct silt_interface *interface) {
    uintptr_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    const struct link_map *there = value ? silt_map_at((void *)value) : NULL;
    if (!there) {
        return;
    }
    void *function = NULL;
    if (there != module->map) {
        function = silt_find_in(there, interface->name);
        if ((uintptr_t)function != value) {
            return; /* a wrapper, what the program has put there, or a hook of ours */
        }
    } else if (is_call && (uintptr_t)silt_find_in(there, interface->name) != value) {
        function = to_be_bound(module, interface);
    }
    /* Operators that call malloc are seen there. */
    if (!function || (interface->family == SILT_FAMILY_OPERATOR &&
                      !silt_find_in(silt_map_at(function), "malloc"))) {
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
    if (__atomic_compare_exchange_n(slot, &value, (uintptr_t)hook, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&silt_shared->imports_bound, 1, __ATOMIC_RELAXED);
    }
}

static void rebind_all(struct module *module, const ElfW(Rela) * first, size_t count) {
    const struct silt_tables *tables = &module->tables;
    for (size_t i = 0; i < count; i++) {
        uint64_t type = ELF64_R_TYPE(first[i].r_info), symbol = ELF64_R_SYM(first[i].r_info);
        uintptr_t slot = module->map->l_addr + first[i].r_offset;
        if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) ||
            !(module->wanted[symbol % WANTED_BITS / 64] >> symbol % 64 & 1) ||
            symbol >= tables->symbol_count || (type == R_X86_64_64 && first[i].r_addend) ||
            slot & 7 || tables->symbols[symbol].st_shndx != SHN_UNDEF ||
            !is_in_written_segment(module, slot)) {
            continue;
        }
        const struct silt_interface *interface =
            silt_interface_of(silt_text(tables, tables->symbols[symbol].st_name));
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
    for (uint32_t i = 1; i < end && i < tables->symbol_count; i++) {
        const ElfW(Sym) *symbol = &tables->symbols[i];
        const char *name = silt_text(tables, symbol->st_name);
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
    for (unsigned i = 0; i < module->extent->count; i++) {
        const ElfW(Phdr) *segment = &module->extent->segments[i];
        if (segment->p_type == PT_GNU_RELRO) {
            uintptr_t start = module->map->l_addr + segment->p_vaddr;
            module->relro = start & ~(uintptr_t)4095;
            module->relro_end = (start + segment->p_memsz) & ~(uintptr_t)4095;
        }
    }
}

/* An allocator's own calls are left alone. */
__attribute__((noinline)) bool silt_imports_rebind(const struct link_map *map,
                                                   const struct silt_extent *extent) {
    struct module module = {.map = map, .extent = extent, .is_done = true};
    if (map == silt_map_at((void *)silt_bind) || !silt_read_tables(map, &module.tables) ||
        !imports_any(&module) || (map != silt_main_program() && silt_find_in(map, "malloc"))) {
        return true;
    }
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        if (has_interface(map, family)) {
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

void silt_imports_note(const struct link_map *map) {
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        if (definers[family] != map && has_interface(map, family)) {
            definers[family] = definer_count[family]++ ? NULL : map;
        }
    }
}

void silt_imports_gone(const struct link_map *map) {
    for (unsigned family = 0; family < SILT_FAMILIES; family++) {
        if (definers[family] == map) {
            definers[family] = NULL;
            definer_count[family] = 0;
        }
    }
}

bool silt_imports_know(uint8_t family) {
    return definers[family] != NULL;
}

void *silt_imports_hook(const struct silt_interface *interface, void *function) {
    const struct link_map *definer = definers[interface->family];
    bool is_known = markers[interface->family] ? definer && silt_map_at(function) == definer
                                               : function == real_malloc_function(interface->name);
    return is_known ? silt_bind(function, interface->does) : NULL;
}

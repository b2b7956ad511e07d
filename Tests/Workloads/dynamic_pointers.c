/* dynamic_pointers: whether addresses in dynamic sections are found in their modules, relocated or
 * as they were linked; prints those that are not. */
#include "../../CShim/tables.h"

#include <stdio.h>

struct module {
    const char *name;
    ElfW(Addr) base, linked, section, table;
};

/* Made up, by the order and the distances that such modules have. */
static const struct module modules[] = {
    {"library", 0x7ffff7c00000, 0, 0x1d2b80, 0x3a0},
    {"executable at a fixed address", 0x400000, 0x400000, 0x3e20, 0x338},
    {"library low in memory", 0x40000000, 0, 0x31cb8, 0x260},
    {"library of a gigabyte", 0x7ffff0000000, 0, 0x40000000, 0x200},
    {"vDSO", 0x7ffff7fc1000, 0, 0x3e0, 0x120},
    {"vDSO of old kernels", 0x7fffb95fe000, 0xffffffffff700000, 0x580, 0x120},
    {"vDSO of user-mode Linux", 0x7fbffff000, 0xffffffffff700000, 0x3f0, 0x120},
};

int main(void) {
    int wrong = 0;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        const struct module *module = &modules[i];
        ElfW(Addr) there = module->base + module->table;
        struct link_map map = {.l_addr = module->base - module->linked,
                               .l_ld = (ElfW(Dyn) *)(module->base + module->section)};
        if (silt_pointer(&map, there) != (void *)there) {
            printf("%s, relocated\n", module->name);
            wrong++;
        }
        if (silt_pointer(&map, module->linked + module->table) != (void *)there) {
            printf("%s, as it was linked\n", module->name);
            wrong++;
        }
    }
    return wrong != 0;
}

/* interfaces.c: the names of interfaces.h. */
#include "interfaces.h"

#include "hook_table.h"

#include <stddef.h>
#include <string.h>

#define MALLOC_ROW(name, does)   {#name, SILT_DOES_##does, SILT_FAMILY_MALLOC},
#define JEMALLOC_ROW(name, does) {#name, SILT_DOES_##does, SILT_FAMILY_JEMALLOC},
#define TCMALLOC_ROW(name, does) {#name, SILT_DOES_##does, SILT_FAMILY_TCMALLOC},
#define MIMALLOC_ROW(name, does) {#name, SILT_DOES_##does, SILT_FAMILY_MIMALLOC},
#define OPERATOR_ROW(result, name, parameters)                                                     \
    {#name, SILT_OPERATOR_DOES(#name), SILT_FAMILY_OPERATOR},

static const struct silt_interface interfaces[] = {
    SILT_MALLOC_ROWS(MALLOC_ROW) SILT_JEMALLOC_ROWS(JEMALLOC_ROW) SILT_TCMALLOC_ROWS(TCMALLOC_ROW)
        SILT_MIMALLOC_ROWS(MIMALLOC_ROW) SILT_OPERATOR_HOOKS(OPERATOR_ROW)};

const struct silt_interface *silt_interface_of(const char *name) {
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
        if (strcmp(interfaces[i].name, name) == 0) {
            return &interfaces[i];
        }
    }
    return NULL;
}

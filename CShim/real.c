/* real.c: finds the functions behind the hooks; serves calls that arrive before they are found. */
#define _GNU_SOURCE
#include "real.h"

#include "loaded.h"
#include "lookup.h"

#include <dlfcn.h>
#include <string.h>

struct silt_real silt_real;
struct silt_wrapped silt_wrapped;
long (*silt_real_syscall)(long, ...);
int (*silt_real_vfork)(void);
int (*silt_real_clone)(int (*)(void *), void *, int, void *, ...);
__typeof__(posix_spawn) *silt_older_spawn[2];
struct silt_operator silt_operators[SILT_OPERATORS];
#define AS_TEXT(result, name, parameters) #name,
const char *const silt_operator_names[SILT_OPERATORS] = {SILT_OPERATOR_HOOKS(AS_TEXT)};
uintptr_t silt_allocator_start, silt_allocator_end;

/* Far more than was seen to be needed. */
static _Alignas(4096) uint8_t early[256u << 10];
static _Atomic size_t early_used;

void *silt_early_alloc(size_t align, size_t bytes) {
    if (align < 16) {
        align = 16;
    }
    if (bytes > sizeof early || align > 4096) {
        return NULL;
    }
    size_t used = early_used, start;
    do {
        start = (used + 16 + align - 1) & ~(align - 1);
        if (start + bytes > sizeof early) {
            return NULL;
        }
    } while (!__atomic_compare_exchange_n(&early_used, &used, start + bytes, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    memcpy(early + start - 16, &bytes, sizeof bytes);
    return early + start;
}

bool silt_is_early(const void *block) {
    return (uintptr_t)block - (uintptr_t)early < sizeof early;
}

size_t silt_early_size(const void *block) {
    size_t bytes;
    memcpy(&bytes, (const uint8_t *)block - 16, sizeof bytes);
    return bytes;
}

static void remember_allocator(void *real_malloc) {
    struct dl_find_object allocator, libc;
    if (_dl_find_object(real_malloc, &allocator) == 0 &&
        _dl_find_object((void *)strnlen, &libc) == 0 &&
        allocator.dlfo_link_map != libc.dlfo_link_map) {
        silt_allocator_start = (uintptr_t)allocator.dlfo_map_start;
        silt_allocator_end = (uintptr_t)allocator.dlfo_map_end;
    }
}

static void find_operators(void) {
    for (unsigned i = 0; i < SILT_OPERATORS; i++) {
        void *function = silt_next(silt_operator_names[i]);
        if (!function && i == SILT_AT__Znwm) {
            return; /* no C++ runtime in the global scope */
        }
        silt_operators[i].function = function;
        silt_operators[i].owned = function && (uintptr_t)function - silt_allocator_start <
                                                  silt_allocator_end - silt_allocator_start;
    }
}

#define OLDER "GLIBC_2.2.5"

/* The first call may come from inside the C library with its locks held (newlocale(3) in a
 * library's constructor): dlsym and dlerror must not be called here. */
void silt_find_real(void) {
    if (silt_real.malloc) {
        return;
    }
    struct silt_real found;
#define FIND(result, name, parameters) found.name = (result(*) parameters)silt_next(#name);
    SILT_HOOKS(FIND, SILT_REAL_NONE)
    remember_allocator((void *)found.malloc);
    find_operators();
    silt_older_spawn[0] = (__typeof__(posix_spawn) *)silt_next_version("posix_spawn", OLDER);
    silt_older_spawn[1] = (__typeof__(posix_spawn) *)silt_next_version("posix_spawnp", OLDER);
    silt_real_syscall = found.syscall;
    silt_real_vfork = found.vfork;
    silt_real_clone = found.clone;
    silt_real = found;
    const struct link_map *libc = silt_map_at((void *)strnlen);
#define COMPARE(result, name, parameters)                                                          \
    silt_wrapped.name = silt_real.name && silt_map_at((void *)silt_real.name) != libc;
    SILT_HOOKS(COMPARE, SILT_REAL_NONE)
}

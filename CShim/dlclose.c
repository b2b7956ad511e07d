/* dlclose.c: dlclose as the program calls it. Modules come and go without it too (stream.c looks
 * now and then); a close that is seen is looked at at once. */
#define _GNU_SOURCE
#include "aside.h"
#include "held.h"
#include "image.h"
#include "modules.h"
#include "operators.h"
#include "rebind.h"

#include <dlfcn.h>

static uintptr_t look_after_close(const struct silt_origin *origin, uintptr_t unused,
                                  uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    silt_operators_forget();
    silt_modules_check(true);
    silt_rebind_forget();
    return 0;
}

#define UNKNOWN (~0ull)

/* The loader's count of modules that have gone, where it may be asked. */
static int read_gone(struct dl_phdr_info *info, size_t bytes, void *into) {
    (void)bytes;
    *(unsigned long long *)into = info ? info->dlpi_subs : UNKNOWN;
    return 1;
}

/* Programs close what others have open as well: then there is nothing to look at. */
static bool has_any_gone(void) {
    static unsigned long long seen;
    unsigned long long gone = UNKNOWN;
    silt_held(read_gone, &gone);
    return gone == UNKNOWN || __atomic_exchange_n(&seen, gone, __ATOMIC_ACQ_REL) != gone;
}

SILT_EXPORT int dlclose(void *handle) {
    int result = silt_real.dlclose ? silt_real.dlclose(handle) : 0;
    if (!has_any_gone()) {
        return result;
    }
    if (*silt_live) {
        silt_aside(look_after_close, 0, 0, 0);
    } else {
        silt_operators_forget();
    }
    return result;
}

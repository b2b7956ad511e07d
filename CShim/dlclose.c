/* dlclose.c: dlclose as the program calls it. Modules come and go without it too (stream.c looks
 * now and then); a close that is seen is looked at at once. */
#define _GNU_SOURCE
#include "aside.h"
#include "image.h"
#include "loaded.h"
#include "modules.h"
#include "operators.h"
#include "rebind.h"

#include <dlfcn.h>
#include <link.h>

static uintptr_t look_after_close(const struct silt_origin *origin, uintptr_t unused,
                                  uintptr_t unused_too, uintptr_t unused_as_well) {
    (void)origin, (void)unused, (void)unused_too, (void)unused_as_well;
    silt_operators_forget();
    silt_modules_check(true);
    silt_rebind_forget();
    return 0;
}

/* Programs close what others have open as well: then there is nothing to look at. No other module
 * goes when that of the handle stays, which is the loader's description of it. */
SILT_EXPORT int dlclose(void *handle) {
    const struct link_map *module = handle;
    const void *dynamic = module ? module->l_ld : NULL;
    bool was_there = dynamic && silt_map_at(dynamic) == module;
    int result = silt_real.dlclose ? silt_real.dlclose(handle) : 0;
    if (was_there && silt_map_at(dynamic) == module) {
        return result;
    }
    if (*silt_live) {
        silt_aside(look_after_close, 0, 0, 0);
    } else {
        silt_operators_forget();
    }
    return result;
}

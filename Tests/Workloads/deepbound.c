/* A plugin that allocates: bound past the preload library by RTLD_DEEPBIND, or in another
 * namespace. */
#include <stdlib.h>

__attribute__((noinline)) void *make_in_plugin(void) {
    return malloc(509);
}

/* czstd.h: zstd's streams. The library itself is linked statically with libdw. */
#include <zstd.h>

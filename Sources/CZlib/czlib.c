#include "czlib.h"

/* The largest window; 16 more means gzip's header and trailer instead of zlib's own. */
enum { GZIP_WINDOW_BITS = MAX_WBITS + 16, MEMORY_LEVEL = 8 };

int silt_gzip_inflate_begin(z_stream *stream) {
    return inflateInit2(stream, GZIP_WINDOW_BITS);
}

int silt_gzip_deflate_begin(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY);
}

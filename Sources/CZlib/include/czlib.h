/* czlib.h: zlib's interface, and as functions what it has as macros only. */
#ifndef SILT_CZLIB_H
#define SILT_CZLIB_H

#include <zlib.h>

/* Begins to inflate a gzip file; Z_OK or zlib's error. */
int silt_gzip_inflate_begin(z_stream *stream);

/* Begins to deflate into a gzip file, with zlib's default effort; Z_OK or zlib's error. */
int silt_gzip_deflate_begin(z_stream *stream);

#endif

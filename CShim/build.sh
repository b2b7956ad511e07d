#!/bin/sh
# build.sh SOURCES OUTPUT [COMPILER ARGUMENT…]: builds OUTPUT/libsilt.so and OUTPUT/ShimImage.swift, which carries it as base64.
set -eu
sources=$1
output=$2
shift 2
cc=${SILT_CC:-gcc}
# What is marked SILT_EXPORT is exported: without a version, but for the hooks that name one of these.
printf '%s\n' 'GLIBC_2.2.5 { local: silt_*; };' 'GLIBC_2.3.3 { } GLIBC_2.2.5;' 'GLIBC_2.15 { } GLIBC_2.3.3;' \
    'GLIBC_2.34 { } GLIBC_2.15;' >"$output/silt.map"
"$cc" -std=gnu11 -O2 -g0 -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Werror -fPIC -fvisibility=hidden \
    -ftls-model=initial-exec -mgeneral-regs-only -fno-omit-frame-pointer -fexceptions -fasynchronous-unwind-tables \
    -shared -Wl,--version-script="$output/silt.map" -Wl,-z,now -Wl,-z,relro -Wl,--build-id=sha1 -Wl,-soname,libsilt.so \
    -I"$sources" -I"$sources/wire" -o "$output/libsilt.so.new" "$sources"/*.c "$@"
mv "$output/libsilt.so.new" "$output/libsilt.so"
{
    echo 'package enum ShimImage { package static let base64: StaticString = """'
    base64 -w 0 "$output/libsilt.so"
    printf '\n"""}\n'
} >"$output/ShimImage.swift.new"
mv "$output/ShimImage.swift.new" "$output/ShimImage.swift"

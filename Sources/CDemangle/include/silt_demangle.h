/* silt_demangle.h: names of C++ and Swift, within bounds. */
#ifndef SILT_DEMANGLE_H
#define SILT_DEMANGLE_H

#include <stddef.h>

/* What a mangled name stands for (Itanium C++ ABI, 5.1), written into `text` with a NUL. Returns 0
 * when it is not a mangled name, or stands for more than `bytes` - 1 bytes: a short name can stand
 * for gigabytes. */
int silt_cxx_demangle(const char *name, char *text, size_t bytes);

/* The same for a Swift name that may stand for too much: the runtime's demangler has no bounds, so
 * it runs in a child that has some. All calls together take some seconds at most; what comes after
 * that is not demangled. */
int silt_swift_demangle_contained(const char *name, size_t length, char *text, size_t bytes);

#endif

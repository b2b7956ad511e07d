#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "silt_demangle.h"

/* libstdc++'s demangler without a buffer (cp-demangle.c): it hands over up to 255 bytes at a time,
 * and allocates nothing. Only the archive has it. */
extern int __gcclibcxx_demangle_callback(const char *name,
                                         void (*callback)(const char *, size_t, void *),
                                         void *opaque);

struct sink {
    char *text;
    size_t length;
    size_t limit;
    jmp_buf full;
};

static void take(const char *part, size_t bytes, void *opaque) {
    struct sink *sink = opaque;
    if (bytes > sink->limit - sink->length) {
        longjmp(sink->full, 1);
    }
    memcpy(sink->text + sink->length, part, bytes);
    sink->length += bytes;
}

int silt_cxx_demangle(const char *name, char *text, size_t bytes) {
    struct sink sink = {.text = text, .limit = bytes - 1};
    if (setjmp(sink.full) != 0) {
        return 0;
    }
    if (__gcclibcxx_demangle_callback(name, take, &sink) != 0) {
        return 0;
    }
    text[sink.length] = 0;
    return 1;
}

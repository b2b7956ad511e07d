/*
 * environment.c: what an environment says about the preload library, and a copy of it without.
 *
 * In an exec hook, perhaps of a vfork child or a signal handler: nothing but the caller's buffers
 * is written to.
 */
#include "environment.h"

#include "careful.h"
#include "programs.h"

#include <string.h>

#define MAX_VARIABLES 8192u /* a larger environment is passed on as it is */
#define PRELOAD       "LD_PRELOAD="

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* The next name in a list of libraries (ld.so(8): spaces and colons separate), NULL at its end. */
static const char *next_name(const char *at, size_t *length) {
    at += strspn(at, ": ");
    *length = strcspn(at, ": ");
    return *length ? at : NULL;
}

static bool is_ours(const char *library, const char *name, size_t length) {
    size_t own = strlen(library);
    return length >= own && memcmp(name + length - own, library, own) == 0 &&
           (length == own || name[length - own - 1] == '/');
}

static bool names_sanitizer(const char *name, size_t length) {
    size_t start = length;
    while (start > 0 && name[start - 1] != '/') {
        start--;
    }
    return silt_is_sanitizer(name + start);
}

static void read_preloads(const char *library, const char *entry, struct silt_environment *seen) {
    size_t length;
    seen->has_ours = seen->is_behind = false; /* the last entry is the one that counts */
    for (const char *at = entry; (at = next_name(at, &length)); at += length) {
        seen->has_ours |= is_ours(library, at, length);
        seen->is_behind |= seen->has_ours && names_sanitizer(at, length);
    }
}

/* An entry of an array that the kernel would read; false where it would answer EFAULT. */
static bool read_entry(struct silt_readable *known, silt_strings array, unsigned index,
                       const char **entry) {
    uintptr_t word, text = 0;
    if (!silt_careful_word(known, (uintptr_t)(array + index), &text)) {
        return false;
    }
    *entry = (const char *)text;
    return !text || silt_careful_word(known, text & ~(uintptr_t)7, &word);
}

bool silt_read_environment(const char *library, silt_strings variables,
                           struct silt_environment *seen) {
    struct silt_readable known = {0, 0};
    memset(seen, 0, sizeof *seen);
    for (const char *entry = NULL; variables; seen->count++) {
        if (seen->count > MAX_VARIABLES || !read_entry(&known, variables, seen->count, &entry)) {
            return false;
        }
        if (!entry) {
            break;
        }
        if (begins(entry, PRELOAD)) {
            read_preloads(library, entry + strlen(PRELOAD), seen);
            seen->preload_bytes += strlen(entry) + 1;
        } else if (begins(entry, "LD_TRACE_LOADED_OBJECTS=")) {
            seen->lists_only |= entry[strlen("LD_TRACE_LOADED_OBJECTS=")] != 0;
        } else if (begins(entry, "SILT_SOCKET=")) {
            seen->has_socket |= entry[strlen("SILT_SOCKET=")] != 0;
        } else if (begins(entry, "VALGRIND_LAUNCHER=")) {
            seen->valgrind = true;
        }
    }
    return seen->preload_bytes <= SILT_MAX_PRELOADS;
}

/* Copies an LD_PRELOAD entry without our name and one separator, the rest byte for byte; returns
 * the end of the copy, `into` when nothing is left. */
static char *copy_without_ours(const char *library, const char *entry, char *into) {
    const char *names = entry + strlen(PRELOAD);
    char *start = into, *end = into + strlen(PRELOAD);
    memcpy(into, entry, strlen(PRELOAD));
    for (const char *at = names; *at;) {
        size_t gap = strspn(at, ": "), length = strcspn(at + gap, ": ");
        if (!length || !is_ours(library, at + gap, length)) {
            memcpy(end, at, gap + length);
            end += gap + length;
        } else if (at == names && at[gap + length]) {
            length++; /* the first: with the separator behind it */
        }
        at += gap + length;
    }
    *end++ = 0;
    return end == start + strlen(PRELOAD) + 1 ? start : end;
}

void silt_copy_environment(const char *library, silt_strings variables, char **copy, char *text) {
    for (; *variables; variables++) {
        *copy = (char *)*variables;
        if (begins(*variables, PRELOAD)) {
            char *end = copy_without_ours(library, *variables, text);
            *copy = text;
            copy -= end == text;
            text = end;
        }
        copy++;
    }
    *copy = NULL;
}

/*
 * interfaces.h: functions of allocators that are not the program's malloc: what libraries find that
 * were opened with RTLD_DEEPBIND, and what jemalloc, gperftools' tcmalloc and mimalloc offer under
 * names of their own (jemalloc(3), gperftools/tcmalloc.h, mimalloc.h).
 *
 * ROW(name, does): `does` says what the arguments mean, enum silt_does. Names that allocate in a
 * heap of its own, which is given back as a whole, are not among them (mi_heap_malloc).
 */
#ifndef SILT_INTERFACES_H
#define SILT_INTERFACES_H

#include <stdbool.h>
#include <stdint.h>

enum silt_does {
    SILT_DOES_NOTHING,
    SILT_DOES_ALLOCATE,       /* (bytes, ...) */
    SILT_DOES_ALIGN,          /* (alignment, bytes) */
    SILT_DOES_MULTIPLY,       /* (count, size, ...) */
    SILT_DOES_COPY,           /* (string, ...) */
    SILT_DOES_STORE,          /* (where, alignment, bytes), 0 when it has */
    SILT_DOES_RESIZE,         /* (block, bytes, ...), NULL when it has not */
    SILT_DOES_RESIZE_MANY,    /* (block, count, size, ...), NULL when it has not */
    SILT_DOES_RESIZE_HERE,    /* (block, bytes, ...), what the block has from then on */
    SILT_DOES_RESIZE_OR_FREE, /* (block, bytes), the block is freed when it has not */
    SILT_DOES_FREE,           /* (block, ...) */
    SILT_DOES_NEW,            /* (bytes, ...); may throw */
    SILT_DOES_NEW_MANY        /* (count, size); may throw */
};

/* clang-format off */

#define SILT_MALLOC_ROWS(ROW)                                   \
    ROW(malloc, ALLOCATE) ROW(calloc, MULTIPLY) ROW(realloc, RESIZE) ROW(free, FREE)                \
    ROW(reallocarray, RESIZE_MANY) ROW(free_sized, FREE) ROW(free_aligned_sized, FREE)              \
    ROW(posix_memalign, STORE) ROW(aligned_alloc, ALIGN) ROW(memalign, ALIGN)                       \
    ROW(valloc, ALLOCATE) ROW(pvalloc, ALLOCATE)

#define SILT_JEMALLOC_ROWS(ROW)                                 \
    ROW(mallocx, ALLOCATE) ROW(rallocx, RESIZE) ROW(xallocx, RESIZE_HERE)                           \
    ROW(dallocx, FREE) ROW(sdallocx, FREE)

#define SILT_TCMALLOC_ROWS(ROW)                                 \
    ROW(tc_malloc, ALLOCATE) ROW(tc_malloc_skip_new_handler, ALLOCATE) ROW(tc_free, FREE)           \
    ROW(tc_free_sized, FREE) ROW(tc_realloc, RESIZE) ROW(tc_calloc, MULTIPLY) ROW(tc_cfree, FREE)   \
    ROW(tc_memalign, ALIGN) ROW(tc_posix_memalign, STORE) ROW(tc_valloc, ALLOCATE)                  \
    ROW(tc_pvalloc, ALLOCATE) ROW(tc_new, NEW) ROW(tc_new_nothrow, NEW) ROW(tc_newarray, NEW)       \
    ROW(tc_newarray_nothrow, NEW) ROW(tc_new_aligned, NEW) ROW(tc_new_aligned_nothrow, NEW)         \
    ROW(tc_newarray_aligned, NEW) ROW(tc_newarray_aligned_nothrow, NEW) ROW(tc_delete, FREE)        \
    ROW(tc_delete_sized, FREE) ROW(tc_delete_nothrow, FREE) ROW(tc_delete_aligned, FREE)            \
    ROW(tc_delete_sized_aligned, FREE) ROW(tc_delete_aligned_nothrow, FREE)                         \
    ROW(tc_deletearray, FREE) ROW(tc_deletearray_sized, FREE) ROW(tc_deletearray_nothrow, FREE)     \
    ROW(tc_deletearray_aligned, FREE) ROW(tc_deletearray_sized_aligned, FREE)                       \
    ROW(tc_deletearray_aligned_nothrow, FREE)

#define SILT_MIMALLOC_ROWS(ROW)                                 \
    ROW(mi_malloc, ALLOCATE) ROW(mi_malloc_small, ALLOCATE) ROW(mi_zalloc, ALLOCATE)                \
    ROW(mi_zalloc_small, ALLOCATE) ROW(mi_calloc, MULTIPLY) ROW(mi_mallocn, MULTIPLY)               \
    ROW(mi_realloc, RESIZE) ROW(mi_expand, RESIZE) ROW(mi_rezalloc, RESIZE)                         \
    ROW(mi_reallocf, RESIZE_OR_FREE) ROW(mi_reallocn, RESIZE_MANY) ROW(mi_recalloc, RESIZE_MANY)    \
    ROW(mi_reallocarray, RESIZE_MANY) ROW(mi_free, FREE) ROW(mi_cfree, FREE)                        \
    ROW(mi_free_size, FREE) ROW(mi_free_size_aligned, FREE) ROW(mi_free_aligned, FREE)              \
    ROW(mi_strdup, COPY) ROW(mi_strndup, COPY) ROW(mi_malloc_aligned, ALLOCATE)                     \
    ROW(mi_malloc_aligned_at, ALLOCATE) ROW(mi_zalloc_aligned, ALLOCATE)                            \
    ROW(mi_zalloc_aligned_at, ALLOCATE) ROW(mi_calloc_aligned, MULTIPLY)                            \
    ROW(mi_calloc_aligned_at, MULTIPLY) ROW(mi_realloc_aligned, RESIZE)                             \
    ROW(mi_realloc_aligned_at, RESIZE) ROW(mi_rezalloc_aligned, RESIZE)                             \
    ROW(mi_rezalloc_aligned_at, RESIZE) ROW(mi_recalloc_aligned, RESIZE_MANY)                       \
    ROW(mi_recalloc_aligned_at, RESIZE_MANY) ROW(mi_posix_memalign, STORE) ROW(mi_memalign, ALIGN)  \
    ROW(mi_aligned_alloc, ALIGN) ROW(mi_valloc, ALLOCATE) ROW(mi_pvalloc, ALLOCATE) ROW(mi_new, NEW) \
    ROW(mi_new_nothrow, NEW) ROW(mi_new_aligned, NEW) ROW(mi_new_aligned_nothrow, NEW)              \
    ROW(mi_new_n, NEW_MANY) ROW(mi_new_realloc, RESIZE) ROW(mi_new_reallocn, RESIZE_MANY)

/* The operators of hook_table.h, where an allocator defines its own. */
#define SILT_OPERATOR_DOES(name) ((name)[2] == 'n' ? SILT_DOES_NEW : SILT_DOES_FREE)

/* clang-format on */

/* Whose interface a name belongs to. */
enum silt_family {
    SILT_FAMILY_MALLOC,
    SILT_FAMILY_OPERATOR,
    SILT_FAMILY_JEMALLOC,
    SILT_FAMILY_TCMALLOC,
    SILT_FAMILY_MIMALLOC,
    SILT_FAMILIES
};

struct silt_interface {
    const char *name;
    uint8_t does;   /* enum silt_does */
    uint8_t family; /* enum silt_family */
};

/* What is known of a function's name; NULL when it is none of these. In a hook. */
const struct silt_interface *silt_interface_of(const char *name);
/* As it is asked of each name that a module imports. */
static inline bool silt_may_be_interface(const char *name, bool with_malloc) {
    uint16_t start = (uint16_t)((uint8_t)name[0] | (uint8_t)(name[0] ? name[1] : 0) << 8);
#define SILT_STARTS(a, b) (start == ((a) | (b) << 8))
    if (SILT_STARTS('m', 'a') || SILT_STARTS('r', 'a') || SILT_STARTS('x', 'a') ||
        SILT_STARTS('d', 'a') || SILT_STARTS('s', 'd') || SILT_STARTS('t', 'c') ||
        SILT_STARTS('m', 'i')) {
        return true;
    }
    return with_malloc &&
           (SILT_STARTS('c', 'a') || SILT_STARTS('r', 'e') || SILT_STARTS('f', 'r') ||
            SILT_STARTS('p', 'o') || SILT_STARTS('a', 'l') || SILT_STARTS('m', 'e') ||
            SILT_STARTS('v', 'a') || SILT_STARTS('p', 'v') || SILT_STARTS('_', 'Z'));
#undef SILT_STARTS
}

#endif

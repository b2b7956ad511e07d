/*
 * bound.c: hooks in front of functions that are called past the exported ones.
 *
 * There is one for each function that a slot was bound to (rebind.c). It calls that very function:
 * a library keeps the allocator that the loader has given it.
 */
#define _GNU_SOURCE
#include "bound.h"

#include "hooks.h"
#include "interfaces.h"
#include "macros.h"
#include "real.h"

#include <stdlib.h>
#include <string.h>

/* Written once, before its hook can be called; what it calls may go, and come again. */
struct bound {
    void *function;
    uint8_t does;
};

#define HOOKS 192
static struct bound bound[HOOKS];
static uint32_t bound_count;

/* All arguments are integers or pointers. What a function does not take it does not look at. */
struct arguments {
    uintptr_t a, b, c, d, e;
};
typedef uintptr_t function(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e);

static inline uintptr_t forward(const struct bound *to, const struct arguments *with) {
    return ((function *)to->function)(with->a, with->b, with->c, with->d, with->e);
}

static uintptr_t allocate(const struct bound *to, const struct arguments *with, const void *frame) {
    uint32_t before = silt_into_real(frame);
    uintptr_t result = forward(to, with);
    silt_leave(before);
    size_t bytes = to->does == SILT_DOES_ALIGN      ? with->b
                   : to->does == SILT_DOES_MULTIPLY ? with->a * with->b
                   : to->does == SILT_DOES_STORE    ? with->c
                                                    : with->a;
    uintptr_t block = result;
    if (to->does == SILT_DOES_STORE) {
        block = result == 0 ? *(uintptr_t *)with->a : 0;
    } else if (to->does == SILT_DOES_COPY) {
        bytes = block ? strlen((const char *)block) + 1 : 0;
    }
    if (block) {
        silt_record_alloc((void *)block, bytes, frame, false);
    }
    return result;
}

/* May throw, and may call a handler of the program's: nothing is marked as under way (new.c). */
static uintptr_t allocate_or_throw(const struct bound *to, const struct arguments *with,
                                   const void *frame) {
    uint64_t since = silt_position();
    uintptr_t block = forward(to, with);
    if (block) {
        size_t bytes = to->does == SILT_DOES_NEW_MANY ? with->a * with->b : with->a;
        silt_record_alloc_once((void *)block, bytes, frame, since);
    }
    return block;
}

static uintptr_t resize(const struct bound *to, const struct arguments *with, const void *frame) {
    void *old = (void *)with->a;
    bool many = to->does == SILT_DOES_RESIZE_MANY, here = to->does == SILT_DOES_RESIZE_HERE;
    size_t bytes = many ? with->b * with->c : with->b;
    if (SILT_UNLIKELY(silt_is_early(old))) {
        return (uintptr_t)realloc(old, bytes);
    }
    if (old) {
        silt_record_free(old, frame, SILT_MOVED);
    }
    uint32_t before = silt_into_real(frame);
    uintptr_t result = forward(to, with);
    silt_leave(before);
    uintptr_t block = !here ? result : result >= bytes ? with->a : 0;
    if (block) {
        silt_record_alloc((void *)block, bytes, frame, old != NULL);
    } else if (old && bytes && to->does != SILT_DOES_RESIZE_OR_FREE) {
        silt_record_free(old, frame, SILT_KEPT);
    }
    return result;
}

static uintptr_t give_back(const struct bound *to, const struct arguments *with,
                           const void *frame) {
    void *block = (void *)with->a;
    if (SILT_UNLIKELY(silt_is_early(block))) {
        return 0;
    }
    if (block) {
        silt_record_free(block, frame, SILT_FREED);
    }
    uint32_t before = silt_into_real(frame);
    uintptr_t result = forward(to, with);
    silt_leave(before);
    return result;
}

static __attribute__((noinline)) uintptr_t call(const struct bound *to,
                                                const struct arguments *with, const void *frame) {
    switch ((enum silt_does)to->does) {
    case SILT_DOES_ALLOCATE:
    case SILT_DOES_ALIGN:
    case SILT_DOES_MULTIPLY:
    case SILT_DOES_COPY:
    case SILT_DOES_STORE:
        return allocate(to, with, frame);
    case SILT_DOES_NEW:
    case SILT_DOES_NEW_MANY:
        return allocate_or_throw(to, with, frame);
    case SILT_DOES_RESIZE:
    case SILT_DOES_RESIZE_MANY:
    case SILT_DOES_RESIZE_HERE:
    case SILT_DOES_RESIZE_OR_FREE:
        return resize(to, with, frame);
    case SILT_DOES_FREE:
        return give_back(to, with, frame);
    case SILT_DOES_NOTHING:
        break;
    }
    return forward(to, with);
}

/* The arguments lie in the hook's own frame: no compiler may make a jump of the call. */
#define HOOK(number)                                                                               \
    static uintptr_t hook_##number(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,             \
                                   uintptr_t e) {                                                  \
        struct arguments with = {a, b, c, d, e};                                                   \
        return call(&bound[number], &with, __builtin_frame_address(0));                            \
    }
#define NAME(number) hook_##number,

/* Octal numbers. */
#define EIGHT(each, tens)                                                                          \
    each(tens##0) each(tens##1) each(tens##2) each(tens##3) each(tens##4) each(tens##5)            \
        each(tens##6) each(tens##7)
#define SIXTY_FOUR(each, hundreds)                                                                 \
    EIGHT(each, hundreds##0)                                                                       \
    EIGHT(each, hundreds##1)                                                                       \
    EIGHT(each, hundreds##2)                                                                       \
    EIGHT(each, hundreds##3)                                                                       \
    EIGHT(each, hundreds##4)                                                                       \
    EIGHT(each, hundreds##5) EIGHT(each, hundreds##6) EIGHT(each, hundreds##7)
#define ALL(each) SIXTY_FOUR(each, 00) SIXTY_FOUR(each, 01) SIXTY_FOUR(each, 02)

ALL(HOOK)
static function *const hooks[] = {ALL(NAME)};
_Static_assert(sizeof hooks / sizeof *hooks == HOOKS, "one for each");

void *silt_bind(void *target, uint8_t does) {
    for (uint32_t i = 0; i < bound_count; i++) {
        if (bound[i].function == target && bound[i].does == does) {
            return (void *)hooks[i];
        }
    }
    if (bound_count == HOOKS) {
        return NULL;
    }
    bound[bound_count] = (struct bound){target, does};
    return (void *)hooks[bound_count++];
}

/* macros.h: hints to the compiler and visibility. */
#ifndef SILT_MACROS_H
#define SILT_MACROS_H

#define SILT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SILT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SILT_EXPORT      __attribute__((visibility("default"), noinline))
/* That of the hook which it stands in. */
#define FRAME() __builtin_frame_address(0)
/* Assembly: code that calls a function, at the entry of a naked hook, whose arguments stay. */
#define SILT_KEEP_ARGUMENTS(code)                                                                  \
    "pushq %rdi\n\tpushq %rsi\n\tpushq %rdx\n\tpushq %rcx\n\tpushq %r8\n\tpushq %r9\n\t"           \
    "subq $8, %rsp\n\t" code "addq $8, %rsp\n\t"                                                   \
    "popq %r9\n\tpopq %r8\n\tpopq %rcx\n\tpopq %rdx\n\tpopq %rsi\n\tpopq %rdi\n\t"
/* On declarations of data: reached without the global offset table. */
#define SILT_HIDDEN __attribute__((visibility("hidden")))

#endif

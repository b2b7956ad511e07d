/*
 * loads.c: dlopen and dlsym as the program calls them.
 *
 * The loader asks who calls it: RTLD_NEXT, and the caller's RUNPATH, $ORIGIN and namespace, depend
 * on that. So both end in a jump, with the arguments and the stack as they were.
 */
#define _GNU_SOURCE
#include "loads.h"

#include "imports.h"
#include "lookup.h"
#include "real.h"

/* For the code below. */
void *silt_next_open, *silt_next_symbol;

/* Perhaps before anything else in the image is ready: a sanitizer's runtime asks for the functions
 * that it stands in front of. Nothing of the C library is called. */
static __attribute__((used)) void find_next(void) __asm__("silt_find_loads");
static void find_next(void) {
    silt_next_symbol = silt_next("dlsym");
    silt_next_open = silt_next("dlopen");
}

/* clang-format off */

#define KEEP_ARGUMENTS                                                                             \
    "pushq %rdi\n\t.cfi_adjust_cfa_offset 8\n\t"                                                  \
    "pushq %rsi\n\t.cfi_adjust_cfa_offset 8\n\t"                                                  \
    "subq $8, %rsp\n\t.cfi_adjust_cfa_offset 8\n\t"
#define RESTORE_ARGUMENTS                                                                          \
    "addq $8, %rsp\n\t.cfi_adjust_cfa_offset -8\n\t"                                              \
    "popq %rsi\n\t.cfi_adjust_cfa_offset -8\n\t"                                                  \
    "popq %rdi\n\t.cfi_adjust_cfa_offset -8\n\t"

SILT_EXPORT __attribute__((naked)) void *dlopen(const char *path __attribute__((unused)),
                                                int flags __attribute__((unused))) {
    __asm__("movl $1, silt_opens(%rip)\n\t"
            "movl $1, silt_opened(%rip)\n\t"
            "testl $8, %esi\n\t" /* RTLD_DEEPBIND */
            "je 1f\n\t"
            "movl $1, silt_bound_deep(%rip)\n"
            "1:\tcmpq $0, silt_next_open(%rip)\n\t"
            "jne 2f\n\t"
            KEEP_ARGUMENTS
            "call silt_find_loads\n\t"
            RESTORE_ARGUMENTS
            "2:\tjmp *silt_next_open(%rip)");
}

SILT_EXPORT __attribute__((naked)) void *dlsym(void *handle __attribute__((unused)),
                                               const char *name __attribute__((unused))) {
    __asm__("cmpq $0, silt_next_symbol(%rip)\n\t"
            "jne 1f\n\t"
            KEEP_ARGUMENTS
            "call silt_find_loads\n\t"
            RESTORE_ARGUMENTS
            "1:\tcmpl $0, silt_opens(%rip)\n\t"
            "je 2f\n\t"
            KEEP_ARGUMENTS
            "call silt_rebind_at_dlsym\n\t"
            RESTORE_ARGUMENTS
            "testb %al, %al\n\t"
            "jne silt_rebind_found\n"
            "2:\tjmp *silt_next_symbol(%rip)");
}
/* clang-format on */

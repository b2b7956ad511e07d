/* cfi.h: rows of call frame tables, out of .eh_frame (System V ABI x86-64 3.7, DWARF 5 section
 * 6.4). */
#ifndef SILT_CFI_H
#define SILT_CFI_H

#include <stdbool.h>
#include <stdint.h>

/* How one register of the caller is found; a value in the upper 61 bits goes with it. */
enum silt_cfi_how {
    SILT_CFI_SAME = 0,
    SILT_CFI_UNDEFINED = 1,
    SILT_CFI_AT_CFA = 2,        /* saved at CFA + value */
    SILT_CFI_IS_CFA = 3,        /* is CFA + value */
    SILT_CFI_REGISTER = 4,      /* is in register `value` */
    SILT_CFI_AT_EXPRESSION = 5, /* saved where the expression at address `value` says */
    SILT_CFI_IS_EXPRESSION = 6
};
static inline enum silt_cfi_how silt_cfi_how(int64_t rule) {
    return (enum silt_cfi_how)(rule & 7);
}
static inline int64_t silt_cfi_value(int64_t rule) {
    return rule >> 3;
}

#define SILT_CFI_REGISTERS  17   /* DWARF numbers of the psABI; 16 is the return address */
#define SILT_CFI_EXPRESSION 0xff /* cfa_register: the CFA is what cfa_expression says */
#define SILT_CFI_UNKNOWN    0xfe /* cfa_register: one that is none of those */

/* One row of a function's call frame table (DWARF 5 section 6.4.1), with all that it says. */
struct silt_cfi_row {
    int64_t registers[SILT_CFI_REGISTERS];
    int64_t cfa_offset;
    const uint8_t *cfa_expression; /* its length as ULEB128, then its bytes */
    uintptr_t start;               /* of the code that the table covers */
    uint8_t cfa_register;
    bool is_signal;
};

enum silt_cfi_found {
    SILT_CFI_NONE,  /* no table covers that address */
    SILT_CFI_FOUND, /* the row is filled in */
    SILT_CFI_ODD    /* there is one, but it cannot be read */
};

/* Finds the row for the instruction at `pc`; for a return address pass address - 1. In a hook; no
 * locks. */
enum silt_cfi_found silt_cfi_find(uintptr_t pc, struct silt_cfi_row *row);

/* Where the code ends that the last table covers which does not begin behind `pc`; 0: none does. */
uintptr_t silt_cfi_covered_until(uintptr_t pc);

/* True when a return address without a table is one that nothing has called: the first instruction
 * of a function, which makecontext(3) and its like have put on a stack, or in the loader's first
 * code, where the kernel begins the program and which calls the constructors of libraries. */
bool silt_cfi_is_outermost(uintptr_t address);

#endif

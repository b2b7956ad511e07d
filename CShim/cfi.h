/* cfi.h: one unwind rule per code address, out of .eh_frame (System V ABI x86-64 3.7, DWARF 5
 * section 6.4). */
#ifndef SILT_CFI_H
#define SILT_CFI_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A rule in 64 bits: how the canonical frame address follows from rsp or rbp, and where the
 * caller's rbp is saved. bits 0-3 kind | 4-5 rbp mode | 8-35 CFA offset (signed 28) | 36-63 rbp
 * offset (signed 28) The return address lies at CFA - 8.
 */
typedef uint64_t silt_rule;

enum silt_rule_kind {
    SILT_RULE_NONE = 0,  /* no rule: not a code address of a module with .eh_frame */
    SILT_RULE_RSP = 1,   /* CFA = rsp + offset */
    SILT_RULE_RBP = 2,   /* CFA = rbp + offset */
    SILT_RULE_DEREF = 3, /* CFA = *(rbp + offset): a function that realigns its stack */
    SILT_RULE_SIGNAL =
        4, /* the frame of a signal handler's return: registers lie in the ucontext at rsp */
    SILT_RULE_END = 5,  /* outermost */
    SILT_RULE_SLOW = 6, /* more than these forms can say */
    SILT_RULE_PLAIN = 7 /* as RSP, to at most SILT_PLAIN_STEP bytes, and rbp not AT_RBP */
};
#define SILT_PLAIN_STEP (1 << 16)

enum silt_rbp_mode {
    SILT_RBP_SAME = 0,   /* the caller's rbp is still in rbp */
    SILT_RBP_AT_CFA = 1, /* saved at CFA + offset */
    SILT_RBP_AT_RBP = 2  /* saved at rbp + offset */
};

static inline unsigned silt_rule_kind(silt_rule rule) {
    return rule & 15;
}
static inline unsigned silt_rule_rbp_mode(silt_rule rule) {
    return (rule >> 4) & 3;
}
static inline int64_t silt_rule_cfa_offset(silt_rule rule) {
    return (int64_t)(rule << 28) >> 36;
}
static inline int64_t silt_rule_rbp_offset(silt_rule rule) {
    return (int64_t)rule >> 36;
}

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

/* True when a return address without a table is one that nothing has called: the first instruction
 * of a function, which makecontext(3) and its like have put on a stack, or in the loader's first
 * code, where the kernel begins the program and which calls the constructors of libraries. */
bool silt_cfi_is_outermost(uintptr_t address);

/* Computes the rule for the instruction at `pc`; for a return address pass address - 1. In a hook;
 * no locks. */
silt_rule silt_cfi_rule(uintptr_t pc);

#endif

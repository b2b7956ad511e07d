/* rule.h: one unwind rule per code address. */
#ifndef SILT_RULE_H
#define SILT_RULE_H

#include <stdint.h>

/*
 * A rule in 64 bits: how the canonical frame address follows from rsp or rbp, and where the
 * caller's rbp is saved:
 *
 *     bits 0-3 kind | 4-5 rbp mode | 8-35 CFA offset (signed 28) | 36-63 rbp offset (signed 28)
 *
 * The return address lies at CFA - 8.
 */
typedef uint64_t silt_rule;

enum silt_rule_kind {
    SILT_RULE_NONE = 0,  /* no rule: not a code address of a module with .eh_frame */
    SILT_RULE_RSP = 1,   /* CFA = rsp + offset */
    SILT_RULE_RBP = 2,   /* CFA = rbp + offset */
    SILT_RULE_DEREF = 3, /* CFA = *(rbp + offset): a function that realigns its stack */
    SILT_RULE_SIGNAL =
        4, /* the frame of a signal handler's return: registers lie in the ucontext at rsp */
    SILT_RULE_END = 5,   /* outermost */
    SILT_RULE_SLOW = 6,  /* more than these forms can say */
    SILT_RULE_PLAIN = 7, /* as RSP, to at most SILT_PLAIN_STEP bytes, and rbp not AT_RBP */
    SILT_RULE_FRAMED = 8 /* code without a table: CFA = rbp + 16, and rbp at CFA - 16, if both that
                            and what lies there can be (untabled.h) */
};
#define SILT_PLAIN_STEP (1 << 16)

enum silt_rbp_mode {
    SILT_RBP_SAME = 0,   /* the caller's rbp is still in rbp */
    SILT_RBP_AT_CFA = 1, /* saved at CFA + offset */
    SILT_RBP_AT_RBP = 2  /* saved at rbp + offset */
};

/* The one rule of that kind. */
#define SILT_RULE_FRAME                                                                            \
    ((silt_rule)SILT_RULE_FRAMED | (silt_rule)SILT_RBP_AT_CFA << 4 | (silt_rule) - 16 << 36)

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

/* Computes the rule for the instruction at `pc`; for a return address pass address - 1. In a hook;
 * takes no lock. */
silt_rule silt_rule_make(uintptr_t pc);

#endif

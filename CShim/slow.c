/*
 * slow.c: walking with all registers, for call frame information that no 64-bit rule can say.
 * Runs inside hooks.
 *
 * Takes the registers as they are where it leaves the program's stack (aside.c) and steps outward
 * by whole rows: every rule of DWARF 5 section 6.4 and its expressions (section 2.5) as far as they
 * make sense for a call frame. No locks, no library: all reads of the stack are careful ones. Some
 * hundred times slower than unwind.c; stacks_slow counts its calls.
 */
#define _GNU_SOURCE
#include "slow.h"

#include "aside.h"
#include "bytes.h"
#include "careful.h"
#include "cfi.h"
#include "dwarf_codes.h"
#include "image.h"
#include "stacks.h"
#include "untabled.h"

#include <dlfcn.h>

#define EXPRESSION_STACK 16

struct registers {
    uintptr_t value[SILT_CFI_REGISTERS];
    uint32_t known; /* one bit per register */
};

static bool is_known(const struct registers *registers, uint64_t number) {
    return number < SILT_CFI_REGISTERS && (registers->known >> number & 1);
}

/* Arithmetic of two operands; false for another operation. */
static bool combine(uint8_t op, uintptr_t a, uintptr_t b, uintptr_t *result) {
    intptr_t x = (intptr_t)a, y = (intptr_t)b;
    switch (op) {
    case DW_OP_and:
        *result = a & b;
        return true;
    case DW_OP_minus:
        *result = a - b;
        return true;
    case DW_OP_mul:
        *result = a * b;
        return true;
    case DW_OP_or:
        *result = a | b;
        return true;
    case DW_OP_plus:
        *result = a + b;
        return true;
    case DW_OP_shl:
        *result = b < 64 ? a << b : 0;
        return true;
    case DW_OP_shr:
        *result = b < 64 ? a >> b : 0;
        return true;
    case DW_OP_shra:
        *result = (uintptr_t)(x >> (b < 63 ? b : 63));
        return true;
    case DW_OP_xor:
        *result = a ^ b;
        return true;
    case DW_OP_eq:
        *result = x == y;
        return true;
    case DW_OP_ge:
        *result = x >= y;
        return true;
    case DW_OP_gt:
        *result = x > y;
        return true;
    case DW_OP_le:
        *result = x <= y;
        return true;
    case DW_OP_lt:
        *result = x < y;
        return true;
    case DW_OP_ne:
        *result = x != y;
        return true;
    default:
        return false;
    }
}

/* Evaluates the expression whose length lies at `at`; `first` is on its stack at the start, if it
 * is given. */
static bool evaluate(const uint8_t *at, const struct registers *registers, const uintptr_t *first,
                     struct silt_readable *known, uintptr_t *result) {
    uintptr_t stack[EXPRESSION_STACK];
    unsigned depth = 0;
    struct silt_bytes b = silt_expression_at(at);
    if (first) {
        stack[depth++] = *first;
    }
    while (b.at < b.end && !b.bad) {
        uint8_t op = (uint8_t)silt_take(&b, 1);
        uintptr_t value;
        if (depth == EXPRESSION_STACK) {
            return false;
        }
        if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
            int64_t offset = silt_sleb(&b);
            if (!is_known(registers, op - (unsigned)DW_OP_breg0)) {
                return false;
            }
            stack[depth++] = registers->value[op - DW_OP_breg0] + (uintptr_t)offset;
        } else if (op == DW_OP_bregx) {
            uint64_t number = silt_uleb(&b);
            int64_t offset = silt_sleb(&b);
            if (!is_known(registers, number)) {
                return false;
            }
            stack[depth++] = registers->value[number] + (uintptr_t)offset;
        } else if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
            stack[depth++] = op - (unsigned)DW_OP_lit0;
        } else if (op >= DW_OP_const1u && op <= DW_OP_const8s) {
            unsigned bytes = 1u << ((op - DW_OP_const1u) / 2), unused = 64 - 8 * bytes;
            value = silt_take(&b, bytes);
            stack[depth++] = op & 1 ? (uintptr_t)((int64_t)(value << unused) >> unused) : value;
        } else if (op == DW_OP_addr) {
            stack[depth++] = silt_take(&b, 8);
        } else if (op == DW_OP_constu) {
            stack[depth++] = silt_uleb(&b);
        } else if (op == DW_OP_consts) {
            stack[depth++] = (uintptr_t)silt_sleb(&b);
        } else if (op == DW_OP_nop) {
        } else if (depth == 0) {
            return false;
        } else if (op == DW_OP_deref) {
            if (!silt_careful_word(known, stack[depth - 1], &stack[depth - 1])) {
                return false;
            }
        } else if (op == DW_OP_dup) {
            stack[depth] = stack[depth - 1];
            depth++;
        } else if (op == DW_OP_drop) {
            depth--;
        } else if (op == DW_OP_neg) {
            stack[depth - 1] = -stack[depth - 1];
        } else if (op == DW_OP_not) {
            stack[depth - 1] = ~stack[depth - 1];
        } else if (op == DW_OP_plus_uconst) {
            stack[depth - 1] += silt_uleb(&b);
        } else if (depth >= 2 && combine(op, stack[depth - 2], stack[depth - 1], &value)) {
            stack[--depth - 1] = value;
        } else if (depth >= 2 && op == DW_OP_over) {
            stack[depth] = stack[depth - 2];
            depth++;
        } else if (depth >= 2 && op == DW_OP_swap) {
            value = stack[depth - 1];
            stack[depth - 1] = stack[depth - 2];
            stack[depth - 2] = value;
        } else {
            return false;
        }
    }
    *result = depth ? stack[depth - 1] : 0;
    return depth != 0 && !b.bad;
}

enum step { STEPPED, OUTERMOST, STUCK };

/* From a frame of code without a table to the one outside of it (untabled.h). */
static enum step step_by_frame(struct registers *registers, bool *exact,
                               struct silt_readable *known) {
    uintptr_t rbp = registers->value[DW_REG_RBP], caller_rbp, address;
    if (!is_known(registers, DW_REG_RBP)) {
        return STUCK;
    }
    if (rbp == 0) {
        return OUTERMOST;
    }
    if (!silt_may_be_frame(rbp, registers->value[DW_REG_RSP] - 8) ||
        !silt_careful_word(known, rbp, &caller_rbp) ||
        !silt_careful_word(known, rbp + 8, &address) || (address && !silt_is_code(address - 1))) {
        return STUCK;
    }
    registers->known = 1u << DW_REG_RA | 1u << DW_REG_RBP | 1u << DW_REG_RSP;
    registers->value[DW_REG_RA] = address;
    registers->value[DW_REG_RBP] = caller_rbp;
    registers->value[DW_REG_RSP] = rbp + 16;
    *exact = false;
    return STEPPED;
}

/* From one frame to the one outside of it. `exact` says how the address is meant, before and
 * after. */
static enum step step_out(struct registers *registers, bool *exact, struct silt_readable *known) {
    struct silt_cfi_row row;
    struct registers outer = {.known = 0};
    uintptr_t cfa, place;
    uintptr_t pc = registers->value[DW_REG_RA] - !*exact;
    enum silt_cfi_found found = silt_cfi_find(pc, &row);
    if (found != SILT_CFI_FOUND) {
        if (!*exact && silt_cfi_is_outermost(registers->value[DW_REG_RA])) {
            return OUTERMOST;
        }
        return found == SILT_CFI_NONE && silt_untabled_has_frame(pc)
                   ? step_by_frame(registers, exact, known)
                   : STUCK;
    }
    if (silt_cfi_how(row.registers[DW_REG_RA]) == SILT_CFI_UNDEFINED) {
        return OUTERMOST;
    }
    if (row.cfa_register == SILT_CFI_EXPRESSION) {
        if (!evaluate(row.cfa_expression, registers, NULL, known, &cfa)) {
            return STUCK;
        }
    } else if (is_known(registers, row.cfa_register)) {
        cfa = registers->value[row.cfa_register] + (uintptr_t)row.cfa_offset;
    } else {
        return STUCK;
    }
    for (unsigned i = 0; i < SILT_CFI_REGISTERS; i++) {
        int64_t value = silt_cfi_value(row.registers[i]);
        bool has = false;
        switch (silt_cfi_how(row.registers[i])) {
        case SILT_CFI_SAME:
            has = is_known(registers, i);
            outer.value[i] = registers->value[i];
            break;
        case SILT_CFI_UNDEFINED:
            break;
        case SILT_CFI_AT_CFA:
            has = silt_careful_word(known, cfa + (uintptr_t)value, &outer.value[i]);
            break;
        case SILT_CFI_IS_CFA:
            has = true;
            outer.value[i] = cfa + (uintptr_t)value;
            break;
        case SILT_CFI_REGISTER:
            has = is_known(registers, (uint64_t)value);
            outer.value[i] = has ? registers->value[value] : 0;
            break;
        case SILT_CFI_AT_EXPRESSION:
            has = evaluate((const uint8_t *)value, registers, &cfa, known, &place) &&
                  silt_careful_word(known, place, &outer.value[i]);
            break;
        case SILT_CFI_IS_EXPRESSION:
            has = evaluate((const uint8_t *)value, registers, &cfa, known, &outer.value[i]);
            break;
        }
        outer.known |= (uint32_t)has << i;
    }
    if (silt_cfi_how(row.registers[DW_REG_RSP]) == SILT_CFI_SAME) {
        outer.value[DW_REG_RSP] = cfa;
        outer.known |= 1u << DW_REG_RSP;
    }
    if (!is_known(&outer, DW_REG_RA) || !is_known(&outer, DW_REG_RSP)) {
        return STUCK;
    }
    if (!row.is_signal && outer.value[DW_REG_RSP] <= registers->value[DW_REG_RSP]) {
        return STUCK; /* a stack that does not shrink outward has no end */
    }
    *registers = outer;
    *exact = row.is_signal;
    return STEPPED;
}

/* The registers with which a walk begins, at a return address. */
static struct registers registers_of(const struct silt_origin *origin) {
    struct registers registers = {.known = 1u << DW_REG_RBX | 1u << DW_REG_RBP | 1u << DW_REG_RSP |
                                           0xfu << DW_REG_R12 | 1u << DW_REG_RA};
    registers.value[DW_REG_RBX] = origin->rbx;
    registers.value[DW_REG_RBP] = origin->rbp;
    registers.value[DW_REG_RSP] = origin->rsp;
    registers.value[DW_REG_R12] = origin->r12;
    registers.value[DW_REG_R13] = origin->r13;
    registers.value[DW_REG_R14] = origin->r14;
    registers.value[DW_REG_R15] = origin->r15;
    registers.value[DW_REG_RA] = origin->rip;
    return registers;
}

static uintptr_t walk_reaches(const struct silt_origin *origin, uintptr_t hook_frame,
                              uintptr_t slot, uintptr_t unused) {
    struct registers registers = registers_of(origin);
    struct silt_readable known = {0, 0};
    bool exact = false, crossed = false;
    struct dl_find_object self;
    (void)unused;
    if (_dl_find_object((void *)silt_walk_reaches, &self) != 0) {
        return SILT_REACH_UNKNOWN;
    }
    for (unsigned i = 0; i < 2 * SILT_MAX_FRAMES; i++) {
        uintptr_t inside = registers.value[DW_REG_RA], outward = registers.value[DW_REG_RSP];
        switch (step_out(&registers, &exact, &known)) {
        case STUCK:
            return SILT_REACH_UNKNOWN;
        case OUTERMOST:
            return SILT_NOT_REACHED;
        case STEPPED:
            break;
        }
        bool switched = exact && silt_aside_is_switch(inside);
        crossed |= exact && !switched;
        /* Another function may have its return address there now, and the hook that asks may have
         * the very frame of one that is gone. */
        if (registers.value[DW_REG_RSP] == slot + 8 && slot != hook_frame + 8 &&
            inside - (uintptr_t)self.dlfo_map_start <
                (uintptr_t)self.dlfo_map_end - (uintptr_t)self.dlfo_map_start) {
            return crossed ? SILT_REACHED_SIGNAL : SILT_REACHED;
        }
        if (!exact && outward < slot + 8 && slot + 8 <= registers.value[DW_REG_RSP]) {
            return SILT_PASSED;
        }
        if (registers.value[DW_REG_RA] == 0) {
            return SILT_NOT_REACHED;
        }
    }
    return SILT_REACH_UNKNOWN;
}

enum silt_reach silt_walk_reaches(uintptr_t hook_frame, uintptr_t slot) {
    return (enum silt_reach)silt_aside(walk_reaches, hook_frame, slot, 0);
}

static uintptr_t walk_slowly(const struct silt_origin *origin, uintptr_t hook_frame, uintptr_t into,
                             uintptr_t complete) {
    uint64_t *keys = (uint64_t *)into;
    struct registers registers = registers_of(origin);
    struct silt_readable known = {0, 0};
    bool exact = false;
    uint32_t count = 0;
    __atomic_fetch_add(&silt_shared->stacks_slow, 1, __ATOMIC_RELAXED);
    enum step end = STEPPED;
    /* First out of our own frames: the hook's CFA is its frame address + 16. */
    while (end == STEPPED && registers.value[DW_REG_RSP] < hook_frame + 16) {
        end = step_out(&registers, &exact, &known);
    }
    while (end == STEPPED && registers.value[DW_REG_RA] != 0 && count < SILT_MAX_FRAMES) {
        keys[count++] = SILT_KEY(registers.value[DW_REG_RA], exact ? SILT_NODE_EXACT : 0);
        end = step_out(&registers, &exact, &known);
    }
    *(uint8_t *)complete = end == STUCK ? SILT_NODE_INCOMPLETE
                           : end == STEPPED && registers.value[DW_REG_RA] != 0 ? SILT_NODE_TRUNCATED
                                                                               : 0;
    return count;
}

uint32_t silt_walk_slowly(uintptr_t hook_frame, uint64_t *keys, uint8_t *flags) {
    return (uint32_t)silt_aside(walk_slowly, hook_frame, (uintptr_t)keys, (uintptr_t)flags);
}

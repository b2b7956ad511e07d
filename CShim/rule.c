/* rule.c: rows of call frame tables as rules of 64 bits. In a hook; takes no lock. */
#include "rule.h"

#include "bytes.h"
#include "cfi.h"
#include "dwarf_codes.h"

static silt_rule make_rule(unsigned kind, unsigned mode, int64_t cfa, int64_t rbp) {
    if (cfa < -(1 << 27) || cfa >= 1 << 27 || rbp < -(1 << 27) || rbp >= 1 << 27) {
        return SILT_RULE_SLOW;
    }
    if (kind == SILT_RULE_RSP && mode != SILT_RBP_AT_RBP && cfa > 0 && cfa <= SILT_PLAIN_STEP &&
        !(cfa & 7)) {
        kind = SILT_RULE_PLAIN;
    }
    return kind | (uint64_t)mode << 4 | ((uint64_t)cfa & 0xfffffff) << 8 | (uint64_t)rbp << 36;
}

/* True for the expression "register + offset" (DW_OP_breg), optionally with a DW_OP_deref after it.
 */
static bool is_based(const uint8_t *at, unsigned number, bool deref, int64_t *offset) {
    struct silt_bytes e = silt_expression_at(at);
    if (silt_take(&e, 1) != DW_OP_breg0 + number) {
        return false;
    }
    *offset = silt_sleb(&e);
    return (!deref || silt_take(&e, 1) == DW_OP_deref) && e.at == e.end && !e.bad;
}

/* The linkers' CFA of a PLT: rsp + 8 + (rip % 16 >= N) * 8, which is a constant for one address. */
static bool plt_offset(const uint8_t *at, uintptr_t pc, int64_t *offset) {
    static const uint8_t form[] = {DW_OP_breg0 + DW_REG_RSP,
                                   8,
                                   DW_OP_breg0 + DW_REG_RA,
                                   0,
                                   DW_OP_lit0 + 15,
                                   DW_OP_and,
                                   DW_OP_lit0, /* + N */
                                   DW_OP_ge,
                                   DW_OP_lit0 + 3,
                                   DW_OP_shl,
                                   DW_OP_plus};
    struct silt_bytes e = silt_expression_at(at);
    if ((uintptr_t)(e.end - e.at) != sizeof form) {
        return false;
    }
    for (unsigned i = 0; i < sizeof form; i++) {
        if (i != 6 && e.at[i] != form[i]) {
            return false;
        }
    }
    unsigned from = e.at[6] - (unsigned)DW_OP_lit0;
    *offset = 8 + ((pc & 15) >= from ? 8 : 0);
    return from <= 15;
}

silt_rule silt_rule_make(uintptr_t pc) {
    struct silt_cfi_row row;
    switch (silt_cfi_find(pc, &row)) {
    case SILT_CFI_NONE:
        return SILT_RULE_NONE;
    case SILT_CFI_ODD:
        return SILT_RULE_SLOW;
    case SILT_CFI_FOUND:
        break;
    }
    int64_t ra = row.registers[DW_REG_RA], rbp = row.registers[DW_REG_RBP], offset;
    if (silt_cfi_how(ra) == SILT_CFI_UNDEFINED) {
        return SILT_RULE_END;
    }
    if (row.is_signal) {
        /* The kernel's frame: rip is the 16th of the ucontext's gregs, which begin at rsp + 40. */
        bool usual = silt_cfi_how(ra) == SILT_CFI_AT_EXPRESSION &&
                     is_based((const uint8_t *)silt_cfi_value(ra), DW_REG_RSP, false, &offset) &&
                     offset == 40 + 16 * 8;
        return usual ? SILT_RULE_SIGNAL : SILT_RULE_SLOW;
    }
    if (silt_cfi_how(ra) != SILT_CFI_AT_CFA || silt_cfi_value(ra) != -8 ||
        silt_cfi_how(row.registers[DW_REG_RSP]) != SILT_CFI_SAME) {
        return SILT_RULE_SLOW;
    }
    unsigned mode;
    int64_t rbp_offset = 0;
    switch (silt_cfi_how(rbp)) {
    case SILT_CFI_SAME:
        mode = SILT_RBP_SAME;
        break;
    case SILT_CFI_AT_CFA:
        mode = SILT_RBP_AT_CFA;
        rbp_offset = silt_cfi_value(rbp);
        break;
    case SILT_CFI_AT_EXPRESSION:
        mode = SILT_RBP_AT_RBP;
        if (!is_based((const uint8_t *)silt_cfi_value(rbp), DW_REG_RBP, false, &rbp_offset)) {
            return SILT_RULE_SLOW;
        }
        break;
    default:
        return SILT_RULE_SLOW;
    }
    switch (row.cfa_register) {
    case DW_REG_RSP:
        return make_rule(SILT_RULE_RSP, mode, row.cfa_offset, rbp_offset);
    case DW_REG_RBP:
        return make_rule(SILT_RULE_RBP, mode, row.cfa_offset, rbp_offset);
    case SILT_CFI_EXPRESSION:
        if (is_based(row.cfa_expression, DW_REG_RBP, true, &offset)) {
            return make_rule(SILT_RULE_DEREF, mode, offset, rbp_offset);
        }
        if (plt_offset(row.cfa_expression, pc, &offset)) {
            return make_rule(SILT_RULE_RSP, mode, offset, rbp_offset);
        }
        return SILT_RULE_SLOW;
    default:
        return SILT_RULE_SLOW;
    }
}

/* cfi.c: .eh_frame_hdr search, CIE and FDE parsing, and the CFA program up to one address. Runs in
 * a hook. */
#define _GNU_SOURCE
#include "cfi.h"

#include <dlfcn.h>
#include <string.h>

/* Register numbers of the x86-64 psABI, figure 3.36. */
enum { REG_RBP = 6, REG_RSP = 7, REG_RA = 16 };

struct bytes {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t take(struct bytes *b, unsigned count) {
    uint64_t value = 0;
    if ((uintptr_t)(b->end - b->at) < count) {
        b->bad = true;
        b->at = b->end;
        return 0;
    }
    memcpy(&value, b->at, count);
    b->at += count;
    return value;
}

static uint64_t uleb(struct bytes *b) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)take(b, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            break;
        }
    }
    return value;
}

static int64_t sleb(struct bytes *b) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = (uint8_t)take(b, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) && shift < 64);
    if (shift < 64 && (byte & 0x40)) {
        value |= ~0ull << shift;
    }
    return (int64_t)value;
}

/* A pointer in one of the DW_EH_PE encodings (LSB core 10.5); indirect ones only matter for
 * personalities. */
static uintptr_t encoded(struct bytes *b, uint8_t encoding, uintptr_t data_base) {
    uintptr_t here = (uintptr_t)b->at, value;
    if (encoding == 0xff) {
        return 0;
    }
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = take(b, 8);
        break;
    case 0x01:
        value = uleb(b);
        break;
    case 0x02:
        value = take(b, 2);
        break;
    case 0x03:
        value = take(b, 4);
        break;
    case 0x09:
        value = (uintptr_t)sleb(b);
        break;
    case 0x0a:
        value = (uintptr_t)(int16_t)take(b, 2);
        break;
    case 0x0b:
        value = (uintptr_t)(int32_t)take(b, 4);
        break;
    default:
        b->bad = true;
        return 0;
    }
    switch (encoding & 0x70) {
    case 0x10:
        value += here;
        break;
    case 0x30:
        value += data_base;
        break;
    default:
        break;
    }
    return value;
}

struct cie {
    struct bytes program;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding;
    bool has_augmentation, is_signal, bad;
};

static struct cie parse_cie(const uint8_t *at, const uint8_t *limit) {
    struct cie cie = {.encoding = 0};
    struct bytes b = {at, limit, false};
    uint64_t length = take(&b, 4);
    if (length == 0 || length >= 0xfffffff0u || length > (uintptr_t)(limit - b.at)) {
        cie.bad = true;
        return cie;
    }
    b.end = b.at + length;
    bool is_cie = take(&b, 4) == 0;
    uint8_t version = (uint8_t)take(&b, 1);
    const char *augmentation = (const char *)b.at;
    while (!b.bad && take(&b, 1) != 0) {
    }
    cie.code_align = uleb(&b);
    cie.data_align = sleb(&b);
    uint64_t return_register = version == 1 ? take(&b, 1) : uleb(&b);
    if (b.bad || !is_cie || (version != 1 && version != 3) || return_register != REG_RA) {
        cie.bad = true;
        return cie;
    }
    if (*augmentation == 'z') {
        cie.has_augmentation = true;
        uint64_t bytes = uleb(&b);
        if (bytes > (uintptr_t)(b.end - b.at)) {
            cie.bad = true;
            return cie;
        }
        const uint8_t *after = b.at + bytes;
        for (const char *c = augmentation + 1; *c && !b.bad; c++) {
            if (*c == 'R') {
                cie.encoding = (uint8_t)take(&b, 1);
            } else if (*c == 'L') {
                take(&b, 1);
            } else if (*c == 'P') {
                uint8_t encoding = (uint8_t)take(&b, 1);
                encoded(&b, encoding & 0x7f, 0);
            } else if (*c == 'S') {
                cie.is_signal = true;
            } else if (*c != 'B') {
                break;
            }
        }
        b.at = after;
    } else if (*augmentation) {
        cie.bad = true;
    }
    cie.program = b;
    cie.bad |= b.bad;
    return cie;
}

/* What a CFA program has established so far, as far as rbp, the CFA and the return address are
 * concerned. */
struct row {
    uint8_t cfa_register; /* or 0xff: an expression */
    uint8_t rbp_mode;
    bool ra_undefined, odd;
    int64_t cfa_offset, rbp_offset;
    int64_t deref_offset; /* with an expression: CFA = *(rbp + deref_offset) */
};

/* The expressions compilers write: *(rbp + n) for realigned stacks; the PLT's rsp + 8 + (rip % 16
 * >= 11) * 8. */
static void cfa_expression(struct row *row, struct bytes e, uintptr_t pc) {
    static const uint8_t plt_tail[] = {0x80, 0x00, 0x3f, 0x1a};
    row->cfa_register = 0xff;
    row->odd = true;
    uint8_t op = (uint8_t)take(&e, 1);
    if (op == 0x70 + REG_RBP) { /* DW_OP_breg6 */
        int64_t offset = sleb(&e);
        if (take(&e, 1) == 0x06 && e.at == e.end && !e.bad) { /* DW_OP_deref */
            row->deref_offset = offset;
            row->odd = false;
        }
    } else if (op == 0x70 + REG_RSP) {
        int64_t offset = sleb(&e);
        if (offset == 8 && e.end - e.at >= 9 && memcmp(e.at, plt_tail, sizeof plt_tail) == 0) {
            /* breg16 0, lit15, and, litN, ge, lit3, shl, plus */
            unsigned from = e.at[4] - 0x30u;
            row->cfa_register = REG_RSP;
            row->cfa_offset = 8 + ((pc & 15) >= from ? 8 : 0);
            row->odd = from > 15;
        }
    }
}

static void set_rbp(struct row *row, uint8_t mode, int64_t offset) {
    row->rbp_mode = mode;
    row->rbp_offset = offset;
}

/* Runs a CFA program until it passes `pc`; false when it cannot be understood. */
static bool run_program(struct bytes b, const struct cie *cie, const struct row *initial,
                        struct row *row, uintptr_t location, uintptr_t pc) {
    struct row saved[16];
    unsigned depth = 0;
    while (b.at < b.end && !b.bad) {
        uint8_t op = *b.at++;
        uint64_t reg, length;
        int64_t offset;
        struct bytes expression;
        switch (op & 0xc0) {
        case 0x40: /* advance_loc */
            location += (op & 0x3f) * cie->code_align;
            if (location > pc) {
                return true;
            }
            continue;
        case 0x80: /* offset */
            offset = (int64_t)uleb(&b) * cie->data_align;
            if ((op & 0x3f) == REG_RBP) {
                set_rbp(row, SILT_RBP_AT_CFA, offset);
            } else if ((op & 0x3f) == REG_RA && offset != -8) {
                row->odd = true;
            }
            continue;
        case 0xc0: /* restore */
            if ((op & 0x3f) == REG_RBP) {
                set_rbp(row, initial->rbp_mode, initial->rbp_offset);
            }
            continue;
        default:
            break;
        }
        switch (op) {
        case 0x00: /* nop */
            break;
        case 0x01: /* set_loc */
            location = encoded(&b, cie->encoding, 0);
            if (location > pc) {
                return true;
            }
            break;
        case 0x02:
        case 0x03:
        case 0x04: /* advance_loc1, 2, 4 */
            location += take(&b, 1u << (op - 2)) * cie->code_align;
            if (location > pc) {
                return true;
            }
            break;
        case 0x05:
        case 0x11: /* offset_extended, offset_extended_sf */
            reg = uleb(&b);
            offset = (op == 0x05 ? (int64_t)uleb(&b) : sleb(&b)) * cie->data_align;
            if (reg == REG_RBP) {
                set_rbp(row, SILT_RBP_AT_CFA, offset);
            } else if (reg == REG_RA && offset != -8) {
                row->odd = true;
            }
            break;
        case 0x06: /* restore_extended */
            if (uleb(&b) == REG_RBP) {
                set_rbp(row, initial->rbp_mode, initial->rbp_offset);
            }
            break;
        case 0x07: /* undefined */
            reg = uleb(&b);
            if (reg == REG_RA) {
                row->ra_undefined = true;
            } else if (reg == REG_RBP) {
                set_rbp(row, SILT_RBP_UNKNOWN, 0);
            }
            break;
        case 0x08: /* same_value */
            if (uleb(&b) == REG_RBP) {
                set_rbp(row, SILT_RBP_SAME, 0);
            }
            break;
        case 0x09: /* register */
            reg = uleb(&b);
            uleb(&b);
            if (reg == REG_RBP || reg == REG_RA) {
                row->odd = true;
            }
            break;
        case 0x0a: /* remember_state */
            if (depth == 16) {
                return false;
            }
            saved[depth++] = *row;
            break;
        case 0x0b: /* restore_state */
            if (depth == 0) {
                return false;
            }
            *row = saved[--depth];
            break;
        case 0x0c: /* def_cfa */
        case 0x12: /* def_cfa_sf */
            row->cfa_register = (uint8_t)uleb(&b);
            row->cfa_offset = op == 0x0c ? (int64_t)uleb(&b) : sleb(&b) * cie->data_align;
            break;
        case 0x0d: /* def_cfa_register */
            row->cfa_register = (uint8_t)uleb(&b);
            break;
        case 0x0e: /* def_cfa_offset */
            row->cfa_offset = (int64_t)uleb(&b);
            break;
        case 0x13: /* def_cfa_offset_sf */
            row->cfa_offset = sleb(&b) * cie->data_align;
            break;
        case 0x0f: /* def_cfa_expression */
            length = uleb(&b);
            if (length > (uintptr_t)(b.end - b.at)) {
                return false;
            }
            expression = (struct bytes){b.at, b.at + length, false};
            b.at += length;
            cfa_expression(row, expression, pc);
            break;
        case 0x10:
        case 0x16: /* expression, val_expression */
            reg = uleb(&b);
            length = uleb(&b);
            if (length > (uintptr_t)(b.end - b.at)) {
                return false;
            }
            expression = (struct bytes){b.at, b.at + length, false};
            b.at += length;
            if (reg == REG_RBP) {
                /* DW_OP_breg6 n alone: saved at rbp + n. */
                uint8_t first = (uint8_t)take(&expression, 1);
                int64_t at = sleb(&expression);
                if (op == 0x10 && first == 0x70 + REG_RBP && expression.at == expression.end &&
                    !expression.bad) {
                    set_rbp(row, SILT_RBP_AT_RBP, at);
                } else {
                    set_rbp(row, SILT_RBP_UNKNOWN, 0);
                }
            } else if (reg == REG_RA) {
                row->odd = true;
            }
            break;
        case 0x14:
        case 0x15: /* val_offset, val_offset_sf */
            reg = uleb(&b);
            uleb(&b);
            if (reg == REG_RBP || reg == REG_RA) {
                row->odd = true;
            }
            break;
        case 0x2e: /* GNU_args_size */
            uleb(&b);
            break;
        default:
            return false;
        }
    }
    return !b.bad;
}

static silt_rule make_rule(unsigned kind, unsigned mode, int64_t cfa, int64_t rbp) {
    if (cfa < -(1 << 27) || cfa >= 1 << 27 || rbp < -(1 << 27) || rbp >= 1 << 27) {
        return SILT_RULE_SLOW;
    }
    return kind | (uint64_t)mode << 4 | ((uint64_t)cfa & 0xfffffff) << 8 | (uint64_t)rbp << 36;
}

static silt_rule rule_of_row(const struct row *row) {
    if (row->ra_undefined) {
        return SILT_RULE_END;
    }
    if (row->odd) {
        return SILT_RULE_SLOW;
    }
    switch (row->cfa_register) {
    case REG_RSP:
        return make_rule(SILT_RULE_RSP, row->rbp_mode, row->cfa_offset, row->rbp_offset);
    case REG_RBP:
        return make_rule(SILT_RULE_RBP, row->rbp_mode, row->cfa_offset, row->rbp_offset);
    case 0xff:
        return make_rule(SILT_RULE_DEREF, row->rbp_mode, row->deref_offset, row->rbp_offset);
    default:
        return SILT_RULE_SLOW;
    }
}

silt_rule silt_cfi_rule(uintptr_t pc) {
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) != 0 || !found.dlfo_eh_frame) {
        return SILT_RULE_NONE;
    }
    const uint8_t *start = found.dlfo_map_start, *end = found.dlfo_map_end;
    const uint8_t *header = found.dlfo_eh_frame;
    struct bytes b = {header, end, false};
    if (header < start || header >= end || take(&b, 1) != 1) {
        return SILT_RULE_NONE;
    }
    uint8_t frame_encoding = (uint8_t)take(&b, 1);
    uint8_t count_encoding = (uint8_t)take(&b, 1);
    uint8_t table_encoding = (uint8_t)take(&b, 1);
    encoded(&b, frame_encoding, (uintptr_t)header);
    uint64_t count = encoded(&b, count_encoding, (uintptr_t)header);
    /* Linkers write one form of table: pairs of 32-bit offsets from the header, sorted by address.
     */
    if (b.bad || table_encoding != 0x3b || count == 0 || count > (uintptr_t)(end - b.at) / 8) {
        return SILT_RULE_NONE;
    }
    const int32_t *table = (const void *)b.at;
    int64_t wanted = (int64_t)(pc - (uintptr_t)header);
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (table[middle * 2] <= wanted) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const uint8_t *fde = header + table[low * 2 + 1];
    if (table[low * 2] > wanted || fde < start || fde >= end) {
        return SILT_RULE_NONE;
    }
    b = (struct bytes){fde, end, false};
    uint64_t length = take(&b, 4);
    if (length == 0 || length >= 0xfffffff0u || length > (uintptr_t)(end - b.at)) {
        return SILT_RULE_NONE;
    }
    b.end = b.at + length;
    const uint8_t *cie_at = b.at;
    cie_at -= take(&b, 4);
    if (cie_at < start || cie_at >= end) {
        return SILT_RULE_NONE;
    }
    struct cie cie = parse_cie(cie_at, end);
    if (cie.bad) {
        return SILT_RULE_SLOW;
    }
    uintptr_t from = encoded(&b, cie.encoding, 0);
    uintptr_t bytes = encoded(&b, cie.encoding & 0x0f, 0);
    if (b.bad || pc - from >= bytes) {
        return SILT_RULE_NONE;
    }
    if (cie.has_augmentation) {
        uint64_t skip = uleb(&b);
        if (skip > (uintptr_t)(b.end - b.at)) {
            return SILT_RULE_SLOW;
        }
        b.at += skip;
    }
    if (cie.is_signal) {
        return SILT_RULE_SIGNAL;
    }
    struct row initial = {.cfa_register = REG_RSP, .cfa_offset = 8};
    struct row none = initial;
    if (!run_program(cie.program, &cie, &none, &initial, 0, UINTPTR_MAX)) {
        return SILT_RULE_SLOW;
    }
    struct row row = initial;
    if (!run_program(b, &cie, &initial, &row, from, pc)) {
        return SILT_RULE_SLOW;
    }
    return rule_of_row(&row);
}

/* cfi.c: .eh_frame_hdr search, CIE and FDE parsing, and the CFA program up to one address. Runs in
 * a hook. */
#define _GNU_SOURCE
#include "cfi.h"

#include "bytes.h"
#include "dwarf_codes.h"
#include "loaded.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

/* Rows that a CFA program may remember at a time. Compilers nest them once. */
#define SAVED_ROWS 4

/* The loader's code from its entry to the jump to the program's: 61 bytes in glibc 2.36. */
#define LOADER_START_BYTES 128

/* A pointer in one of the DW_EH_PE encodings (LSB core 10.5); indirect ones only matter for
 * personalities. */
static uintptr_t encoded(struct silt_bytes *b, uint8_t encoding, uintptr_t data_base) {
    uintptr_t here = (uintptr_t)b->at, value;
    if (encoding == DW_EH_PE_omit) {
        return 0;
    }
    switch (encoding & DW_EH_PE_format) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        value = silt_take(b, 8);
        break;
    case DW_EH_PE_uleb128:
        value = silt_uleb(b);
        break;
    case DW_EH_PE_udata2:
        value = silt_take(b, 2);
        break;
    case DW_EH_PE_udata4:
        value = silt_take(b, 4);
        break;
    case DW_EH_PE_sleb128:
        value = (uintptr_t)silt_sleb(b);
        break;
    case DW_EH_PE_sdata2:
        value = (uintptr_t)(int16_t)silt_take(b, 2);
        break;
    case DW_EH_PE_sdata4:
        value = (uintptr_t)(int32_t)silt_take(b, 4);
        break;
    default:
        b->bad = true;
        return 0;
    }
    switch (encoding & DW_EH_PE_base) {
    case DW_EH_PE_pcrel:
        value += here;
        break;
    case DW_EH_PE_datarel:
        value += data_base;
        break;
    default:
        break;
    }
    return value;
}

struct cie {
    struct silt_bytes program;
    uint64_t code_align;
    int64_t data_align;
    uint8_t encoding;
    bool has_augmentation, is_signal, bad;
};

static struct cie parse_cie(const uint8_t *at, const uint8_t *limit) {
    struct cie cie = {.encoding = 0};
    struct silt_bytes b = {at, limit, false};
    uint64_t length = silt_take(&b, 4);
    if (length == 0 || length >= 0xfffffff0u || length > (uintptr_t)(limit - b.at)) {
        cie.bad = true;
        return cie;
    }
    b.end = b.at + length;
    bool is_cie = silt_take(&b, 4) == 0;
    uint8_t version = (uint8_t)silt_take(&b, 1);
    const char *augmentation = (const char *)b.at;
    while (!b.bad && silt_take(&b, 1) != 0) {
    }
    cie.code_align = silt_uleb(&b);
    cie.data_align = silt_sleb(&b);
    uint64_t return_register = version == 1 ? silt_take(&b, 1) : silt_uleb(&b);
    if (b.bad || !is_cie || (version != 1 && version != 3) || return_register != DW_REG_RA) {
        cie.bad = true;
        return cie;
    }
    if (*augmentation == 'z') {
        cie.has_augmentation = true;
        uint64_t bytes = silt_uleb(&b);
        if (bytes > (uintptr_t)(b.end - b.at)) {
            cie.bad = true;
            return cie;
        }
        const uint8_t *after = b.at + bytes;
        for (const char *c = augmentation + 1; *c && !b.bad; c++) {
            if (*c == 'R') {
                cie.encoding = (uint8_t)silt_take(&b, 1);
            } else if (*c == 'L') {
                silt_take(&b, 1);
            } else if (*c == 'P') {
                uint8_t encoding = (uint8_t)silt_take(&b, 1);
                encoded(&b, encoding & ~DW_EH_PE_indirect, 0);
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

/* What a CFA program has established so far is a silt_cfi_row; the places of expressions in it are
 * those of their length (ULEB128). */
static void set_register(struct silt_cfi_row *row, uint64_t number, unsigned how, int64_t value) {
    if (number < SILT_CFI_REGISTERS) {
        row->registers[number] = (int64_t)((uint64_t)value << 3) | how;
    }
}

static void set_cfa_register(struct silt_cfi_row *row, uint64_t number) {
    row->cfa_register = number < SILT_CFI_REGISTERS ? (uint8_t)number : SILT_CFI_UNKNOWN;
}

static bool skip_expression(struct silt_bytes *b) {
    uint64_t length = silt_uleb(b);
    if (b->bad || length > (uintptr_t)(b->end - b->at)) {
        return false;
    }
    b->at += length;
    return true;
}

/* Runs a CFA program until it passes `pc`; false when it cannot be understood. */
static bool run_program(struct silt_bytes b, const struct cie *cie,
                        const struct silt_cfi_row *initial, struct silt_cfi_row *row,
                        uintptr_t location, uintptr_t pc) {
    struct silt_cfi_row saved[SAVED_ROWS];
    unsigned depth = 0;
    while (b.at < b.end && !b.bad) {
        uint8_t op = *b.at++;
        uint64_t reg;
        int64_t offset;
        switch (op & DW_CFA_restore) {
        case DW_CFA_advance_loc:
            location += (op & 0x3f) * cie->code_align;
            if (location > pc) {
                return true;
            }
            continue;
        case DW_CFA_offset:
            offset = (int64_t)silt_uleb(&b) * cie->data_align;
            set_register(row, op & 0x3f, SILT_CFI_AT_CFA, offset);
            continue;
        case DW_CFA_restore:
            if ((op & 0x3f) < SILT_CFI_REGISTERS) {
                row->registers[op & 0x3f] = initial->registers[op & 0x3f];
            }
            continue;
        default:
            break;
        }
        switch (op) {
        case DW_CFA_nop:
            break;
        case DW_CFA_set_loc:
            location = encoded(&b, cie->encoding, 0);
            if (location > pc) {
                return true;
            }
            break;
        case DW_CFA_advance_loc1:
        case DW_CFA_advance_loc2:
        case DW_CFA_advance_loc4:
            location += silt_take(&b, 1u << (op - DW_CFA_advance_loc1)) * cie->code_align;
            if (location > pc) {
                return true;
            }
            break;
        case DW_CFA_offset_extended:
        case DW_CFA_offset_extended_sf:
            reg = silt_uleb(&b);
            offset = (op == DW_CFA_offset_extended ? (int64_t)silt_uleb(&b) : silt_sleb(&b)) *
                     cie->data_align;
            set_register(row, reg, SILT_CFI_AT_CFA, offset);
            break;
        case DW_CFA_restore_extended:
            reg = silt_uleb(&b);
            if (reg < SILT_CFI_REGISTERS) {
                row->registers[reg] = initial->registers[reg];
            }
            break;
        case DW_CFA_undefined:
            set_register(row, silt_uleb(&b), SILT_CFI_UNDEFINED, 0);
            break;
        case DW_CFA_same_value:
            set_register(row, silt_uleb(&b), SILT_CFI_SAME, 0);
            break;
        case DW_CFA_register:
            reg = silt_uleb(&b);
            offset = (int64_t)silt_uleb(&b);
            set_register(row, reg,
                         (uint64_t)offset < SILT_CFI_REGISTERS ? SILT_CFI_REGISTER
                                                               : SILT_CFI_UNDEFINED,
                         offset);
            break;
        case DW_CFA_remember_state:
            if (depth == SAVED_ROWS) {
                return false;
            }
            saved[depth++] = *row;
            break;
        case DW_CFA_restore_state:
            if (depth == 0) {
                return false;
            }
            *row = saved[--depth];
            break;
        case DW_CFA_def_cfa:
        case DW_CFA_def_cfa_sf:
            set_cfa_register(row, silt_uleb(&b));
            row->cfa_offset =
                op == DW_CFA_def_cfa ? (int64_t)silt_uleb(&b) : silt_sleb(&b) * cie->data_align;
            break;
        case DW_CFA_def_cfa_register:
            set_cfa_register(row, silt_uleb(&b));
            break;
        case DW_CFA_def_cfa_offset:
            row->cfa_offset = (int64_t)silt_uleb(&b);
            break;
        case DW_CFA_def_cfa_offset_sf:
            row->cfa_offset = silt_sleb(&b) * cie->data_align;
            break;
        case DW_CFA_def_cfa_expression:
            row->cfa_register = SILT_CFI_EXPRESSION;
            row->cfa_expression = b.at;
            if (!skip_expression(&b)) {
                return false;
            }
            break;
        case DW_CFA_expression:
        case DW_CFA_val_expression:
            reg = silt_uleb(&b);
            set_register(row, reg,
                         op == DW_CFA_expression ? SILT_CFI_AT_EXPRESSION : SILT_CFI_IS_EXPRESSION,
                         (int64_t)(uintptr_t)b.at);
            if (!skip_expression(&b)) {
                return false;
            }
            break;
        case DW_CFA_val_offset:
        case DW_CFA_val_offset_sf:
            reg = silt_uleb(&b);
            offset = (op == DW_CFA_val_offset ? (int64_t)silt_uleb(&b) : silt_sleb(&b)) *
                     cie->data_align;
            set_register(row, reg, SILT_CFI_IS_CFA, offset);
            break;
        case DW_CFA_GNU_args_size:
            silt_uleb(&b);
            break;
        default:
            return false;
        }
    }
    return !b.bad;
}

/* Where a module's tables may be read: one of its segments. */
struct readable {
    const uint8_t *start, *end;
    const struct link_map *map;
};

/* Whether `at` may be read; then its segment becomes the readable one. */
static bool can_read(struct readable *readable, const uint8_t *at) {
    struct dl_find_object found;
    uintptr_t start, end;
    if ((uintptr_t)(at - readable->start) < (uintptr_t)(readable->end - readable->start)) {
        return true;
    }
    if (_dl_find_object((void *)at, &found) != 0 || found.dlfo_link_map != readable->map) {
        return false;
    }
    struct silt_extent extent = silt_extent_of(&found);
    if (!silt_readable_at(&extent, (uintptr_t)at, &start, &end)) {
        return false;
    }
    readable->start = (const uint8_t *)start;
    readable->end = (const uint8_t *)end;
    return true;
}

/* The last function in a module's table that does not begin behind an address. */
struct entry {
    struct silt_bytes rest; /* of its FDE, behind the range */
    struct cie cie;
    uintptr_t from, bytes;
};

static enum silt_cfi_found find_entry(uintptr_t pc, struct entry *entry) {
    struct dl_find_object found;
    if (_dl_find_object((void *)pc, &found) != 0 || !found.dlfo_eh_frame) {
        return SILT_CFI_NONE;
    }
    struct readable readable = {NULL, NULL, found.dlfo_link_map};
    const uint8_t *header = found.dlfo_eh_frame;
    if (!can_read(&readable, header)) {
        return SILT_CFI_NONE;
    }
    struct silt_bytes b = {header, readable.end, false};
    if (silt_take(&b, 1) != 1) {
        return SILT_CFI_NONE;
    }
    uint8_t frame_encoding = (uint8_t)silt_take(&b, 1);
    uint8_t count_encoding = (uint8_t)silt_take(&b, 1);
    uint8_t table_encoding = (uint8_t)silt_take(&b, 1);
    encoded(&b, frame_encoding, (uintptr_t)header);
    uint64_t count = encoded(&b, count_encoding, (uintptr_t)header);
    /* Linkers write one form of table: pairs of 32-bit offsets from the header, sorted by address.
     */
    if (b.bad || table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) || count == 0 ||
        count > (uintptr_t)(b.end - b.at) / 8) {
        return SILT_CFI_NONE;
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
    if (table[low * 2] > wanted || !can_read(&readable, fde)) {
        return SILT_CFI_NONE;
    }
    b = (struct silt_bytes){fde, readable.end, false};
    uint64_t length = silt_take(&b, 4);
    if (length == 0 || length >= 0xfffffff0u || length > (uintptr_t)(b.end - b.at)) {
        return SILT_CFI_NONE;
    }
    b.end = b.at + length;
    const uint8_t *cie_at = b.at;
    cie_at -= silt_take(&b, 4);
    if (!can_read(&readable, cie_at)) {
        return SILT_CFI_NONE;
    }
    entry->cie = parse_cie(cie_at, readable.end);
    if (entry->cie.bad) {
        return SILT_CFI_ODD;
    }
    entry->from = encoded(&b, entry->cie.encoding, 0);
    entry->bytes = encoded(&b, entry->cie.encoding & DW_EH_PE_format, 0);
    entry->rest = b;
    return b.bad ? SILT_CFI_NONE : SILT_CFI_FOUND;
}

uintptr_t silt_cfi_covered_until(uintptr_t pc) {
    struct entry entry;
    return find_entry(pc, &entry) == SILT_CFI_FOUND ? entry.from + entry.bytes : 0;
}

enum silt_cfi_found silt_cfi_find(uintptr_t pc, struct silt_cfi_row *row) {
    struct entry entry;
    enum silt_cfi_found found = find_entry(pc, &entry);
    if (found != SILT_CFI_FOUND) {
        return found;
    }
    if (pc - entry.from >= entry.bytes) {
        return SILT_CFI_NONE;
    }
    struct silt_bytes b = entry.rest;
    struct cie cie = entry.cie;
    if (cie.has_augmentation) {
        uint64_t skip = silt_uleb(&b);
        if (skip > (uintptr_t)(b.end - b.at)) {
            return SILT_CFI_ODD;
        }
        b.at += skip;
    }
    struct silt_cfi_row initial = {.cfa_register = DW_REG_RSP, .cfa_offset = 8};
    set_register(&initial, DW_REG_RA, SILT_CFI_AT_CFA, -8);
    struct silt_cfi_row none = initial;
    if (!run_program(cie.program, &cie, &none, &initial, 0, UINTPTR_MAX)) {
        return SILT_CFI_ODD;
    }
    *row = initial;
    row->is_signal = cie.is_signal;
    row->start = entry.from;
    return run_program(b, &cie, &initial, row, entry.from, pc) ? SILT_CFI_FOUND : SILT_CFI_ODD;
}

/* The loader's entry. Code without a table, as interpreters make it, is asked about again and
 * again, so it is looked up once. Without a loader an address that nothing lies at. */
static uintptr_t loader_start(void) {
    static uintptr_t known;
    uintptr_t start = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (start == 0) {
        const ElfW(Ehdr) *loader = (const void *)getauxval(AT_BASE);
        start = loader ? (uintptr_t)loader + loader->e_entry : UINTPTR_MAX;
        __atomic_store_n(&known, start, __ATOMIC_RELAXED);
    }
    return start;
}

bool silt_cfi_is_outermost(uintptr_t address) {
    struct silt_cfi_row row;
    if (silt_cfi_find(address, &row) == SILT_CFI_FOUND && row.start == address) {
        return true;
    }
    return address - loader_start() < LOADER_START_BYTES;
}

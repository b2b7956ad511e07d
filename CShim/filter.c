/*
 * filter.c: evaluates a filter that the program is about to install, for the calls that silt would
 * make under it.
 *
 * The machine is that of Linux' Documentation/networking/filter.rst as far as seccomp(2) has it:
 * two registers, 16 words of memory, jumps forward only. A program that the kernel would refuse
 * allows nothing here.
 */
#include "filter.h"

#include "careful.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

static bool fetch(struct silt_readable *known, const void *from, void *into, size_t bytes) {
    uint8_t *out = into;
    for (size_t i = 0; i < bytes; i++) {
        uintptr_t at = (uintptr_t)from + i, word;
        if (!silt_careful_word(known, at & ~(uintptr_t)7, &word)) {
            return false;
        }
        out[i] = (uint8_t)(word >> (at & 7) * 8);
    }
    return true;
}

bool silt_filter_is_there(const struct sock_fprog *program) {
    struct silt_readable known = {0, 0};
    struct sock_fprog whole;
    struct sock_filter step;
    return fetch(&known, program, &whole, sizeof whole) && whole.len &&
           fetch(&known, whole.filter, &step, sizeof step);
}

static bool calculate(uint32_t *a, uint16_t operation, uint32_t with) {
    switch (operation) {
    case BPF_ADD:
        *a += with;
        return true;
    case BPF_SUB:
        *a -= with;
        return true;
    case BPF_MUL:
        *a *= with;
        return true;
    case BPF_DIV:
        *a = with ? *a / with : 0;
        return with != 0;
    case BPF_AND:
        *a &= with;
        return true;
    case BPF_OR:
        *a |= with;
        return true;
    case BPF_XOR:
        *a ^= with;
        return true;
    case BPF_LSH:
        *a = with < 32 ? *a << with : 0;
        return true;
    case BPF_RSH:
        *a = with < 32 ? *a >> with : 0;
        return true;
    case BPF_NEG:
        *a = -*a;
        return true;
    }
    return false;
}

/* False when that is no comparison. */
static bool compare(uint32_t a, uint16_t operation, uint32_t with, bool *result) {
    switch (operation) {
    case BPF_JEQ:
        *result = a == with;
        return true;
    case BPF_JGT:
        *result = a > with;
        return true;
    case BPF_JGE:
        *result = a >= with;
        return true;
    case BPF_JSET:
        *result = (a & with) != 0;
        return true;
    }
    return false;
}

static bool allows(uint32_t action) {
    action &= SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool silt_filter_allows(const struct sock_fprog *program, long number,
                        const uint64_t arguments[6]) {
    struct silt_readable known = {0, 0};
    struct sock_fprog whole;
    struct seccomp_data data = {(int)number, AUDIT_ARCH_X86_64, 0, {0}};
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
    memcpy(data.args, arguments, sizeof data.args);
    if (!fetch(&known, program, &whole, sizeof whole)) {
        return false;
    }
    for (uint32_t pc = 0; pc < whole.len; pc++) {
        struct sock_filter step;
        if (!fetch(&known, whole.filter + pc, &step, sizeof step)) {
            return false;
        }
        uint32_t operand = BPF_SRC(step.code) == BPF_X ? x : step.k;
        bool jump;
        switch (BPF_CLASS(step.code)) {
        case BPF_RET:
            return allows(BPF_RVAL(step.code) == BPF_A ? a : step.k);
        case BPF_JMP:
            if (BPF_OP(step.code) == BPF_JA) {
                if (step.k >= whole.len) {
                    return false;
                }
                pc += step.k;
            } else if (compare(a, BPF_OP(step.code), operand, &jump)) {
                pc += jump ? step.jt : step.jf;
            } else {
                return false;
            }
            break;
        case BPF_ALU:
            if (!calculate(&a, BPF_OP(step.code), operand)) {
                return false;
            }
            break;
        case BPF_MISC:
            if (BPF_MISCOP(step.code) == BPF_TAX) {
                x = a;
            } else {
                a = x;
            }
            break;
        case BPF_ST:
        case BPF_STX:
            if (step.k >= BPF_MEMWORDS) {
                return false;
            }
            memory[step.k] = BPF_CLASS(step.code) == BPF_ST ? a : x;
            break;
        default: { /* BPF_LD, BPF_LDX */
            uint32_t value;
            switch (BPF_MODE(step.code)) {
            case BPF_IMM:
                value = step.k;
                break;
            case BPF_LEN:
                value = sizeof data;
                break;
            case BPF_MEM:
                if (step.k >= BPF_MEMWORDS) {
                    return false;
                }
                value = memory[step.k];
                break;
            case BPF_ABS:
                if (step.k > sizeof data - 4 || (step.k & 3)) {
                    return false;
                }
                memcpy(&value, (const uint8_t *)&data + step.k, 4);
                break;
            default:
                return false;
            }
            if (BPF_CLASS(step.code) == BPF_LD) {
                a = value;
            } else {
                x = value;
            }
        }
        }
    }
    return false;
}

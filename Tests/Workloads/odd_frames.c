/* odd_frames.c ROUNDS: calls through functions whose call frame information says what no compiler
 * writes: the CFA by rbx, by an expression, a caller's rbp in another register or nowhere near, a
 * return address away from CFA - 8; and, with a second argument `untold` or `framed`, through one
 * without any, which leaves rbp as it is or keeps its frame by it; with `astray`, through some
 * whose CFA is said to follow from registers that there are not. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile newest; /* keeps the compiler from leaving malloc out */
static volatile uint64_t sum;

__attribute__((noinline, used)) void leaf(void) {
    char *block = newest = malloc(43);
    block[0] = 3;
    sum += (unsigned char)block[0];
    free(block);
}

#define FUNCTION(name) ".globl " #name "\n.type " #name ",@function\n" #name ":\n.cfi_startproc\n"
#define END(name)      ".cfi_endproc\n.size " #name ",.-" #name "\n"

/* clang-format off */
__asm__(".text\n"
        /* CFA = rbx + 16, as in the loader's lazy binding. */
        FUNCTION(by_rbx)
        "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbx, 0\n"
        "mov %rsp, %rbx\n.cfi_def_cfa_register %rbx\n"
        "sub $72, %rsp\nand $-64, %rsp\n"
        "call *%rdi\n"
        "mov %rbx, %rsp\n.cfi_def_cfa_register %rsp\n"
        "pop %rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore %rbx\nret\n"
        END(by_rbx)
        /* CFA = *(rsp + 8), where the stack pointer is saved: DW_CFA_def_cfa_expression, breg7 8,
         * deref. */
        FUNCTION(by_expression)
        "lea 8(%rsp), %rax\n"
        "sub $24, %rsp\n.cfi_adjust_cfa_offset 24\n"
        "mov %rax, 8(%rsp)\n.cfi_escape 0x0f, 3, 0x77, 8, 0x06\n"
        "call *%rdi\n"
        "add $24, %rsp\n.cfi_def_cfa %rsp, 8\nret\n"
        END(by_expression)
        /* The caller's rbp is in r12, the caller's r12 on the stack. */
        FUNCTION(rbp_in_register)
        "push %r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %r12, 0\n"
        "mov %rbp, %r12\n.cfi_register %rbp, %r12\n"
        "mov $0x1234, %ebp\n"
        "call *%rdi\n"
        "mov %r12, %rbp\n.cfi_restore %rbp\n"
        "pop %r12\n.cfi_adjust_cfa_offset -8\n.cfi_restore %r12\nret\n"
        END(rbp_in_register)
        /* The return address was moved: it is saved at CFA - 24. */
        FUNCTION(moved_return)
        "pop %rax\n.cfi_adjust_cfa_offset -8\n.cfi_register %rip, %rax\n"
        "sub $24, %rsp\n.cfi_adjust_cfa_offset 24\n"
        "mov %rax, 0(%rsp)\n.cfi_offset %rip, -24\n"
        "sub $8, %rsp\n.cfi_adjust_cfa_offset 8\n"
        "call *%rdi\n"
        "add $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
        "mov 0(%rsp), %rax\n.cfi_register %rip, %rax\n"
        "add $24, %rsp\n.cfi_adjust_cfa_offset -24\n"
        "jmp *%rax\n"
        END(moved_return)
        /* rbp is saved where an expression says: DW_CFA_expression, breg7 16. */
        FUNCTION(rbp_by_expression)
        "sub $24, %rsp\n.cfi_adjust_cfa_offset 24\n"
        "mov %rbp, 16(%rsp)\n.cfi_escape 0x10, 6, 2, 0x77, 16\n"
        "xor %ebp, %ebp\n"
        "call *%rdi\n"
        "mov 16(%rsp), %rbp\n.cfi_restore %rbp\n"
        "add $24, %rsp\n.cfi_adjust_cfa_offset -24\nret\n"
        END(rbp_by_expression)
        /* The CFA by registers 32, 255 and 511: DW_CFA_def_cfa_register. */
        FUNCTION(astray)
        "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbx, 0\nmov %rdi, %rbx\n"
        ".cfi_escape 0x0d, 32\ncall *%rbx\n"
        ".cfi_escape 0x0d, 0xff, 0x01\ncall *%rbx\n"
        ".cfi_escape 0x0d, 0xff, 0x03\ncall *%rbx\n"
        "pop %rbx\n.cfi_def_cfa %rsp, 8\nret\n"
        END(astray)
        /* Nothing is said about this one. */
        ".globl untold\n.type untold,@function\nuntold:\n"
        "sub $40, %rsp\ncall *%rdi\nadd $40, %rsp\nret\n.size untold,.-untold\n"
        /* Nor about this one, which keeps its frame by rbp, nor about what shares its frame. */
        ".globl framed\n.type framed,@function\nframed:\n"
        "push %rbp\nmov %rsp, %rbp\nsub $48, %rsp\njmp shares_frame\n.size framed,.-framed\n"
        "shares_frame:\ncall *%rdi\nleave\nret\n");
/* clang-format on */

typedef void function(void);
void by_rbx(function *), by_expression(function *), moved_return(function *);
void rbp_by_expression(function *), rbp_in_register(function *), untold(function *);
void astray(function *), framed(function *);

/* Depends on its caller's rbp being right: built with a frame pointer. */
__attribute__((noinline, optimize("no-omit-frame-pointer"))) static void
around(void (*odd)(function *), function *inner, unsigned depth) {
    volatile char room[32];
    room[0] = (char)depth;
    leaf();
    if (depth) {
        around(odd, inner, depth - 1);
    } else {
        odd(inner);
    }
    sum += (uint64_t)room[0];
}

static void two(void) {
    around(by_expression, leaf, 2);
}
static void three(void) {
    around(rbp_in_register, two, 1);
}
static void four(void) {
    around(rbp_by_expression, three, 3);
}
static void five(void) {
    around(framed, four, 1);
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
    for (unsigned long i = 0; i < rounds; i++) {
        around(by_rbx, leaf, 2);
        around(by_rbx, four, 1);
        around(moved_return, leaf, 1);
        around(moved_return, four, 2);
        if (argc > 2 && strcmp(argv[2], "untold") == 0) {
            around(untold, leaf, 1);
        } else if (argc > 2 && strcmp(argv[2], "astray") == 0) {
            astray(leaf);
        } else if (argc > 2) {
            around(framed, leaf, 1);
            around(framed, four, 1);
            around(moved_return, five, 1);
        }
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}

/*
 * aside.c: a stack of the shim's own for rare work.
 *
 * A hook runs on whatever stack the program calls it from: a signal handler's alternate stack may
 * have a few hundred bytes left. Frequent work (a walk by known rules, a node for it, a record)
 * needs few of them. Rare work (learning a rule, walking by whole rows, registering a module,
 * looking up an operator, announcing records, the first event of a thread or of a fork child) needs
 * kilobytes, and is done here: silt_aside blocks signals, takes a stack out of a pool, runs the
 * task on it, and gives it back. Two system calls (rt_sigprocmask(2)) each time.
 *
 * Signals are blocked because a handler that has no alternate stack would run on this one: it may
 * need more room than there is, and may leave it by siglongjmp(3). So no handler runs here, leaves
 * from here or allocates here, and a cancellation (pthread_setcanceltype(3), asynchronous: signal
 * 32) comes when the task is done. A handler cannot find its own thread holding a lock of the shim
 * either. The six signals that an instruction raises stay unblocked: blocked, they would kill the
 * program, and some sandboxes carry out system calls by SIGSYS. A handler of these that runs here
 * has 32 KiB; hooks that it calls stay on this stack. If it leaves by siglongjmp, its thread keeps
 * the stack and begins at its top again.
 *
 * A task waits only for other threads' tasks, which no handler can interrupt. Waiting for the
 * analyzer is done on the program's stack, where signals reach the program (stream.c).
 *
 * Where signals cannot be blocked (a sandbox forbids the call) a task runs on the stack that it is
 * called on, as if there were no other.
 *
 * The pool's stacks have 32 KiB each and a guard page below. They are made when they are needed: as
 * many as there were threads here at the same moment. A fork child inherits them; those that other
 * threads were on are free there.
 */
#include "aside.h"

#include "image.h"
#include "memory.h"
#include "sandbox.h"
#include "system.h"

#include <signal.h>
#include <sys/mman.h>

#define STACK_BYTES (32u << 10)
#define GUARD_BYTES 4096u
#define STACKS      64

static struct {
    uint8_t *memory; /* made once, by who holds it */
    uint32_t taken;
} stacks[STACKS];

/* Unwinders find the frame by rbp, whatever stack the callee's frame lies on. It is marked as a
 * signal's frame (`.cfi_signal_frame`): only there do debuggers accept that the frame outside of it
 * lies on another stack. */
extern const char silt_aside_switch_end[] __attribute__((visibility("hidden")));
__asm__(".pushsection .text.silt_aside_switch, \"ax\", @progbits\n"
        ".p2align 4\n"
        ".hidden silt_aside_switch\n"
        ".globl silt_aside_switch\n"
        ".type silt_aside_switch, @function\n"
        "silt_aside_switch:\n"
        ".cfi_startproc\n"
        ".cfi_signal_frame\n"
        "endbr64\n"
        "pushq %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\n"
        "movq %rsp, %rbp\n"
        ".cfi_def_cfa_register %rbp\n"
        "testq %rdi, %rdi\n"
        "cmovzq %rsp, %rdi\n"
        "andq $-16, %rdi\n"
        "leaq -64(%rdi), %rsp\n"
        "movq %rsi, %rax\n"
        "movq %rdx, %rsi\n"
        "movq %rcx, %rdx\n"
        "movq %r8, %rcx\n"
        "movq %rbx, 0(%rsp)\n"
        "movq 0(%rbp), %r9\n"
        "movq %r9, 8(%rsp)\n"
        "movq %r12, 16(%rsp)\n"
        "movq %r13, 24(%rsp)\n"
        "movq %r14, 32(%rsp)\n"
        "movq %r15, 40(%rsp)\n"
        "leaq 16(%rbp), %r9\n"
        "movq %r9, 48(%rsp)\n"
        "movq 8(%rbp), %r9\n"
        "movq %r9, 56(%rsp)\n"
        "movq %rsp, %rdi\n"
        "call *%rax\n"
        "movq %rbp, %rsp\n"
        "popq %rbp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size silt_aside_switch, .-silt_aside_switch\n"
        ".hidden silt_aside_switch_end\n"
        ".globl silt_aside_switch_end\n"
        "silt_aside_switch_end:\n"
        ".popsection\n");

bool silt_aside_is_switch(uintptr_t address) {
    return address - (uintptr_t)silt_aside_switch <
           (uintptr_t)silt_aside_switch_end - (uintptr_t)silt_aside_switch;
}

void silt_aside_forget(void) {
    for (uint32_t i = 0; i < STACKS; i++) {
        if (i + 1 != silt_thread.aside) {
            stacks[i].taken = 0;
        }
    }
}

/* All signals but those that an instruction raises; what the program blocks stays blocked: it may
 * be pending, sent by kill(2). */
static const uint64_t blocked =
    ~(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGFPE - 1) |
      1ull << (SIGTRAP - 1) | 1ull << (SIGSYS - 1));

bool silt_signals_block(uint64_t *mask) {
    return !silt_is_filtered() && silt_call(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, mask, 8) == 0;
}

void silt_signals_restore(const uint64_t *mask) {
    silt_call(SYS_rt_sigprocmask, SIG_SETMASK, mask, 0, 8);
}

/* A stack's number, from 1; 0 when there is no memory for one. Waits for one of another thread's
 * when all are in use. */
static __attribute__((noinline)) uint32_t take(void) {
    for (;;) {
        for (uint32_t i = 0; i < STACKS; i++) {
            if (__atomic_load_n(&stacks[i].taken, __ATOMIC_RELAXED) ||
                __atomic_exchange_n(&stacks[i].taken, 1, __ATOMIC_ACQUIRE)) {
                continue;
            }
            if (!stacks[i].memory) {
                stacks[i].memory = silt_pages(GUARD_BYTES + STACK_BYTES);
                if (!stacks[i].memory) {
                    __atomic_store_n(&stacks[i].taken, 0, __ATOMIC_RELEASE);
                    return 0;
                }
                silt_call(SYS_mprotect, stacks[i].memory, GUARD_BYTES, PROT_NONE);
            }
            return i + 1;
        }
        silt_rest(&stacks[0].taken);
    }
}

static inline uintptr_t low_of(uint32_t stack) {
    return (uintptr_t)stacks[stack - 1].memory + GUARD_BYTES;
}

uintptr_t silt_aside(silt_task *task, uintptr_t a, uintptr_t b, uintptr_t c) {
    struct silt_thread *self = &silt_thread;
    uint64_t mask;
    bool is_guest = silt_is_guest();
    uint32_t stack = is_guest ? 0 : self->aside;
    bool is_here = stack && (uintptr_t)__builtin_frame_address(0) - low_of(stack) <= STACK_BYTES;
    if (is_here || !silt_signals_block(&mask)) {
        return silt_aside_switch(0, task, a, b, c);
    }
    /* A stack that a handler left still belongs to this thread. */
    if (!stack) {
        stack = take();
    }
    if (!is_guest) {
        self->aside = stack;
    }
    uintptr_t result = silt_aside_switch(stack ? low_of(stack) + STACK_BYTES : 0, task, a, b, c);
    if (!is_guest) {
        self->aside = 0;
    }
    if (stack) {
        __atomic_store_n(&stacks[stack - 1].taken, 0, __ATOMIC_RELEASE);
    }
    silt_signals_restore(&mask);
    return result;
}

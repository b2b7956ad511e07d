/*
 * generated.c WAY: calls a function that allocates through code that it writes at run time, as
 * just-in-time compilers do: without unwind tables, with a frame by rbp.
 *
 * `anew`, `protected`, `shared`, `data`: the code lies in memory that is made in that way; it is
 * compiled twice, at two places, and each place is called 100 times, from one frame and from three.
 * `clobbered`: of two and three frames the second uses rbp for something else.
 *
 * `stays`, `unmapped`, `replaced`, `read-only`, `keyed`, `moved`, `again`: code returns, as far as
 * the stack says, to a page of which in the middle of 200 allocations that becomes.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define RX   (PROT_READ | PROT_EXEC)

typedef void (*code)(void);

__attribute__((noinline)) static void generated_leaf(void) {
    void *volatile block = malloc(10000);
    (void)block;
}

/* Not a tail call, and its frame by rbp (the file is built so). */
__attribute__((noinline)) static void request(code call) {
    call();
    __asm__ volatile("");
}

static void *pages(int protection) {
    void *made = mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return made == MAP_FAILED ? abort(), NULL : made;
}

/* push rbp; mov rbp, rsp; mov rax, callee; call rax; pop rbp; ret */
static void write_call(uint8_t *into, code callee) {
    static const uint8_t form[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0,    0,    0,
                                   0,    0,    0,    0,    0,    0xff, 0xd0, 0x5d, 0xc3};
    memcpy(into, form, sizeof form);
    memcpy(into + 6, &callee, sizeof callee);
}

/* As above with another rbp: push rbp; sub rsp, 32; mov rbp, 5; mov rax, callee; call rax; add rsp,
 * 32; pop rbp; ret */
static code clobber(code callee) {
    static const uint8_t form[] = {0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0xc7, 0xc5, 5,    0,
                                   0,    0,    0x48, 0xb8, 0,    0,    0,    0,    0,    0,
                                   0,    0,    0xff, 0xd0, 0x48, 0x83, 0xc4, 0x20, 0x5d, 0xc3};
    uint8_t *at = pages(PROT_READ | PROT_WRITE | PROT_EXEC);
    memcpy(at, form, sizeof form);
    memcpy(at + 14, &callee, sizeof callee);
    return (code)(uintptr_t)at;
}

/* As above in a frame whose return address seems to be `returns`: mov rax, returns; push rax; push
 * rax; push rbp; mov rbp, rsp; mov rax, callee; call rax; pop rbp; add rsp, 16; ret */
static void write_lie(uint8_t *into, const uint8_t *returns, code callee) {
    static const uint8_t form[] = {
        0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,    0x50, 0x50, 0x55, 0x48, 0x89, 0xe5, 0x48,
        0xb8, 0,    0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0x5d, 0x48, 0x83, 0xc4, 0x10, 0xc3};
    memcpy(into, form, sizeof form);
    memcpy(into + 2, &returns, sizeof returns);
    memcpy(into + 18, &callee, sizeof callee);
}

static code compile(const char *way, code callee) {
    uint8_t *at;
    if (strcmp(way, "anew") == 0 || strcmp(way, "clobbered") == 0) {
        at = pages(PROT_READ | PROT_WRITE | PROT_EXEC);
        write_call(at, callee);
    } else if (strcmp(way, "protected") == 0) {
        at = pages(PROT_READ | PROT_WRITE);
        write_call(at, callee);
        if (mprotect(at, PAGE, RX)) {
            abort();
        }
    } else if (strcmp(way, "data") == 0) {
        static _Alignas(PAGE) uint8_t data[4][PAGE];
        static int used;
        at = data[used++];
        write_call(at, callee);
        if (mprotect(at, PAGE, RX)) {
            abort();
        }
    } else {
        int file = memfd_create("code", MFD_CLOEXEC);
        if (ftruncate(file, PAGE)) {
            abort();
        }
        uint8_t *written = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        at = mmap(NULL, PAGE, RX, MAP_SHARED, file, 0);
        close(file);
        write_call(written, callee);
    }
    return (code)(uintptr_t)at;
}

static void change(const char *way, uint8_t *page) {
    int failed = 0;
    if (strcmp(way, "unmapped") == 0) {
        failed = munmap(page, PAGE);
    } else if (strcmp(way, "replaced") == 0) {
        failed = mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                      -1, 0) != page;
    } else if (strcmp(way, "read-only") == 0) {
        failed = mprotect(page, PAGE, PROT_READ);
    } else if (strcmp(way, "keyed") == 0) {
        failed = pkey_mprotect(page, PAGE, PROT_READ, -1);
    } else if (strcmp(way, "moved") == 0) {
        uint8_t *other = pages(PROT_NONE);
        failed = mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) != other;
    } else if (strcmp(way, "again") == 0) {
        failed = mprotect(page, PAGE, PROT_READ) || mprotect(page, PAGE, RX);
    }
    if (failed) {
        abort();
    }
}

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "anew";
    if (strcmp(way, "anew") && strcmp(way, "protected") && strcmp(way, "shared") &&
        strcmp(way, "data") && strcmp(way, "clobbered")) {
        uint8_t *between = pages(PROT_READ | PROT_WRITE | PROT_EXEC), *page = pages(RX);
        write_lie(between, page + 16, generated_leaf);
        for (int i = 0; i < 200; i++) {
            if (i == 100) {
                change(way, page);
            }
            request((code)(uintptr_t)between);
        }
        return 0;
    }
    code first = compile(way, generated_leaf);
    code second = compile(way, compile(way, compile(way, generated_leaf)));
    if (strcmp(way, "clobbered") == 0) {
        first = compile(way, clobber(generated_leaf));
        second = compile(way, clobber(compile(way, generated_leaf)));
    }
    for (int i = 0; i < 100; i++) {
        request(first);
        request(second);
    }
    return 0;
}

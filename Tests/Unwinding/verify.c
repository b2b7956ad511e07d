/*
 * verify.c: compares the shim's stacks with libunwind's, address by address, inside the target.
 *
 * Compiled into a build of the shim with -DSILT_VERIFY_STACKS, which calls silt_verify_node for
 * each node record and silt_verify_stack after each capture. Every SILT_VERIFY_EVERYth capture
 * (default 1) is walked once more with unw_step and compared with what the node records sent so far
 * say. Differences in full (the first 20 of a process) and totals are appended to SILT_VERIFY_OUT;
 * lines that begin with "total" add up.
 *
 * libunwind is loaded RTLD_LOCAL by the constructor, never in a hook. What it and the shim may
 * rightly disagree about is counted under a name of its own:
 *   untabled   the shim ends at code without unwind table (marked incomplete), the frames up to
 *              there are equal; unw_step guesses on by frame pointer
 *   truncated  the shim names the innermost frames of a deeper stack; those are equal
 *   further    unw_step gives up with an error where the shim goes on to the outermost frame; the
 *              frames up to there are equal
 */
#define _GNU_SOURCE
#define UNW_LOCAL_ONLY
#include "verify.h"
#include "image.h"
#include "memory.h"
#include "silt_wire.h"
#include "system.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_COMPARED 4096
#define MAX_REPORTS  20

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

static struct {
    int (*init_local)(unw_cursor_t *, unw_context_t *);
    int (*step)(unw_cursor_t *);
    int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
    int (*get_proc_info)(unw_cursor_t *, unw_proc_info_t *);
    int (*set_caching_policy)(unw_addr_space_t, unw_caching_policy_t);
    void (*flush_cache)(unw_addr_space_t, unw_word_t, unw_word_t);
    int (*getcontext)(unw_context_t *);
    unw_addr_space_t *local;
} oracle;

static int output = -1;
static unsigned long every = 1;
static _Atomic unsigned long compared, different, untabled, truncated, further, reports;
static __thread unsigned long turn __attribute__((tls_model("initial-exec")));
static __thread bool verifying __attribute__((tls_model("initial-exec")));

/* What each sink's node records said. */
struct mirror_node {
    uint64_t address;
    uint32_t parent;
    uint8_t flags;
};
static struct mirror {
    struct mirror_node *nodes;
    uint32_t limit;
} mirrors[SILT_MAX_SLOTS];

static void say(const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    silt_call(SYS_write, output, line, length < (int)sizeof line ? length : (int)sizeof line - 1);
}

static void say_totals(void) {
    unsigned long counts[5] = {
        __atomic_exchange_n(&compared, 0, __ATOMIC_SEQ_CST),
        __atomic_exchange_n(&different, 0, __ATOMIC_SEQ_CST),
        __atomic_exchange_n(&untabled, 0, __ATOMIC_SEQ_CST),
        __atomic_exchange_n(&truncated, 0, __ATOMIC_SEQ_CST),
        __atomic_exchange_n(&further, 0, __ATOMIC_SEQ_CST),
    };
    if (output >= 0 && counts[0]) {
        say("total compared %lu different %lu untabled %lu truncated %lu further %lu\n", counts[0],
            counts[1], counts[2], counts[3], counts[4]);
    }
}

static void forget_totals(void) {
    compared = different = untabled = truncated = further = 0;
    for (unsigned i = 0; i < SILT_MAX_SLOTS; i++) {
        mirrors[i] = (struct mirror){NULL, 0};
    }
}

static void *find(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    if (!symbol) {
        say("no %s in libunwind\n", name);
    }
    return symbol;
}

__attribute__((constructor)) static void load_oracle(void) {
    const char *path = getenv("SILT_VERIFY_OUT"), *number = getenv("SILT_VERIFY_EVERY");
    if (!path) {
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    output = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    close(fd);
    every = number ? strtoul(number, NULL, 10) : 1;
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        say("no libunwind: %s\n", dlerror());
        return;
    }
    oracle.init_local = find(library, STRING(unw_init_local));
    oracle.get_reg = find(library, STRING(unw_get_reg));
    oracle.get_proc_info = find(library, STRING(unw_get_proc_info));
    oracle.flush_cache = find(library, STRING(unw_flush_cache));
    oracle.getcontext = find(library, "_Ux86_64_getcontext");
    oracle.local = find(library, STRING(unw_local_addr_space));
    oracle.set_caching_policy = find(library, STRING(unw_set_caching_policy));
    oracle.set_caching_policy(*oracle.local, UNW_CACHE_PER_THREAD);
    pthread_atfork(NULL, NULL, forget_totals);
    __atomic_store_n(&oracle.step, (int (*)(unw_cursor_t *))find(library, STRING(unw_step)),
                     __ATOMIC_RELEASE);
}

__attribute__((destructor)) static void at_end(void) {
    say_totals();
}

/* A module is gone: libunwind keeps what it knows of its code. */
void silt_verify_flush(void) {
    if (oracle.step) {
        oracle.flush_cache(*oracle.local, 0, 0);
    }
}

void silt_verify_node(uint32_t sink, uint32_t id, uint32_t parent, uint8_t flags,
                      uint64_t address) {
    struct mirror *mirror = &mirrors[sink];
    if (id >= mirror->limit) {
        uint32_t limit = mirror->limit ? mirror->limit * 2 : 4096;
        struct mirror_node *nodes = silt_pages(limit * sizeof *nodes);
        if (mirror->nodes) {
            __builtin_memcpy(nodes, mirror->nodes, mirror->limit * sizeof *nodes);
            silt_call(SYS_munmap, mirror->nodes, mirror->limit * sizeof *nodes);
        }
        *mirror = (struct mirror){nodes, limit};
    }
    mirror->nodes[id] = (struct mirror_node){address, parent, flags};
}

/* One stack each way. */
struct comparison {
    uint64_t theirs[MAX_COMPARED];
    uint64_t ours[MAX_COMPARED];
    bool ours_exact[MAX_COMPARED];
    unsigned their_count, our_count;
    int their_end; /* what unw_step returned last */
    bool reached;  /* unw_step came to the hook's caller */
    bool incomplete, cut;
    bool untabled; /* `incomplete`, and libunwind too finds no table for the last frame */
};

static void describe(const char *side, const uint64_t *addresses, unsigned count, unsigned from) {
    for (unsigned i = from > 3 ? from - 3 : 0; i < count && i < from + 12; i++) {
        Dl_info info = {0};
        dladdr((void *)(addresses[i] - 1), &info);
        say("  %s %u %#lx %s %s+%#lx\n", side, i, addresses[i],
            info.dli_sname ? info.dli_sname : "?", info.dli_fname ? info.dli_fname : "?",
            info.dli_fname ? addresses[i] - (uintptr_t)info.dli_fbase : 0);
    }
}

static void report(const struct comparison *c, const char *why, unsigned at) {
    if (__atomic_fetch_add(&reports, 1, __ATOMIC_SEQ_CST) >= MAX_REPORTS) {
        return;
    }
    say("difference: %s at frame %u; theirs %u frames, unw_step %d; ours %u%s%s\n", why, at,
        c->their_count, c->their_end, c->our_count, c->incomplete ? " incomplete" : "",
        c->cut ? " truncated" : "");
    describe("theirs", c->theirs, c->their_count, at);
    describe("ours", c->ours, c->our_count, at);
}

static void compare(const struct comparison *c) {
    if (!c->reached) {
        different++;
        report(c, "unw_step does not reach the hook's caller", 0);
        return;
    }
    unsigned both = c->our_count < c->their_count ? c->our_count : c->their_count;
    for (unsigned i = 0; i < both; i++) {
        if (c->ours[i] != c->theirs[i]) {
            different++;
            report(c, "addresses", i);
            return;
        }
    }
    if (c->cut && c->our_count <= c->their_count) {
        truncated++;
    } else if (c->our_count == c->their_count && !c->incomplete) {
        /* equal */
    } else if (c->untabled && c->our_count <= c->their_count) {
        untabled++;
    } else if (c->our_count > c->their_count && c->their_end < 0 && !c->incomplete) {
        further++;
    } else {
        different++;
        report(c, "lengths", both);
    }
}

/* In a hook, after a capture: `node` names the stack outside of the hook's frame. */
__attribute__((noinline)) void silt_verify_stack(uint32_t sink, uint32_t node,
                                                 const void *hook_frame) {
    if (!oracle.step || verifying || ++turn % every != 0) {
        return;
    }
    verifying = true;
    int saved = errno;
    static __thread struct comparison *mine __attribute__((tls_model("initial-exec")));
    if (!mine) {
        mine = silt_pages(sizeof *mine);
    }
    struct comparison *c = mine;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip, sp;
    c->their_count = c->our_count = 0;
    c->reached = c->incomplete = c->cut = c->untabled = false;
    const struct mirror *mirror = &mirrors[sink];
    for (uint32_t at = node; at && c->our_count < MAX_COMPARED; at = mirror->nodes[at].parent) {
        const struct mirror_node *n = &mirror->nodes[at];
        if (n->flags & SILT_NODE_INCOMPLETE) {
            c->incomplete = true;
        } else if (n->flags & SILT_NODE_TRUNCATED) {
            c->cut = true;
        } else {
            c->ours_exact[c->our_count] = n->flags & SILT_NODE_EXACT;
            c->ours[c->our_count++] = n->address;
        }
    }
    oracle.getcontext(&context);
    oracle.init_local(&cursor, &context);
    while ((c->their_end = oracle.step(&cursor)) > 0) {
        oracle.get_reg(&cursor, UNW_REG_IP, &ip);
        oracle.get_reg(&cursor, UNW_REG_SP, &sp);
        if (!c->reached) {
            c->reached = sp == (uintptr_t)hook_frame + 16;
        }
        if (c->reached) {
            if (ip == 0 || c->their_count == MAX_COMPARED) {
                break;
            }
            unw_proc_info_t info;
            c->theirs[c->their_count++] = ip;
            if (c->incomplete && c->their_count == c->our_count) {
                /* Without a table, it makes up one instruction's worth of a procedure. */
                c->untabled =
                    oracle.get_proc_info(&cursor, &info) < 0 || info.end_ip <= info.start_ip + 1;
            }
        }
    }
    compare(c);
    if ((__atomic_fetch_add(&compared, 1, __ATOMIC_SEQ_CST) & 0xffff) == 0xffff) {
        say_totals();
    }
    errno = saved;
    verifying = false;
}

/* silt_internal.h: what the shim's parts know of each other. Nothing here is exported. */
#ifndef SILT_INTERNAL_H
#define SILT_INTERNAL_H

#include "silt_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SILT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SILT_EXPORT      __attribute__((visibility("default"), noinline))

/* The allocator behind the hooks (real.c). Filled once, before recording starts. */
struct silt_real {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*reallocarray)(void *, size_t, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    void (*free_sized)(void *, size_t);
    void (*free_aligned_sized)(void *, size_t, size_t);
    size_t (*malloc_usable_size)(void *);
    int (*dlclose)(void *);
    int (*fork)(void); /* _Fork; NULL before glibc 2.34 */
};
extern struct silt_real silt_real;

/* Blocks served before the real allocator is known, out of static memory (real.c). */
void *silt_early_alloc(size_t align, size_t bytes);
bool silt_is_early(const void *block);
size_t silt_early_size(const void *block);
void silt_find_real(void);
/* Code of the module that defines the real malloc, unless that is the C library. */
extern uintptr_t silt_allocator_start, silt_allocator_end;

/* How long the analyzer has not moved while a thread waits for it. */
struct silt_patience {
    uint64_t beats, looked_ns, still_ns;
};

/* One producer of records: a thread's, or that of the signal handlers that interrupt it (stream.c).
 */
struct silt_sink {
    uint64_t *at;    /* where the next record goes */
    uint64_t *limit; /* up to here without a look at anything */
    uint64_t *ring;
    struct silt_slot *slot;
    uint64_t committed;
    uint64_t events; /* written by this sink */
    uint64_t announced;
    struct silt_walker *walker;
    uint32_t index;
    uint32_t next_free; /* index + 1 of the next in the list it is in (sinks.c) */
    uint32_t image;     /* silt_image_number when it was made */
    uint64_t stacks;
    struct silt_patience patience;
    uint64_t waiting_since; /* CLOCK_MONOTONIC; 0: it does not wait for room */
    /* The last stamp that was taken: low half of `committed` before it, shard (16), counter (16).
     */
    uint64_t pending;
    /* The last short record that has a stack, where it ends in `committed`'s counting, and its
     * stamp before it was cut to 16 bits. */
    uint64_t *made;
    uint64_t made_end;
    uint64_t made_stamp;
};

/* State of the calling thread; initial-exec, trivial. */
struct silt_thread {
    struct silt_sink *sink;
    struct silt_sink *signal_sink;
    uintptr_t sp;       /* frame of the hook that is under way */
    uintptr_t outer_sp; /* of the one that it interrupted in the real allocator */
    uint32_t state;     /* enum silt_state */
    uint32_t image;     /* silt_image_number when the sinks were taken */
    uint32_t ended;     /* it has passed its last destructor */
    uint32_t aside; /* the stack it is on, or was on when a handler left it (aside.c); 0: none */
};
enum silt_state {
    SILT_IDLE = 0,
    SILT_IN_REAL = 1,        /* the real allocator runs; the sink is free */
    SILT_IN_RECORD = 2,      /* the sink is in use */
    SILT_IN_SIGNAL_REAL = 3, /* as IN_REAL, in a signal handler that interrupted IN_RECORD */
    SILT_IN_SIGNAL = 4,      /* the signal sink is in use too */
    SILT_ENDED = 5,          /* as IDLE, in a thread that has ended: it has no sinks of its own */
    SILT_OUTER_SP = 0x100    /* flag of what to go back to: sp is that of an interrupted hook */
};
extern __thread struct silt_thread silt_thread __attribute__((tls_model("initial-exec")));

/* Not 0 while events are recorded. It lies in a page that fork wipes, so a child reads 0
 * (process.c). That frees are recorded with their stacks is said here too, so that those which are
 * not need no look at anything else. */
enum silt_liveness { SILT_NOT_LIVE = 0, SILT_LIVE = 1, SILT_LIVE_FREE_STACKS = 2 };
extern volatile uint32_t *silt_live;
extern struct silt_header *silt_shared;
extern uint32_t silt_image_number;

/* analyzer.c: starts an analyzer that records into `out`; its socket's path, or false after a line
 * on stderr. */
bool silt_start_analyzer(const char *out, char *socket, size_t capacity);

/* process.c */
const char *silt_variable(const char *name); /* out of environ; NULL when unset */
uint64_t silt_random(void);                  /* never 0 */
/* silt_live was 0: initialize, or begin anew after a fork; true when recording. */
bool silt_wake_up(void);
/* The same where nothing may be initialized: in hooks that an allocator may call. */
bool silt_wake_child(void);
void silt_switch_off(uint32_t reason);
bool silt_is_borrowed(void);
/* Numbers of silt's descriptors, -1 for none; those of one that the program replaced stay. */
#define SILT_OWN_DESCRIPTORS 2
extern int silt_own[SILT_OWN_DESCRIPTORS];
bool silt_holds(int fd);
bool silt_line_is_broken(void);

/* news.c */
void silt_raise_news(void);
void silt_patience_begin(struct silt_patience *patience);
/* The thread has waited once more: switches off when the analyzer is gone, or has not moved for too
 * long. */
void silt_patience_look(struct silt_patience *patience);

/* descriptors.c */
void silt_find_descriptor_calls(void);
/* A system call that the program makes by syscall(3); true when it is not to be made, but has that
 * result. */
bool silt_descriptor_call(long number, long a, long b, long c, long *result);

/* sandbox.c */
void silt_find_sandbox_calls(void);
/* Whether the program has put itself under a seccomp(2) filter: then silt lives on memory and
 * futex(2) alone. */
bool silt_is_filtered(void);
bool silt_may_map(void); /* mmap, mremap and munmap are among what it allows */
uint32_t silt_tid(void); /* gettid(2) */

/* stream.c */
bool silt_make_room(struct silt_sink *sink, unsigned words);
void silt_emit_extended(struct silt_sink *sink, uint32_t type, const uint64_t *payload,
                        unsigned words);
/* False when there is no room for it: silt_make_room is to be called before. */
bool silt_emit_node(struct silt_sink *sink, uint32_t id, uint32_t parent, uint8_t flags,
                    uint16_t module, uint64_t address);

void silt_emit_mapping(struct silt_sink *sink, uint32_t type, const uint64_t *payload,
                       unsigned words);

/* hooks.c, for the hooks of other files; `frame` is that of the hook. */
void silt_record_free(void *block, const void *frame);
/* Records an allocation, unless a nested hook has recorded that very block since silt_position gave
 * `since`. */
void silt_record_alloc_once(void *block, size_t bytes, const void *frame, uint64_t since);
uint64_t silt_position(void);
/* Around a call of the real allocator. */
uint32_t silt_into_real(const void *frame);
void silt_leave(uint32_t before);
/* Begins the record of an event; NULL when it is not to be recorded, else silt_leave must follow.
 */
struct silt_sink *silt_enter(const void *frame, uint32_t *before);

/* new.c */
void silt_find_operators(void);
void silt_operators_forget(void);
void silt_operators_unlock(void); /* fork child */

/* lookup.c: what dlsym(RTLD_NEXT, name) would give at start; takes no lock either. */
void *silt_next(const char *name);
const char *silt_malloc_is_elsewhere(void);

/* The definitions that the loader would have found for `module`, our own left out. Fills
 * those of `functions` that are NULL, as far as there are any. Takes no lock. */
struct link_map;
void silt_lookup(const struct link_map *module, const char *const *names, void **functions,
                 unsigned count);

/* thread.c */
struct silt_sink *silt_thread_sink(void);
void silt_threads_init(void);
void silt_threads_forget(void); /* fork child */
/* A hook begins while another one of the thread is under way: it calls the real allocator, or
 * records (false: it must not). They return what silt_thread_leave_nested goes back to. */
uint32_t silt_thread_nested_real(uintptr_t frame);
bool silt_thread_nested_record(uintptr_t frame, uint32_t *before);
void silt_thread_leave_nested(uint32_t before);

/* modules.c */
/* The index of the module that holds an address, registered if it is new; 0 for code outside of
 * modules. */
uint16_t silt_module_of(uintptr_t address);
/* The same for modules that are registered, 0 for those that did not fit. */
int32_t silt_module_known(uintptr_t address);
#define SILT_MODULE_UNKNOWN (-1)
/* Whether any module holds it, registered or not. */
bool silt_is_in_module(uintptr_t address);
void silt_modules_check(bool patient);
void silt_modules_forget(void);

/* slow.c */
enum silt_reach {
    SILT_REACHED,        /* the stack outside of a hook's frame holds that return address */
    SILT_REACHED_SIGNAL, /* it does, beyond a signal frame */
    SILT_PASSED,         /* it does not: that place lies in another function's frame now */
    SILT_NOT_REACHED,    /* it does not, and that place is not between its frames either */
    SILT_REACH_UNKNOWN
};
/* Whether the stack outside of a hook's frame has its return address at `slot`. */
enum silt_reach silt_walk_reaches(uintptr_t hook_frame, uintptr_t slot);

/* unwind.c */
struct silt_walker *silt_walker_new(void);
void silt_walker_drop(struct silt_walker *walker); /* or NULL */
void silt_walker_forget_range(uintptr_t start, uintptr_t end);
uint32_t silt_walker_capture(struct silt_walker *walker, const void *frame, struct silt_sink *sink);

#ifdef SILT_VERIFY_STACKS
/* Tests/Unwinding/verify.c: a build for tests compares each stack with libunwind's. */
void silt_verify_node(uint32_t sink, uint32_t id, uint32_t parent, uint8_t flags, uint64_t address);
void silt_verify_stack(uint32_t sink, uint32_t node, const void *hook_frame);
void silt_verify_flush(void);
#endif

#endif

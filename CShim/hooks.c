/* hooks.c: malloc … free_aligned_sized: guard, forward, report; nothing else. */
#define _GNU_SOURCE
#include "hooks.h"

#include "capture.h"
#include "image.h"
#include "real.h"
#include "sandbox.h"
#include "start.h"
#include "thread.h"
#include "verify.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Makes this thread's state that of a record, unless a hook is under way. Whether recording is on
 * is looked at after that: a signal handler may fork at any instruction, and its child, in which
 * recording begins anew, returns into a record only where the state says so (silt_forked). */
static inline bool claim(const void *frame) {
    struct silt_thread *self = &silt_thread;
    if (SILT_UNLIKELY(self->state != SILT_IDLE)) {
        return false;
    }
    self->sp = (uintptr_t)frame;
    self->state = SILT_IN_RECORD;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

/* Enters recording in a hook whose frame is `frame`; false when this event is not to be recorded.
 */
static inline bool enter(const void *frame, uint32_t *before) {
    *before = SILT_IDLE;
    while (SILT_LIKELY(claim(frame))) {
        if (SILT_LIKELY(*silt_live)) {
            return true;
        }
        silt_thread.state = SILT_IDLE;
        if (!silt_wake_up()) {
            return false;
        }
    }
    if (SILT_UNLIKELY(!*silt_live) && !silt_wake_up()) {
        return false;
    }
    return silt_thread_nested_record((uintptr_t)frame, before);
}

static inline void leave(uint32_t before) {
    if (SILT_UNLIKELY(before != SILT_IDLE)) {
        silt_thread_leave_nested(before);
        return;
    }
    silt_thread.state = SILT_IDLE;
}

static inline struct silt_sink *sink_of_thread(void) {
    struct silt_thread *self = &silt_thread;
    if (SILT_LIKELY(self->state == SILT_IN_RECORD && self->sink &&
                    self->image == silt_image_number)) {
        return self->sink;
    }
    struct silt_sink *sink = silt_thread_sink();
    if (!sink) {
        __atomic_fetch_add(&silt_shared->lost, 1, __ATOMIC_RELAXED);
    }
    return sink;
}

/* Marks that the real allocator runs: hooks that it calls must not record. */
static inline uint32_t into_real(const void *frame) {
    struct silt_thread *self = &silt_thread;
    if (SILT_UNLIKELY(self->state != SILT_IDLE)) {
        return silt_thread_nested_real((uintptr_t)frame);
    }
    self->sp = (uintptr_t)frame;
    self->state = SILT_IN_REAL;
    return SILT_IDLE;
}

/* Records an event at a block with the stack outside of the hook's frame. */
static inline void emit_with_stack(struct silt_sink *sink, uint32_t kind, void *block, size_t bytes,
                                   const void *frame) {
    uint32_t node = silt_walker_capture(sink->walker, frame, sink);
    sink->stacks++;
    silt_verify_stack(sink->index, node, frame);
    silt_emit_stacked(sink, kind, (uintptr_t)block, bytes, node);
}

static inline void record_alloc(void *block, size_t bytes, const void *frame, bool moved) {
    uint32_t before;
    if (SILT_UNLIKELY(!block) || !enter(frame, &before)) {
        return;
    }
    struct silt_sink *sink = sink_of_thread();
    if (SILT_LIKELY(sink != NULL)) {
        emit_with_stack(sink, moved ? SILT_REALLOC : SILT_ALLOC, block, bytes, frame);
    }
    leave(before);
}

static inline void emit_fate(struct silt_sink *sink, void *block, enum silt_fate fate) {
    if (fate == SILT_FREED) {
        silt_emit_last_free(sink, (uintptr_t)block);
    } else {
        silt_emit_free(sink, (uintptr_t)block, fate == SILT_KEPT);
    }
}

/* A free inside of another hook, or when *silt_live is not SILT_LIVE: nothing is recorded yet or
 * any more, or frees are recorded with their stacks. */
__attribute__((noinline)) static void record_free_otherwise(void *block, const void *frame,
                                                            enum silt_fate fate) {
    uint32_t before;
    if (!enter(frame, &before)) {
        return;
    }
    struct silt_sink *sink = sink_of_thread();
    if (SILT_LIKELY(sink != NULL)) {
        if (*silt_live == SILT_LIVE_FREE_STACKS && fate != SILT_KEPT) {
            emit_with_stack(sink, SILT_FREE_BY, block, 0, frame);
        } else {
            emit_fate(sink, block, fate);
        }
    }
    leave(before);
}

static inline void record_free(void *block, const void *frame, enum silt_fate fate) {
    if (SILT_UNLIKELY(!claim(frame))) {
        record_free_otherwise(block, frame, fate);
        return;
    }
    if (SILT_UNLIKELY(*silt_live != SILT_LIVE)) {
        silt_thread.state = SILT_IDLE;
        record_free_otherwise(block, frame, fate);
        return;
    }
    struct silt_sink *sink = sink_of_thread();
    if (SILT_LIKELY(sink != NULL)) {
        emit_fate(sink, block, fate);
    }
    leave(SILT_IDLE);
}

/* Before the first forwarded call the real allocator must be known; while it is looked for, calls
 * are served early. */
static inline bool is_early(const void *function) {
    return SILT_UNLIKELY(function == NULL) && (silt_wake_up(), 1);
}

#define ALLOCATING_HOOK(name, parameters, arguments, align, bytes)                                 \
    SILT_EXPORT void *name parameters {                                                            \
        if (is_early((void *)silt_real.name) && !silt_real.name) {                                 \
            return silt_early_alloc(align, bytes);                                                 \
        }                                                                                          \
        uint32_t before = into_real(FRAME());                                                      \
        void *block = silt_real.name arguments;                                                    \
        leave(before);                                                                             \
        record_alloc(block, bytes, FRAME(), false);                                                \
        return block;                                                                              \
    }

ALLOCATING_HOOK(malloc, (size_t bytes), (bytes), 16, bytes)
ALLOCATING_HOOK(aligned_alloc, (size_t align, size_t bytes), (align, bytes), align, bytes)
ALLOCATING_HOOK(memalign, (size_t align, size_t bytes), (align, bytes), align, bytes)
ALLOCATING_HOOK(valloc, (size_t bytes), (bytes), 4096, bytes)
ALLOCATING_HOOK(pvalloc, (size_t bytes), (bytes), 4096, bytes)

SILT_EXPORT void *calloc(size_t count, size_t size) {
    if (is_early((void *)silt_real.calloc) && !silt_real.calloc) {
        size_t bytes;
        /* Static memory is zero, and no early block is ever given back. */
        return __builtin_mul_overflow(count, size, &bytes) ? NULL : silt_early_alloc(16, bytes);
    }
    uint32_t before = into_real(FRAME());
    void *block = silt_real.calloc(count, size);
    leave(before);
    record_alloc(block, count * size, FRAME(), false);
    return block;
}

static void *move_out_of_early(void *old, size_t bytes) {
    void *block = malloc(bytes);
    size_t kept = silt_early_size(old);
    if (block) {
        memcpy(block, old, kept < bytes ? kept : bytes);
    }
    return block;
}

/* The old block is reported free before it is; a failure takes that back. Inlined, so
 * that its frame is the hook's. */
static inline __attribute__((always_inline)) void *move_block(void *old, size_t count, size_t size,
                                                              bool is_array) {
    size_t bytes = count * size;
    if (SILT_UNLIKELY(silt_is_early(old))) {
        return move_out_of_early(old, bytes);
    }
    if (is_early((void *)silt_real.realloc) && !silt_real.realloc) {
        return silt_early_alloc(16, bytes);
    }
    if (old) {
        record_free(old, FRAME(), SILT_MOVED);
    }
    uint32_t before = into_real(FRAME());
    void *block = is_array && silt_real.reallocarray ? silt_real.reallocarray(old, count, size)
                                                     : silt_real.realloc(old, bytes);
    leave(before);
    if (block) {
        record_alloc(block, bytes, FRAME(), old != NULL);
    } else if (old && bytes) {
        record_free(old, FRAME(), SILT_KEPT);
    }
    return block;
}

SILT_EXPORT void *realloc(void *old, size_t bytes) {
    return move_block(old, 1, bytes, false);
}

SILT_EXPORT void *reallocarray(void *old, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return move_block(old, count, size, true);
}

SILT_EXPORT void free(void *block) {
    if (SILT_UNLIKELY(!block || silt_is_early(block))) {
        return;
    }
    if (is_early((void *)silt_real.free) && !silt_real.free) {
        return;
    }
    record_free(block, FRAME(), SILT_FREED);
    uint32_t before = into_real(FRAME());
    silt_real.free(block);
    leave(before);
}

/* C23 has these two. Where no later library defines them, the program's free is called, which may
 * belong to an allocator before us. */
#define SIZED_FREE(name, parameters, arguments)                                                    \
    SILT_EXPORT void name parameters {                                                             \
        if (SILT_UNLIKELY(!silt_real.name)) {                                                      \
            free(block);                                                                           \
            return;                                                                                \
        }                                                                                          \
        if (SILT_UNLIKELY(!block || silt_is_early(block))) {                                       \
            return;                                                                                \
        }                                                                                          \
        record_free(block, FRAME(), SILT_FREED);                                                   \
        uint32_t before = into_real(FRAME());                                                      \
        silt_real.name arguments;                                                                  \
        leave(before);                                                                             \
    }

SIZED_FREE(free_sized, (void *block, size_t bytes), (block, bytes))
SIZED_FREE(free_aligned_sized, (void *block, size_t align, size_t bytes), (block, align, bytes))

SILT_EXPORT int posix_memalign(void **block, size_t align, size_t bytes) {
    if (is_early((void *)silt_real.posix_memalign) && !silt_real.posix_memalign) {
        *block = silt_early_alloc(align, bytes);
        return *block ? 0 : ENOMEM;
    }
    uint32_t before = into_real(FRAME());
    int result = silt_real.posix_memalign(block, align, bytes);
    leave(before);
    if (result == 0) {
        record_alloc(*block, bytes, FRAME(), false);
    }
    return result;
}

SILT_EXPORT size_t malloc_usable_size(void *block) {
    if (SILT_UNLIKELY(silt_is_early(block))) {
        return silt_early_size(block);
    }
    return silt_real.malloc_usable_size ? silt_real.malloc_usable_size(block) : 0;
}

/* For the hooks of other files, whose own frame is `frame`. */

uint64_t silt_position(void) {
    const struct silt_sink *sink = silt_thread.sink;
    return sink && silt_thread.image == silt_image_number ? sink->committed : 0;
}

void silt_record_alloc_once(void *block, size_t bytes, const void *frame, uint64_t since) {
    if (silt_position() == since || silt_last_allocation(silt_thread.sink) != (uintptr_t)block) {
        record_alloc(block, bytes, frame, false);
    }
}

void silt_record_alloc(void *block, size_t bytes, const void *frame, bool moved) {
    record_alloc(block, bytes, frame, moved);
}

void silt_record_free(void *block, const void *frame, enum silt_fate fate) {
    record_free(block, frame, fate);
}

uint32_t silt_into_real(const void *frame) {
    return into_real(frame);
}

void silt_leave(uint32_t before) {
    leave(before);
}

void silt_begin_if_forked(void) {
    if (SILT_UNLIKELY(!*silt_live)) {
        silt_wake_up();
    }
}

struct silt_sink *silt_enter(const void *frame, uint32_t *before) {
    if (!enter(frame, before)) {
        return NULL;
    }
    struct silt_sink *sink = sink_of_thread();
    if (!sink) {
        leave(*before);
    }
    return sink;
}

bool silt_is_ours(void) {
    if (silt_phase == SILT_PHASE_OFF ||
        (silt_lends && (!*silt_live || !silt_may_start() || silt_is_borrowed()))) {
        return false;
    }
    bool is_guest = silt_is_guest();
    if (is_guest && *silt_live) {
        silt_pass_guest();
    }
    return !is_guest;
}

/* Apart: the stack is walked without its frame. */
static __attribute__((noinline)) void emit_take(struct silt_sink *sink, uint64_t resource,
                                                uint64_t handle, uint64_t size, uint64_t node) {
    uint64_t payload[4] = {handle, size, resource, node};
    silt_emit_event(sink, SILT_X_TAKE, silt_stamp_shard(handle), payload, 4);
}

static inline void record_take(enum silt_resource resource, uint64_t handle, uint64_t size,
                               const void *frame) {
    uint32_t before;
    struct silt_sink *sink = silt_enter(frame, &before);
    if (!sink) {
        return;
    }
    uint64_t node = silt_walker_capture(sink->walker, frame, sink);
    sink->stacks++;
    emit_take(sink, resource, handle, size, node);
    silt_leave(before);
}

void silt_record_take(enum silt_resource resource, uint64_t handle, uint64_t size,
                      const void *frame) {
    record_take(resource, handle, size, frame);
}

int silt_record_opened(int fd, const void *frame) {
    record_take(SILT_DESCRIPTOR, (unsigned)fd, 1, frame);
    return fd;
}

static void record_handle(enum silt_extended type, enum silt_resource resource, uint64_t handle,
                          uint64_t which, const void *frame) {
    uint32_t before;
    struct silt_sink *sink = silt_enter(frame, &before);
    if (!sink) {
        return;
    }
    uint64_t payload[3] = {handle, which, resource};
    silt_emit_event(sink, type, silt_stamp_shard(handle), payload, 3);
    silt_leave(before);
}

void silt_record_give(enum silt_resource resource, uint64_t handle, const void *frame) {
    record_handle(SILT_X_GIVE, resource, handle, 0, frame);
}

void silt_record_kept(enum silt_resource resource, uint64_t handle, const void *frame) {
    record_handle(SILT_X_GIVE, resource, handle, 1, frame);
}

void silt_record_thread(enum silt_extended type, uint64_t handle, uint32_t tid, const void *frame) {
    record_handle(type, SILT_THREAD, handle, tid, frame);
}

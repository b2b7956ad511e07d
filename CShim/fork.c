/* fork.c: _Fork as the program calls it, and what a fork child does at once. */
#define _GNU_SOURCE
#include "fork.h"

#include "image.h"
#include "memory.h"
#include "real.h"
#include "stream.h"

#include <unistd.h>

/* A fork by a signal handler may have interrupted a hook that this thread will return into. */
void silt_forked(void) {
    const struct silt_thread *self = &silt_thread;
    bool uses_sinks = self->state == SILT_IN_RECORD || self->state == SILT_IN_SIGNAL ||
                      self->state == SILT_IN_SIGNAL_REAL;
    if (silt_phase != SILT_PHASE_RECORDING || !uses_sinks || self->image != silt_image_number) {
        return;
    }
    if (self->sink) {
        silt_memory_cover(self->sink->index, self->sink->ring);
    }
    if (self->signal_sink) {
        silt_memory_cover(self->signal_sink->index, self->signal_sink->ring);
    }
}

/* fork(3) without the handlers of pthread_atfork(3). */
SILT_EXPORT pid_t _Fork(void) {
    pid_t child = silt_real._Fork ? silt_real._Fork() : -1;
    if (child == 0) {
        silt_forked();
    }
    return child;
}

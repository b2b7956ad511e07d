/* thread.h: the calling thread's sink, and hooks inside of hooks. */
#ifndef SILT_THREAD_H
#define SILT_THREAD_H

#include "stream.h"

/* The calling thread's sink, taken at its first event; NULL when there is none to be had. In a
 * hook. */
struct silt_sink *silt_thread_sink(void);

/* A hook begins while another one of the thread is under way: it calls the real allocator, or
 * records (false: it must not). They return what silt_thread_leave_nested goes back to. In a hook.
 */
uint32_t silt_thread_nested_real(uintptr_t frame);
bool silt_thread_nested_record(uintptr_t frame, uint32_t *before);
void silt_thread_leave_nested(uint32_t before);

/* At start. */
void silt_threads_init(void);
/* In a fork child. */
void silt_threads_forget(void);

#endif

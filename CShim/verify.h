/* verify.h: a build for tests compares each stack with libunwind's (Tests/Unwinding/verify.c). In a
 * hook. */
#ifndef SILT_VERIFY_H
#define SILT_VERIFY_H

#include <stdint.h>

#ifdef SILT_VERIFY_STACKS
void silt_verify_node(uint32_t sink, uint32_t id, uint32_t parent, uint8_t flags, uint64_t address);
void silt_verify_stack(uint32_t sink, uint32_t node, const void *hook_frame);
void silt_verify_flush(void);
#else
static inline void silt_verify_node(uint32_t sink, uint32_t id, uint32_t parent, uint8_t flags,
                                    uint64_t address) {
    (void)sink, (void)id, (void)parent, (void)flags, (void)address;
}
static inline void silt_verify_stack(uint32_t sink, uint32_t node, const void *hook_frame) {
    (void)sink, (void)node, (void)hook_frame;
}
static inline void silt_verify_flush(void) {}
#endif

#endif

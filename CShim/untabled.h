/* untabled.h: code that no unwind table covers. In a hook. */
#ifndef SILT_UNTABLED_H
#define SILT_UNTABLED_H

#include <stdbool.h>
#include <stdint.h>

#define SILT_LARGEST_FRAME (1u << 20)

/* Whether the code at `pc`, which no table covers, can be taken to keep its frame's address in rbp:
 * then the return address lies at rbp + 8, the caller's rbp at rbp. Code made at run time is; code
 * of a module if a function before it, that no table covers either, is seen to do so. */
bool silt_untabled_has_frame(uintptr_t pc);
/* A module has gone, for whose code that was answered. */
void silt_untabled_forget(void);

/* Whether an executable segment of a module holds `pc`: a module's data may be made executable. */
bool silt_is_module_code(uintptr_t pc);

/* Whether rbp can be the address of the frame whose callee's return address lies at `slot`. */
static inline bool silt_may_be_frame(uintptr_t rbp, uintptr_t slot) {
    return rbp - slot - 1 < SILT_LARGEST_FRAME && !(rbp & 7);
}

/* Whether there is code at an address: what a frame of code without a table returns to must be. */
bool silt_is_code(uintptr_t pc);

#endif

/* generated.h: executable memory that the program has mapped itself: code made at run time. In a
 * hook. */
#ifndef SILT_GENERATED_H
#define SILT_GENERATED_H

#include "macros.h"

#include <stdbool.h>
#include <stdint.h>

/* The program has made a range of addresses executable. */
void silt_generated_add(uintptr_t start, uintptr_t end);
/* A range is unmapped, replaced or protected from being executed; true if some of it was known:
 * then walks through it are to be doubted (rules.h). Costs little where none of it was. */
bool silt_generated_drop(uintptr_t start, uintptr_t end);
/* No range has ever been outside of these. */
extern uintptr_t silt_generated_lowest SILT_HIDDEN, silt_generated_highest SILT_HIDDEN;
bool silt_find_generated(uintptr_t start, uintptr_t end);

/* Whether any of a range is known to be executable. Takes no stack where nothing is near. */
static inline bool silt_is_generated(uintptr_t start, uintptr_t end) {
    return start < __atomic_load_n(&silt_generated_highest, __ATOMIC_RELAXED) &&
           end > __atomic_load_n(&silt_generated_lowest, __ATOMIC_RELAXED) &&
           silt_find_generated(start, end);
}

/* In a fork child: the thread that held the lock stayed in the parent. */
void silt_generated_unlock(void);

#endif

/* macros.h: hints to the compiler and visibility. */
#ifndef SILT_MACROS_H
#define SILT_MACROS_H

#define SILT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SILT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SILT_EXPORT      __attribute__((visibility("default"), noinline))
/* That of the hook which it stands in. */
#define FRAME() __builtin_frame_address(0)
/* On declarations of data: reached without the global offset table. */
#define SILT_HIDDEN __attribute__((visibility("hidden")))

#endif

/* operators.h: C++ operators that are not in the global scope. */
#ifndef SILT_OPERATORS_H
#define SILT_OPERATORS_H

#include "real.h"

/* The operator that the loader would have found for the module that `caller` lies in; NULL when
 * there is none at all. In a hook. */
void *silt_local_operator(enum silt_operator_index index, const void *caller);

/* A module has gone, and operators that were found may have gone with it. In the hook of dlclose.
 */
void silt_operators_forget(void);
/* In a fork child: the thread that held the lock stayed in the parent. */
void silt_operators_unlock(void);

#endif

/* analyzer.h: an analyzer of the program's own. */
#ifndef SILT_ANALYZER_H
#define SILT_ANALYZER_H

#include <stdbool.h>
#include <stddef.h>

/* Starts an analyzer that records into `out`, and writes its socket's path; false after a line on
 * standard error. Only at start. */
bool silt_start_analyzer(const char *out, char *socket, size_t capacity);

#endif

/* hello.h: what this image says to the analyzer of itself. At start and in a fork child, except
 * where something else is said. */
#ifndef SILT_HELLO_H
#define SILT_HELLO_H

#include "silt_wire.h"

#include <stdbool.h>

/* Finds or starts the analyzer; false when there is none. Only at start. */
bool silt_find_analyzer(void);
/* The path of its socket, "" when none is known. In a hook. */
const char *silt_rendezvous_path(void);
/* The connection to it that is kept, -1 when there is none. In a hook. */
int silt_kept_rendezvous(void);
/* Connects a socket to the analyzer: by the path or, where that leads nowhere, by the same name in
 * the network namespace (unix(7), abstract), which a program with a /tmp of its own reaches too. 0
 * or a negative errno. In an exec hook, at start. */
long silt_connect_to_analyzer(long fd);

/* Tells why this image is not recorded; `text` is cut at SILT_REFUSAL_TEXT. False when the analyzer
 * could not be told. */
bool silt_refuse(enum silt_refusal reason, const char *text);

/* Fills the header in. */
void silt_fill_header(uint64_t parent_image, bool free_stacks);

/* Makes the pipe of this image, and sends its reading end and the memory file to the analyzer.
 * `kin` is the header of the image that it was forked from, or NULL. 0 or a negative errno. */
long silt_say_hello(int memory, struct silt_header *kin);

#endif

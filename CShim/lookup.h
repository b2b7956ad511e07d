/* lookup.h: finds functions as the loader would. Takes no lock. */
#ifndef SILT_LOOKUP_H
#define SILT_LOOKUP_H

struct link_map;

/* The next definition after ours in the global scope, as dlsym(RTLD_NEXT, name) would give it. Only
 * at start, when all modules that are loaded are in that scope. */
void *silt_next(const char *name);
/* That of the named version, as dlvsym(3) would give it. */
void *silt_next_version(const char *name, const char *version);

/* The module whose malloc the program uses when that is not ours: one that comes before us, or the
 * program itself. NULL when it is ours. Only at start. */
const char *silt_malloc_is_elsewhere(void);

/* The definition of a module; NULL when it has none, or is ours. In a hook. */
void *silt_find_in(const struct link_map *map, const char *name);

/* The definitions that the loader would have found for `module`, without ours. Fills those of
 * `functions` that are NULL, as far as there are any. In a hook. */
void silt_lookup(const struct link_map *module, const char *const *names, void **functions,
                 unsigned count);

#endif

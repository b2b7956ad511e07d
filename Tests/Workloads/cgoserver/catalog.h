/* The part of the service that is written in C: a catalog of items under names. */
#ifndef CATALOG_H
#define CATALOG_H

#define ITEM_BYTES 1237

/* Makes an item of ITEM_BYTES; the catalog keeps it where `keep` says so, else it is freed. */
int catalog_lookup(int number, int keep);

#endif

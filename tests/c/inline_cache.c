/* cache.c, with the calls of the caches inlined. */

#define WITH_INLINED_CACHES

#include "cache.c"

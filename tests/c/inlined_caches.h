/* Makes the programs about explicit caches use the inlined calls, with the view that each cache
   had when it was created, whatever became of the cache since. */

#ifndef TESTS_INLINED_CACHES_H
#define TESTS_INLINED_CACHES_H

#include <memory_pool/pool_inline.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { INLINED_CACHES = 1 << 16 };

/* The caches that were created: no handle is issued twice, so nothing is ever taken out. */
static struct inlined_cache {
  _Atomic(pool_cache_t *) cache;
  pool_cache_view_t *view;
} inlined_caches[INLINED_CACHES];

static inline size_t inlined_place(const pool_cache_t *cache) {
  return (size_t)((uintptr_t)cache * 0x9e3779b97f4a7c15u >> 48);
}

static inline pool_cache_view_t *inlined_view(const pool_cache_t *cache) {
  for (size_t i = inlined_place(cache);; i = (i + 1) % INLINED_CACHES) {
    const pool_cache_t *const there = atomic_load(&inlined_caches[i].cache);
    if (there == cache && cache != NULL) return inlined_caches[i].view;
    if (there == NULL) return pool_inline_closed_cache(); /* it never was a cache */
  }
}

static inline pool_cache_t *inlined_create(pool_t *pool) {
  pool_cache_t *const cache = pool_cache_create(pool);
  if (cache == NULL) return NULL;
  pool_cache_view_t *const view = pool_inline_cache(cache);
  if ((view != pool_inline_closed_cache()) != POOL_INLINE_CALLS) abort();
  for (size_t i = inlined_place(cache);; i = (i + 1) % INLINED_CACHES) {
    pool_cache_t *nobody = NULL;
    /* Who looks a cache up was told of it by this thread, later. */
    if (atomic_compare_exchange_strong(&inlined_caches[i].cache, &nobody, cache)) {
      inlined_caches[i].view = view;
      return cache;
    }
  }
}

static inline void *inlined_allocate(pool_cache_t *cache) {
  return pool_inline_cache_allocate(cache, inlined_view(cache));
}

static inline pool_status_t inlined_deallocate(pool_cache_t *cache, void *block) {
  return pool_inline_cache_deallocate(cache, inlined_view(cache), block);
}

#define pool_cache_create inlined_create
#define pool_cache_allocate inlined_allocate
#define pool_cache_deallocate inlined_deallocate

#endif

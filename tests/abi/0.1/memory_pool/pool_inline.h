/*
 * memory_pool: the hot calls, inlined. Opt-in: pool.h is all that a program needs.
 *
 *     pool_single_view_t *view = pool_inline_single(pool, POOL_CHECKS_STANDARD);
 *     void *block = pool_inline_allocate(pool, view, POOL_CHECKS_STANDARD);
 *     pool_inline_deallocate(pool, view, POOL_CHECKS_STANDARD, block);
 *
 *     pool_cache_view_t *view = pool_inline_cache(cache);
 *     void *block = pool_inline_cache_allocate(cache, view);
 *     pool_inline_cache_deallocate(cache, view, block);
 *
 * A view is the words of the pool, or of the cache, themselves: what is done here is what the
 * library does, every check and every figure is as with its calls, and both may be mixed. What is
 * not certain here (no block at hand, a bad pointer, a double free) is the library's call to decide
 * and to report.
 *
 * Where a pool or a cache has no view, a closed one is answered, with which every call is the
 * library's: the pool has another `threading` or other checks than the program expects
 * (MEMORY_POOL_CHECKS may say so), library and header don't know the same layout, the address or the
 * thread sanitizer should see every block come and go, or the compiler is neither gcc nor clang.
 *
 * The view of a pool ends with the pool: a call with both is an error that nobody finds. That of a
 * cache may be used as long as the cache's handle: a dead cache is found, as by the library.
 *
 * The header is C99 and C++11. The names that start with POOL_DETAIL and pool_detail are its own.
 */

#ifndef MEMORY_POOL_POOL_INLINE_H
#define MEMORY_POOL_POOL_INLINE_H

#include <string.h>

#include "pool.h"

/* The version of the layouts below. */
#define POOL_INLINE_VERSION 1u

/* POOL_INLINE_CALLS: 1 where calls are inlined at all, as this file is compiled. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(hwaddress_sanitizer) || \
    __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define POOL_DETAIL_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__) || defined(__SANITIZE_THREAD__)
#define POOL_DETAIL_IS_SANITIZED 1
#endif
#if (defined(__GNUC__) || defined(__clang__)) && defined(__SIZEOF_INT128__) && \
    !defined(POOL_DETAIL_IS_SANITIZED)
#define POOL_INLINE_CALLS 1
#else
#define POOL_INLINE_CALLS 0
#endif

#if defined(__cplusplus)
#define POOL_DETAIL_INLINE inline
#else
#define POOL_DETAIL_INLINE static inline
#endif

/* What a pool of POOL_THREADS_SINGLE begins with. For the functions below alone. */
struct pool_single_view_t {
  uint64_t allocations;   /* from the free list, or by the library */
  uint64_t deallocations; /* to the free list, or by the library */
  void *kept;             /* a free block, or NULL */
  void **low;             /* low .. top are further ones, the newest last */
  uint64_t taken;         /* how many of all these were handed out */
  void **high;            /* there is room up to here */
  uint8_t *kept_entry;    /* the ledger's byte of `kept` */
  void **top;
  void *first;            /* of the free list; the first word of a free block leads to the next */
  uintptr_t floor;        /* all blocks lie above; NULL does not */
  /* With POOL_CHECKS_STANDARD only: */
  uint8_t *ledger;     /* ledger[-1 - index] is the state of a block */
  char *base;          /* the start of block 0 */
  uint64_t bytes;      /* to the end of the last block */
  uint64_t multiplier; /* 2^64 / stride, rounded up, or 0 */
};

/* What the slot of a cache holds, from its key on. For the functions below alone. */
struct pool_cache_view_t {
  uintptr_t key;  /* ~handle as long as the cache lives */
  uint32_t busy;  /* 1 while the owner works on it */
  uint32_t floor; /* raised by who wants the blocks */
  uint32_t ceiling;
  uint32_t batch;
  uint64_t state; /* operations x POOL_DETAIL_CACHE_OPERATION + blocks */
  uint32_t blocks[255];
  uint8_t rest[116];
  /* Of its pool: */
  char *base;
  uint64_t stride;
  uint64_t multiplier;
  uint8_t *ledger; /* NULL: nothing is checked */
  const uint64_t *bytes;
};

#if POOL_INLINE_CALLS

#define POOL_DETAIL_CACHE_OPERATION 256u
#define POOL_DETAIL_FREE 1
#define POOL_DETAIL_LIVE 2
#define POOL_DETAIL_LIKELY(condition) __builtin_expect(!!(condition), 1)
/* Whether a block is kept, asked by who takes and by who gives: either way is common, and none may
 * be a jump there and back. Left alone, gcc holds NULL for the exception; clang does well when told
 * that there is a block to take (both measured, see docs/adr/0010). */
#if defined(__clang__)
#define POOL_DETAIL_IS_KEPT(kept) POOL_DETAIL_LIKELY((kept) != NULL)
#define POOL_DETAIL_IS_NONE_KEPT(kept) ((kept) == NULL)
#elif __GNUC__ >= 9
#define POOL_DETAIL_IS_KEPT(kept) __builtin_expect_with_probability((kept) != NULL, 1, 0.5)
#define POOL_DETAIL_IS_NONE_KEPT(kept) __builtin_expect_with_probability((kept) == NULL, 1, 0.5)
#else
#define POOL_DETAIL_IS_KEPT(kept) ((kept) != NULL)
#define POOL_DETAIL_IS_NONE_KEPT(kept) ((kept) == NULL)
#endif

#if defined(__cplusplus)
#define POOL_DETAIL_ASSERT(condition) static_assert(condition, "the layout is part of the ABI")
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define POOL_DETAIL_ASSERT(condition) _Static_assert(condition, "the layout is part of the ABI")
#else
#define POOL_DETAIL_ASSERT(condition) struct pool_detail_no_assertion_t
#endif

/* The numbers of src/pool/view.rs. */
#define POOL_DETAIL_AT(type, field, offset) \
  POOL_DETAIL_ASSERT(offsetof(struct type, field) == (offset))
POOL_DETAIL_AT(pool_single_view_t, allocations, 0);
POOL_DETAIL_AT(pool_single_view_t, deallocations, 8);
POOL_DETAIL_AT(pool_single_view_t, kept, 16);
POOL_DETAIL_AT(pool_single_view_t, low, 24);
POOL_DETAIL_AT(pool_single_view_t, taken, 32);
POOL_DETAIL_AT(pool_single_view_t, high, 40);
POOL_DETAIL_AT(pool_single_view_t, kept_entry, 48);
POOL_DETAIL_AT(pool_single_view_t, top, 56);
POOL_DETAIL_AT(pool_single_view_t, first, 64);
POOL_DETAIL_AT(pool_single_view_t, floor, 72);
POOL_DETAIL_AT(pool_single_view_t, ledger, 80);
POOL_DETAIL_AT(pool_single_view_t, base, 88);
POOL_DETAIL_AT(pool_single_view_t, bytes, 96);
POOL_DETAIL_AT(pool_single_view_t, multiplier, 104);
POOL_DETAIL_AT(pool_cache_view_t, key, 0);
POOL_DETAIL_AT(pool_cache_view_t, busy, 8);
POOL_DETAIL_AT(pool_cache_view_t, floor, 12);
POOL_DETAIL_AT(pool_cache_view_t, ceiling, 16);
POOL_DETAIL_AT(pool_cache_view_t, batch, 20);
POOL_DETAIL_AT(pool_cache_view_t, state, 24);
POOL_DETAIL_AT(pool_cache_view_t, blocks, 32);
POOL_DETAIL_AT(pool_cache_view_t, base, 1168);
POOL_DETAIL_AT(pool_cache_view_t, stride, 1176);
POOL_DETAIL_AT(pool_cache_view_t, multiplier, 1184);
POOL_DETAIL_AT(pool_cache_view_t, ledger, 1192);
POOL_DETAIL_AT(pool_cache_view_t, bytes, 1200);

__extension__ typedef unsigned __int128 pool_detail_product_t;

/* The ledger's byte of the block that starts `offset` bytes after block 0, whose last one ends
 * after `bytes`; NULL: none is found by multiplication. */
POOL_DETAIL_INLINE uint8_t *pool_detail_entry(uint8_t *ledger, uint64_t offset, uint64_t bytes,
                                              uint64_t multiplier) POOL_NOEXCEPT {
  const pool_detail_product_t product = (pool_detail_product_t)offset * multiplier;
  const int is_start = (uint64_t)product < multiplier;
  if (!POOL_DETAIL_LIKELY(offset < bytes && is_start)) return NULL;
  return ledger + ~(int64_t)(uint64_t)(product >> 64);
}

POOL_DETAIL_INLINE uint8_t *pool_detail_entry_of(const pool_single_view_t *view,
                                                 const void *block) POOL_NOEXCEPT {
  const uint64_t offset = (uint64_t)((uintptr_t)block - (uintptr_t)view->base);
  return pool_detail_entry(view->ledger, offset, view->bytes, view->multiplier);
}

#endif /* POOL_INLINE_CALLS */

/* The view of no pool. It has no block to give and takes none, and is never written to. */
POOL_DETAIL_INLINE pool_single_view_t *pool_inline_closed(void) POOL_NOEXCEPT {
  static const pool_single_view_t closed = {0,    0,    NULL, NULL, 0, NULL, NULL,
                                            NULL, NULL, UINTPTR_MAX, NULL, NULL, 0, 0};
  return (pool_single_view_t *)(uintptr_t)&closed;
}

/* The view of a pool of POOL_THREADS_SINGLE with these checks, or a closed one.
 * Thread-safety: one thread at a time. */
POOL_DETAIL_INLINE pool_single_view_t *pool_inline_single(pool_t *pool,
                                                          uint32_t checks) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  pool_single_view_t *const view = pool_single_view(pool, POOL_INLINE_VERSION, checks);
  return view != NULL ? view : pool_inline_closed();
#else
  (void)pool, (void)checks;
  return pool_inline_closed();
#endif
}

/* As pool_allocate. `checks`, a constant, is what the view was asked for.
 * Thread-safety: one thread at a time. */
POOL_NODISCARD
POOL_DETAIL_INLINE void *pool_inline_allocate(pool_t *pool, pool_single_view_t *view,
                                              uint32_t checks) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  const int is_checked = checks != POOL_CHECKS_NONE;
  void *const kept = view->kept;
  if (POOL_DETAIL_IS_KEPT(kept)) {
    view->kept = NULL;
    if (is_checked) *view->kept_entry = POOL_DETAIL_LIVE;
    ++view->taken;
    return kept;
  }
  void **const top = view->top;
  if (top != view->low) {
    void *const block = top[-1];
    /* What is at hand is not in the caller's reach, so it is believed. */
    if (is_checked) {
      const uint64_t offset = (uint64_t)((uintptr_t)block - (uintptr_t)view->base);
      const pool_detail_product_t product = (pool_detail_product_t)offset * view->multiplier;
      view->ledger[~(int64_t)(uint64_t)(product >> 64)] = POOL_DETAIL_LIVE;
    }
    view->top = top - 1;
    ++view->taken;
    return block;
  }
  void *const first = view->first;
  if (is_checked) {
    uint8_t *const entry = pool_detail_entry_of(view, first);
    if (!POOL_DETAIL_LIKELY(entry != NULL && *entry == POOL_DETAIL_FREE)) {
      return pool_allocate(pool);
    }
    *entry = POOL_DETAIL_LIVE;
  } else if (!POOL_DETAIL_LIKELY(first != NULL)) {
    return pool_allocate(pool);
  }
  memcpy(&view->first, first, sizeof(void *));
  ++view->allocations;
  return first;
#else
  (void)view, (void)checks;
  return pool_allocate(pool);
#endif
}

/* As pool_deallocate. `checks`, a constant, is what the view was asked for.
 * Thread-safety: one thread at a time. */
POOL_DETAIL_INLINE pool_status_t pool_inline_deallocate(pool_t *pool, pool_single_view_t *view,
                                                        uint32_t checks,
                                                        void *block) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  const int is_checked = checks != POOL_CHECKS_NONE;
  uint8_t *entry = NULL;
  if (is_checked) {
    entry = pool_detail_entry_of(view, block);
    if (!POOL_DETAIL_LIKELY(entry != NULL && *entry == POOL_DETAIL_LIVE)) {
      return pool_deallocate(pool, block);
    }
    *entry = POOL_DETAIL_FREE;
  } else if (!POOL_DETAIL_LIKELY((uintptr_t)block > view->floor)) {
    return pool_deallocate(pool, block);
  }
  if (POOL_DETAIL_IS_NONE_KEPT(view->kept)) {
    view->kept = block;
    if (is_checked) view->kept_entry = entry;
    return POOL_OK;
  }
  void **const top = view->top;
  if (top != view->high) {
    *top = block;
    view->top = top + 1;
    return POOL_OK;
  }
  memcpy(block, &view->first, sizeof(void *));
  view->first = block;
  ++view->deallocations;
  return POOL_OK;
#else
  (void)view, (void)checks;
  return pool_deallocate(pool, block);
#endif
}

/* The view of no cache: its key is no cache's, so it is never written to. */
POOL_DETAIL_INLINE pool_cache_view_t *pool_inline_closed_cache(void) POOL_NOEXCEPT {
  static const uintptr_t closed[sizeof(pool_cache_view_t) / sizeof(uintptr_t)] = {0};
  return (pool_cache_view_t *)(uintptr_t)closed;
}

/* The view of a cache, or a closed one.
 * Thread-safety: any thread. */
POOL_DETAIL_INLINE pool_cache_view_t *pool_inline_cache(pool_cache_t *cache) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  pool_cache_view_t *const view = pool_cache_view(cache, POOL_INLINE_VERSION);
  return view != NULL ? view : pool_inline_closed_cache();
#else
  (void)cache;
  return pool_inline_closed_cache();
#endif
}

#if POOL_INLINE_CALLS

/* Keeps thieves off, until the end: src/cache/magazine.rs says how. The fence is for the compiler;
 * a thief runs one on all threads. */
POOL_DETAIL_INLINE void pool_detail_begin(pool_cache_view_t *view) POOL_NOEXCEPT {
  __atomic_store_n(&view->busy, 1, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Release: a thief who sees that the owner is off sees what it did. */
POOL_DETAIL_INLINE void pool_detail_end(pool_cache_view_t *view) POOL_NOEXCEPT {
  __atomic_store_n(&view->busy, 0, __ATOMIC_RELEASE);
}

POOL_DETAIL_INLINE int pool_detail_is_of(const pool_cache_view_t *view,
                                         const pool_cache_t *cache) POOL_NOEXCEPT {
  return __atomic_load_n(&view->key, __ATOMIC_RELAXED) == ~(uintptr_t)cache;
}

#endif /* POOL_INLINE_CALLS */

/* As pool_cache_allocate.
 * Thread-safety: by the thread that owns the cache. */
POOL_NODISCARD
POOL_DETAIL_INLINE void *pool_inline_cache_allocate(pool_cache_t *cache,
                                                    pool_cache_view_t *view) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  if (POOL_DETAIL_LIKELY(pool_detail_is_of(view, cache))) {
    pool_detail_begin(view);
    const uint64_t state = __atomic_load_n(&view->state, __ATOMIC_RELAXED);
    const uint64_t count = state % POOL_DETAIL_CACHE_OPERATION;
    if (POOL_DETAIL_LIKELY(count > __atomic_load_n(&view->floor, __ATOMIC_RELAXED))) {
      const uint64_t index = __atomic_load_n(&view->blocks[count - 1], __ATOMIC_RELAXED);
      if (POOL_DETAIL_LIKELY(view->ledger != NULL)) {
        uint8_t *const entry = view->ledger + ~(int64_t)index;
        __atomic_store_n(entry, POOL_DETAIL_LIVE, __ATOMIC_RELAXED);
      }
      __atomic_store_n(&view->state, state + (POOL_DETAIL_CACHE_OPERATION - 1), __ATOMIC_RELAXED);
      pool_detail_end(view);
      return view->base + index * view->stride;
    }
    pool_detail_end(view);
  }
#else
  (void)view;
#endif
  return pool_cache_allocate(cache);
}

/* As pool_cache_deallocate.
 * Thread-safety: by the thread that owns the cache. */
POOL_DETAIL_INLINE pool_status_t pool_inline_cache_deallocate(pool_cache_t *cache,
                                                              pool_cache_view_t *view,
                                                              void *block) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  if (POOL_DETAIL_LIKELY(pool_detail_is_of(view, cache))) {
    const uint64_t offset = (uint64_t)((uintptr_t)block - (uintptr_t)view->base);
    const pool_detail_product_t product = (pool_detail_product_t)offset * view->multiplier;
    const uint64_t index = (uint64_t)(product >> 64);
    const int is_start = (uint64_t)product < view->multiplier;
    if (POOL_DETAIL_LIKELY(offset < __atomic_load_n(view->bytes, __ATOMIC_RELAXED) && is_start)) {
      uint8_t *const entry = view->ledger == NULL ? NULL : view->ledger + ~(int64_t)index;
      const int is_checked = entry != NULL;
      if (is_checked && __atomic_load_n(entry, __ATOMIC_RELAXED) != POOL_DETAIL_LIVE) {
        return pool_cache_deallocate(cache, block);
      }
      pool_detail_begin(view);
      const uint64_t state = __atomic_load_n(&view->state, __ATOMIC_RELAXED);
      const uint64_t count = state % POOL_DETAIL_CACHE_OPERATION;
      if (POOL_DETAIL_LIKELY(count < __atomic_load_n(&view->ceiling, __ATOMIC_RELAXED))) {
        __atomic_store_n(&view->blocks[count], (uint32_t)index, __ATOMIC_RELAXED);
        if (is_checked) __atomic_store_n(entry, POOL_DETAIL_FREE, __ATOMIC_RELAXED);
        __atomic_store_n(&view->state, state + (POOL_DETAIL_CACHE_OPERATION + 1), __ATOMIC_RELAXED);
        pool_detail_end(view);
        return POOL_OK;
      }
      pool_detail_end(view);
    }
  }
#else
  (void)view;
#endif
  return pool_cache_deallocate(cache, block);
}

#endif /* MEMORY_POOL_POOL_INLINE_H */

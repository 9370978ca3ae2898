/*
 * memory_pool: the hot calls, inlined. Opt-in: pool.h is all that a program needs.
 *
 *     pool_single_view_t view;
 *     pool_inline_single(pool, POOL_CHECKS_STANDARD, &view);
 *     void *block = pool_inline_allocate(pool, &view, POOL_CHECKS_STANDARD);
 *     pool_inline_deallocate(pool, &view, POOL_CHECKS_STANDARD, block);
 *
 *     pool_cache_view_t *cache_view = pool_inline_cache(cache);
 *     void *block = pool_inline_cache_allocate(cache, cache_view);
 *     pool_inline_cache_deallocate(cache, cache_view, block);
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
 * The view of a pool is the program's variable, and the library knows its address: it stays where
 * it is until pool_inline_end() or the end of the pool, which closes it. A pool has one view, the
 * one that was asked for last; the one before is closed. That of a cache may be used as long as the
 * cache's handle: a dead cache is found, as by the library.
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
#if (defined(__GNUC__) || defined(__clang__)) && UINTPTR_MAX == UINT64_MAX && \
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

/* The words of a pool of POOL_THREADS_SINGLE. For the functions below alone. */
struct pool_single_view_t {
  uint64_t taken_kept; /* how many blocks were handed out that were kept */
  uint64_t taken;      /* how many others were handed out here */
  void *kept;          /* a free block, or NULL; the ledger calls it live */
  void **low;          /* low .. top are further ones, the newest last */
  void **top;
  void **high;         /* there is room up to here */
  /* With POOL_CHECKS_NONE, the floor: all blocks lie above; NULL does not. With
   * POOL_CHECKS_STANDARD, the shift: the stride is an odd number times 2^shift. */
  uintptr_t floor_or_shift;
  /* With POOL_CHECKS_STANDARD only: */
  uint8_t *ledger;     /* ledger[-1 - index] is the state of a block */
  char *base;          /* the start of block 0 */
  uint64_t capacity;   /* how many blocks there are */
  uint64_t inverse;    /* of the odd number */
};

/* The view of no pool. It has no block to give and takes none. */
#define POOL_INLINE_CLOSED {0, 0, NULL, NULL, NULL, NULL, UINTPTR_MAX, NULL, NULL, 0, 0}

/* What the slot of a cache holds, from its key on. For the functions below alone. */
struct pool_cache_view_t {
  uintptr_t key;  /* ~handle as long as the cache lives */
  uint64_t coming;    /* the state that the owner works at, or worked at last; or 0 */
  uint64_t forbidden; /* bits of `state`, which must be 0 after an operation */
  uint64_t state;     /* operations x POOL_DETAIL_CACHE_OPERATION + blocks */
  uint32_t blocks[256];
  uint8_t rest[112];
  /* Of its pool: */
  char *base;
  uint64_t stride;
  uint64_t inverse;
  uint64_t shift;
  uint8_t *ledger; /* ledger[-1 - index] is the state of a block */
  const uint64_t *capacity;
};

#if POOL_INLINE_CALLS

#define POOL_DETAIL_CACHE_OPERATION 65536u
#define POOL_DETAIL_FREE 1
#define POOL_DETAIL_LIVE 2
#define POOL_DETAIL_LIKELY(condition) __builtin_expect(!!(condition), 1)
/* Whether a block is kept, asked by who takes and by who gives: either way is common, and none may
 * be a jump there and back. Left alone, gcc holds NULL for the exception, and either compiler puts
 * aside what it is told to be rare (all measured, see docs/adr/0010). */
#if defined(__clang__) && __clang_major__ >= 11
#define POOL_DETAIL_IS_KEPT(kept) __builtin_expect_with_probability((kept) != NULL, 1, 0.9)
#elif !defined(__clang__) && __GNUC__ >= 9
#define POOL_DETAIL_IS_KEPT(kept) __builtin_expect_with_probability((kept) != NULL, 1, 0.5)
#else
#define POOL_DETAIL_IS_KEPT(kept) ((kept) != NULL)
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
POOL_DETAIL_AT(pool_single_view_t, taken_kept, 0);
POOL_DETAIL_AT(pool_single_view_t, taken, 8);
POOL_DETAIL_AT(pool_single_view_t, kept, 16);
POOL_DETAIL_AT(pool_single_view_t, low, 24);
POOL_DETAIL_AT(pool_single_view_t, top, 32);
POOL_DETAIL_AT(pool_single_view_t, high, 40);
POOL_DETAIL_AT(pool_single_view_t, floor_or_shift, 48);
POOL_DETAIL_AT(pool_single_view_t, ledger, 56);
POOL_DETAIL_AT(pool_single_view_t, base, 64);
POOL_DETAIL_AT(pool_single_view_t, capacity, 72);
POOL_DETAIL_AT(pool_single_view_t, inverse, 80);
POOL_DETAIL_AT(pool_cache_view_t, key, 0);
POOL_DETAIL_AT(pool_cache_view_t, coming, 8);
POOL_DETAIL_AT(pool_cache_view_t, forbidden, 16);
POOL_DETAIL_AT(pool_cache_view_t, state, 24);
POOL_DETAIL_AT(pool_cache_view_t, blocks, 32);
POOL_DETAIL_AT(pool_cache_view_t, base, 1168);
POOL_DETAIL_AT(pool_cache_view_t, stride, 1176);
POOL_DETAIL_AT(pool_cache_view_t, inverse, 1184);
POOL_DETAIL_AT(pool_cache_view_t, shift, 1192);
POOL_DETAIL_AT(pool_cache_view_t, ledger, 1200);
POOL_DETAIL_AT(pool_cache_view_t, capacity, 1208);

/* The index of the block that starts at `block`; if none does, as many as there are blocks, or more:
 * src/layout/reciprocal.rs says why. */
POOL_DETAIL_INLINE uint64_t pool_detail_number(const void *block, const char *base,
                                               uint64_t inverse, uint64_t shift) POOL_NOEXCEPT {
  const uint64_t product = (uint64_t)((uintptr_t)block - (uintptr_t)base) * inverse;
  return product >> (shift & 63) | product << (-shift & 63);
}

POOL_DETAIL_INLINE uint64_t pool_detail_number_in(const pool_single_view_t *view,
                                                  const void *block) POOL_NOEXCEPT {
  return pool_detail_number(block, view->base, view->inverse, view->floor_or_shift);
}

#endif /* POOL_INLINE_CALLS */

/* Makes `*view` the view of a pool of POOL_THREADS_SINGLE with these checks, or a closed one; answers
 * whether it is open.
 * Thread-safety: one thread at a time. */
POOL_DETAIL_INLINE bool pool_inline_single(pool_t *pool, uint32_t checks,
                                           pool_single_view_t *view) POOL_NOEXCEPT {
  static const pool_single_view_t closed = POOL_INLINE_CLOSED;
  *view = closed;
#if POOL_INLINE_CALLS
  return pool_single_view(pool, POOL_INLINE_VERSION, checks, view);
#else
  (void)pool, (void)checks;
  return false;
#endif
}

/* Closes the view of a pool, before the variable goes and the pool stays.
 * Thread-safety: one thread at a time. */
POOL_DETAIL_INLINE void pool_inline_end(pool_t *pool, uint32_t checks) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  pool_single_view(pool, POOL_INLINE_VERSION, checks, NULL);
#else
  (void)pool, (void)checks;
#endif
}

#if POOL_INLINE_CALLS

/* Whether there was a block at hand: `*out_block`. */
POOL_DETAIL_INLINE bool pool_detail_take(pool_single_view_t *view, uint32_t checks,
                                         void **out_block) POOL_NOEXCEPT {
  const bool is_checked = checks != POOL_CHECKS_NONE;
  void *const kept = view->kept;
  if (POOL_DETAIL_IS_KEPT(kept)) {
    view->kept = NULL;
    ++view->taken_kept;
    *out_block = kept;
    return true;
  }
  void **const top = view->top;
  if (!POOL_DETAIL_LIKELY(top != view->low)) return false;
  void *const block = top[-1];
  /* What is at hand is not in the caller's reach, so it is believed. */
  if (is_checked) {
    const uint64_t index = pool_detail_number_in(view, block);
    view->ledger[~(int64_t)index] = POOL_DETAIL_LIVE;
  }
  view->top = top - 1;
  ++view->taken;
  *out_block = block;
  return true;
}

/* Whether the block is certainly a live one, and there was room for it at hand. */
POOL_DETAIL_INLINE bool pool_detail_give(pool_single_view_t *view, uint32_t checks,
                                         void *block) POOL_NOEXCEPT {
  const bool is_checked = checks != POOL_CHECKS_NONE;
  uint8_t *entry = NULL;
  if (is_checked) {
    const uint64_t index = pool_detail_number_in(view, block);
    if (!POOL_DETAIL_LIKELY(index < view->capacity)) return false;
    entry = view->ledger + ~(int64_t)index;
    if (!POOL_DETAIL_LIKELY(*entry == POOL_DETAIL_LIVE)) return false;
  } else if (!POOL_DETAIL_LIKELY((uintptr_t)block > view->floor_or_shift)) {
    return false;
  }
  void *const kept = view->kept;
  if (!POOL_DETAIL_IS_KEPT(kept)) {
    view->kept = block;
    return true;
  }
  void **const top = view->top;
  if (!POOL_DETAIL_LIKELY(top != view->high)) return false;
  if (is_checked) {
    /* The ledger calls the kept block live, which it is not. */
    if (!POOL_DETAIL_LIKELY(block != kept)) return false;
    *entry = POOL_DETAIL_FREE;
  }
  *top = block;
  view->top = top + 1;
  return true;
}

#endif /* POOL_INLINE_CALLS */

/* As pool_allocate. `checks`, a constant, is what the view was asked for.
 * Thread-safety: one thread at a time. */
POOL_NODISCARD
POOL_DETAIL_INLINE void *pool_inline_allocate(pool_t *pool, pool_single_view_t *view,
                                              uint32_t checks) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  void *block = NULL;
  if (POOL_DETAIL_LIKELY(pool_detail_take(view, checks, &block))) return block;
#else
  (void)view, (void)checks;
#endif
  return pool_allocate(pool);
}

/* As pool_deallocate. `checks`, a constant, is what the view was asked for.
 * Thread-safety: one thread at a time. */
POOL_DETAIL_INLINE pool_status_t pool_inline_deallocate(pool_t *pool, pool_single_view_t *view,
                                                        uint32_t checks,
                                                        void *block) POOL_NOEXCEPT {
#if POOL_INLINE_CALLS
  if (POOL_DETAIL_LIKELY(pool_detail_give(view, checks, block))) return POOL_OK;
#else
  (void)view, (void)checks;
#endif
  return pool_deallocate(pool, block);
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

/* Keeps thieves off until the state comes, if it may: src/cache/magazine.rs says how. The fence is
 * for the compiler; a thief runs one on all threads. */
POOL_DETAIL_INLINE bool pool_detail_may_come(pool_cache_view_t *view, uint64_t next) POOL_NOEXCEPT {
  __atomic_store_n(&view->coming, next, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (POOL_DETAIL_LIKELY((next & __atomic_load_n(&view->forbidden, __ATOMIC_RELAXED)) == 0)) {
    return true;
  }
  __atomic_store_n(&view->coming, 0, __ATOMIC_RELEASE);
  return false;
}

/* Release: a thief who sees that the owner is off sees what it did. */
POOL_DETAIL_INLINE void pool_detail_come(pool_cache_view_t *view, uint64_t next) POOL_NOEXCEPT {
  __atomic_store_n(&view->state, next, __ATOMIC_RELEASE);
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
    const uint64_t state = __atomic_load_n(&view->state, __ATOMIC_RELAXED);
    const uint64_t next = state + (POOL_DETAIL_CACHE_OPERATION - 1);
    if (POOL_DETAIL_LIKELY(pool_detail_may_come(view, next))) {
      /* Nobody else writes to what is read here. */
      const uint64_t index = view->blocks[next % POOL_DETAIL_CACHE_OPERATION];
      __atomic_store_n(view->ledger + ~(int64_t)index, POOL_DETAIL_LIVE, __ATOMIC_RELAXED);
      pool_detail_come(view, next);
      return view->base + index * view->stride;
    }
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
    const uint64_t index = pool_detail_number(block, view->base, view->inverse, view->shift);
    if (POOL_DETAIL_LIKELY(index < __atomic_load_n(view->capacity, __ATOMIC_RELAXED))) {
      uint8_t *const entry = view->ledger + ~(int64_t)index;
      const uint64_t next = __atomic_load_n(&view->state, __ATOMIC_RELAXED) +
                            (POOL_DETAIL_CACHE_OPERATION + 1);
      if (POOL_DETAIL_LIKELY(__atomic_load_n(entry, __ATOMIC_RELAXED) == POOL_DETAIL_LIVE) &&
          POOL_DETAIL_LIKELY(pool_detail_may_come(view, next))) {
        const uint64_t count = next % POOL_DETAIL_CACHE_OPERATION;
        __atomic_store_n(&view->blocks[count - 1], (uint32_t)index, __ATOMIC_RELAXED);
        __atomic_store_n(entry, POOL_DETAIL_FREE, __ATOMIC_RELAXED);
        pool_detail_come(view, next);
        return POOL_OK;
      }
    }
  }
#else
  (void)view;
#endif
  return pool_cache_deallocate(cache, block);
}

#endif /* MEMORY_POOL_POOL_INLINE_H */

/* Handles of pools in callers' buffers: no other bit pattern is one, a destroyed one never is one
   again, and there are as many as the library says at a time. */

#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { POOLS_AT_A_TIME = 4096, BYTES = POOL_STATIC_BYTES(8, 1) };

static const uintptr_t TOP_BIT = ~(UINTPTR_MAX >> 1);

static int errors_logged;

static void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) ++errors_logged;
}

static pool_status_t create_at(void *buffer, size_t bytes, size_t capacity, pool_t **pool) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 8;
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.buffer = buffer;
  options.buffer_bytes = bytes;
  return pool_create_with(&options, pool);
}

/* The functions with a status, and one of each other kind; one line in the log each. */
static void it_is_stale(uintptr_t garbage) {
  pool_t *pool = (pool_t *)garbage;
  pool_stats_t stats = {0};
  void *block = NULL;
  stats.struct_size = sizeof stats;
  errors_logged = 0;
  CHECK(pool_allocate(pool) == NULL && pool_allocate_zeroed(pool) == NULL);
  CHECK(pool_allocate_many(pool, &block, 1) == 0 && !pool_owns(pool, &stats));
  CHECK(pool_block_size(pool) == 0 && pool_capacity(pool) == 0 && pool_in_use(pool) == 0);
  CHECK(pool_deallocate(pool, &stats) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_deallocate(pool, NULL) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_deallocate_many(pool, &block, 1) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_reset(pool) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_grow(pool, 0) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_trim(pool, NULL) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_validate(pool) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_get_stats(pool, &stats) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
  CHECK(errors_logged == 16);
}

/* Every neighbour of a handle, but `live`, which may be one. */
static void what_is_near_is_stale(const pool_t *pool, const pool_t *live) {
  const uintptr_t handle = (uintptr_t)pool;
  for (unsigned bit = 0; bit < sizeof handle * 8; ++bit) {
    for (unsigned other = 0; other <= bit; ++other) { /* one bit, and then every pair of bits */
      const uintptr_t one = (uintptr_t)1 << bit, two = (uintptr_t)1 << other;
      const uintptr_t near = one == two ? handle ^ one : handle ^ one ^ two;
      if (near != (uintptr_t)live && near != 0) it_is_stale(near);
    }
  }
  for (uintptr_t step = 1; step <= 20000; step += 1 + step / 50) {
    if (handle - step != (uintptr_t)live) it_is_stale(handle - step);
    if (handle + step != (uintptr_t)live) it_is_stale(handle + step);
  }
}

static void garbage_is_stale(const pool_t *live) {
  uint64_t random = 88172645463325252u;
  for (uintptr_t small = 0; small < 9000; ++small) {
    if ((TOP_BIT | small) != (uintptr_t)live) it_is_stale(TOP_BIT | small);
  }
  for (uintptr_t small = 1; small < 9000; small += 7) it_is_stale(small);
  for (int i = 0; i < 5000; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    it_is_stale((uintptr_t)random);
    it_is_stale((uintptr_t)random | TOP_BIT);
  }
  it_is_stale(UINTPTR_MAX);
}

static void garbage_is_stale_before_beside_and_after_a_pool(unsigned char *memory) {
  pool_t *first = NULL, *second = NULL, *third = NULL;
  garbage_is_stale(NULL);
  CHECK(create_at(memory, POOL_STATIC_BYTES(8, 9), 9, &first) == POOL_OK);
  CHECK((uintptr_t)first % 2 == 0);
  garbage_is_stale(first);
  what_is_near_is_stale(first, NULL);
  it_is_stale((uintptr_t)memory);

  CHECK(pool_allocate(first) != NULL && pool_in_use(first) == 1 && pool_reset(first) == POOL_OK);
  CHECK(pool_destroy(first) == POOL_OK);
  it_is_stale((uintptr_t)first);
  what_is_near_is_stale(first, NULL);

  CHECK(create_at(memory, POOL_STATIC_BYTES(8, 9), 9, &second) == POOL_OK && second != first);
  it_is_stale((uintptr_t)first);
  what_is_near_is_stale(first, second);
  what_is_near_is_stale(second, NULL);

  /* And while another pool lives elsewhere. */
  CHECK(create_at(memory + 2000, POOL_STATIC_BYTES(8, 9), 9, &third) == POOL_OK);
  CHECK(pool_destroy(second) == POOL_OK);
  it_is_stale((uintptr_t)first);
  it_is_stale((uintptr_t)second);
  what_is_near_is_stale(second, third);
  CHECK(pool_destroy(third) == POOL_OK);
}

/* A handle is compared before the buffer is looked at, so the buffer may be gone. */
static void a_buffer_may_go_after_its_pool(void) {
  pool_t *pool = NULL;
  void *buffer = malloc(BYTES);
  CHECK(buffer != NULL && create_at(buffer, BYTES, 1, &pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
  free(buffer);
  it_is_stale((uintptr_t)pool);
}

static void so_many_live_at_a_time_and_not_one_more(unsigned char *memory) {
  static pool_t *pools[POOLS_AT_A_TIME], *earlier[POOLS_AT_A_TIME];
  for (int round = 0; round < 2; ++round) {
    pool_t *more = NULL;
    for (size_t i = 0; i < POOLS_AT_A_TIME; ++i) { /* upwards, then downwards */
      const size_t place = round == 0 ? i : POOLS_AT_A_TIME - 1 - i;
      CHECK(create_at(memory + place * BYTES, BYTES, 1, &pools[i]) == POOL_OK);
      CHECK(pool_allocate(pools[i]) != NULL && pool_allocate(pools[i]) == NULL);
    }
    unsigned char *beyond = memory + (size_t)POOLS_AT_A_TIME * BYTES;
    CHECK(create_at(beyond, BYTES, 1, &more) == POOL_ERR_OUT_OF_MEMORY && more == NULL);

    /* Any one that goes makes room for one. */
    CHECK(pool_reset(pools[1234]) == POOL_OK && pool_destroy(pools[1234]) == POOL_OK);
    CHECK(create_at(beyond, BYTES, 1, &more) == POOL_OK && more != pools[1234]);
    it_is_stale((uintptr_t)pools[1234]);
    CHECK(pool_destroy(more) == POOL_OK);
    for (size_t i = 0; i < POOLS_AT_A_TIME; ++i) {
      if (i != 1234) {
        CHECK(pool_in_use(pools[i]) == 1 && pool_reset(pools[i]) == POOL_OK);
        CHECK(pool_destroy(pools[i]) == POOL_OK);
      }
      it_is_stale((uintptr_t)pools[i]);
      if (round == 1) it_is_stale((uintptr_t)earlier[i]);
      earlier[i] = pools[i];
    }
  }
}

int main(void) {
  unsigned char *memory = malloc((POOLS_AT_A_TIME + 1) * (size_t)BYTES);
  if (memory == NULL) return 1;
  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  garbage_is_stale_before_beside_and_after_a_pool(memory);
  a_buffer_may_go_after_its_pool();
  so_many_live_at_a_time_and_not_one_more(memory);
  free(memory);
  return CHECK_RESULT();
}

/* Growth: by itself and by call, never beyond max_capacity, and no block ever moves. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { MAX = 100000 };

static void ignore(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
}

static pool_t *growable(size_t block_size, size_t capacity, size_t max_capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = block_size;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = POOL_THREADS_SINGLE;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static void it_grows_by_itself_up_to_the_last_block(size_t block_size, uint32_t *blocks[]) {
  pool_t *pool = growable(block_size, 1, MAX);
  size_t growths = 0;
  size_t capacity = 1;
  CHECK(pool_capacity(pool) == 1 && stats_of(pool).max_capacity == MAX);
  for (uint32_t i = 0; i < MAX; ++i) {
    blocks[i] = pool_allocate(pool);
    CHECK(blocks[i] != NULL);
    *blocks[i] = i;
    if (pool_capacity(pool) != capacity) {
      /* At least an eighth, but for the last step. */
      CHECK(pool_capacity(pool) >= capacity + capacity / 8 || pool_capacity(pool) == MAX);
      capacity = pool_capacity(pool);
      ++growths;
    }
  }
  CHECK(growths < 100 && capacity == MAX);
  CHECK(pool_allocate(pool) == NULL && pool_in_use(pool) == MAX);
  for (uint32_t i = 0; i < MAX; ++i) {
    CHECK(*blocks[i] == i);
    CHECK((uintptr_t)blocks[i] == (uintptr_t)blocks[0] + i * pool_stride(pool));
  }
  CHECK(pool_validate(pool) == POOL_OK && stats_of(pool).peak_in_use == MAX);
  CHECK(pool_reset(pool) == POOL_OK && pool_capacity(pool) == MAX);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void it_grows_by_call_all_or_nothing(void) {
  pool_t *pool = growable(48, 10, 1000);
  char *first = pool_allocate(pool);
  char *beyond = first + 10 * 48;
  CHECK(!pool_owns(pool, beyond) && pool_deallocate(pool, beyond) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_grow(pool, 1) == POOL_OK && pool_capacity(pool) == 11);
  CHECK(pool_owns(pool, beyond) && pool_deallocate(pool, beyond) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_grow(pool, 0) == POOL_OK && pool_capacity(pool) == 11);
  CHECK(pool_grow(pool, 990) == POOL_ERR_INVALID_ARGUMENT && pool_capacity(pool) == 11);
  CHECK(pool_grow(pool, SIZE_MAX) == POOL_ERR_INVALID_ARGUMENT && pool_capacity(pool) == 11);
  CHECK(pool_grow(pool, 989) == POOL_OK && pool_capacity(pool) == 1000);
  CHECK(pool_grow(pool, 1) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(pool_available(pool) == 999 && pool_validate(pool) == POOL_OK);
  CHECK(pool_deallocate(pool, first) == POOL_OK && pool_destroy(pool) == POOL_OK);

  pool = pool_create(48, 10);
  CHECK(pool_grow(pool, 1) == POOL_ERR_INVALID_ARGUMENT && pool_capacity(pool) == 10);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void an_unbounded_pool_says_how_far_it_goes(void) {
  pool_t *pool = growable(64, 1, SIZE_MAX);
  CHECK(stats_of(pool).max_capacity > 1000000 && stats_of(pool).max_capacity < SIZE_MAX);
  CHECK(stats_of(pool).resident_bytes == 0);
  for (int i = 0; i < 5000; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  uint32_t **blocks = malloc(MAX * sizeof *blocks);
  if (blocks == NULL) return 1;
  pool_set_log_callback(ignore, NULL, POOL_LOG_TRACE);
  it_grows_by_itself_up_to_the_last_block(8, blocks);
  it_grows_by_itself_up_to_the_last_block(100, blocks);
  it_grows_by_itself_up_to_the_last_block(5000, blocks);
  it_grows_by_call_all_or_nothing();
  an_unbounded_pool_says_how_far_it_goes();
  free(blocks);
  return CHECK_RESULT();
}

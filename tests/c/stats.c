/* Figures: each against what was done. */

#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 1000 };

static void ignore(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
}

/* Lock-free pools count in 16 bits beside each block, and know more blocks than that. */
static void many_without_a_lock(void) {
  enum { MANY = 200000 };
  static void *blocks[MANY];
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_stats_t stats = {0};
  pool_t *pool = NULL;
  options.block_size = 16;
  options.capacity = MANY;
  options.threading = POOL_THREADS_LOCK_FREE;
  stats.struct_size = sizeof stats;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  const size_t side = sizeof(void *) / 2 + 2;
  CHECK(stats.metadata_bytes >= MANY * side && stats.metadata_bytes <= MANY * side + 2048 + 16);
  for (size_t left = 0; left < MANY; left += 66000) {
    CHECK(pool_allocate_many(pool, blocks, MANY) == MANY && pool_available(pool) == 0);
    CHECK(pool_deallocate_many(pool, blocks + left, MANY - left) == POOL_OK);
    CHECK(pool_in_use(pool) == left && pool_validate(pool) == POOL_OK);
    CHECK(pool_trim(pool, NULL) == POOL_OK && pool_available(pool) == MANY - left);
    CHECK(pool_deallocate_many(pool, blocks, left) == POOL_OK && pool_in_use(pool) == 0);
  }
  CHECK(pool_allocate_many(pool, blocks, MANY) == MANY && pool_reset(pool) == POOL_OK);
  CHECK(pool_allocate(pool) != NULL && pool_in_use(pool) == 1);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  CHECK(stats.allocations == 5 * (uint64_t)MANY + 1 && stats.deallocations == 5 * (uint64_t)MANY);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  many_without_a_lock();
  void *blocks[CAPACITY];
  pool_stats_t stats;
  pool_t *pool = pool_create(100, CAPACITY);
  memset(&stats, 0xEE, sizeof stats);
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  CHECK(stats.struct_size == sizeof stats);
  CHECK(stats.block_size == 100 && stats.stride == 100 && stats.alignment == 4);
  CHECK(stats.capacity == CAPACITY && stats.max_capacity == CAPACITY);
  CHECK(stats.in_use == 0 && stats.available == CAPACITY && stats.peak_in_use == 0);
  CHECK(stats.allocations == 0 && stats.deallocations == 0 && stats.failures == 0);
  CHECK(stats.reserved_bytes >= CAPACITY * 100 && stats.resident_bytes == 0);
  /* A byte of the ledger and a number in the depot for each block, for any thread may call. */
  CHECK(stats.metadata_bytes >= CAPACITY + CAPACITY / 8);
  CHECK(stats.metadata_bytes <= CAPACITY + CAPACITY / 8 + 2048 + 4 * 8 + 32);
  CHECK(stats.heap_blocks == 0);

  CHECK(pool_allocate_many(pool, blocks, CAPACITY) == CAPACITY);
  CHECK(pool_allocate(pool) == NULL);
  for (int i = 0; i < CAPACITY; ++i) memset(blocks[i], i, 100);
  CHECK(pool_deallocate_many(pool, blocks, 300) == POOL_OK);
  CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  CHECK(stats.in_use == CAPACITY - 299 && stats.available == 299 && stats.peak_in_use == CAPACITY);
  CHECK(stats.allocations == CAPACITY + 1 && stats.deallocations == 300 && stats.failures == 1);
  CHECK(stats.resident_bytes >= CAPACITY * 100 && stats.resident_bytes <= stats.reserved_bytes);

  CHECK(pool_reset(pool) == POOL_OK);
  CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  CHECK(stats.in_use == 1 && stats.peak_in_use == CAPACITY);
  CHECK(stats.allocations - stats.deallocations == 1);

  /* An older caller gets its part, a newer one zeros for what we do not know. */
  struct {
    pool_stats_t known;
    unsigned char later[16];
  } newer;
  memset(&newer, 0xEE, sizeof newer);
  newer.known.struct_size = sizeof newer;
  CHECK(pool_get_stats(pool, &newer.known) == POOL_OK);
  for (size_t i = 0; i < sizeof newer.later; ++i) CHECK(newer.later[i] == 0);
  memset(&stats, 0xEE, sizeof stats);
  stats.struct_size = offsetof(pool_stats_t, capacity);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  CHECK(stats.stride == 100 && stats.capacity == (size_t)0xEEEEEEEEEEEEEEEE);

  pool_set_log_callback(ignore, NULL, POOL_LOG_TRACE);
  stats.struct_size = 0;
  CHECK(pool_get_stats(pool, &stats) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(pool_get_stats(pool, NULL) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_destroy(pool) == POOL_OK);
  return CHECK_RESULT();
}

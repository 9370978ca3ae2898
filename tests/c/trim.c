/* Trim: memory of free blocks goes back to the system, in any order of frees; no block is lost. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { COUNT = 1000000, MIB = 1 << 20 };

static uint64_t random_state = 88172645463325252u;
static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

static void shuffle(void **blocks, size_t count) {
  for (size_t i = count - 1; i > 0; --i) {
    const size_t other = next_random() % (i + 1);
    void *block = blocks[i];
    blocks[i] = blocks[other];
    blocks[other] = block;
  }
}

static size_t resident(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats.resident_bytes;
}

static pool_t *pool_of(size_t block_size, size_t capacity, uint32_t checks) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = block_size;
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.checks = checks;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static void all_freed_in_random_order_all_goes_back(void **blocks, uint32_t checks) {
  pool_t *pool = pool_of(64, COUNT, checks);
  size_t bytes = 0;
  CHECK(pool_allocate_many(pool, blocks, COUNT) == COUNT);
  for (size_t i = 0; i < COUNT; ++i) memset(blocks[i], 1, 64);
  CHECK(resident(pool) >= (size_t)COUNT * 64);
  shuffle(blocks, COUNT);
  CHECK(pool_deallocate_many(pool, blocks, COUNT) == POOL_OK);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && bytes >= (size_t)COUNT * 64);
  CHECK(resident(pool) <= MIB);
  CHECK(pool_validate(pool) == POOL_OK && pool_available(pool) == COUNT);
  CHECK(pool_allocate_many(pool, blocks, COUNT) == COUNT && pool_allocate(pool) == NULL);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && pool_in_use(pool) == COUNT);
  CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
  CHECK(resident(pool) <= MIB && pool_destroy(pool) == POOL_OK);
}

static void half_freed_the_rest_is_intact(void **blocks, size_t size, size_t count) {
  pool_t *pool = pool_of(size, count, POOL_CHECKS_STANDARD);
  CHECK(pool_allocate_many(pool, blocks, count) == count);
  shuffle(blocks, count);
  for (size_t i = 0; i < count; ++i) {
    memset(blocks[i], (int)(i & 255), size);
    memcpy(blocks[i], &i, sizeof i);
  }
  for (int round = 0; round < 2; ++round) { /* a second trim finds the same */
    if (round == 0) CHECK(pool_deallocate_many(pool, blocks + count / 2, count - count / 2) == 0);
    CHECK(pool_trim(pool, NULL) == POOL_OK && pool_validate(pool) == POOL_OK);
    CHECK(pool_in_use(pool) == count / 2);
  }
  /* Double frees are found as before, also on pages that went. */
  pool_set_log_callback(NULL, NULL, 0);
  for (size_t i = count / 2; i < count; i += 97) {
    CHECK(pool_deallocate(pool, blocks[i]) == POOL_ERR_DOUBLE_FREE);
  }
  pool_set_log_callback(NULL, NULL, POOL_LOG_WARN);
  const size_t again = pool_allocate_many(pool, blocks + count / 2, count);
  CHECK(again == count - count / 2);
  for (size_t i = 0; i < count / 2; ++i) {
    size_t stamp = 0;
    memcpy(&stamp, blocks[i], sizeof stamp);
    CHECK(stamp == i);
    for (size_t byte = sizeof i; byte < size; ++byte) {
      if (((unsigned char *)blocks[i])[byte] != (i & 255)) CHECK(!"a live block was changed");
    }
  }
  CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* With every second page of blocks live, the others go, and only they. */
static void pages_between_live_ones_go(void **blocks) {
  enum { PAGES = 1000, ON_A_PAGE = 64 };
  pool_t *pool = pool_of(64, PAGES * ON_A_PAGE, POOL_CHECKS_STANDARD);
  size_t bytes = 0;
  CHECK(pool_allocate_many(pool, blocks, PAGES * ON_A_PAGE) == PAGES * ON_A_PAGE);
  for (size_t i = 0; i < PAGES * ON_A_PAGE; ++i) memset(blocks[i], 1, 64);
  for (size_t i = 0; i < PAGES * ON_A_PAGE; ++i) {
    if ((uintptr_t)blocks[i] / 4096 % 2 == 0) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
  CHECK(pool_trim(pool, &bytes) == POOL_OK);
  CHECK(bytes >= (PAGES / 2 - 2) * 4096 && bytes <= (PAGES / 2 + 2) * 4096);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && bytes == 0);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* A trim that finds nothing takes no memory either: trimmed pages are not touched again. */
static void a_second_trim_touches_no_trimmed_page(void **blocks, uint32_t checks) {
  pool_t *pool = pool_of(64, COUNT, checks);
  struct rusage before, after;
  size_t bytes = 0;
  CHECK(pool_allocate_many(pool, blocks, COUNT) == COUNT);
  for (size_t i = 0; i < COUNT; ++i) memset(blocks[i], 1, 64);
  CHECK(pool_deallocate_many(pool, blocks, COUNT - 1) == POOL_OK); /* all but the last block */
  CHECK(pool_trim(pool, &bytes) == POOL_OK && bytes >= (size_t)(COUNT - 128) * 64);
  CHECK(getrusage(RUSAGE_SELF, &before) == 0);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && bytes == 0);
  CHECK(getrusage(RUSAGE_SELF, &after) == 0);
  CHECK(after.ru_minflt - before.ru_minflt < 5000); /* of 15 624 pages */
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  void **blocks = malloc((size_t)2 * COUNT * sizeof *blocks);
  if (blocks == NULL) return 1;
  memset(blocks, 1, (size_t)2 * COUNT * sizeof *blocks);
  all_freed_in_random_order_all_goes_back(blocks, POOL_CHECKS_STANDARD);
  all_freed_in_random_order_all_goes_back(blocks, POOL_CHECKS_NONE);
  half_freed_the_rest_is_intact(blocks, 64, COUNT);
  half_freed_the_rest_is_intact(blocks, 100, 100000);
  half_freed_the_rest_is_intact(blocks, 4096, 2000);
  half_freed_the_rest_is_intact(blocks, 5001, 2000);
  half_freed_the_rest_is_intact(blocks, 20000, 500);
  half_freed_the_rest_is_intact(blocks, 9, 50000);
  pages_between_live_ones_go(blocks);
  a_second_trim_touches_no_trimmed_page(blocks, POOL_CHECKS_STANDARD);
  a_second_trim_touches_no_trimmed_page(blocks, POOL_CHECKS_NONE);
  free(blocks);
  return CHECK_RESULT();
}

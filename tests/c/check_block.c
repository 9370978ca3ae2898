/* pool_check_block: what pool_deallocate would answer, with its report, and nothing happens. */

#include <stdlib.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 8, BLOCK_SIZE = 40 };

static int reports;

static void count(void *user_data, const pool_report_t *report) {
  (void)user_data, (void)report;
  ++reports;
}

/* Twice, because the first answer must change nothing. */
static void answers(pool_t *pool, void *block, pool_status_t status) {
  const size_t in_use = pool_in_use(pool);
  for (int i = 0; i < 2; ++i) {
    reports = 0;
    CHECK(pool_check_block(pool, block) == status);
    CHECK(reports == (status != POOL_OK));
    CHECK(pool_in_use(pool) == in_use && pool_validate(pool) == POOL_OK);
  }
}

static pool_t *pool_of(uint32_t threading, uint32_t checks, uint32_t on_exhausted) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = CAPACITY;
  options.threading = threading;
  options.checks = checks;
  options.on_exhausted = on_exhausted;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  CHECK(pool_set_report_callback(pool, count, NULL) == POOL_OK);
  return pool;
}

static void finds_what_deallocate_finds(uint32_t threading) {
  pool_t *pool = pool_of(threading, POOL_CHECKS_STANDARD, POOL_EXHAUSTED_NULL);
  char *block = pool_allocate(pool);
  int local = 0;
  answers(pool, NULL, POOL_OK);
  answers(pool, block, POOL_OK);
  answers(pool, block + 1, POOL_ERR_INTERIOR_POINTER);
  answers(pool, block + (CAPACITY - 1) * pool_stride(pool), POOL_ERR_DOUBLE_FREE);
  answers(pool, block + CAPACITY * pool_stride(pool), POOL_ERR_FOREIGN_POINTER);
  answers(pool, &local, POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate(pool, block) == POOL_OK);
  answers(pool, block, POOL_ERR_DOUBLE_FREE);
  CHECK(pool_check_block(NULL, block) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(pool_check_block(pool, block) == POOL_ERR_STALE_HANDLE);
}

static void knows_the_blocks_of_the_heap(uint32_t threading) {
  pool_t *pool = pool_of(threading, POOL_CHECKS_STANDARD, POOL_EXHAUSTED_HEAP);
  char *block = NULL;
  for (int i = 0; i < CAPACITY + 1; ++i) block = pool_allocate(pool);
  answers(pool, block, POOL_OK);
  answers(pool, block + 1, POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, block) == POOL_OK);
  answers(pool, block, POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Without checks the caller is believed, as he is when he gives a block back. */
static void believes_where_nothing_is_checked(uint32_t threading) {
  pool_t *pool = pool_of(threading, POOL_CHECKS_NONE, POOL_EXHAUSTED_NULL);
  void *block = pool_allocate(pool);
  answers(pool, NULL, POOL_OK);
  answers(pool, block, POOL_OK);
  CHECK(pool_deallocate(pool, block) == POOL_OK);
  answers(pool, block, POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

int main(void) {
  const uint32_t all[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  pool_set_log_callback(NULL, NULL, 0);
  for (int i = 0; i < 3; ++i) {
    finds_what_deallocate_finds(all[i]);
    believes_where_nothing_is_checked(all[i]);
    if (all[i] != POOL_THREADS_LOCK_FREE) knows_the_blocks_of_the_heap(all[i]);
  }
  return CHECK_RESULT();
}

/* Many blocks in one call. */

#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 10 };

static void ignore(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
}

static int lines_with_entry_2;
static void count_entry_2(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  if (level == POOL_LOG_ERROR && strstr(message, "entry 2:") != NULL) ++lines_with_entry_2;
}

int main(void) {
  void *blocks[CAPACITY + 1] = {0};
  int local = 0;
  pool_t *pool = pool_create(32, CAPACITY);

  /* Fewer than asked for when there are no more, and the rest is not written. */
  CHECK(pool_allocate_many(pool, blocks, 4) == 4);
  CHECK(blocks[3] != NULL && blocks[4] == NULL);
  CHECK(pool_allocate_many(pool, blocks + 4, CAPACITY) == CAPACITY - 4);
  CHECK(blocks[CAPACITY] == NULL);
  CHECK(pool_allocate_many(pool, blocks + CAPACITY, 1) == 0);
  CHECK(pool_allocate_many(pool, blocks, 0) == 0);

  /* A bad entry is reported with its place, and the others go back. */
  pool_set_log_callback(count_entry_2, NULL, POOL_LOG_ERROR);
  void *batch[5] = {blocks[0], NULL, &local, blocks[1], blocks[0]};
  CHECK(pool_deallocate_many(pool, batch, 5) == POOL_ERR_FOREIGN_POINTER);
  CHECK(lines_with_entry_2 == 1);
  CHECK(pool_in_use(pool) == CAPACITY - 2);

  pool_set_log_callback(ignore, NULL, POOL_LOG_TRACE);
  CHECK(pool_deallocate_many(pool, blocks + 2, CAPACITY - 2) == POOL_OK);
  CHECK(pool_deallocate_many(pool, blocks, 1) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_deallocate_many(pool, NULL, 1) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_deallocate_many(pool, NULL, 0) == POOL_OK);
  CHECK(pool_allocate_many(pool, NULL, 1) == 0);
  CHECK(pool_deallocate_many(NULL, blocks, 1) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_allocate_many(NULL, blocks, 1) == 0);
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
  return CHECK_RESULT();
}

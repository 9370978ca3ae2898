/* Bad pointers: each has its status, and nothing is lost or changed by it. */

#include <stdlib.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 8, BLOCK_SIZE = 64 };

static int errors_logged;

static void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) ++errors_logged;
}

static void refuses(pool_t *pool, void *pointer, pool_status_t expected) {
  const size_t in_use = pool_in_use(pool);
  errors_logged = 0;
  CHECK(pool_deallocate(pool, pointer) == expected);
  CHECK(errors_logged == 1);
  CHECK(pool_in_use(pool) == in_use);
  CHECK(pool_validate(pool) == POOL_OK);
}

/* All blocks can be had and given back, twice over. */
static void works_as_before(pool_t *pool) {
  void *blocks[CAPACITY];
  const size_t available = pool_available(pool);
  for (int round = 0; round < 2; ++round) {
    CHECK(pool_allocate_many(pool, blocks, CAPACITY) == available);
    CHECK(pool_allocate(pool) == NULL);
    CHECK(pool_deallocate_many(pool, blocks, available) == POOL_OK);
  }
}

int main(void) {
  static int in_static_memory;
  int on_the_stack = 0;
  void *on_the_heap = malloc(BLOCK_SIZE);
  pool_t *pool = pool_create(BLOCK_SIZE, CAPACITY);
  pool_t *other = pool_create(BLOCK_SIZE, CAPACITY);
  char *first = pool_allocate(pool);
  char *second = pool_allocate(pool);
  void *of_the_other = pool_allocate(other);

  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  CHECK(pool_deallocate(pool, NULL) == POOL_OK);
  refuses(pool, &on_the_stack, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, &in_static_memory, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, on_the_heap, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, of_the_other, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, first - BLOCK_SIZE, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, first - 1, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, first + (size_t)CAPACITY * BLOCK_SIZE, POOL_ERR_FOREIGN_POINTER);
  refuses(pool, pool, POOL_ERR_FOREIGN_POINTER);
  for (int into = 1; into < BLOCK_SIZE; ++into) {
    refuses(pool, first + into, POOL_ERR_INTERIOR_POINTER);
    refuses(pool, first + (CAPACITY - 1) * BLOCK_SIZE + into, POOL_ERR_INTERIOR_POINTER);
  }
  refuses(pool, first + 2 * BLOCK_SIZE, POOL_ERR_DOUBLE_FREE); /* never handed out */
  refuses(pool, first + (CAPACITY - 1) * BLOCK_SIZE, POOL_ERR_DOUBLE_FREE);
  works_as_before(pool);

  CHECK(pool_deallocate(pool, first) == POOL_OK);
  refuses(pool, first, POOL_ERR_DOUBLE_FREE);
  CHECK(pool_deallocate(pool, second) == POOL_OK);
  refuses(pool, first, POOL_ERR_DOUBLE_FREE); /* after another free */
  refuses(pool, second, POOL_ERR_DOUBLE_FREE);
  works_as_before(pool);

  CHECK(pool_in_use(other) == 1 && pool_deallocate(other, of_the_other) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK && pool_destroy(other) == POOL_OK);
  free(on_the_heap);
  return CHECK_RESULT();
}

/* The log callback calls the library, up to destroying the pool whose report it hears. */

#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

static pool_t *pool;
static int depth;

static void look(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
  CHECK(pool_in_use(pool) <= 8 && pool_capacity(pool) == 8);
  if (pool_available(pool) > 0) {
    void *block = pool_allocate(pool);
    CHECK(block != NULL && pool_deallocate(pool, block) == POOL_OK);
  }
}

static void destroy_once(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
  if (depth++ == 0) pool_destroy(pool);
}

static uint32_t threading;

static void listens(void (*callback)(void *, int32_t, const char *)) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 64;
  options.capacity = 8;
  options.threading = threading;
  pool_set_log_callback(NULL, NULL, 0);
  depth = 0;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  pool_set_log_callback(callback, NULL, POOL_LOG_DEBUG);
}

static void callbacks_call_the_pool(void) {
  void *blocks[8];
  int local = 0;

  listens(look);
  CHECK(pool_allocate_many(pool, blocks, 8) == 8 && pool_allocate(pool) == NULL);
  CHECK(pool_deallocate(pool, &local) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate_many(pool, blocks, 8) == POOL_OK && pool_validate(pool) == POOL_OK);
  pool_set_log_callback(NULL, NULL, 0);
  CHECK(pool_destroy(pool) == POOL_OK);

  listens(destroy_once);
  CHECK(pool_deallocate(pool, &local) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);

  listens(destroy_once);
  blocks[1] = pool_allocate(pool);
  blocks[0] = &local;
  blocks[2] = pool_allocate(pool);
  CHECK(pool_deallocate_many(pool, blocks, 3) == POOL_ERR_FOREIGN_POINTER); /* the first */

  listens(destroy_once);
  CHECK(pool_allocate_many(pool, blocks, 8) == 8);
  CHECK(pool_allocate(pool) == NULL); /* exhausted: the report destroys it */
  CHECK(pool_allocate_many(pool, blocks, 8) == 0);

  /* The report of a leak destroys it first. */
  listens(destroy_once);
  CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

/* A write into a free block: the report of the damage destroys the pool. Only a pool of one owner
   has links in its blocks. */
static void the_report_of_damage_destroys_the_pool(void) {
  void *blocks[4];
  listens(destroy_once);
  blocks[0] = pool_allocate(pool);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK);
  memset(blocks[0], 0x41, 64);
  CHECK(pool_allocate(pool) == blocks[0]);
  CHECK(pool_allocate_many(pool, blocks, 4) == 0);
}

int main(void) {
  const uint32_t all[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  for (int i = 0; i < 3; ++i) {
    threading = all[i];
    callbacks_call_the_pool();
  }
  threading = POOL_THREADS_SINGLE;
  the_report_of_damage_destroys_the_pool();
  return CHECK_RESULT();
}

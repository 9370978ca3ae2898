/* Passes each of the static probes once: a pool grows, is exhausted, fetches blocks back from the
   cache of a thread that ended, and finds a misuse. */

#include <memory_pool/pool.h>
#include <pthread.h>
#include <stddef.h>

enum { FIRST = 4, CAPACITY = 300 };

static void *take_and_give(void *pool) {
  void *blocks[CAPACITY];
  size_t count = 0;
  while (count < CAPACITY && (blocks[count] = pool_allocate(pool)) != NULL) ++count;
  for (size_t i = 0; i < count; ++i) pool_deallocate(pool, blocks[i]);
  return NULL;
}

int main(void) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  pthread_t thread;
  options.block_size = 24;
  options.capacity = FIRST;
  options.max_capacity = CAPACITY;
  if (pool_create_with(&options, &pool) != POOL_OK) return 1;
  /* So that the other thread has another cache. */
  if (pool_deallocate(pool, pool_allocate(pool)) != POOL_OK) return 1;
  if (pthread_create(&thread, NULL, take_and_give, pool) != 0) return 1;
  pthread_join(thread, NULL);
  for (int i = 0; i < CAPACITY; ++i) {
    if (pool_allocate(pool) == NULL) return 1;
  }
  if (pool_allocate(pool) != NULL) return 1;
  return pool_deallocate(pool, &pool) == POOL_ERR_FOREIGN_POINTER ? 0 : 1;
}

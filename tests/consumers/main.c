/* A user's program in C: whatever way it found memory_pool, header and library must agree. */

#include <memory_pool/pool.h>
#include <stdio.h>

int main(void) {
  pool_t *pool = pool_create(64, 4);
  void *block = pool_allocate(pool);
  if (block == NULL || pool_in_use(pool) != 1) return 1;
  if (pool_deallocate(pool, block) != POOL_OK) return 1;
  if (pool_destroy(pool) != POOL_OK || pool_version() != POOL_VERSION_NUMBER) return 1;
  puts("C works with memory_pool " POOL_VERSION_STRING);
  return 0;
}

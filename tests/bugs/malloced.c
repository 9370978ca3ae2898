/* A buffer of malloc's is given to a pool. */

#include <stdlib.h>

#include "memory_pool/pool.h"

int main(void) {
  pool_t *buffers = pool_create(64, 100);
  char *buffer = malloc(64);
  pool_deallocate(buffers, buffer); /* FOUND */
  free(buffer);
  return pool_destroy(buffers);
}

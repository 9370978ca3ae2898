/* A counter that is used before anybody gave it a value. */

#include <stdio.h>

#include "memory_pool/pool.h"

int main(void) {
  pool_t *counters = pool_create(sizeof(unsigned), 100);
  unsigned *counter = pool_allocate(counters);
  if (counter == NULL) return 1;
  printf("%08x\n", *counter);
  pool_deallocate(counters, counter);
  return pool_destroy(counters);
}

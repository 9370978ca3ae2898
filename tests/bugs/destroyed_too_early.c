/* A server ends its pool while a connection still uses it, and a packet of it. */

#include <string.h>

#include "memory_pool/pool.h"

int main(void) {
  pool_t *packets = pool_create(64, 1000);
  char *packet = pool_allocate(packets);
  if (packet == NULL) return 1;
  pool_deallocate(packets, packet);
  pool_destroy(packets);
  if (pool_allocate(packets) != NULL) return 1; /* an error, and no crash */
  *(volatile char *)packet = 1;                 /* memory that is not there any more */
  return 0;
}

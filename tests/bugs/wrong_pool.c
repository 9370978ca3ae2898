/* Two pools of equal blocks, and a request that goes to the pool of the replies. */

#include "memory_pool/pool.h"

int main(void) {
  pool_t *requests = pool_create(64, 100);
  pool_t *replies = pool_create(64, 100);
  void *request = pool_allocate(requests);
  pool_deallocate(replies, request); /* FOUND */
  pool_deallocate(requests, request);
  pool_destroy(replies);
  return pool_destroy(requests);
}

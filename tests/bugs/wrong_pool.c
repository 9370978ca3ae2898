/* Two pools of equal blocks, and a request that goes to the pool of the replies. The function that
   does so has a name that begins as the library's do. */

#include "memory_pool/pool.h"

static void pool_deallocate_reply(pool_t *replies, void *reply) {
  pool_deallocate(replies, reply); /* FOUND */
}

int main(void) {
  pool_t *requests = pool_create(64, 100);
  pool_t *replies = pool_create(64, 100);
  void *request = pool_allocate(requests);
  pool_deallocate_reply(replies, request);
  pool_deallocate(requests, request);
  pool_destroy(replies);
  return pool_destroy(requests);
}

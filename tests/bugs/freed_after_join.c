/* A worker gives its message back, and who waited for the worker does so again. */

#include <pthread.h>

#include "memory_pool/pool.h"

static pool_t *messages;

static void *worker(void *message) {
  pool_deallocate(messages, message); /* GIVEN */
  return NULL;
}

int main(void) {
  pthread_t thread;
  messages = pool_create(64, 100);
  void *message = pool_allocate(messages); /* TAKEN */
  if (pthread_create(&thread, NULL, worker, message) != 0) return 1;
  pthread_join(thread, NULL);
  pool_deallocate(messages, message); /* FOUND */
  return pool_destroy(messages);
}

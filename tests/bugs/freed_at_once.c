/* Two threads give the same message back, at the same time. */

#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "memory_pool/pool.h"

static pool_t *messages;
static pthread_barrier_t ready;

static void *worker(void *message) {
  pthread_barrier_wait(&ready);
  pool_deallocate(messages, message); /* FOUND */
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  messages = pool_create(64, 100);
  void *message = pool_allocate(messages); /* TAKEN */
  if (pthread_barrier_init(&ready, NULL, 2) != 0) return 1;
  for (int i = 0; i < 2; ++i) {
    if (pthread_create(&threads[i], NULL, worker, message) != 0) return 1;
  }
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  return 0;
}

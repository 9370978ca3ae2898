/* Handles while arenas come into being: bad ones are refused, whatever other threads do and
   whatever the system refuses; and pools beyond the first arena work as any. */

#define _DEFAULT_SOURCE /* fork, setrlimit */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "memory_pool/pool.h"

static atomic_bool stop;

static void *use_bad_handles(void *unused) {
  uintptr_t garbage = 0x7f0000001234;
  while (!atomic_load(&stop)) {
    if (pool_allocate(NULL) != NULL || pool_in_use(NULL) != 0) abort();
    for (int i = 0; i < 64; ++i) {
      if (pool_allocate((pool_t *)(garbage + (uintptr_t)i * 2048)) != NULL) abort();
    }
    garbage = garbage * 6364136223846793005u + 1;
  }
  return unused;
}

static pid_t in_a_child(int (*program)(void)) {
  pid_t child = fork();
  if (child == 0) _exit(program());
  return child;
}

static void ends_well(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int first_pool_beside_bad_handles(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, use_bad_handles, NULL) != 0) return 1;
  pool_t *pool = pool_create(16, 4);
  void *block = pool_allocate(pool);
  atomic_store(&stop, true);
  pthread_join(thread, NULL);
  return block == NULL || pool_deallocate(pool, block) != POOL_OK || pool_destroy(pool) != POOL_OK;
}

static int no_memory_for_the_arena(void) {
  int refused = 0;
  /* Step by step from a limit that is too low; 0 would mean none to the kernel. */
  for (rlim_t bytes = 4096; bytes <= 1 << 30; bytes += bytes < 1 << 22 ? 4096 : 1 << 22) {
    struct rlimit limit = {bytes, RLIM_INFINITY};
    pool_t *pool;
    if (setrlimit(RLIMIT_DATA, &limit) != 0) return 1;
    pool = pool_create(16, 4);
    refused += pool == NULL;
    if (pool_allocate(NULL) != NULL) return 2;
    if (pool_destroy((pool_t *)0x1000) != POOL_ERR_STALE_HANDLE) return 2;
    if (pool != NULL) return refused == 0;
  }
  return 3;
}

static void many_pools_beside_bad_handles(void) {
  enum { COUNT = 8300 }; /* the first arena holds 8191 */
  static pool_t *pools[COUNT];
  static void *blocks[COUNT];
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, use_bad_handles, NULL) == 0);
  for (int i = 0; i < COUNT; ++i) {
    pools[i] = pool_create(16, 2);
    blocks[i] = pool_allocate(pools[i]);
    CHECK(pools[i] != NULL && blocks[i] != NULL);
  }
  atomic_store(&stop, true);
  CHECK(pthread_join(thread, NULL) == 0);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(pool_deallocate(pools[i], blocks[(i + 1) % COUNT]) == POOL_ERR_FOREIGN_POINTER);
    CHECK(pool_deallocate(pools[i], blocks[i]) == POOL_OK && pool_in_use(pools[i]) == 0);
    CHECK(pool_allocate(pools[i]) == blocks[i] && pool_reset(pools[i]) == POOL_OK);
  }
  for (int i = 0; i < COUNT; ++i) {
    CHECK(pool_destroy(pools[i]) == POOL_OK);
    CHECK(pool_destroy(pools[i]) == POOL_ERR_STALE_HANDLE);
  }
}

/* Through all generations of more slots than an OS page holds. */
static void no_handle_is_issued_twice(void) {
  enum { ROUNDS = 6000 };
  static pool_t *seen[ROUNDS];
  for (int round = 0; round < ROUNDS; ++round) {
    seen[round] = pool_create(16, 4);
    CHECK(seen[round] != NULL && pool_destroy(seen[round]) == POOL_OK);
  }
  pool_t *living = pool_create(16, 4);
  for (int round = 0; round < ROUNDS; ++round) {
    CHECK(seen[round] != living && pool_destroy(seen[round]) == POOL_ERR_STALE_HANDLE);
  }
  CHECK(pool_allocate(living) != NULL);
  CHECK(pool_reset(living) == POOL_OK && pool_destroy(living) == POOL_OK);
}

int main(void) {
  pool_set_log_callback(NULL, NULL, 0);
  /* Before this process has a pool of its own: each child is one without. */
  for (int round = 0; round < 100; ++round) ends_well(in_a_child(first_pool_beside_bad_handles));
  ends_well(in_a_child(no_memory_for_the_arena));
  many_pools_beside_bad_handles();
  no_handle_is_issued_twice();
  return CHECK_RESULT();
}

/* POOL_PREFAULT and POOL_LOCK_MEMORY: all memory is there at once, also after growth. */

#define _DEFAULT_SOURCE /* setuid */

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 1000, MAX = 5000, BLOCK_SIZE = 64 };

static char last_message[600];

static void keep(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level;
  strncpy(last_message, message, sizeof last_message - 1);
}

static pool_status_t create(uint32_t flags, pool_t **out_pool) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = BLOCK_SIZE;
  options.capacity = CAPACITY;
  options.max_capacity = MAX;
  options.threading = POOL_THREADS_SINGLE;
  options.flags = flags;
  return pool_create_with(&options, out_pool);
}

static size_t resident(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats.resident_bytes;
}

static void memory_is_there_at_once(uint32_t flags) {
  pool_t *pool = NULL;
  CHECK(create(flags, &pool) == POOL_OK);
  CHECK(resident(pool) >= CAPACITY * BLOCK_SIZE);
  char *block = pool_allocate(pool);
  for (int i = 0; i < BLOCK_SIZE; ++i) CHECK(block[i] == 0);
  CHECK(pool_grow(pool, MAX - CAPACITY) == POOL_OK);
  CHECK(resident(pool) >= MAX * BLOCK_SIZE);
  memset(block, 7, BLOCK_SIZE);
  for (int i = 1; i < MAX; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_allocate(pool) == NULL && block[0] == 7);

  /* Locked memory stays where it is; the pool is as sound after a trim as before. */
  CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
  if (flags & POOL_LOCK_MEMORY) CHECK(resident(pool) >= MAX * BLOCK_SIZE);
  CHECK(pool_validate(pool) == POOL_OK);
  for (int i = 0; i < MAX; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_validate(pool) == POOL_OK && pool_reset(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void what_cannot_be_locked_is_refused(void) {
  struct rlimit nothing = {0, 0};
  pool_t *pool = NULL;
  /* The superuser may lock as it likes: be somebody else. */
  if (getuid() == 0) CHECK(setuid(65534) == 0);
  CHECK(setrlimit(RLIMIT_MEMLOCK, &nothing) == 0);
  CHECK(create(POOL_LOCK_MEMORY, &pool) == POOL_ERR_OUT_OF_MEMORY && pool == NULL);
  CHECK(strstr(last_message, "RLIMIT_MEMLOCK") != NULL);
  CHECK(create(POOL_PREFAULT, &pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  struct rlimit limit = {0, 0};
  pool_set_log_callback(keep, NULL, POOL_LOG_ERROR);
  memory_is_there_at_once(POOL_PREFAULT);
  CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  if (limit.rlim_cur >= 1 << 20 || getuid() == 0) {
    memory_is_there_at_once(POOL_LOCK_MEMORY);
    memory_is_there_at_once(POOL_LOCK_MEMORY | POOL_PREFAULT);
  } else {
    fputs("SKIPPED locking: RLIMIT_MEMLOCK is below 1 MiB; raise it (ulimit -l)\n", stderr);
  }
  what_cannot_be_locked_is_refused();
  return CHECK_RESULT();
}

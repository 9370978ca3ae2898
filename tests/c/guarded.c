/* MEMORY_POOL_CHECKS=guard and guard:1/N: guarded blocks are where no others are, and the pool is
   the same for its program: capacity, figures, walks, errors. */

#define _POSIX_C_SOURCE 200809L /* setenv, fork */

#include <errno.h>
#include <memory_pool/pool.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { SIZE = 64, FIRST = 10, CAPACITY = 700, ROUNDS = 300 };

static const char *const LEVELS[] = {"guard", "full,guard", "guard:1/2", "canary,guard:1/2"};
static int is_each; /* whether each block is guarded */
static int to_nowhere[2];

static pool_t *created(uint32_t threading, size_t size, size_t alignment) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = size;
  options.capacity = FIRST;
  options.max_capacity = CAPACITY;
  options.alignment = alignment;
  options.threading = threading;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

/* The system reads no byte behind a guarded block. */
static int is_guarded(const char *block) {
  char byte;
  if (((uintptr_t)block + SIZE) % (uintptr_t)sysconf(_SC_PAGESIZE) != 0) return 0;
  if (write(to_nowhere[1], block + SIZE, 1) == -1) return errno == EFAULT;
  CHECK(read(to_nowhere[0], &byte, 1) == 1);
  return 0;
}

typedef struct {
  void **blocks;
  size_t count;
} live_t;

static bool is_one_of(void *user_data, void *block) {
  live_t *live = user_data;
  CHECK(live->count < CAPACITY && live->blocks[live->count] == block);
  ++live->count;
  return true;
}

static int by_address(const void *left, const void *right) {
  const char *const *a = left, *const *b = right;
  return (*a > *b) - (*a < *b);
}

static void capacity_is_exact(uint32_t threading) {
  pool_t *pool = created(threading, SIZE, 0);
  void *blocks[CAPACITY + 1], *sorted[CAPACITY];
  for (int turn = 0; turn < 3; ++turn) {
    CHECK(pool_allocate_many(pool, blocks, CAPACITY + 1) == CAPACITY);
    CHECK(pool_allocate(pool) == NULL && pool_in_use(pool) == CAPACITY);
    for (int i = 0; i < CAPACITY; ++i) {
      memset(blocks[i], i, SIZE);
      CHECK((uintptr_t)blocks[i] % SIZE == 0 && pool_owns(pool, blocks[i]));
      CHECK(!pool_owns(pool, (char *)blocks[i] + 1));
      CHECK(pool_check_block(pool, blocks[i]) == POOL_OK);
      if (is_each) CHECK(is_guarded(blocks[i]));
    }
    memcpy(sorted, blocks, sizeof sorted);
    qsort(sorted, CAPACITY, sizeof *sorted, by_address);
    for (int i = 1; i < CAPACITY; ++i) CHECK((char *)sorted[i] - (char *)sorted[i - 1] >= SIZE);
    CHECK(pool_validate(pool) == POOL_OK);
    if (turn == 1) CHECK(pool_reset(pool) == POOL_OK);
    if (turn != 1) CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK);
    CHECK(pool_in_use(pool) == 0 && pool_available(pool) == CAPACITY);
    CHECK(pool_validate(pool) == POOL_OK);
  }
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void a_walk_meets_the_blocks_of_the_user(uint32_t threading) {
  pool_t *pool = created(threading, SIZE, 0);
  void *blocks[CAPACITY];
  live_t live = {blocks, 0};
  /* Where each is guarded, fresh blocks come in the order of their numbers. */
  for (int i = 0; i < FIRST; ++i) blocks[i] = pool_allocate(pool);
  CHECK(pool_for_each_live(pool, is_one_of, &live) == POOL_OK && live.count == FIRST);
  CHECK(pool_deallocate_many(pool, blocks, FIRST) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void errors_are_found(uint32_t threading) {
  pool_t *pool = created(threading, SIZE, 0);
  char *block = pool_allocate(pool), *other = pool_allocate(pool);
  CHECK(pool_deallocate(pool, block + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, &pool) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_in_use(pool) == 2 && pool_deallocate(pool, NULL) == POOL_OK);
  CHECK(pool_deallocate(pool, block) == POOL_OK && pool_in_use(pool) == 1);
  CHECK(pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_check_block(pool, block) == POOL_ERR_DOUBLE_FREE && pool_owns(pool, block));
  CHECK(pool_deallocate(pool, other) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void zeroed_blocks_are_zero(uint32_t threading) {
  pool_t *pool = created(threading, SIZE, 0);
  for (int round = 0; round < ROUNDS; ++round) {
    char *block = pool_allocate_zeroed(pool), sum = 0;
    for (int i = 0; i < SIZE; ++i) sum |= block[i];
    CHECK(sum == 0);
    memset(block, 0xA5, SIZE);
    CHECK(pool_deallocate(pool, block) == POOL_OK);
  }
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* What alignment leaves behind a block, and the bytes before it. */
static void bytes_around_a_block_are_looked_at(uint32_t threading) {
  pool_t *pool = created(threading, 20, 16);
  char *blocks[2];
  for (int i = 0; i < 2; ++i) blocks[i] = pool_allocate(pool);
  blocks[0][20] = 1;
  blocks[1][-1] = 1;
  CHECK(pool_validate(pool) == POOL_ERR_CORRUPTED);
  for (int i = 0; i < 2; ++i) CHECK(pool_deallocate(pool, blocks[i]) == POOL_ERR_CORRUPTED);
  CHECK(pool_validate(pool) == POOL_OK && pool_in_use(pool) == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void large_alignments_are_kept(uint32_t threading) {
  pool_t *pool = created(threading, 100, 1 << 16);
  for (int i = 0; i < 20; ++i) {
    char *block = pool_allocate(pool);
    CHECK((uintptr_t)block % (1 << 16) == 0);
    memset(block, i, 100);
    if (i % 2 == 0) CHECK(pool_deallocate(pool, block) == POOL_OK);
  }
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Answers NULL if all is well. */
static void *replaces(void *argument) {
  pool_t *pool = argument;
  unsigned char *blocks[8] = {0};
  bool is_sound = true;
  for (int i = 0; i < 40 * ROUNDS; ++i) {
    unsigned char **place = &blocks[i % 8], mark = (unsigned char)(i % 251);
    if (*place != NULL) is_sound &= (*place)[0] == (*place)[SIZE - 1];
    is_sound &= pool_deallocate(pool, *place) == POOL_OK;
    *place = pool_allocate(pool);
    memset(*place, mark, SIZE);
  }
  for (int i = 0; i < 8; ++i) is_sound &= pool_deallocate(pool, blocks[i]) == POOL_OK;
  return is_sound ? NULL : pool;
}

static void threads_share_a_pool(void) {
  pool_t *pool = created(POOL_THREADS_SAFE, SIZE, 0);
  pthread_t other;
  void *answer = pool;
  CHECK(pthread_create(&other, NULL, replaces, pool) == 0);
  CHECK(replaces(pool) == NULL);
  CHECK(pthread_join(other, &answer) == 0 && answer == NULL && pool_in_use(pool) == 0);
  CHECK(pool_validate(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void a_child_has_blocks_of_its_own(uint32_t threading) {
  pool_t *pool = created(threading, SIZE, 0);
  char *block = pool_allocate(pool);
  strcpy(block, "parent");
  const pid_t child = fork();
  if (child == 0) {
    int is_sound = strcmp(block, "parent") == 0;
    strcpy(block, "child");
    is_sound &= pool_deallocate(pool, block) == POOL_OK;
    is_sound &= pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE;
    is_sound &= replaces(pool) == NULL;
    is_sound &= pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK;
    _exit(is_sound ? 0 : 1);
  }
  int status = 1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  CHECK(strcmp(block, "parent") == 0 && pool_deallocate(pool, block) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void who_waits_and_caches_take_part(void) {
  pool_t *pool = created(POOL_THREADS_SAFE, SIZE, 0);
  pool_cache_t *cache = pool_cache_create(pool);
  void *blocks[CAPACITY], *block = pool_cache_allocate(cache);
  CHECK(block != NULL && pool_cache_deallocate(cache, block) == POOL_OK);
  CHECK(pool_allocate_many(pool, blocks, CAPACITY) == CAPACITY);
  CHECK(pool_allocate_wait(pool, 1000, &block) == POOL_ERR_TIMED_OUT);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK);
  CHECK(pool_allocate_wait(pool, 1000, &blocks[0]) == POOL_OK && blocks[0] != NULL);
  if (is_each) CHECK(is_guarded(blocks[0]));
  CHECK(pool_deallocate_many(pool, blocks, CAPACITY) == POOL_OK);
  CHECK(pool_cache_destroy(cache) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Bursts of more blocks than a magazine holds; with one owner of blocks that are fresh. */
static void a_program_that_goes_on_meets_a_guarded_block(uint32_t threading) {
  int found = 0;
  for (int burst = 0; burst < 100000 && !found; ++burst) {
    pool_t *pool = created(threading, SIZE, 0);
    void *blocks[CAPACITY];
    for (int i = 0; i < CAPACITY; ++i) blocks[i] = pool_allocate(pool);
    for (int i = 0; i < CAPACITY && !found; ++i) found = is_guarded(blocks[i]);
    for (int i = 0; i < CAPACITY; ++i) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
    CHECK(pool_destroy(pool) == POOL_OK);
  }
  CHECK(found);
}

/* No batch is exchanged, and no block is fresh. */
static void a_block_that_goes_out_and_comes_back_is_guarded_at_times(int by_cache) {
  pool_t *pool = created(POOL_THREADS_SAFE, SIZE, 0);
  pool_cache_t *cache = pool_cache_create(pool);
  int found = 0;
  for (int turn = 0; turn < 100000000 && found < 2; ++turn) {
    void *block = by_cache ? pool_cache_allocate(cache) : pool_allocate(pool);
    CHECK(block != NULL);
    found += is_guarded(block);
    CHECK((by_cache ? pool_cache_deallocate(cache, block) : pool_deallocate(pool, block)) == 0);
  }
  CHECK(found == 2);
  CHECK(pool_cache_destroy(cache) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  setenv("MEMORY_POOL_LOG", "off", 1);
  CHECK(pipe(to_nowhere) == 0);
  for (size_t level = 0; level < sizeof LEVELS / sizeof *LEVELS; ++level) {
    setenv("MEMORY_POOL_CHECKS", LEVELS[level], 1);
    is_each = level < 2;
    for (uint32_t threading = 0; threading <= POOL_THREADS_SINGLE; ++threading) {
      capacity_is_exact(threading);
      errors_are_found(threading);
      zeroed_blocks_are_zero(threading);
      large_alignments_are_kept(threading);
      a_child_has_blocks_of_its_own(threading);
      a_program_that_goes_on_meets_a_guarded_block(threading);
      if (is_each) a_walk_meets_the_blocks_of_the_user(threading);
      if (is_each) bytes_around_a_block_are_looked_at(threading);
    }
    threads_share_a_pool();
    who_waits_and_caches_take_part();
    a_block_that_goes_out_and_comes_back_is_guarded_at_times(0);
    a_block_that_goes_out_and_comes_back_is_guarded_at_times(1);
  }
  return CHECK_RESULT();
}

/* Threads that create and destroy pools at once, with memory of the system and in buffers: each
   pool is its creator's alone, no handle comes twice, and a destroyed one is found by everybody. */

#define _DEFAULT_SOURCE /* pthread_barrier_t */

#include "threads.h"

enum { THREADS = 4, POOLS = 10000 / THREADS_FEWER, OPEN = 8, BLOCKS = 10 };

static struct {
  uint32_t threading;
  _Atomic(pool_t *) handles[THREADS][POOLS]; /* of pools that are destroyed */
} all;

typedef struct {
  pool_t *pool;
  uint64_t *live; /* one block of it, stamped */
  size_t block_size;
} open_t;

/* Every second pool lies in the thread's own buffer of this place. */
static open_t created(size_t number, size_t turn) {
  enum { BUFFER_BYTES = POOL_STATIC_BYTES_LOCK_FREE(8 * OPEN, BLOCKS) };
  static unsigned char buffers[THREADS][OPEN][BUFFER_BYTES];
  pool_options_t options = POOL_OPTIONS_INIT;
  open_t open = {NULL, NULL, 8 * (turn % OPEN + 1)};
  options.block_size = open.block_size;
  options.capacity = BLOCKS;
  options.threading = all.threading;
  if (turn / OPEN % 2 == 1) {
    options.buffer = buffers[number][turn % OPEN];
    options.buffer_bytes = BUFFER_BYTES;
  }
  MUST(pool_create_with(&options, &open.pool) == POOL_OK);
  MUST(pool_block_size(open.pool) == open.block_size && pool_in_use(open.pool) == 0);
  open.live = pool_allocate(open.pool);
  MUST(open.live != NULL);
  write_stamp(open.live, open.block_size, stamp_of(number, turn));
  return open;
}

static void is_stale(pool_t *pool) {
  char local = 0;
  MUST(pool_allocate(pool) == NULL && pool_in_use(pool) == 0 && pool_capacity(pool) == 0);
  MUST(pool_deallocate(pool, &local) == POOL_ERR_STALE_HANDLE);
  MUST(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

/* As its creator left it, and then gone. */
static void destroy(size_t number, size_t turn, open_t open) {
  void *rest[BLOCKS];
  MUST(pool_in_use(open.pool) == 1 && pool_block_size(open.pool) == open.block_size);
  MUST(read_stamp(open.live, open.block_size) == stamp_of(number, turn));
  MUST(pool_allocate_many(open.pool, rest, BLOCKS) == BLOCKS - 1);
  MUST(pool_deallocate_many(open.pool, rest, BLOCKS - 1) == POOL_OK);
  if (turn % 2 == 0) MUST(pool_deallocate(open.pool, open.live) == POOL_OK);
  MUST(pool_destroy(open.pool) == POOL_OK);
  is_stale(open.pool);
  atomic_store_explicit(&all.handles[number][turn], open.pool, memory_order_relaxed);
}

static void create_and_destroy(size_t number, void *unused) {
  open_t open[OPEN];
  uint64_t state = number;
  (void)unused;
  for (size_t turn = 0; turn < POOLS + OPEN; ++turn) {
    if (turn >= OPEN) destroy(number, turn - OPEN, open[turn % OPEN]);
    if (turn < POOLS) open[turn % OPEN] = created(number, turn);
    pool_t *of_anybody = atomic_load_explicit(
        &all.handles[chance(&state) % THREADS][chance(&state) % POOLS], memory_order_relaxed);
    if (of_anybody != NULL) is_stale(of_anybody);
  }
}

static int by_address(const void *a, const void *b) {
  const uintptr_t first = *(const uintptr_t *)a;
  const uintptr_t second = *(const uintptr_t *)b;
  return (first > second) - (first < second);
}

static void no_handle_came_twice(void) {
  static uintptr_t handles[THREADS * POOLS];
  for (size_t i = 0; i < THREADS * POOLS; ++i) {
    pool_t *handle = atomic_load(&all.handles[i / POOLS][i % POOLS]);
    CHECK(handle != NULL);
    is_stale(handle);
    handles[i] = (uintptr_t)handle;
  }
  qsort(handles, THREADS * POOLS, sizeof *handles, by_address);
  for (size_t i = 1; i < THREADS * POOLS; ++i) CHECK(handles[i - 1] < handles[i]);
}

int main(void) {
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) {
    memset(&all, 0, sizeof all);
    all.threading = MODES[mode].threading;
    together(THREADS, create_and_destroy, NULL);
    no_handle_came_twice();
  }
  return CHECK_RESULT();
}

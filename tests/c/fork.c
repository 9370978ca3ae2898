/* fork in the middle of everything: other threads allocate, free, create, destroy and log, and the
   child, which has none of them, goes on with every pool that it has a copy of. */

#define _DEFAULT_SOURCE /* fork, alarm, pthread_barrier_t */

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threads.h"

enum { FORKS = 200 / THREADS_FEWER, WORKERS = 2, BLOCK_SIZE = 64, CAPACITY = 100, KEPT = 5 };
enum { HEAP_CAPACITY = 10, HELD_MAX = 40 };
enum { BUFFER_BYTES = POOL_STATIC_BYTES_LOCK_FREE(BLOCK_SIZE, CAPACITY) };

typedef struct {
  pool_t *pool;
  void *kept[KEPT]; /* by the thread that forks */
} inherited_t;

/* The workers use the shared ones, the others are the forking thread's. */
enum { SHARED, SHARED_IN_A_BUFFER, SHARED_WITH_HEAP, SINGLE, SINGLE_IN_A_BUFFER, POOLS };
static inherited_t inherited[POOLS];
static const struct mode *mode;
static atomic_bool stop;

static pool_t *created(uint32_t threading, size_t capacity, void *buffer) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.threading = threading;
  options.buffer = buffer;
  options.buffer_bytes = buffer == NULL ? 0 : BUFFER_BYTES;
  if (capacity == HEAP_CAPACITY) {
    /* Where there can't be blocks of the heap, as many more of its own. */
    options.max_capacity = mode->has_lock ? 2 * HEAP_CAPACITY : CAPACITY;
    if (mode->has_lock) options.on_exhausted = POOL_EXHAUSTED_HEAP;
  }
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static void takes_and_gives(size_t number) {
  void *held[HELD_MAX];
  for (uint64_t turn = 0; !atomic_load(&stop); ++turn) {
    pool_t *pool = inherited[turn % (SHARED_WITH_HEAP + 1)].pool;
    for (size_t i = 0; i < HELD_MAX; ++i) {
      held[i] = pool_allocate(pool);
      MUST(held[i] != NULL);
      write_stamp(held[i], BLOCK_SIZE, stamp_of(number, turn) + i);
    }
    for (size_t i = 0; i < HELD_MAX; ++i) {
      MUST(read_stamp(held[i], BLOCK_SIZE) == stamp_of(number, turn) + i);
      MUST(pool_deallocate(pool, held[i]) == POOL_OK);
    }
  }
}

static void creates_and_destroys(void) {
  while (!atomic_load(&stop)) {
    MUST(pool_destroy(created(mode->threading, CAPACITY, NULL)) == POOL_OK);
    MUST(pool_destroy(created(POOL_THREADS_SINGLE, CAPACITY, NULL)) == POOL_OK);
  }
}

static void creates_and_destroys_in_a_buffer(void) {
  static unsigned char buffer[BUFFER_BYTES];
  while (!atomic_load(&stop)) {
    MUST(pool_destroy(created(mode->threading, CAPACITY, buffer)) == POOL_OK);
    MUST(pool_destroy(created(POOL_THREADS_SINGLE, CAPACITY, buffer)) == POOL_OK);
  }
}

static void logs(void) {
  while (!atomic_load(&stop)) {
    pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
    MUST(pool_deallocate(NULL, NULL) == POOL_ERR_NULL_ARGUMENT);
    pool_set_log_callback(NULL, NULL, POOL_LOG_TRACE);
    MUST(pool_deallocate(NULL, NULL) == POOL_ERR_NULL_ARGUMENT);
  }
}

static void uses_new_pools(void) {
  static unsigned char buffer[BUFFER_BYTES];
  const uint32_t threadings[] = {mode->threading, POOL_THREADS_SINGLE};
  for (int i = 0; i < 4; ++i) {
    pool_t *pool = created(threadings[i % 2], CAPACITY, i / 2 == 0 ? NULL : buffer);
    for (int block = 0; block < CAPACITY; ++block) MUST(pool_allocate(pool) != NULL);
    MUST(pool_allocate(pool) == NULL && pool_reset(pool) == POOL_OK);
    MUST(pool_destroy(pool) == POOL_OK);
    MUST(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
  }
}

/* Its own blocks are as they were, and those that no thread of the parent had can be taken. */
static void uses_and_destroys(inherited_t *one) {
  pool_t *pool = one->pool;
  MUST(pool_validate(pool) == POOL_OK && pool_in_use(pool) >= KEPT);
  for (size_t i = 0; i < KEPT; ++i) {
    MUST(read_stamp(one->kept[i], BLOCK_SIZE) == stamp_of(i, 1));
    MUST(pool_deallocate(pool, one->kept[i]) == POOL_OK);
    MUST(pool_deallocate(pool, one->kept[i]) == POOL_ERR_DOUBLE_FREE);
  }
  const size_t available = pool_available(pool);
  MUST(available >= KEPT);
  for (size_t i = 0; i < available; ++i) MUST(pool_allocate(pool) != NULL);
  MUST(pool_available(pool) == 0 && pool_validate(pool) == POOL_OK);
  MUST(pool_destroy(pool) == POOL_OK);
  MUST(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

static void in_a_new_thread(size_t number, void *unused) {
  (void)number, (void)unused;
  void *block = pool_allocate(inherited[SHARED].pool);
  MUST(block != NULL && pool_deallocate(inherited[SHARED].pool, block) == POOL_OK);
}

static void goes_on(void) {
  alarm(20);
  uses_new_pools();
  together(2, in_a_new_thread, NULL);
  for (int i = 0; i < POOLS; ++i) {
    uses_and_destroys(&inherited[i]);
  }
  uses_new_pools();
  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  const size_t before = atomic_load(&error_lines);
  MUST(pool_allocate(NULL) == NULL && atomic_load(&error_lines) == before + 1);
  pool_set_log_callback(NULL, NULL, POOL_LOG_ERROR);
  MUST(pool_allocate(NULL) == NULL);
}

/* Every tenth child has a child that does the same. */
static void forks(bool again, int child_number) {
  const pid_t child = fork();
  MUST(child >= 0);
  if (child == 0) {
    if (again && child_number % 10 == 0) forks(false, child_number);
    goes_on();
    _exit(0);
  }
  int status = -1;
  MUST(waitpid(child, &status, 0) == child);
  MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void does_its_part(size_t number, void *unused) {
  (void)unused;
  if (number < WORKERS) takes_and_gives(number);
  if (number == WORKERS) creates_and_destroys();
  if (number == WORKERS + 1) creates_and_destroys_in_a_buffer();
  if (number == WORKERS + 2) logs();
  if (number < WORKERS + 3) return;
  for (int i = 0; i < FORKS; ++i) forks(true, i);
  atomic_store(&stop, true);
}

static void begin(void) {
  static unsigned char buffers[2][BUFFER_BYTES];
  inherited[SHARED].pool = created(mode->threading, CAPACITY, NULL);
  inherited[SHARED_IN_A_BUFFER].pool = created(mode->threading, CAPACITY, buffers[0]);
  inherited[SHARED_WITH_HEAP].pool = created(mode->threading, HEAP_CAPACITY, NULL);
  inherited[SINGLE].pool = created(POOL_THREADS_SINGLE, CAPACITY, NULL);
  inherited[SINGLE_IN_A_BUFFER].pool = created(POOL_THREADS_SINGLE, CAPACITY, buffers[1]);
  for (int i = 0; i < POOLS; ++i) {
    for (size_t kept = 0; kept < KEPT; ++kept) {
      inherited[i].kept[kept] = pool_allocate(inherited[i].pool);
      MUST(inherited[i].kept[kept] != NULL);
      write_stamp(inherited[i].kept[kept], BLOCK_SIZE, stamp_of(kept, 1));
    }
  }
  atomic_store(&stop, false);
}

/* The parent has lost nothing by its children. */
static void is_as_before(inherited_t *one, size_t capacity) {
  CHECK(pool_in_use(one->pool) == KEPT && pool_capacity(one->pool) == capacity);
  for (size_t i = 0; i < KEPT; ++i) {
    CHECK(read_stamp(one->kept[i], BLOCK_SIZE) == stamp_of(i, 1));
    CHECK(pool_deallocate(one->pool, one->kept[i]) == POOL_OK);
  }
  watched_t watched = watch(one->pool, capacity);
  if (capacity == CAPACITY) all_blocks_are_there(&watched, 0);
  CHECK(pool_validate(one->pool) == POOL_OK);
  end(&watched);
}

int main(void) {
  /* What the library writes to standard error is nobody's; what fails goes where it should. */
  const int nowhere = open("/dev/null", O_WRONLY);
  complaints_to = dup(2);
  for (int i = 0; i < MODE_COUNT; ++i) {
    mode = &MODES[i];
    begin();
    MUST(dup2(nowhere, 2) == 2);
    together(WORKERS + 4, does_its_part, NULL);
    MUST(dup2(complaints_to, 2) == 2);
    pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
    for (int one = 0; one < POOLS; ++one) {
      is_as_before(&inherited[one], one == SHARED_WITH_HEAP && mode->has_lock ? 2 * HEAP_CAPACITY
                                                                         : CAPACITY);
    }
  }
  return CHECK_RESULT();
}

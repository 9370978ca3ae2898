/* The shared library comes and goes a thousand times, with a pool made and destroyed each time: its
   code goes, forks and threads that used it do not miss it, and the address space that stays is
   what the README says. Once a thread had magazines it stays, for it wants to be told when threads
   end. The argument is the path of the library. */

#define _DEFAULT_SOURCE /* fork, pthread_barrier_t */

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../c/threads.h"

enum { LOADS = 1000, LOADS_WITH_THREADS = 200, THREADS = 4, CAPACITY = 100, KEPT_MIB = 16 };

/* The functions of one load. */
typedef struct {
  void *library;
  pool_status_t (*create_with)(const pool_options_t *options, pool_t **out_pool);
  void *(*allocate)(pool_t *pool);
  pool_status_t (*deallocate)(pool_t *pool, void *block);
  pool_status_t (*destroy)(pool_t *pool);
  pool_t *pool;
  pthread_barrier_t barrier;
} loaded_t;

static const char *path;

static void find(loaded_t *loaded, const char *name, void *function) {
  void *const found = dlsym(loaded->library, name);
  MUST(found != NULL);
  memcpy(function, &found, sizeof found); /* ISO C casts no object pointer to a function's */
}

static void load(loaded_t *loaded, uint32_t threading) {
  pool_options_t options = POOL_OPTIONS_INIT;
  loaded->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  MUST(loaded->library != NULL);
  find(loaded, "pool_create_with", &loaded->create_with);
  find(loaded, "pool_allocate", &loaded->allocate);
  find(loaded, "pool_deallocate", &loaded->deallocate);
  find(loaded, "pool_destroy", &loaded->destroy);
  options.block_size = 64;
  options.capacity = CAPACITY;
  options.threading = threading;
  MUST(loaded->create_with(&options, &loaded->pool) == POOL_OK);
}

static void unload(loaded_t *loaded) {
  MUST(loaded->destroy(loaded->pool) == POOL_OK);
  MUST(dlclose(loaded->library) == 0);
}

static bool is_loaded(void) {
  void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library != NULL) dlclose(library);
  return library != NULL;
}

static void use(loaded_t *loaded) {
  enum { BLOCKS = CAPACITY / THREADS };
  void *blocks[BLOCKS];
  for (int i = 0; i < BLOCKS; ++i) {
    blocks[i] = loaded->allocate(loaded->pool);
    MUST(blocks[i] != NULL);
    memset(blocks[i], i, 64);
  }
  for (int i = 0; i < BLOCKS; ++i) MUST(loaded->deallocate(loaded->pool, blocks[i]) == POOL_OK);
}

/* MiB of address space, as the kernel counts. */
static long address_space(void) {
  char line[256];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  MUST(status != NULL);
  while (fgets(line, sizeof line, status) != NULL) {
    if (strncmp(line, "VmSize:", 7) == 0) kib = atol(line + 7);
  }
  fclose(status);
  MUST(kib > 0);
  return kib / 1024;
}

/* What the library asked to be called at a fork went with it. */
static void can_fork(void) {
  int status = -1;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  MUST(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

/* MiB that stay of so many loads by this thread. */
static long kept_by_loads(uint32_t threading, bool stays) {
  static loaded_t loaded;
  load(&loaded, threading); /* what comes with the first load only is not counted */
  use(&loaded);
  unload(&loaded);
  const long before = address_space();
  for (int i = 0; i < LOADS; ++i) {
    load(&loaded, threading);
    use(&loaded);
    unload(&loaded);
    MUST(is_loaded() == stays);
    if (i % 100 == 0) can_fork();
  }
  const long kept = address_space() - before;
  printf("%d loads kept %ld MiB of address space\n", LOADS, kept);
  return kept;
}

static void it_keeps_no_more_than_is_said(void) {
  CHECK(kept_by_loads(POOL_THREADS_SINGLE, false) <= (long)LOADS * KEPT_MIB + KEPT_MIB);
  CHECK(kept_by_loads(POOL_THREADS_LOCK_FREE, false) <= (long)LOADS * KEPT_MIB + KEPT_MIB);
}

static void it_stays_for_a_thread_with_magazines(void) {
  CHECK(kept_by_loads(POOL_THREADS_SAFE, true) <= KEPT_MIB);
}

/* The first thread loads and unloads; the others end when what they used is gone. */
static void outlives_the_library(size_t number, void *shared) {
  loaded_t *loaded = shared;
  if (number == THREADS) load(loaded, POOL_THREADS_SAFE);
  pthread_barrier_wait(&loaded->barrier);
  if (number < THREADS) use(loaded);
  pthread_barrier_wait(&loaded->barrier);
  if (number == THREADS) unload(loaded);
  pthread_barrier_wait(&loaded->barrier);
}

static void threads_can_end_later(void) {
  static loaded_t loaded;
  MUST(pthread_barrier_init(&loaded.barrier, NULL, THREADS + 1) == 0);
  for (int i = 0; i < LOADS_WITH_THREADS; ++i) together(THREADS + 1, outlives_the_library, &loaded);
  pthread_barrier_destroy(&loaded.barrier);
  can_fork();
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  path = arguments[1];
  it_keeps_no_more_than_is_said();
  threads_can_end_later();
  it_stays_for_a_thread_with_magazines();
  return CHECK_RESULT();
}

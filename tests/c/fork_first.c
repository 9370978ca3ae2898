/* fork while the first things happen that a process does with the library: pools of one owner in
   buffers, or a log callback without any pool. Each in a process of its own, because any pool of
   another kind would prepare the library for forks. */

#define _DEFAULT_SOURCE /* fork, alarm, pthread_barrier_t */

#include <sys/wait.h>
#include <unistd.h>

#include "threads.h"

enum { FORKS = 300 };

static void (*does)(size_t number);
static atomic_bool stop;

static void owns_a_pool_in_a_buffer(size_t number) {
  static unsigned char buffers[2][POOL_STATIC_BYTES(64, 10)];
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = 64;
  options.threading = POOL_THREADS_SINGLE;
  options.buffer = buffers[number];
  options.buffer_bytes = sizeof buffers[number];
  MUST(pool_create_with(&options, &pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void sets_the_callback(size_t number) {
  (void)number;
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
}

static void ends_well(pid_t child) {
  int status = -1;
  MUST(child > 0 && waitpid(child, &status, 0) == child);
  MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void does_or_forks(size_t number, void *unused) {
  (void)unused;
  while (number == 0 && !atomic_load(&stop)) does(0);
  if (number == 0) return;
  does(1);
  for (int i = 0; i < FORKS; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      does(1);
      _exit(0);
    }
    ends_well(child);
  }
  atomic_store(&stop, true);
}

int main(void) {
  void (*const firsts[])(size_t) = {owns_a_pool_in_a_buffer, sets_the_callback};
  for (int i = 0; i < 2; ++i) {
    does = firsts[i];
    const pid_t child = fork();
    if (child == 0) {
      together(2, does_or_forks, NULL);
      _exit(0);
    }
    ends_well(child);
    CHECK(child > 0);
  }
  return CHECK_RESULT();
}

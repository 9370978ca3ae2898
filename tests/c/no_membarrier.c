/* Where the kernel has no membarrier, or a sandbox forbids it, pools of several threads do without:
   no block is lost or handed out twice, and all that are free can be had. */

#define _DEFAULT_SOURCE /* fork, syscall, pthread_barrier_t */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

enum { NO_FILTER = 77, THREADS = 4, PART = 150, BLOCKS = THREADS * PART, ROUNDS = 10 };
enum { TURNS = 1000 / THREADS_FEWER };

/* For the rest of the process: the call fails with `error`. The numbers are those of this
   architecture, so the architecture of a call is not looked at. */
static int forbid_membarrier(int error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static bool fails_with(int error) {
  enum { QUERY = 0 };
  return syscall(SYS_membarrier, QUERY, 0, 0) == -1 && errno == error;
}

typedef struct {
  watched_t watched;
  void *kept[THREADS][PART];
  size_t kept_most;
} scene_t;

/* As each has its part at most, there is always a block for it, whatever the library keeps for the
   others; the rest of them may be taking and giving as well. Keeps some in the end. */
static void use_a_part(size_t number, void *shared) {
  scene_t *scene = shared;
  void **kept = scene->kept[number];
  uint64_t state = number;
  for (uint64_t turn = 0; turn < TURNS; ++turn) {
    const size_t most = turn + 1 < TURNS ? PART : scene->kept_most;
    const size_t wanted = chance(&state) % (most + 1);
    size_t count = 0;
    while (count < PART && kept[count] != NULL) ++count;
    for (; count < wanted; ++count) {
      kept[count] = take(&scene->watched, stamp_of(number, turn * PART + count + 1));
      MUST(kept[count] != NULL);
    }
    for (; count > wanted; --count) {
      give(&scene->watched, kept[count - 1]);
      kept[count - 1] = NULL;
    }
  }
}

static void is_used(const struct mode *mode) {
  static scene_t scene;
  crew_t crew;
  memset(&scene, 0, sizeof scene);
  scene.watched = watched_pool(mode, 64, BLOCKS);
  begin_crew(&crew, THREADS);
  for (size_t round = 0; round < ROUNDS; ++round) {
    size_t live = 0;
    scene.kept_most = round % 2 == 0 ? 0 : PART / 2;
    do_together(&crew, use_a_part, &scene);
    for (size_t i = 0; i < BLOCKS; ++i) live += scene.kept[i / PART][i % PART] != NULL;
    /* By threads that have to get what the idle ones keep. */
    all_blocks_are_there(&scene.watched, live);
  }
  end_crew(&crew);
  for (size_t i = 0; i < BLOCKS; ++i) {
    void *block = scene.kept[i / PART][i % PART];
    if (block != NULL) give(&scene.watched, block);
  }
  all_blocks_are_there(&scene.watched, 0);
  end(&scene.watched);
}

/* In a child, before it has called the library. */
static int without_membarrier(int error) {
  if (forbid_membarrier(error) != 0) return NO_FILTER;
  CHECK(fails_with(error));
  pool_set_log_callback(count_errors, NULL, POOL_LOG_TRACE);
  for (int mode = 0; mode < MODE_COUNT; ++mode) is_used(&MODES[mode]);
  CHECK(atomic_load(&error_lines) == 0 && fails_with(error));
  return CHECK_RESULT();
}

int main(void) {
  const int errors[] = {ENOSYS, EPERM};
  for (int i = 0; i < 2; ++i) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0) _exit(without_membarrier(errors[i]));
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER) {
      fputs("SKIPPED membarrier: the kernel takes no filter (seccomp) here; allow it\n", stderr);
      return 0;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  return CHECK_RESULT();
}

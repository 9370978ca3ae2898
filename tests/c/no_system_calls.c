/* Once a pool is there, using it takes no system call: the kernel ends the program at the first one
   that is not an exit or a write, so that no lock, sleep or memory of the kernel's is behind it. */

#define _DEFAULT_SOURCE /* fork, syscall */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "live_blocks.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 10000, ROUNDS = 20, NO_FILTER = 77 };

static size_t lines = 0;

static void count(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
  ++lines;
}

#define ALLOW(name)                                              \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),         \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* For the rest of the process. What a program may not do is no matter of security here, so the
   numbers are those of this architecture, and the architecture of a call is not looked at. */
static int forbid_system_calls(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(exit),
      ALLOW(exit_group),
      ALLOW(write),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void look(pool_t *pool, const void *block) {
  CHECK(pool_owns(pool, block) && !pool_owns(pool, &lines) && pool_capacity(pool) == CAPACITY);
  CHECK(pool_in_use(pool) == live_count && pool_available(pool) == CAPACITY - live_count);
  CHECK(pool_block_size(pool) == BLOCK_SIZE && pool_stride(pool) == BLOCK_SIZE);
  CHECK(pool_alignment(pool) == BLOCK_SIZE && pool_validate(pool) == POOL_OK);
}

static void use(pool_t *pool, void **blocks) {
  for (int round = 0; round < ROUNDS; ++round) {
    take(pool, CAPACITY);
    CHECK(pool_allocate(pool) == NULL && pool_allocate_zeroed(pool) == NULL);
    look(pool, live[CAPACITY / 2]);
    give_back_all_but(pool, 0);
    CHECK(pool_allocate_many(pool, blocks, CAPACITY + 1) == CAPACITY);
    CHECK(pool_deallocate_many(pool, blocks, CAPACITY / 2) == POOL_OK);
    CHECK(pool_allocate_zeroed(pool) != NULL && pool_reset(pool) == POOL_OK);
    is_whole(pool);
  }
}

/* Found, told of, and all the same no matter for the kernel. */
static void misuse(pool_t *pool, uint32_t checks) {
  enum { TIMES = 1000 };
  char *block = pool_allocate(pool);
  void *beside[] = {NULL, block + 1, &lines, block};
  char *other = block + (pool_owns(pool, block + BLOCK_SIZE) ? BLOCK_SIZE : -BLOCK_SIZE);
  lines = 0;
  for (int i = 0; i < TIMES; ++i) {
    CHECK(pool_allocate(NULL) == NULL && pool_in_use((pool_t *)0x12345678) == 0);
    CHECK(pool_deallocate((pool_t *)&lines, block) == POOL_ERR_STALE_HANDLE);
    if (checks == POOL_CHECKS_NONE) continue;
    CHECK(pool_deallocate(pool, block + 1) == POOL_ERR_INTERIOR_POINTER);
    CHECK(pool_deallocate(pool, &lines) == POOL_ERR_FOREIGN_POINTER);
    CHECK(pool_deallocate(pool, other) == POOL_ERR_DOUBLE_FREE);
    CHECK(pool_deallocate_many(pool, beside, 3) == POOL_ERR_INTERIOR_POINTER);
  }
  CHECK(lines == (checks == POOL_CHECKS_NONE ? 3 : 8) * TIMES);
  CHECK(pool_deallocate_many(pool, beside + 3, 1) == POOL_OK && pool_in_use(pool) == 0);
}

/* A free block is written to: the free list is built anew, and the line goes where lines go that no
   callback takes, by the one call that is allowed. */
static void write_after_free(pool_t *pool) {
  take(pool, 1);
  void *block = live[0];
  give_back_all_but(pool, 0);
  memset(block, 0x5A, BLOCK_SIZE);
  take(pool, 1);
  CHECK(live[0] == block);
  lines = 0;
  pool_set_log_callback(NULL, NULL, POOL_LOG_ERROR);
  take(pool, 1);
  pool_set_log_callback(count, NULL, POOL_LOG_TRACE);
  CHECK(lines == 0);
  is_whole(pool);
}

/* In a child: the filter stays until the end. */
static int a_pool_is_used(uint32_t checks) {
  static void *blocks[CAPACITY + 1];
  const pool_options_t options = options_of(CAPACITY, 0, checks);
  pool_t *pool = NULL;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  if (forbid_system_calls() != 0) return NO_FILTER;
  use(pool, blocks);
  misuse(pool, checks);
  if (checks == POOL_CHECKS_STANDARD) write_after_free(pool);
  return CHECK_RESULT();
}

static int a_system_call_is_made(uint32_t unused) {
  (void)unused;
  if (forbid_system_calls() != 0) return NO_FILTER;
  (void)getppid();
  return 0;
}

static int ends_with(int (*program)(uint32_t), uint32_t argument) {
  int status = -1;
  const pid_t child = fork();
  if (child == 0) _exit(program(argument));
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

int main(void) {
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};
  pool_set_log_callback(count, NULL, POOL_LOG_TRACE);
  const int proof = ends_with(a_system_call_is_made, 0);
  if (WIFEXITED(proof) && WEXITSTATUS(proof) == NO_FILTER) {
    fputs("SKIPPED system calls: the kernel takes no filter (seccomp) here; allow it\n", stderr);
    return 0;
  }
  CHECK(WIFSIGNALED(proof) && WTERMSIG(proof) == SIGSYS);
  for (int level = 0; level < 2; ++level) {
    const int status = ends_with(a_pool_is_used, levels[level]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  return CHECK_RESULT();
}

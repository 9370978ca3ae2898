/* A pool in a buffer takes nothing else: no heap and no system call, from before pool_create_with
   to after pool_destroy. The heap functions and those that map memory are this program's own and
   abort when they are called; in a child, the kernel kills on every system call but write and
   exit. */

#define _GNU_SOURCE /* syscall, mremap */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { NO_SECCOMP = 77 };

static volatile sig_atomic_t armed;

/* Whoever asks for memory while the trap is armed ends here. */
static void trap(const char *name) {
  if (!armed) return;
  armed = 0;
  (void)!write(2, name, strlen(name));
  (void)!write(2, " was called\n", 12);
  abort();
}

/* The heap of this program, for what the C library needs before and after: never freed. */
static _Alignas(16) unsigned char heap[1 << 20];
static size_t heap_used;

void *malloc(size_t bytes) {
  trap("malloc");
  const size_t taken = (bytes + 31) / 16 * 16; /* a header of 16 bytes says how many */
  if (bytes > sizeof heap || taken > sizeof heap - heap_used) return NULL;
  unsigned char *start = heap + heap_used;
  heap_used += taken;
  memcpy(start, &bytes, sizeof bytes);
  return start + 16;
}

void free(void *block) {
  (void)block;
  trap("free");
}

void *calloc(size_t count, size_t bytes) {
  trap("calloc");
  return bytes != 0 && count > SIZE_MAX / bytes ? NULL : malloc(count * bytes); /* zero: static */
}

void *realloc(void *block, size_t bytes) {
  trap("realloc");
  size_t before = 0;
  void *moved = malloc(bytes);
  if (block != NULL) memcpy(&before, (unsigned char *)block - 16, sizeof before);
  if (block != NULL && moved != NULL) memcpy(moved, block, before < bytes ? before : bytes);
  return moved;
}

int posix_memalign(void **block, size_t alignment, size_t bytes) {
  trap("posix_memalign");
  *block = alignment <= 16 ? malloc(bytes) : NULL;
  return *block == NULL ? ENOMEM : 0;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  trap("aligned_alloc");
  return alignment <= 16 ? malloc(bytes) : NULL;
}

void *mmap(void *start, size_t bytes, int access, int flags, int file, off_t offset) {
  trap("mmap");
  return (void *)syscall(SYS_mmap, start, bytes, access, flags, file, offset);
}

int munmap(void *start, size_t bytes) {
  trap("munmap");
  return (int)syscall(SYS_munmap, start, bytes);
}

int mprotect(void *start, size_t bytes, int access) {
  trap("mprotect");
  return (int)syscall(SYS_mprotect, start, bytes, access);
}

int madvise(void *start, size_t bytes, int advice) {
  trap("madvise");
  return (int)syscall(SYS_madvise, start, bytes, advice);
}

void *sbrk(intptr_t bytes) {
  trap("sbrk");
  (void)bytes;
  return (void *)-1;
}

/* Kills the process on every system call but these. */
static void forbid_system_calls(void) {
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
      || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    _exit(NO_SECCOMP);
  }
}

/* What a child comes to that runs `body` behind the traps. */
static int in_a_child(void (*body)(void), int without_system_calls) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    check_failures = 0;
    if (without_system_calls) forbid_system_calls();
    armed = 1;
    body();
    armed = 0;
    _exit(CHECK_RESULT());
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return status;
}

static void (*volatile release)(void *) = free; /* out of the optimiser's sight */
static void *(*volatile take)(size_t) = malloc;

static void call_the_heap(void) { CHECK(take(1) != NULL); }
static void call_free(void) { release(NULL); }
static void call_mmap(void) { (void)!mmap(NULL, 1, PROT_NONE, MAP_PRIVATE, -1, 0); }
static void call_the_kernel(void) { CHECK(syscall(SYS_getpid) > 0); }
static void call_nobody(void) { CHECK(write(2, "", 0) == 0); }

static int lines_logged;

static void count_lines(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
  ++lines_logged;
}

static unsigned char buffer[POOL_STATIC_BYTES(40, 60)];

static pool_options_t options_of(uint32_t checks, size_t bytes) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 40;
  options.capacity = 7;
  options.max_capacity = 60;
  options.threading = POOL_THREADS_SINGLE;
  options.checks = checks;
  options.name = "alone";
  options.buffer = buffer;
  options.buffer_bytes = bytes;
  return options;
}

/* Every function with a pool in a buffer, in sound and unsound calls. */
static void a_life_with(uint32_t checks) {
  void *blocks[61] = {0};
  pool_stats_t stats = {0};
  pool_options_t options = options_of(checks, sizeof buffer - 1);
  pool_t *pool = NULL;
  size_t bytes = 0;
  stats.struct_size = sizeof stats;
  CHECK(pool_bytes_needed(&options, &bytes) == POOL_OK && bytes == sizeof buffer);
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  options.buffer_bytes = sizeof buffer;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  void *block = pool_allocate(pool), *zeroed = pool_allocate_zeroed(pool);
  CHECK(pool_owns(pool, block) && pool_deallocate(pool, block) == POOL_OK);
  if (checks == POOL_CHECKS_STANDARD) {
    CHECK(pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE);
    CHECK(pool_deallocate(pool, (char *)zeroed + 1) == POOL_ERR_INTERIOR_POINTER);
    CHECK(pool_deallocate(pool, &pool) == POOL_ERR_FOREIGN_POINTER);
  }
  CHECK(pool_deallocate(pool, zeroed) == POOL_OK && pool_grow(pool, 3) == POOL_OK);
  CHECK(pool_grow(pool, 99) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(pool_allocate_many(pool, blocks, 61) == 60 && pool_allocate(pool) == NULL);
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_IN_USE);
  CHECK(pool_deallocate_many(pool, blocks, 30) == POOL_OK);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && bytes == 0 && pool_validate(pool) == POOL_OK);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK && stats.in_use == 30);
  CHECK(pool_block_size(pool) == 40 && pool_stride(pool) == 40 && pool_alignment(pool) == 8);
  CHECK(pool_capacity(pool) == 60 && pool_in_use(pool) == 30 && pool_available(pool) == 30);
  CHECK(pool_destroy(pool) == POOL_OK); /* with live blocks, which is logged */
  CHECK(pool_allocate(pool) == NULL && pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

/* The first call of the library in this process, whose lines go to standard error. */
static void a_life_in_silence(void) {
  pool_options_t options = options_of(POOL_CHECKS_STANDARD, sizeof buffer);
  pool_t *pool = NULL;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  void *block = pool_allocate(pool);
  CHECK(block != NULL && pool_deallocate(pool, block) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK && pool_allocate(pool) == NULL);
}

static void every_life(void) {
  a_life_in_silence();
  pool_set_log_callback(count_lines, NULL, POOL_LOG_TRACE);
  a_life_with(POOL_CHECKS_STANDARD);
  CHECK(lines_logged > 10);
  a_life_with(POOL_CHECKS_NONE);
}

int main(void) {
  int status = in_a_child(call_the_heap, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  status = in_a_child(call_free, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  status = in_a_child(call_mmap, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK(in_a_child(call_the_kernel, 0) == 0);
  CHECK(in_a_child(every_life, 0) == 0);

  status = in_a_child(call_nobody, 1);
  if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SECCOMP) {
    fputs("SKIPPED the filter of system calls: the kernel or its container refuses one\n", stderr);
    return CHECK_RESULT();
  }
  CHECK(status == 0);
  status = in_a_child(call_the_kernel, 1);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
  CHECK(in_a_child(every_life, 1) == 0);
  return CHECK_RESULT();
}

/* The calls that a program gets memory by, every one by way of here: counted, and failing when
   told so. What a program defines itself comes before what the C library defines, whether the pool
   is linked as a shared or as a static library. Include it once, with _GNU_SOURCE defined. */

#ifndef TESTS_FAILING_CALLS_H
#define TESTS_FAILING_CALLS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bits, for a set of them. */
enum { MMAP = 1, MPROTECT = 2, MADVISE = 4, MLOCK = 8, MINCORE = 16, HEAP = 32 };

/* Which call fails: the one of this number, counted from 1, and all after it as well, or not. */
static struct {
  size_t number;
  bool all_after;
} failing_plan;

static bool failing_now = false;
static size_t failing_seen = 0;
static int failed_calls = 0;

/* What the program has and did not give back. */
static size_t mapped_bytes = 0;
static size_t heap_blocks = 0;

/* munmap has a switch of its own, because it gives memory back and gets none. */
static bool unmap_fails = false;
static size_t unmaps_refused = 0;
static struct {
  void *start;
  size_t bytes;
} unmap_refused[8];

static inline void start_failing(void) {
  failing_seen = 0;
  failed_calls = 0;
  failing_now = true;
}

/* Answers which calls failed. */
static inline int stop_failing(void) {
  failing_now = false;
  return failed_calls;
}

static inline bool fails(int call) {
  if (!failing_now) return false;
  ++failing_seen;
  if (failing_seen < failing_plan.number) return false;
  if (failing_seen > failing_plan.number && !failing_plan.all_after) return false;
  failed_calls |= call;
  errno = ENOMEM;
  return true;
}

static inline size_t whole_pages(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

void *mmap(void *start, size_t bytes, int access, int flags, int file, off_t offset) {
  if (fails(MMAP)) return MAP_FAILED;
  const long mapped = syscall(SYS_mmap, start, bytes, access, flags, file, offset);
  if (mapped != -1) mapped_bytes += whole_pages(bytes);
  return (void *)mapped;
}

int munmap(void *start, size_t bytes) {
  if (unmap_fails) {
    if (unmaps_refused < sizeof unmap_refused / sizeof *unmap_refused) {
      unmap_refused[unmaps_refused].start = start;
      unmap_refused[unmaps_refused].bytes = bytes;
    }
    ++unmaps_refused;
    errno = ENOMEM;
    return -1;
  }
  const int result = (int)syscall(SYS_munmap, start, bytes);
  if (result == 0) mapped_bytes -= whole_pages(bytes);
  return result;
}

int mprotect(void *start, size_t bytes, int access) {
  return fails(MPROTECT) ? -1 : (int)syscall(SYS_mprotect, start, bytes, access);
}

int madvise(void *start, size_t bytes, int advice) {
  return fails(MADVISE) ? -1 : (int)syscall(SYS_madvise, start, bytes, advice);
}

/* Locks nothing, so that the limit of locked memory does not matter. */
int mlock(const void *start, size_t bytes) {
  (void)start, (void)bytes;
  return fails(MLOCK) ? -1 : 0;
}

int mincore(void *start, size_t bytes, unsigned char *residency) {
  return fails(MINCORE) ? -1 : (int)syscall(SYS_mincore, start, bytes, residency);
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static inline void *counted(void *block) {
  if (block != NULL) ++heap_blocks;
  return block;
}

void *malloc(size_t bytes) { return fails(HEAP) ? NULL : counted(__libc_malloc(bytes)); }

void *calloc(size_t count, size_t bytes) {
  return fails(HEAP) ? NULL : counted(__libc_calloc(count, bytes));
}

void *realloc(void *block, size_t bytes) {
  if (fails(HEAP)) return NULL;
  return block == NULL ? counted(__libc_realloc(NULL, bytes)) : __libc_realloc(block, bytes);
}

int posix_memalign(void **out_block, size_t alignment, size_t bytes) {
  if (fails(HEAP)) return ENOMEM;
  void *block = counted(__libc_memalign(alignment, bytes));
  if (block == NULL) return ENOMEM;
  *out_block = block;
  return 0;
}

void free(void *block) {
  if (block != NULL) --heap_blocks;
  __libc_free(block);
}

#endif

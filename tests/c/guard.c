/* POOL_GUARD_PAGES: whoever runs past the last block, or far enough before the first, is stopped by
   the hardware at once. Children try; the parent sees what ended them. */

#define _DEFAULT_SOURCE /* fork and the like */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { HUGE_PAGE = 2 << 20 };

static size_t os_page;

static void ignore(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
}

/* What a child comes to that reads, or writes, one byte: 0, or the signal that ends it. */
static int touch(volatile unsigned char *byte, bool write) {
  const struct rlimit no_core = {0, 0};
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL); /* a sanitizer has one of its own */
    setrlimit(RLIMIT_CORE, &no_core);
    if (write) *byte = 1;
    else (void)*byte;
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool can_be_used(unsigned char *byte) { return touch(byte, true) == 0; }

static bool is_guarded(unsigned char *byte) {
  return touch(byte, false) == SIGSEGV && touch(byte, true) == SIGSEGV;
}

static pool_options_t options_of(size_t block_size, size_t alignment, size_t capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.alignment = alignment;
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.flags = POOL_GUARD_PAGES;
  return options;
}

/* Takes every block there may be and fills it; answers block 0. */
static unsigned char *fill(pool_t *pool, size_t count) {
  const size_t stride = pool_stride(pool);
  unsigned char *first = pool_allocate(pool);
  CHECK(first != NULL && (uintptr_t)first % pool_alignment(pool) == 0);
  memset(first, 0xFF, stride);
  for (size_t i = 1; i < count; ++i) {
    CHECK(pool_allocate(pool) == first + i * stride);
    memset(first + i * stride, 0xFF, stride);
  }
  CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
  return first;
}

static void both_ends_are_guarded(unsigned char *first, size_t bytes, size_t page) {
  unsigned char *floor = first - (uintptr_t)first % page;
  CHECK((uintptr_t)(first + bytes) % page == 0);
  CHECK(is_guarded(first + bytes) && !can_be_used(first + bytes + page - 1));
  CHECK(is_guarded(floor - 1) && !can_be_used(floor - page));
  if (bytes % page == 0) CHECK(floor == first);
  else CHECK(floor < first && can_be_used(first - 1) && can_be_used(floor));
}

static void misuse_is_found(pool_t *pool, unsigned char *first, size_t count) {
  const size_t stride = pool_stride(pool);
  unsigned char *last = first + (count - 1) * stride;
  CHECK(pool_deallocate(pool, first + count * stride) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate(pool, first - 1) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate(pool, last + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, last) == POOL_OK);
  CHECK(pool_deallocate(pool, last) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_allocate(pool) == last);
}

/* A pool that is filled, trimmed and filled again between its guards. */
static void a_life(const pool_options_t *options, size_t page) {
  pool_stats_t stats = {0};
  pool_t *pool = NULL;
  stats.struct_size = sizeof stats;
  CHECK(pool_create_with(options, &pool) == POOL_OK);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  const size_t count = stats.max_capacity, bytes = count * stats.stride;
  unsigned char *first = fill(pool, count);
  both_ends_are_guarded(first, bytes, page);
  if (options->checks == POOL_CHECKS_STANDARD) misuse_is_found(pool, first, count);
  CHECK(pool_get_stats(pool, &stats) == POOL_OK && stats.resident_bytes >= bytes);
  CHECK(stats.resident_bytes <= stats.reserved_bytes - 2 * page);
  CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
  CHECK(fill(pool, count) == first && !can_be_used(first + bytes));
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void blocks_end_where_the_guard_begins(void) {
  static const size_t sizes[] = {1, 24, 100, 4096, 5001};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    for (size_t alignment = 1; alignment <= 65536; alignment *= 256) {
      const size_t natural = alignment == 1 ? 0 : alignment;
      pool_options_t options = options_of(sizes[i], natural, 1 + 31 * (i % 3));
      options.checks = i % 2 == 0 ? POOL_CHECKS_STANDARD : POOL_CHECKS_NONE;
      a_life(&options, os_page);
      options.max_capacity = 1000 / (i + 1); /* it grows up to its guard */
      options.checks = i % 2 == 0 ? POOL_CHECKS_NONE : POOL_CHECKS_STANDARD;
      a_life(&options, os_page);
    }
  }
  for (size_t size = 16; size <= 4096; size *= 16) { /* whole pages: exact at both ends */
    pool_options_t options = options_of(size, 0, 3 * os_page / size);
    a_life(&options, os_page);
  }
}

/* The parts of it that are not there yet are as forbidden as the guard. */
static void a_pool_without_bounds_has_a_guard_as_well(void) {
  pool_options_t options = options_of(100, 0, 10);
  pool_t *pool = NULL;
  options.max_capacity = SIZE_MAX;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  unsigned char *first = pool_allocate(pool);
  CHECK(is_guarded(first - (uintptr_t)first % os_page - 1) && is_guarded(first + 2 * os_page));
  CHECK(pool_grow(pool, 1000) == POOL_OK && can_be_used(first + 2 * os_page));
  CHECK(pool_deallocate(pool, first) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Without the flag there is no such promise: the test would see a guard where there is none. */
static void without_the_flag_the_page_goes_on(void) {
  pool_options_t options = options_of(100, 0, 10);
  pool_t *pool = NULL;
  options.flags = 0;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  unsigned char *first = pool_allocate(pool);
  CHECK(can_be_used(first + 1000) && can_be_used(first - 1));
  CHECK(pool_deallocate(pool, first) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static bool memory_can_be_locked(void) {
  struct rlimit limit = {0, 0};
  CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  return limit.rlim_cur >= 1 << 20 || getuid() == 0;
}

static void it_goes_with_every_other_flag(void) {
  const uint32_t lock = memory_can_be_locked() ? POOL_LOCK_MEMORY : 0;
  if (lock == 0) {
    fputs("SKIPPED locking: RLIMIT_MEMLOCK is below 1 MiB; raise it (ulimit -l)\n", stderr);
  }
  for (uint32_t flags = 0; flags <= (POOL_PREFAULT | POOL_LOCK_MEMORY); ++flags) {
    pool_options_t options = options_of(100, 0, 10);
    options.flags |= flags & (POOL_PREFAULT | lock);
    a_life(&options, os_page);
    options.max_capacity = 1500;
    a_life(&options, os_page);
  }
}

/* Guards are as large as the pages then, and no smaller part of a page can be guarded. */
static void with_huge_pages_it_guards_from_page_to_page(void) {
  for (uint32_t flags = 0; flags <= POOL_PREFAULT; ++flags) {
    pool_options_t options = options_of(1000, 0, 10);
    options.flags |= POOL_HUGE_PAGES | flags;
    for (int growable = 0; growable < 2; ++growable) {
      pool_t *pool = NULL;
      options.max_capacity = growable ? 5000 : 0;
      const size_t count = growable ? 5000 : 10;
      CHECK(pool_create_with(&options, &pool) == POOL_OK);
      unsigned char *first = fill(pool, count);
      CHECK(is_guarded(first + count * 1000) && is_guarded(first - HUGE_PAGE));
      misuse_is_found(pool, first, count);
      CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
      CHECK(fill(pool, count) == first && is_guarded(first + count * 1000));
      CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
    }
  }
}

int main(void) {
  os_page = (size_t)sysconf(_SC_PAGESIZE);
  pool_set_log_callback(ignore, NULL, POOL_LOG_TRACE);
  without_the_flag_the_page_goes_on();
  blocks_end_where_the_guard_begins();
  a_pool_without_bounds_has_a_guard_as_well();
  it_goes_with_every_other_flag();
  with_huge_pages_it_guards_from_page_to_page();
  return CHECK_RESULT();
}

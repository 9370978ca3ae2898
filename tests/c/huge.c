/* POOL_HUGE_PAGES: explicit huge pages where the administrator set them aside, else transparent
   ones, and a line in the log for the step between. The superuser sets some aside for this test, in
   a lock that keeps other copies of it out, and takes them away again whatever happened. What lies
   under a pool is read from /proc/self/smaps, so that nobody else's huge pages count. */

#define _GNU_SOURCE /* flock */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "memory_pool/pool.h"

#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/"

enum { HUGE_PAGE = 2 << 20, PAGES = 16, BLOCK_SIZE = 4096, CAPACITY = 2000 };

static int infos_logged;
static char last_info[600];

static void keep(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  if (level != POOL_LOG_INFO) return;
  ++infos_logged;
  strncpy(last_info, message, sizeof last_info - 1);
}

/* -1: there is no such number, or it may not be written. */
static long number_in(const char *path) {
  long number = -1;
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  if (fscanf(file, "%ld", &number) != 1) number = -1;
  fclose(file);
  return number;
}

static long set_aside(long pages) {
  FILE *file = fopen(HUGE_PAGES "nr_hugepages", "w");
  if (file == NULL) return -1;
  fprintf(file, "%ld\n", pages);
  return fclose(file) == 0 ? number_in(HUGE_PAGES "nr_hugepages") : -1;
}

/* What lies under a range, as the kernel says. */
typedef struct {
  size_t explicit_bytes;
  size_t transparent_bytes;
  size_t page_bytes; /* the largest */
  bool advised;      /* transparent ones were asked for */
} Under;

static Under under(const void *start, size_t bytes) {
  Under under = {0};
  char line[600];
  bool inside = false;
  FILE *file = fopen("/proc/self/smaps", "r");
  CHECK(file != NULL);
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    size_t first, end, value;
    if (sscanf(line, "%zx-%zx ", &first, &end) == 2) {
      inside = first < (uintptr_t)start + bytes && (uintptr_t)start < end;
    } else if (inside) {
      if (sscanf(line, "Private_Hugetlb: %zu", &value) == 1) under.explicit_bytes += value * 1024;
      if (sscanf(line, "AnonHugePages: %zu", &value) == 1) under.transparent_bytes += value * 1024;
      if (sscanf(line, "KernelPageSize: %zu", &value) == 1 && value * 1024 > under.page_bytes) {
        under.page_bytes = value * 1024;
      }
      if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg") != NULL) under.advised = true;
    }
  }
  if (file != NULL) fclose(file);
  return under;
}

static pool_t *pool_of(size_t capacity, size_t max_capacity, uint32_t flags) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.flags = POOL_HUGE_PAGES | flags;
  infos_logged = 0;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static unsigned char *blocks[CAPACITY];

static void fill(pool_t *pool, size_t have) {
  for (size_t i = have; i < CAPACITY; ++i) {
    blocks[i] = pool_allocate(pool);
    CHECK(blocks[i] != NULL);
    if (blocks[i] != NULL) memset(blocks[i], (int)(i % 251), BLOCK_SIZE);
  }
  CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
}

static Under under_blocks(void) { return under(blocks[0], (size_t)CAPACITY * BLOCK_SIZE); }

/* Frees all but block 0 and answers how many bytes a trim gives back. */
static size_t trim(pool_t *pool) {
  size_t bytes = 0;
  for (size_t i = 1; i < CAPACITY; ++i) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  CHECK(pool_trim(pool, &bytes) == POOL_OK && pool_validate(pool) == POOL_OK);
  CHECK(pool_deallocate(pool, blocks[1]) == POOL_ERR_DOUBLE_FREE);
  for (size_t i = 0; i < BLOCK_SIZE; ++i) CHECK(blocks[0][i] == 0);
  return bytes;
}

static void end(pool_t *pool) {
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* The kernel may have none to give; that they were asked for is certain. */
static void transparent_ones_lie_under_it(pool_t *pool) {
  char enabled[100] = "";
  FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  if (file == NULL || fgets(enabled, sizeof enabled, file) == NULL) enabled[0] = '\0';
  if (file != NULL) fclose(file);
  fill(pool, 0);
  CHECK(under_blocks().advised && under_blocks().explicit_bytes == 0);
  if (enabled[0] == '\0' || strstr(enabled, "[never]") != NULL) {
    fputs("SKIPPED transparent huge pages: the kernel has none; write madvise to "
          "/sys/kernel/mm/transparent_hugepage/enabled\n", stderr);
  } else {
    CHECK(under_blocks().transparent_bytes >= HUGE_PAGE);
  }
  CHECK(trim(pool) >= (CAPACITY - 2) * BLOCK_SIZE); /* in OS pages */
  fill(pool, 1);
  end(pool);
}

static void a_pool_that_grows_takes_transparent_ones(void) {
  pool_t *pool = pool_of(10, CAPACITY, 0);
  CHECK(infos_logged == 0 && pool_capacity(pool) == 10);
  transparent_ones_lie_under_it(pool);
}

static void without_explicit_ones_the_log_says_so(uint32_t flags) {
  pool_t *pool = pool_of(CAPACITY, 0, flags);
  CHECK(infos_logged == 1 && strstr(last_info, "POOL_HUGE_PAGES") != NULL);
  CHECK(strstr(last_info, "no explicit huge pages; transparent") != NULL);
  transparent_ones_lie_under_it(pool);
}

static void explicit_ones_lie_under_a_fixed_pool(uint32_t flags) {
  pool_t *pool = pool_of(CAPACITY, CAPACITY, flags);
  CHECK(infos_logged == 0);
  fill(pool, 0);
  const Under before = under_blocks();
  CHECK(before.page_bytes == HUGE_PAGE && before.explicit_bytes >= (size_t)CAPACITY * BLOCK_SIZE);
  CHECK(trim(pool) == 0); /* others could take what goes back */
  fill(pool, 1);
  CHECK(under_blocks().explicit_bytes == before.explicit_bytes);
  end(pool);
}

/* Pools take them until there are none; the next steps down, and a trim gives none away that its
   pool will need. */
static void exhausting_them_steps_down(void) {
  pool_t *trimmed = pool_of(CAPACITY, 0, 0);
  pool_t *others[PAGES];
  int count = 0;
  CHECK(infos_logged == 0);
  fill(trimmed, 0);
  CHECK(trim(trimmed) == 0);
  do {
    others[count++] = pool_of(CAPACITY, 0, POOL_PREFAULT);
  } while (infos_logged == 0 && count < PAGES);
  CHECK(infos_logged == 1 && strstr(last_info, "transparent") != NULL && count > 1);
  fill(trimmed, 1);
  end(trimmed);
  while (count > 0) end(others[--count]);
}

/* Runs `body` in a child, so that whatever ends it this program goes on. */
static void in_a_child(void (*body)(void)) {
  int status = 0;
  const pid_t child = fork();
  if (child == 0) {
    check_failures = 0;
    body();
    _exit(CHECK_RESULT());
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void without_explicit(void) {
  without_explicit_ones_the_log_says_so(0);
  without_explicit_ones_the_log_says_so(POOL_PREFAULT);
}

static void with_explicit(void) {
  explicit_ones_lie_under_a_fixed_pool(0);
  explicit_ones_lie_under_a_fixed_pool(POOL_PREFAULT);
  explicit_ones_lie_under_a_fixed_pool(POOL_LOCK_MEMORY);
  a_pool_that_grows_takes_transparent_ones();
  exhausting_them_steps_down();
}

int main(void) {
  pool_set_log_callback(keep, NULL, POOL_LOG_INFO);
  const int lock = open(HUGE_PAGES "nr_hugepages", O_RDONLY | O_CLOEXEC);
  if (lock >= 0) CHECK(flock(lock, LOCK_EX) == 0);
  /* Surplus ones go by themselves when the last pool that has one ends. */
  const long before =
      number_in(HUGE_PAGES "nr_hugepages") - number_in(HUGE_PAGES "surplus_hugepages");
  const long free_before = number_in(HUGE_PAGES "free_hugepages");
  a_pool_that_grows_takes_transparent_ones();
  if (free_before <= 0) in_a_child(without_explicit);

  const bool is_known = number_in(HUGE_PAGES "nr_hugepages") >= 0;
  const long now = is_known ? set_aside(before + PAGES) : -1;
  if (now >= before + PAGES) {
    in_a_child(with_explicit);
  } else {
    fputs("SKIPPED explicit huge pages: nobody set 16 of them aside, which the superuser may "
          "(/proc/sys/vm/nr_hugepages)\n", stderr);
  }
  if (now >= 0) CHECK(set_aside(before) >= 0);
  return CHECK_RESULT();
}

/* Limits that the system keeps for real: of address space when a pool is created, of memory when it
   grows. What does not fit is refused or becomes less, and goes on when the limit is raised. */

#define _DEFAULT_SOURCE /* RLIMIT_AS */

#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "live_blocks.h"
#include "memory_pool/pool.h"

enum { MIB = 1 << 20, ROOM = 64 * MIB };

static size_t lines = 0;
static char last_created[600];

/* Counts what is refused, and keeps what a created pool came to. */
static void note(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  lines += level <= POOL_LOG_WARN;
  if (strstr(message, "created") != NULL) strncpy(last_created, message, sizeof last_created - 1);
}

/* Pages of the process, by their place in statm: 0 is its address space, 5 its data. */
static rlim_t bytes_of(int place) {
  unsigned long pages[6] = {0};
  FILE *statm = fopen("/proc/self/statm", "r");
  if (statm == NULL) return 0;
  for (int i = 0; i < 6; ++i) {
    if (fscanf(statm, "%lu", &pages[i]) != 1) pages[i] = 0;
  }
  fclose(statm);
  return pages[place] * 4096;
}

/* So much more than the process has now; the limit can be raised again. */
static void leave_room(int resource, int place) {
  const struct rlimit limit = {bytes_of(place) + ROOM, RLIM_INFINITY};
  CHECK(bytes_of(place) > 0 && setrlimit(resource, &limit) == 0);
}

static void lift(int resource) {
  const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  CHECK(setrlimit(resource, &limit) == 0);
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static void end(pool_t *pool) {
  give_back_all_but(pool, 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* It gets a quarter of the room at least, uses it to the end, and says in the log how much. */
static void an_unbounded_pool_gets_less(uint32_t checks) {
  const pool_options_t options = options_of(1, SIZE_MAX, checks);
  pool_t *pool = NULL;
  char said[64];
  leave_room(RLIMIT_AS, 0);
  lines = 0;
  CHECK(pool_create_with(&options, &pool) == POOL_OK && lines == 0);
  const size_t most = stats_of(pool).max_capacity;
  CHECK(most <= ROOM / BLOCK_SIZE && most >= ROOM / BLOCK_SIZE / 4);
  CHECK(stats_of(pool).reserved_bytes <= ROOM);
  snprintf(said, sizeof said, "at most %zu,", most);
  CHECK(strstr(last_created, said) != NULL);
  take(pool, most);
  CHECK(live_count == most && pool_allocate(pool) == NULL && pool_capacity(pool) == most);
  is_whole(pool);
  give_back_all_but(pool, most / 2);
  is_whole(pool);
  end(pool);
  lift(RLIMIT_AS);
}

static void a_pool_that_does_not_fit_is_refused(uint32_t checks) {
  pool_options_t options = options_of(ROOM / BLOCK_SIZE + 1, 0, checks);
  pool_t *pool = NULL;
  leave_room(RLIMIT_AS, 0);
  for (int round = 0; round < 3; ++round) {
    /* Too many from the start; too many to grow to; and too many though less would do beyond. */
    options.capacity = round == 1 ? 1 : ROOM / BLOCK_SIZE + 1;
    options.max_capacity = round == 0 ? 0 : round == 1 ? ROOM / BLOCK_SIZE + 1 : SIZE_MAX;
    lines = 0;
    CHECK(pool_create_with(&options, &pool) == POOL_ERR_OUT_OF_MEMORY);
    CHECK(pool == NULL && lines == 1);
  }
  lift(RLIMIT_AS);
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  end(pool);
}

/* Growth takes no address space, which was reserved, but counts as data of the process. */
static void a_pool_grows_until_it_is_refused(uint32_t checks) {
  const pool_options_t options = options_of(1, (size_t)4 * ROOM / BLOCK_SIZE, checks);
  pool_t *pool = NULL;
  void *block = NULL;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  leave_room(RLIMIT_DATA, 5);
  lines = 0;
  while ((block = pool_allocate(pool)) != NULL && live_count < LIVE_MAX) keep(block);
  const size_t most = pool_capacity(pool);
  CHECK(block == NULL && lines == 1 && live_count == most);
  CHECK(most <= (ROOM + MIB) / BLOCK_SIZE && most >= ROOM / BLOCK_SIZE / 2);
  /* Again and again, a line each; by call as well. */
  for (size_t more = 2; more < 5; ++more) CHECK(pool_allocate(pool) == NULL && lines == more);
  CHECK(pool_grow(pool, ROOM / BLOCK_SIZE) == POOL_ERR_OUT_OF_MEMORY && lines == 5);
  CHECK(pool_capacity(pool) == most);
  is_whole(pool);
  give_back_all_but(pool, most / 2);
  is_whole(pool);
  take(pool, most - live_count);

  lift(RLIMIT_DATA);
  take(pool, ROOM / BLOCK_SIZE);
  CHECK(pool_capacity(pool) > most && pool_grow(pool, most) == POOL_OK);
  is_whole(pool);
  end(pool);
}

int main(void) {
  pool_set_log_callback(note, NULL, POOL_LOG_DEBUG);
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};
  /* What the process itself allocates later must not meet the limits. */
  CHECK(pool_destroy(pool_create(BLOCK_SIZE, 1)) == POOL_OK && bytes_of(0) > 0);
  for (int level = 0; level < 2; ++level) {
    an_unbounded_pool_gets_less(levels[level]);
    a_pool_that_does_not_fit_is_refused(levels[level]);
    a_pool_grows_until_it_is_refused(levels[level]);
  }
  return CHECK_RESULT();
}

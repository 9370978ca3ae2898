/* Memory by callbacks: they are called as their contract says, whatever they refuse is an error
   and no leak, and what they hand out or take back may hold anything. */

#define _DEFAULT_SOURCE /* madvise, MAP_ANONYMOUS */

#include "recording_source.h"

static void ignore(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level, (void)message;
}

static pool_options_t options_of(size_t block_size, size_t capacity, size_t max_capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = POOL_THREADS_SINGLE;
  return options;
}

static pool_status_t create(const pool_source_t *source, pool_options_t options, pool_t **pool) {
  options.source = source;
  return pool_create_with(&options, pool);
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

enum { MOST = 3000 };
static unsigned char *blocks[MOST];

/* Takes up to `count` blocks beyond the first `have`, and stamps them. */
static size_t fill(pool_t *pool, size_t have, size_t count) {
  const size_t size = pool_block_size(pool);
  for (size_t i = have; i < count; ++i) {
    if ((blocks[i] = pool_allocate(pool)) == NULL) return i;
    CHECK((uintptr_t)blocks[i] % pool_alignment(pool) == 0 && pool_owns(pool, blocks[i]));
    memset(blocks[i], (int)(i % 251), size);
  }
  return count;
}

/* Which blocks stay: one in `step`, and not the first of them. */
static bool stays(size_t i, size_t step) { return i % step == step / 2; }

static void stamps_are_there(const pool_t *pool, size_t count, size_t step) {
  for (size_t i = step / 2; i < count; i += step) {
    CHECK(blocks[i][0] == i % 251 && blocks[i][pool_block_size(pool) - 1] == i % 251);
  }
}

static void free_all_but(pool_t *pool, size_t count, size_t step) {
  for (size_t i = 0; i < count; ++i) {
    if (!stays(i, step)) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
}

/* Growth and trims in `memory`, whose contents decommit scrambles. */
static void a_life(pool_options_t options, size_t page_bytes) {
  Recorder memory = {.page_bytes = page_bytes};
  pool_source_t source = recorded(&memory);
  pool_t *pool = NULL;
  source.decommit = record_scramble;
  CHECK(create(&source, options, &pool) == POOL_OK && memory.reserves == 1);
  memset(&source, 0xEE, sizeof source); /* it was copied */
  const size_t most = stats_of(pool).max_capacity;
  CHECK(stats_of(pool).reserved_bytes == memory.bytes && most <= MOST);
  if (options.checks == POOL_CHECKS_STANDARD && fill(pool, 0, 1) == 1) {
    const size_t stride = pool_stride(pool), after_last = pool_capacity(pool) * stride;
    for (size_t offset = stride; offset < after_last; offset += stride) { /* never handed out */
      CHECK(pool_deallocate(pool, blocks[0] + offset) == POOL_ERR_DOUBLE_FREE);
    }
    CHECK(pool_deallocate(pool, blocks[0] + after_last) == POOL_ERR_FOREIGN_POINTER);
    CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK);
  }
  CHECK(fill(pool, 0, most) == most && pool_allocate(pool) == NULL);
  CHECK(blocks[0] >= memory.start);
  CHECK(blocks[most - 1] + options.block_size <= memory.start + memory.bytes);
  stamps_are_there(pool, most, 1);
  for (size_t step = 5; step <= 320; step *= 8) {
    free_all_but(pool, most, step);
    CHECK(pool_trim(pool, NULL) == POOL_OK && pool_validate(pool) == POOL_OK);
    stamps_are_there(pool, most, step);
    for (size_t i = 0; options.checks == POOL_CHECKS_STANDARD && i < most; ++i) {
      if (!stays(i, step)) CHECK(pool_deallocate(pool, blocks[i]) == POOL_ERR_DOUBLE_FREE);
    }
    CHECK(pool_reset(pool) == POOL_OK && fill(pool, 0, most) == most);
    free_all_but(pool, most, step);
    CHECK(pool_trim(pool, NULL) == POOL_OK); /* and all blocks can be had from where they wait */
    for (size_t i = 0; i < most; ++i) {
      if (!stays(i, step)) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
      memset(blocks[i], (int)(i % 251), options.block_size);
    }
    CHECK(pool_allocate(pool) == NULL && pool_validate(pool) == POOL_OK);
    stamps_are_there(pool, most, 1);
  }
  CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
  CHECK(fill(pool, 0, most) == most && pool_reset(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(memory.reserves == 1 && memory.releases == 1 && memory.committed == NULL);
}

static void lives(void) {
  static const size_t pages[] = {16, 32, 256, 4096, 65536, 0};
  static const size_t sizes[] = {1, 24, 100, 1000, 4096, 5001};
  for (size_t i = 0; i < sizeof pages / sizeof *pages; ++i) {
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; ++j) {
      pool_options_t options = options_of(sizes[j], j % 2 == 0 ? 1 : 7, 500 / (j + 1));
      options.checks = (i + j) % 3 == 0 ? POOL_CHECKS_NONE : POOL_CHECKS_STANDARD;
      a_life(options, pages[i]);
      options.alignment = (size_t)64 << j * 2; /* to 64 KiB, also beyond the pages */
      options.max_capacity = 0;
      a_life(options, pages[i]);
    }
  }
}

/* Each call is refused in its turn, until a whole life had no refusal. */
static void every_refusal_is_an_error_and_no_leak(size_t page_bytes, uint32_t checks) {
  Recorder memory = {.page_bytes = page_bytes};
  for (size_t refused = 1;; ++refused) {
    const pool_source_t source = recorded(&memory);
    pool_options_t options = options_of(100, 10, MOST);
    pool_t *pool = NULL;
    memory = (Recorder){.page_bytes = page_bytes, .refuse_at = refused};
    options.checks = checks;
    const pool_status_t created = create(&source, options, &pool);
    if (created != POOL_OK) {
      CHECK(created == POOL_ERR_OUT_OF_MEMORY && memory.calls >= refused && pool == NULL);
      CHECK(memory.releases == memory.reserves); /* what was reserved went back */
      continue;
    }
    CHECK(memory.calls < refused);
    const bool by_call = pool_grow(pool, 40) == POOL_OK;
    CHECK(by_call == (memory.calls < refused));
    CHECK(pool_capacity(pool) == (by_call ? 50 : 10));
    size_t got = fill(pool, 0, MOST);
    CHECK(got == MOST || memory.calls >= refused);
    CHECK(pool_in_use(pool) == got && pool_validate(pool) == POOL_OK);
    got = fill(pool, got, MOST); /* what was refused once may come the next time */
    CHECK(got == MOST && pool_capacity(pool) == MOST);
    stamps_are_there(pool, got, 1);
    CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
    CHECK(memory.reserves == 1 && memory.releases == 1);
    if (memory.calls < refused) break;
  }
}

static unsigned char static_memory[1 << 16];

static void *reserve_static(void *user_data, size_t bytes) {
  unsigned char *start = user_data;
  return bytes <= sizeof static_memory / 2 ? start : NULL;
}

static void only_reserve_is_required(void) {
  const uintptr_t misaligned = (uintptr_t)static_memory % 4096;
  unsigned char *start = static_memory + (4096 - misaligned) % 4096;
  const pool_source_t source = {sizeof source, start, 4096, reserve_static, NULL, NULL, NULL};
  pool_t *pool = NULL;
  size_t trimmed = 77;
  memset(static_memory, DIRT, sizeof static_memory);
  CHECK(create(&source, options_of(64, 1, 300), &pool) == POOL_OK);
  CHECK(fill(pool, 0, 301) == 300 && blocks[0] > start);
  CHECK(blocks[299] + 64 <= start + sizeof static_memory / 2);
  free_all_but(pool, 300, 301);
  CHECK(pool_trim(pool, &trimmed) == POOL_OK && trimmed == 0);
  stamps_are_there(pool, 300, 301); /* the one that stayed */
  CHECK(pool_deallocate(pool, blocks[5]) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_available(pool) == 299 && fill(pool, 0, 299) == 299);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

static void *reserve_the_end_of_memory(void *user_data, size_t bytes) {
  CHECK(bytes > 4096);
  ++((Recorder *)user_data)->reserves;
  return (void *)~(uintptr_t)4095; /* the last page there is */
}

static void count_release(void *user_data, void *start, size_t bytes) {
  CHECK(start != NULL && bytes % 4096 == 0);
  ++((Recorder *)user_data)->releases;
}

static void misplaced_memory_is_refused_and_released(void) {
  Recorder memory = {0};
  pool_source_t source = recorded(&memory);
  pool_t *pool = NULL;
  static const size_t pages[] = {16, 64, 4096, 65536};
  for (size_t i = 0; i < sizeof pages / sizeof *pages; ++i) {
    for (size_t skew = 1; skew < pages[i]; skew *= 2) {
      memory = (Recorder){.page_bytes = pages[i], .skew = skew};
      source = recorded(&memory);
      CHECK(create(&source, options_of(64, 10, 0), &pool) == POOL_ERR_INVALID_ARGUMENT);
      CHECK(memory.reserves == 1 && memory.releases == 1 && memory.commits == 0 && pool == NULL);
    }
  }
  memory = (Recorder){.page_bytes = 4096};
  source = recorded(&memory);
  source.reserve = reserve_the_end_of_memory;
  source.release = count_release;
  CHECK(create(&source, options_of(64, 1000, 0), &pool) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(memory.reserves == 1 && memory.releases == 1);
}

static void a_source_that_can_not_be_is_refused_before_it_is_called(void) {
  static const size_t no_pages[] = {1, 2, 3, 8, 17, 24, 4097, (size_t)1 << 31, SIZE_MAX};
  pool_t *pool = NULL;
  pool_options_t options = options_of(64, 10, 0);
  for (size_t i = 0; i < sizeof no_pages / sizeof *no_pages; ++i) {
    Recorder memory = {.page_bytes = no_pages[i]};
    const pool_source_t source = recorded(&memory);
    CHECK(create(&source, options, &pool) == POOL_ERR_INVALID_ARGUMENT && memory.calls == 0);
  }
  Recorder memory = {0};
  pool_source_t source = recorded(&memory);
  static const size_t too_small[] = {0, 1, sizeof(size_t), sizeof source - 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof too_small / sizeof *too_small; ++i) {
    source.struct_size = too_small[i];
    CHECK(create(&source, options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  }
  source.struct_size = sizeof source + 8;
  CHECK(create(&source, options, &pool) == POOL_ERR_UNSUPPORTED);
  for (uint32_t flag = POOL_PREFAULT; flag <= POOL_GUARD_PAGES; flag *= 2) {
    options.flags = flag;
    source = recorded(&memory);
    CHECK(create(&source, options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  }
  CHECK(memory.calls == 0 && pool == NULL);
}

/* An unbounded pool is content with as much as there is. */
static void it_asks_for_less_until_it_gets_it(void) {
  Recorder memory = {0};
  const pool_source_t source = recorded(&memory);
  pool_t *pool = NULL;
  CHECK(create(&source, options_of(64, 10, SIZE_MAX), &pool) == POOL_OK);
  CHECK(memory.largest_refused > (size_t)1 << 40 && memory.bytes > RESERVE_MAX / 4);
  CHECK(stats_of(pool).max_capacity > RESERVE_MAX / 4 / 65);
  CHECK(fill(pool, 0, MOST) == MOST);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK && memory.releases == 1);
  CHECK(create(&source, options_of(64, RESERVE_MAX / 64, 0), &pool) == POOL_ERR_OUT_OF_MEMORY);
}

static void no_call_while_it_neither_grows_nor_is_trimmed(void) {
  Recorder memory = {0};
  const pool_source_t source = recorded(&memory);
  pool_t *pool = NULL;
  CHECK(create(&source, options_of(64, 1000, 0), &pool) == POOL_OK);
  const size_t calls = memory.calls;
  CHECK(fill(pool, 0, 1001) == 1000);
  free_all_but(pool, 1000, 2);
  CHECK(pool_validate(pool) == POOL_OK && pool_reset(pool) == POOL_OK && memory.calls == calls);
  CHECK(pool_destroy(pool) == POOL_OK && memory.calls == calls + 1);
}

/* What went back is counted where the kernel can tell, and what was kept is not. */
static void memory_is_counted(void) {
  for (int keep = 0; keep < 2; ++keep) {
    Recorder memory = {.page_bytes = 65536, .keep = keep == 1};
    const pool_source_t source = recorded(&memory);
    pool_t *pool = NULL;
    size_t trimmed = 77;
    CHECK(create(&source, options_of(4096, 100, 2000), &pool) == POOL_OK);
    CHECK(fill(pool, 0, 2000) == 2000);
    CHECK(stats_of(pool).resident_bytes >= 2000 * 4096);
    free_all_but(pool, 2000, 2001);
    CHECK(pool_trim(pool, &trimmed) == POOL_OK && memory.decommits > 0);
    if (keep) CHECK(trimmed == 0 && stats_of(pool).resident_bytes >= 2000 * 4096);
    else CHECK(trimmed >= 1900 * 4096 && stats_of(pool).resident_bytes < 100 * 4096);
    CHECK(fill(pool, 0, 2000) == 1999);
    stamps_are_there(pool, 1999, 1);
    CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  }
  /* In pages that are no OS pages, what is committed counts. */
  Recorder memory = {.page_bytes = 16};
  const pool_source_t source = recorded(&memory);
  pool_t *pool = NULL;
  CHECK(create(&source, options_of(16, 100, 200), &pool) == POOL_OK);
  CHECK(stats_of(pool).resident_bytes == 100 * 16 + 112);
  CHECK(pool_grow(pool, 100) == POOL_OK && stats_of(pool).resident_bytes == 200 * 16 + 208);
  CHECK(pool_destroy(pool) == POOL_OK && memory.releases == 1);
}

int main(void) {
  pool_set_log_callback(ignore, NULL, POOL_LOG_TRACE);
  lives();
  every_refusal_is_an_error_and_no_leak(4096, POOL_CHECKS_STANDARD);
  every_refusal_is_an_error_and_no_leak(16, POOL_CHECKS_STANDARD);
  every_refusal_is_an_error_and_no_leak(0, POOL_CHECKS_NONE);
  only_reserve_is_required();
  misplaced_memory_is_refused_and_released();
  a_source_that_can_not_be_is_refused_before_it_is_called();
  it_asks_for_less_until_it_gets_it();
  no_call_while_it_neither_grows_nor_is_trimmed();
  memory_is_counted();
  return CHECK_RESULT();
}

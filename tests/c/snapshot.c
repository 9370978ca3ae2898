/* pool_write_snapshot: every block is in the picture once, in every mode, and in every format. */

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 300, BLOCK_SIZE = 64, TEXT_BYTES = 1 << 20 };

static uint32_t threading;
static uint32_t checks;

static pool_t *pool_of(size_t capacity, size_t max_capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = threading;
  options.checks = checks;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

/* What was written, with a NUL behind. */
typedef struct {
  char *bytes;
  size_t count;
  int calls;
  int stop_after;
  pool_t *pool; /* that the callback destroys */
} text_t;

static bool collect(void *user_data, const char *bytes, size_t count) {
  text_t *text = user_data;
  CHECK(count > 0 && text->count + count < TEXT_BYTES);
  memcpy(text->bytes + text->count, bytes, count);
  text->count += count;
  text->bytes[text->count] = '\0';
  return ++text->calls != text->stop_after;
}

static bool destroy(void *user_data, const char *bytes, size_t count) {
  text_t *text = user_data;
  if (text->calls == 0) {
    CHECK(pool_reset(text->pool) == POOL_OK && pool_destroy(text->pool) == POOL_OK);
  }
  return collect(user_data, bytes, count);
}

static void begin(text_t *text) {
  static char bytes[TEXT_BYTES];
  memset(text, 0, sizeof *text);
  text->bytes = bytes;
}

static const char *write_all(pool_t *pool, uint32_t format) {
  static text_t text;
  begin(&text);
  CHECK(pool_write_snapshot(pool, format, collect, &text) == POOL_OK);
  CHECK(text.count > 0 && strlen(text.bytes) == text.count);
  return text.bytes;
}

/* The number behind a key, from its first place in the text on. */
static size_t number(const char *text, const char *key) {
  const char *at = strstr(text, key);
  CHECK(at != NULL);
  return at == NULL ? (size_t)-1 : strtoul(at + strlen(key), NULL, 10);
}

/* Blocks by state in a picture, as it counts them. */
typedef struct {
  size_t live, free, cached, quarantined, untouched;
} states_t;

static const char *const states[] = {"live", "free", "cached", "quarantined", "untouched"};

/* The runs follow each other without a gap up to the capacity, and hold what the states say. */
static void runs_agree(const char *json, const size_t *blocks, size_t capacity) {
  size_t next = 0, counted[5] = {0};
  const char *end = strstr(json, "\"pages\"");
  for (const char *run = strstr(json, "{\"first\":"); run != NULL && run < end;
       run = strstr(run + 1, "{\"first\":")) {
    CHECK(number(run, "\"first\":") == next);
    const size_t count = number(run, "\"blocks\":");
    const char *state = strstr(run, "\"state\":\"") + strlen("\"state\":\"");
    int known = 0;
    for (int i = 0; i < 5; ++i) {
      if (strncmp(state, states[i], strlen(states[i])) == 0) counted[i] += count, known = 1;
    }
    CHECK(known && count > 0);
    next += count;
  }
  CHECK(next == capacity && memcmp(counted, blocks, sizeof counted) == 0);
}

/* What a picture counts, after a look at whether that is all blocks, and those that are live. */
static states_t seen(pool_t *pool) {
  size_t blocks[5], sum = 0;
  const char *json = write_all(pool, POOL_SNAPSHOT_JSON);
  const char *counts = strstr(json, "\"states\":{");
  CHECK(counts != NULL);
  for (int i = 0; i < 5; ++i) {
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", states[i]);
    sum += blocks[i] = number(counts, key);
  }
  CHECK(sum == pool_capacity(pool) && blocks[0] == pool_in_use(pool));
  CHECK(number(json, "\"capacity\":") == sum && number(json, "\"in_use\":") == blocks[0]);
  runs_agree(json, blocks, sum);
  const states_t found = {blocks[0], blocks[1], blocks[2], blocks[3], blocks[4]};
  return found;
}

static void refuses_what_it_can_not_do(void) {
  pool_t *pool = pool_of(CAPACITY, 0);
  text_t text;
  begin(&text);
  CHECK(pool_write_snapshot(NULL, POOL_SNAPSHOT_TEXT, collect, &text) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_write_snapshot(pool, POOL_SNAPSHOT_TEXT, NULL, &text) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_write_snapshot(pool, 3, collect, &text) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(pool_write_snapshot(pool, UINT32_MAX, collect, &text) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(pool_write_snapshot(pool, POOL_SNAPSHOT_TEXT, collect, &text) == POOL_ERR_STALE_HANDLE);
  CHECK(text.calls == 0);
}

static void stops_when_told(void) {
  pool_t *pool = pool_of(CAPACITY, 0);
  for (uint32_t format = POOL_SNAPSHOT_TEXT; format <= POOL_SNAPSHOT_HTML; ++format) {
    text_t text;
    begin(&text);
    text.stop_after = 1;
    CHECK(pool_write_snapshot(pool, format, collect, &text) == POOL_OK && text.calls == 1);
  }
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* All was looked at before. */
static void callback_may_destroy_the_pool(void) {
  for (uint32_t format = POOL_SNAPSHOT_TEXT; format <= POOL_SNAPSHOT_HTML; ++format) {
    text_t text;
    begin(&text);
    text.pool = pool_of(CAPACITY, 0);
    for (int i = 0; i < CAPACITY; i += 2) CHECK(pool_allocate(text.pool) != NULL);
    CHECK(pool_write_snapshot(text.pool, format, destroy, &text) == POOL_OK);
    CHECK(text.calls > 0 && strstr(text.bytes, "live") != NULL);
    CHECK(pool_owns(text.pool, NULL) == false);
  }
}

static void every_block_is_in_one_state(void) {
  pool_t *pool = pool_of(CAPACITY, 2 * CAPACITY);
  void *blocks[CAPACITY];
  states_t now = seen(pool);
  CHECK(now.untouched == CAPACITY);
  for (int i = 0; i < CAPACITY; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  now = seen(pool);
  CHECK(now.live == CAPACITY);
  for (int i = 0; i < CAPACITY; ++i) {
    if (i % 3 != 0) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
  now = seen(pool);
  CHECK(now.live == CAPACITY / 3 && now.free + now.cached + now.quarantined == CAPACITY * 2 / 3);
  CHECK((now.quarantined > 0) == (checks == POOL_CHECKS_FULL));
  CHECK(checks == POOL_CHECKS_FULL || (now.cached > 0) == (threading == POOL_THREADS_SAFE));
  CHECK(pool_trim(pool, NULL) == POOL_OK && pool_grow(pool, CAPACITY) == POOL_OK);
  now = seen(pool);
  CHECK(now.live == CAPACITY / 3 && now.untouched >= CAPACITY);
  /* After a trim a page waits with its blocks, which are free all the same. */
  for (int i = 0; i < CAPACITY; i += 3) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  CHECK((blocks[0] = pool_allocate(pool)) != NULL && pool_trim(pool, NULL) == POOL_OK);
  now = seen(pool);
  CHECK(now.live == 1);
  CHECK(pool_reset(pool) == POOL_OK);
  now = seen(pool);
  CHECK(now.untouched == 2 * CAPACITY && pool_validate(pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
}

/* A picture changes nothing: what was allocated last comes first, as without it. */
static void takes_nothing_from_a_cache(void) {
  pool_t *pool = pool_of(CAPACITY, 0);
  pool_cache_t *const cache = pool_cache_create(pool);
  CHECK(cache != NULL);
  void *const first = pool_cache_allocate(cache), *const second = pool_cache_allocate(cache);
  pool_cache_deallocate(cache, second);
  const states_t now = seen(pool);
  CHECK(now.live == 1 && now.cached > 0 && now.cached + now.untouched == CAPACITY - 1);
  CHECK(pool_cache_allocate(cache) == second);
  pool_cache_deallocate(cache, first);
  pool_cache_deallocate(cache, second);
  pool_cache_destroy(cache);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void a_buffer_has_a_picture_too(void) {
  static unsigned char memory[POOL_STATIC_BYTES_LOCK_FREE(BLOCK_SIZE, CAPACITY)];
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = CAPACITY;
  options.threading = threading;
  options.checks = checks;
  options.buffer = memory;
  options.buffer_bytes = sizeof memory;
  if (checks == POOL_CHECKS_FULL) return;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  for (int i = 0; i < 10; ++i) CHECK(pool_allocate(pool) != NULL);
  CHECK(seen(pool).live == 10);
  CHECK(strstr(write_all(pool, POOL_SNAPSHOT_JSON), "\"pages\":null") != NULL);
  CHECK(strstr(write_all(pool, POOL_SNAPSHOT_TEXT), "can't be given back by OS page") != NULL);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Blocks of the heap are not in the map, but among the figures. */
static void heap_blocks_are_counted_apart(void) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = 4;
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  for (int i = 0; i < 7; ++i) CHECK(pool_allocate(pool) != NULL);
  const char *json = write_all(pool, POOL_SNAPSHOT_JSON);
  CHECK(number(json, "\"in_use\":") == 7 && number(json, "\"heap_blocks\":") == 3);
  CHECK(number(json, "\"live\":") == 4 && number(json, "\"capacity\":") == 4);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  const uint32_t modes[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE, POOL_CHECKS_FULL};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      threading = modes[i];
      checks = levels[j];
      refuses_what_it_can_not_do();
      stops_when_told();
      callback_may_destroy_the_pool();
      every_block_is_in_one_state();
      a_buffer_has_a_picture_too();
    }
  }
  threading = POOL_THREADS_SAFE;
  checks = POOL_CHECKS_STANDARD;
  takes_nothing_from_a_cache();
  heap_blocks_are_counted_apart();
  return CHECK_RESULT();
}

/* pool_write_snapshot while other threads allocate and give back: each block is counted once. */

#define _DEFAULT_SOURCE
#include "threads.h"

enum { CAPACITY = 2000, THREADS = 3, HELD = 64, PICTURES = 200 / THREADS_FEWER };
/* With sites a picture looks up names, which takes its time. */
enum { PICTURES_WITH_SITES = 3 };

typedef struct {
  pool_t *pool;
  int pictures;
  atomic_bool is_over;
} shared_t;

/* The states come within the first piece of the JSON. */
static bool add_states(void *user_data, const char *bytes, size_t count) {
  static const char *const keys[] = {"\"live\":", "\"free\":", "\"cached\":", "\"quarantined\":",
                                     "\"untouched\":"};
  char text[4097];
  MUST(count < sizeof text);
  memcpy(text, bytes, count);
  text[count] = '\0';
  const char *states = strstr(text, "\"states\":{");
  MUST(states != NULL);
  for (int i = 0; i < 5; ++i) {
    const char *at = strstr(states, keys[i]);
    MUST(at != NULL);
    *(size_t *)user_data += strtoul(at + strlen(keys[i]), NULL, 10);
  }
  return false;
}

static void job(size_t number, void *argument) {
  shared_t *shared = argument;
  if (number == 0) {
    for (int i = 0; i < shared->pictures; ++i) {
      size_t blocks = 0;
      MUST(pool_write_snapshot(shared->pool, POOL_SNAPSHOT_JSON, add_states, &blocks) == POOL_OK);
      MUST(blocks == CAPACITY);
    }
    atomic_store(&shared->is_over, true);
  }
  uint64_t state = number;
  while (!atomic_load(&shared->is_over)) {
    void *blocks[HELD];
    const size_t count = 1 + chance(&state) % HELD;
    for (size_t i = 0; i < count; ++i) MUST((blocks[i] = pool_allocate(shared->pool)) != NULL);
    for (size_t i = 0; i < count; ++i) MUST(pool_deallocate(shared->pool, blocks[i]) == POOL_OK);
  }
}

int main(void) {
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE, POOL_CHECKS_FULL};
  for (size_t i = 0; i < 3 * MODE_COUNT; ++i) {
    pool_options_t options = POOL_OPTIONS_INIT;
    shared_t shared = {.pool = NULL};
    shared.pictures = levels[i % 3] == POOL_CHECKS_FULL ? PICTURES_WITH_SITES : PICTURES;
    options.block_size = 32;
    options.capacity = CAPACITY;
    options.threading = MODES[i / 3].threading;
    options.checks = levels[i % 3];
    CHECK(pool_create_with(&options, &shared.pool) == POOL_OK);
    together(THREADS, job, &shared);
    CHECK(pool_in_use(shared.pool) == 0 && pool_validate(shared.pool) == POOL_OK);
    CHECK(pool_destroy(shared.pool) == POOL_OK);
  }
  return CHECK_RESULT();
}

/* pool_for_each_live: every live block once, in address order, whatever the callback does. */

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 200, BLOCK_SIZE = 24, SPARSE = 100000 };

static uint32_t threading;
static uint32_t checks;

static pool_t *pool_of(size_t capacity, size_t max_capacity, uint32_t on_exhausted) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.max_capacity = max_capacity;
  options.threading = threading;
  options.checks = checks;
  options.on_exhausted = on_exhausted;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

/* What a walk met, and what it does with it. */
typedef struct {
  pool_t *pool;
  char *met[CAPACITY + 1];
  int count;
  int stop_after;
  char *free_too; /* what the first call gives back */
} walk_t;

static bool keep(void *user_data, void *block) {
  walk_t *walk = user_data;
  if (walk->count <= CAPACITY) walk->met[walk->count] = block;
  return ++walk->count != walk->stop_after;
}

static bool free_it(void *user_data, void *block) {
  walk_t *walk = user_data;
  CHECK(pool_deallocate(walk->pool, block) == POOL_OK);
  if (walk->count == 0) CHECK(pool_deallocate(walk->pool, walk->free_too) == POOL_OK);
  return keep(user_data, block);
}

/* Takes a new block at each call: a walk ends all the same. */
static bool take_more(void *user_data, void *block) {
  walk_t *walk = user_data;
  (void)block;
  CHECK(pool_allocate(walk->pool) != NULL);
  return ++walk->count < 10 * CAPACITY;
}

static bool reset(void *user_data, void *block) {
  walk_t *walk = user_data;
  CHECK(pool_reset(walk->pool) == POOL_OK);
  return keep(user_data, block);
}

static bool destroy(void *user_data, void *block) {
  walk_t *walk = user_data;
  CHECK(pool_reset(walk->pool) == POOL_OK && pool_destroy(walk->pool) == POOL_OK);
  return keep(user_data, block);
}

/* Walks over the pool from inside a walk, and validates it. */
static bool nest(void *user_data, void *block) {
  walk_t *outer = user_data;
  walk_t inner = {.pool = outer->pool};
  CHECK(pool_for_each_live(outer->pool, keep, &inner) == POOL_OK);
  CHECK(inner.count == 3 && pool_validate(outer->pool) == POOL_OK);
  return keep(user_data, block);
}

static int up(const void *one, const void *other) {
  char *const *a = one, *const *b = other;
  return (*a > *b) - (*a < *b);
}

/* A walk meets these blocks, lowest address first. */
static void meets(pool_t *pool, char **blocks, int count) {
  char *sorted[CAPACITY];
  walk_t walk = {.pool = pool};
  memcpy(sorted, blocks, (size_t)count * sizeof *blocks);
  qsort(sorted, (size_t)count, sizeof *sorted, up);
  CHECK(pool_for_each_live(pool, keep, &walk) == POOL_OK);
  CHECK(walk.count == count && memcmp(walk.met, sorted, (size_t)count * sizeof *sorted) == 0);
}

static void meets_every_live_block_in_order(void) {
  pool_t *pool = pool_of(CAPACITY, 2 * CAPACITY, POOL_EXHAUSTED_NULL);
  char *blocks[CAPACITY];
  meets(pool, blocks, 0);
  for (int i = 0; i < CAPACITY; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  meets(pool, blocks, CAPACITY); /* the first and the last as well */
  for (int i = 0; i < CAPACITY; i += 3) {
    CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
    CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  }
  meets(pool, blocks, CAPACITY);
  int left = 0;
  for (int i = 0; i < CAPACITY; ++i) {
    if (i % 7 == 0) blocks[left++] = blocks[i];
    else CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
  meets(pool, blocks, left);
  CHECK(pool_trim(pool, NULL) == POOL_OK && pool_grow(pool, CAPACITY) == POOL_OK);
  meets(pool, blocks, left);
  while (left < CAPACITY) CHECK((blocks[left++] = pool_allocate(pool)) != NULL);
  meets(pool, blocks, left);
  CHECK(pool_reset(pool) == POOL_OK);
  meets(pool, blocks, 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void stops_when_told(void) {
  pool_t *pool = pool_of(CAPACITY, 0, POOL_EXHAUSTED_NULL);
  walk_t walk = {.pool = pool, .stop_after = 2};
  char *first = pool_allocate(pool);
  CHECK(pool_allocate(pool) != NULL && pool_allocate(pool) != NULL);
  CHECK(pool_for_each_live(pool, keep, &walk) == POOL_OK);
  CHECK(walk.count == 2 && walk.met[0] == first);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Blocks that the callback gives back are not met, neither the one at hand nor one to come. */
static void the_callback_may_call_the_pool(void) {
  pool_t *pool = pool_of(CAPACITY, 4 * CAPACITY, POOL_EXHAUSTED_NULL);
  char *blocks[3];
  for (int i = 0; i < 3; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  walk_t nested = {.pool = pool};
  CHECK(pool_for_each_live(pool, nest, &nested) == POOL_OK && nested.count == 3);
  walk_t freeing = {.pool = pool, .free_too = blocks[1]};
  CHECK(pool_for_each_live(pool, free_it, &freeing) == POOL_OK);
  CHECK(freeing.count == 2 && freeing.met[0] == blocks[0] && freeing.met[1] == blocks[2]);
  CHECK(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);

  CHECK(pool_allocate(pool) != NULL);
  walk_t taking = {.pool = pool};
  CHECK(pool_for_each_live(pool, take_more, &taking) == POOL_OK);
  CHECK(taking.count < CAPACITY && pool_in_use(pool) == (size_t)taking.count + 1);

  walk_t resetting = {.pool = pool};
  CHECK(pool_for_each_live(pool, reset, &resetting) == POOL_OK && resetting.count == 1);
  CHECK(pool_allocate(pool) != NULL && pool_allocate(pool) != NULL);
  walk_t destroying = {.pool = pool};
  CHECK(pool_for_each_live(pool, destroy, &destroying) == POOL_OK && destroying.count == 1);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
}

/* Far apart: longer than what is looked at in one go. */
static void finds_the_few_among_many(void) {
  pool_t *pool = pool_of(SPARSE, 0, POOL_EXHAUSTED_NULL);
  static char *blocks[SPARSE];
  for (int i = 0; i < SPARSE; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  qsort(blocks, SPARSE, sizeof *blocks, up);
  char *kept[] = {blocks[0], blocks[1], blocks[16383], blocks[16384], blocks[70001],
                  blocks[SPARSE - 1]};
  const int all = sizeof kept / sizeof *kept;
  for (int i = 0, next = 0; i < SPARSE; ++i) {
    if (next < all && blocks[i] == kept[next]) ++next;
    else CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
  meets(pool, kept, all);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* Blocks of the heap come after those of the span, and the same holds for them. */
static void meets_blocks_of_the_heap(void) {
  enum { SPAN = 4, HEAP = 40 };
  pool_t *pool = pool_of(SPAN, 0, POOL_EXHAUSTED_HEAP);
  char *blocks[SPAN + HEAP];
  for (int i = 0; i < SPAN + HEAP; ++i) CHECK((blocks[i] = pool_allocate(pool)) != NULL);
  qsort(blocks, SPAN, sizeof *blocks, up);
  qsort(blocks + SPAN, HEAP, sizeof *blocks, up);
  walk_t all = {.pool = pool};
  CHECK(pool_for_each_live(pool, keep, &all) == POOL_OK);
  CHECK(all.count == SPAN + HEAP && memcmp(all.met, blocks, sizeof blocks) == 0);
  walk_t some = {.pool = pool, .stop_after = SPAN + 2};
  CHECK(pool_for_each_live(pool, keep, &some) == POOL_OK && some.count == SPAN + 2);
  walk_t freeing = {.pool = pool, .free_too = blocks[SPAN + 5]};
  CHECK(pool_for_each_live(pool, free_it, &freeing) == POOL_OK);
  CHECK(freeing.count == SPAN + HEAP - 1 && pool_in_use(pool) == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
}

static void wrong_arguments_have_their_status(void) {
  pool_t *pool = pool_of(CAPACITY, 0, POOL_EXHAUSTED_NULL);
  walk_t walk = {.pool = pool};
  CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_for_each_live(NULL, keep, &walk) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_for_each_live(pool, NULL, &walk) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_for_each_live((pool_t *)&walk, keep, &walk) == POOL_ERR_STALE_HANDLE);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  CHECK(pool_for_each_live(pool, keep, &walk) == POOL_ERR_STALE_HANDLE && walk.count == 0);
}

/* --- a pool that does not know -------------------------------------------------------------- */

static int lines;
static char last_line[600];

static void listen(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level;
  ++lines;
  strncpy(last_line, message, sizeof last_line - 1);
}

static void says_that_it_does_not_know(void) {
  pool_t *pool = pool_of(CAPACITY, 0, POOL_EXHAUSTED_NULL);
  walk_t walk = {.pool = pool};
  CHECK(pool_allocate(pool) != NULL);
  pool_set_log_callback(listen, NULL, POOL_LOG_TRACE);
  lines = 0;
  CHECK(pool_for_each_live(pool, keep, &walk) == POOL_ERR_UNSUPPORTED);
  CHECK(walk.count == 0 && lines == 1 && strstr(last_line, "POOL_CHECKS_NONE") != NULL);
  pool_set_log_callback(NULL, NULL, 0);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

int main(void) {
  const uint32_t all[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  const uint32_t levels[] = {POOL_CHECKS_STANDARD, POOL_CHECKS_NONE};
  pool_set_log_callback(NULL, NULL, 0);
  for (int i = 0; i < 6; ++i) {
    threading = all[i / 2];
    checks = levels[i % 2];
    wrong_arguments_have_their_status();
    if (threading != POOL_THREADS_LOCK_FREE) meets_blocks_of_the_heap(); /* always checked */
    if (checks == POOL_CHECKS_NONE && threading != POOL_THREADS_LOCK_FREE) {
      says_that_it_does_not_know();
      continue;
    }
    meets_every_live_block_in_order();
    stops_when_told();
    the_callback_may_call_the_pool();
    finds_the_few_among_many();
  }
  return CHECK_RESULT();
}

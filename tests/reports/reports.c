/* One misuse of one pool, and what was answered. tests/reports.rs knows what is to be said.
 *     reports CASE NUMBER MODE LEVEL INDEX POLICY
 * INDEX: the block that it is about; from CAPACITY on it comes from growth. Prints where the pool
 * begins, then an answer a line. */

#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_pool/pool.h"

enum { CAPACITY = 4, MAX_CAPACITY = 8, BLOCK_SIZE = 48, PAGE = 4096 };

static pool_options_t options = POOL_OPTIONS_INIT;
static pool_t *pool;
static char *blocks[MAX_CAPACITY]; /* all of the pool's, by their numbers */
static size_t capacity, index_, number;
static char *block; /* the one with that index */

static void require(int condition) {
  if (!condition) exit(2);
}

static pool_t *create(size_t block_size) {
  pool_t *created = NULL;
  options.block_size = block_size;
  require(pool_create_with(&options, &created) == POOL_OK);
  return created;
}

static int by_address(const void *a, const void *b) {
  const uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;
  return (left > right) - (left < right);
}

/* A pool whose blocks are all live. */
static void prepare(size_t block_size) {
  pool = create(block_size);
  if (index_ >= CAPACITY) require(pool_grow(pool, MAX_CAPACITY - CAPACITY) == POOL_OK);
  capacity = pool_capacity(pool);
  require(pool_allocate_many(pool, (void **)blocks, capacity) == capacity);
  qsort(blocks, capacity, sizeof blocks[0], by_address);
  block = blocks[index_];
  printf("base %p\n", (void *)blocks[0]);
}

static void answer(int status) { printf("answer %d\n", status); }

static void give_back(void *pointer) { answer(pool_deallocate(pool, pointer)); }

static void give_others_back(void) {
  for (size_t i = 0; i < capacity; ++i) {
    if (i != index_) require(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
}

/* --- given back twice ------------------------------------------------------------------------- */

static void twice(void) {
  give_back(block);
  give_back(block);
}

static void twice_late(void) {
  give_back(block);
  give_others_back();
  give_back(block);
}

static void *from_thread(void *pointer) {
  give_back(pointer);
  return NULL;
}

static void twice_by_threads(void) {
  pthread_t thread;
  give_back(block);
  require(pthread_create(&thread, NULL, from_thread, block) == 0);
  require(pthread_join(thread, NULL) == 0);
}

static void twice_in_a_batch(void) {
  void *batch[] = {NULL, block, block};
  answer(pool_deallocate_many(pool, batch, 3));
}

static void twice_to_a_cache(void) {
  pool_cache_t *cache = pool_cache_create(pool);
  require(cache != NULL);
  answer(pool_cache_deallocate(cache, block));
  answer(pool_cache_deallocate(cache, block));
}

static void never_handed_out(void) {
  require(pool_reset(pool) == POOL_OK);
  give_back(block);
}

/* --- not a block ------------------------------------------------------------------------------ */

static void interior(void) { give_back(block + number); }

static void on_the_stack(void) {
  int local = 0;
  give_back(&local);
}

static void of_the_program(void) {
  static int word;
  give_back(&word);
}

static void of_malloc(void) {
  void *memory = malloc(BLOCK_SIZE);
  give_back(memory);
  free(memory);
}

/* NUMBER: of blocks so large. */
static void of_another_pool(void) { give_back(pool_allocate(create(number))); }

static void of_a_pool_that_is_gone(void) {
  pool_t *other = create(BLOCK_SIZE);
  void *dead = pool_allocate(other);
  require(pool_deallocate(other, dead) == POOL_OK && pool_destroy(other) == POOL_OK);
  give_back(dead);
}

static void before_the_first(void) { give_back(blocks[0] - 1); }

static void behind_the_last(void) {
  give_back(blocks[0] + capacity * pool_stride(pool));
}

/* --- written where nobody may ----------------------------------------------------------------- */

static void write_and_give_back(void) {
  memset(block + (ptrdiff_t)(int)number, 0x41, 1);
  give_back(block);
}

static void write_and_validate(void) {
  memset(block + (ptrdiff_t)(int)number, 0x41, 1);
  answer(pool_validate(pool));
}

static void flip_after_free(void) {
  give_back(block);
  block[number] ^= 1;
}

static void flip_and_take(void) {
  flip_after_free();
  answer(pool_allocate(pool) == (void *)block);
}

static void flip_and_validate(void) {
  flip_after_free();
  answer(pool_validate(pool));
}

/* The whole block, as a string of its size would. */
static void fill_and_take(void) {
  give_back(block);
  memset(block, 0x41, BLOCK_SIZE);
  answer(pool_allocate(pool) == (void *)block);
}

/* --- live at the end -------------------------------------------------------------------------- */

/* NUMBER: how many, the last of them. */
static void leak(void) {
  for (size_t i = 0; i < capacity - number; ++i) {
    require(pool_deallocate(pool, blocks[i]) == POOL_OK);
  }
  answer(pool_destroy(pool));
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
    {"twice", twice},
    {"twice-late", twice_late},
    {"twice-by-threads", twice_by_threads},
    {"twice-in-a-batch", twice_in_a_batch},
    {"twice-to-a-cache", twice_to_a_cache},
    {"never-handed-out", never_handed_out},
    {"interior", interior},
    {"on-the-stack", on_the_stack},
    {"of-the-program", of_the_program},
    {"of-malloc", of_malloc},
    {"of-another-pool", of_another_pool},
    {"of-a-pool-that-is-gone", of_a_pool_that_is_gone},
    {"before-the-first", before_the_first},
    {"behind-the-last", behind_the_last},
    {"write-and-give-back", write_and_give_back},
    {"write-and-validate", write_and_validate},
    {"flip-and-take", flip_and_take},
    {"flip-and-validate", flip_and_validate},
    {"fill-and-take", fill_and_take},
    {"leak", leak},
};

static uint32_t word_of(const char *word, const char *const words[3]) {
  for (uint32_t i = 0; i < 3; ++i) {
    if (strcmp(word, words[i]) == 0) return i;
  }
  exit(2);
}

int main(int argc, char **argv) {
  const char *const modes[] = {"safe", "single", "lock-free"};
  const char *const levels[] = {"standard", "none", "full"};
  require(argc == 7);
  setbuf(stdout, NULL);
  number = strtoul(argv[2], NULL, 10);
  options.threading = word_of(argv[3], modes);
  options.checks = word_of(argv[4], levels);
  index_ = strtoul(argv[5], NULL, 10);
  options.on_misuse = options.on_leak = (uint32_t)strtoul(argv[6], NULL, 10);
  if (strcmp(argv[1], "leak") == 0) options.on_misuse = POOL_MISUSE_RETURN;
  else options.on_leak = POOL_LEAK_WARN;
  options.capacity = CAPACITY;
  options.max_capacity = index_ < CAPACITY ? CAPACITY : MAX_CAPACITY;
  options.name = "watched";
  const int is_edge = strstr(argv[1], "-the-first") || strstr(argv[1], "-the-last");
  options.flags = is_edge ? POOL_GUARD_PAGES : 0; /* to read there is a fault */
  prepare(is_edge ? PAGE : BLOCK_SIZE);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    if (strcmp(argv[1], cases[i].name) != 0) continue;
    cases[i].run();
    puts("survived");
    return 0;
  }
  return 2;
}

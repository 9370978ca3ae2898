/* What a tool that watches memory must report: one mistake a run, that of the first argument. The
   line where it happens says so in a comment, by which tests/watched.rs finds it. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_pool/pool.h"

enum { BLOCK_SIZE = 24 };

static pool_t *pool;
static volatile char sink;
static void *volatile kept;

static void *give_back(void *block) {
  pool_cache_t *cache = pool_cache_create(pool);
  if (cache == NULL) abort();
  pool_cache_deallocate(cache, block);
  return cache;
}

/* Volatile, so that the compiler leaves no mistake out. */
static volatile char *take(void) {
  volatile char *block = pool_allocate(pool);
  if (block == NULL) abort();
  return block;
}

static int is(const char *asked, const char *mistake) { return strcmp(asked, mistake) == 0; }

static void read_after_free(void) {
  volatile char *block = take();
  memset((void *)block, 1, BLOCK_SIZE);
  pool_deallocate(pool, (void *)block);
  sink = block[4]; /* read-after-free */
}

static void write_after_free(void) {
  volatile char *block = take();
  pool_deallocate(pool, (void *)block);
  for (int i = 0; i < 100; ++i) pool_deallocate(pool, (void *)take());
  block[BLOCK_SIZE - 1] = 1; /* write-after-free */
}

static void write_past_end(void) {
  volatile char *block = take();
  block[BLOCK_SIZE] = 1; /* write-past-end */
}

static void write_before_start(void) {
  volatile char *block = take();
  block[-1] = 1; /* write-before-start */
}

static void use_after_cache(void) {
  pthread_t thread;
  volatile char *block = take();
  pthread_create(&thread, NULL, give_back, (void *)block);
  pthread_join(thread, NULL);
  block[0] = 1; /* use-after-cache */
}

static void use_after_reset(void) {
  volatile char *block = take();
  pool_reset(pool);
  block[0] = 1; /* use-after-reset */
}

static void use_after_destroy(void) {
  volatile char *block = take();
  pool_deallocate(pool, (void *)block);
  pool_destroy(pool);
  block[0] = 1; /* use-after-destroy */
}

static void read_fresh(void) {
  volatile char *block = take();
  if (block[3] == 7) puts("seven"); /* read-fresh */
}

/* The pool itself knows where its first block is, and valgrind looks at no pool before there is a
   block of the heap. */
static void leak(void) {
  static void *volatile heap;
  heap = malloc(1);
  if (heap == NULL) abort();
  volatile char *first = take();
  kept = (void *)first;
  kept = (void *)take(); /* leak */
  kept = NULL;
}

/* The heap block is the only one that nobody can find. */
static void leak_heap(void) {
  char **block = (char **)take();
  block[0] = malloc(1000); /* leak-heap */
  if (block[0] == NULL) abort();
  pool_deallocate(pool, block);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*make)(void);
  } mistakes[] = {
      {"read-after-free", read_after_free},       {"write-after-free", write_after_free},
      {"write-past-end", write_past_end},         {"write-before-start", write_before_start},
      {"use-after-cache", use_after_cache},       {"use-after-reset", use_after_reset},
      {"use-after-destroy", use_after_destroy},   {"read-fresh", read_fresh},
      {"leak", leak},                             {"leak-heap", leak_heap},
  };
  if (argc != 4) return 2;
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = BLOCK_SIZE;
  options.capacity = 1000;
  options.threading = (uint32_t)atoi(argv[2]);
  options.checks = (uint32_t)atoi(argv[3]);
  if (pool_create_with(&options, &pool) != POOL_OK) return 3;
  for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; ++i) {
    if (is(argv[1], mistakes[i].name)) mistakes[i].make();
  }
  return 0;
}

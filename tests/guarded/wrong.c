/* What guarded blocks stop or find: one mistake a run, that of the first argument. The line where
   it happens says so in a comment, by which tests/guarded.rs finds it. */

#define _GNU_SOURCE /* sigaction, sigaltstack, MAP_ANONYMOUS */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory_pool/pool.h"

enum { BLOCK_SIZE = 48, PAGE = 4096 };

static pool_t *pool;
static uint32_t threading;
static volatile char sink;
static volatile char *volatile nowhere;

static void create(size_t block_size, size_t alignment) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.capacity = 100;
  options.alignment = alignment;
  options.threading = threading;
  options.name = "watched";
  if (pool_create_with(&options, &pool) != POOL_OK) abort();
}

/* Volatile, so that the compiler leaves no mistake out. */
static volatile char *take(void) {
  volatile char *block = pool_allocate(pool); /* taken */
  if (block == NULL) abort();
  return block;
}

static void give(volatile char *block) {
  printf("%d\n", pool_deallocate(pool, (void *)block)); /* given */
  fflush(stdout);
}

static void write_past_end(void) {
  take();
  volatile char *block = take();
  block[BLOCK_SIZE] = 1; /* write-past-end */
}

static void read_past_end(void) {
  volatile char *block = take();
  sink = block[BLOCK_SIZE + 7]; /* read-past-end */
}

static void write_before_start(void) {
  volatile char *block = take();
  block[BLOCK_SIZE - PAGE - 1] = 1; /* write-before-start */
}

static void write_after_free(void) {
  volatile char *block = take();
  give(block);
  for (int i = 0; i < 150; ++i) pool_deallocate(pool, pool_allocate(pool));
  block[8] = 1; /* write-after-free */
}

static void read_after_free(void) {
  volatile char *block = take();
  give(block);
  sink = block[0]; /* read-after-free */
}

static void use_after_reset(void) {
  volatile char *block = take();
  pool_reset(pool); /* reset */
  block[BLOCK_SIZE - 1] = 1; /* use-after-reset */
}

static void *use(void *block) {
  ((volatile char *)block)[4] = 1; /* use-in-a-thread */
  return NULL;
}

static void use_in_a_thread(void) {
  pthread_t thread;
  volatile char *block = take();
  give(block);
  pthread_create(&thread, NULL, use, (void *)block);
  pthread_join(thread, NULL);
}

static void write_past_end_aligned(void) {
  create(20, 16);
  volatile char *block = take();
  block[20] = 1;
  give(block);
}

static void write_before_start_near(void) {
  volatile char *block = take();
  block[-3] = 1;
  give(block);
}

static void free_twice(void) {
  volatile char *block = take();
  give(block);
  give(block); /* free-twice */
}

static void free_interior(void) {
  volatile char *block = take();
  give(block + 24); /* free-interior */
}

static void leak(void) {
  take();
  take();
  pool_destroy(pool);
}

/* What the program does with faults of its own, before there is a pool and after. */

static jmp_buf back;
static volatile int faults;

static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (signal != SIGSEGV || info->si_addr == NULL) _exit(3);
  ++faults;
  longjmp(back, 1);
}

static void handle(void) {
  struct sigaction action = {0};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, NULL);
  nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Each fault of the program's own comes to its handler, which goes on, and so does one at a guarded
   block, once it was told of. */
static void own_handler(void) {
  for (int i = 0; i < 5; ++i) {
    if (setjmp(back) == 0) *nowhere = 1;
  }
  if (setjmp(back) == 0) write_past_end();
  printf("%d\n", faults);
}

static void elsewhere(void) {
  nowhere = NULL;
  *nowhere = 1;
}

static void sent(void) { raise(SIGSEGV); }

static void small_stack(void) {
  static char room[8192];
  stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
  if (sigaltstack(&stack, NULL) != 0) abort();
  write_past_end();
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*make)(void);
  } mistakes[] = {
      {"write-past-end", write_past_end},
      {"read-past-end", read_past_end},
      {"write-before-start", write_before_start},
      {"write-after-free", write_after_free},
      {"read-after-free", read_after_free},
      {"use-after-reset", use_after_reset},
      {"use-in-a-thread", use_in_a_thread},
      {"write-past-end-aligned", write_past_end_aligned},
      {"write-before-start-near", write_before_start_near},
      {"free-twice", free_twice},
      {"free-interior", free_interior},
      {"leak", leak},
      {"own-handler", own_handler},
      {"elsewhere", elsewhere},
      {"sent", sent},
      {"small-stack", small_stack},
  };
  if (argc != 3) return 2;
  threading = (uint32_t)atoi(argv[2]);
  if (strcmp(argv[1], "own-handler") == 0) handle();
  create(BLOCK_SIZE, 0);
  for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; ++i) {
    if (strcmp(argv[1], mistakes[i].name) == 0) mistakes[i].make();
  }
  return 0;
}

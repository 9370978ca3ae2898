/* A pool in a static array, without an operating system's library: linked with -nostdlib, this
 * program has what stands in this file and in libmemory_pool.a, and nothing else. It ends with
 * status 0, or with the number of the line where something was not so. */

#include <memory_pool/pool.h>

#if !defined(__linux__) || !defined(__x86_64__)
#error "says how to start and to end on Linux on x86-64 only"
#endif

/* What every compiler asks of a freestanding program. */
void *memcpy(void *to, const void *from, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  if ((size_t)to <= (size_t)from) return memcpy(to, from, bytes);
  while (bytes-- > 0) ((volatile char *)to)[bytes] = ((const char *)from)[bytes];
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) ((volatile char *)to)[i] = (char)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    int difference = ((const unsigned char *)a)[i] - ((const unsigned char *)b)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

/* The end of the program, by the one system call in it. */
static void end(int status) {
  __asm__ volatile("syscall" : : "a"(231), "D"(status) : "rcx", "r11", "memory");
  for (;;) {
  }
}

#define MUST(condition) \
  if (!(condition)) end(__LINE__ & 0xFF)

enum { READINGS = 20 };

typedef struct {
  uint32_t sensor;
  uint32_t value[5];
} reading_t;

static unsigned char memory[POOL_STATIC_BYTES(sizeof(reading_t), READINGS)];
static unsigned char small[POOL_STATIC_BYTES_ALIGNED(48, 3, 64)];
static int errors_logged;

static void count(void *user_data, int32_t level, const char *message) {
  if (level == POOL_LOG_ERROR && message[0] != '\0') ++*(int *)user_data;
}

static pool_t *created(size_t block_size, size_t alignment, void *buffer, size_t bytes) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = block_size;
  options.alignment = alignment;
  options.threading = POOL_THREADS_SINGLE;
  options.buffer = buffer;
  options.buffer_bytes = bytes;
  MUST(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static void readings_come_and_go(void) {
  pool_t *pool = created(sizeof(reading_t), 0, memory, sizeof memory);
  reading_t *readings[READINGS];
  MUST(pool_capacity(pool) == READINGS);
  for (uint32_t round = 0; round < 100; ++round) {
    for (uint32_t i = 0; i < READINGS; ++i) {
      readings[i] = pool_allocate_zeroed(pool);
      MUST(readings[i] != NULL && readings[i]->value[4] == 0);
      MUST((unsigned char *)readings[i] >= memory);
      MUST((unsigned char *)(readings[i] + 1) <= memory + sizeof memory);
      readings[i]->sensor = i;
      readings[i]->value[4] = round;
    }
    MUST(pool_allocate(pool) == NULL && pool_available(pool) == 0);
    for (uint32_t i = 0; i < READINGS; ++i) {
      MUST(readings[i]->sensor == i && readings[i]->value[4] == round);
    }
    for (uint32_t i = 0; i < READINGS; ++i) {
      MUST(pool_deallocate(pool, readings[(i * 7) % READINGS]) == POOL_OK);
    }
    MUST(pool_in_use(pool) == 0 && pool_validate(pool) == POOL_OK);
  }
  MUST(pool_destroy(pool) == POOL_OK);
}

static void misuse_is_found(void) {
  pool_t *pool = created(48, 64, small, sizeof small);
  void *blocks[4];
  MUST(pool_capacity(pool) == 3 && pool_alignment(pool) == 64);
  MUST(pool_allocate_many(pool, blocks, 4) == 3 && (size_t)blocks[2] % 64 == 0);
  errors_logged = 0;
  MUST(pool_deallocate(pool, (char *)blocks[0] + 1) == POOL_ERR_INTERIOR_POINTER);
  MUST(pool_deallocate(pool, &pool) == POOL_ERR_FOREIGN_POINTER);
  MUST(pool_deallocate(pool, blocks[1]) == POOL_OK);
  MUST(pool_deallocate(pool, blocks[1]) == POOL_ERR_DOUBLE_FREE);
  MUST(pool_deallocate((pool_t *)small, blocks[0]) == POOL_ERR_STALE_HANDLE);
  MUST(errors_logged == 4);
  MUST(pool_reset(pool) == POOL_OK && pool_available(pool) == 3);
  MUST(pool_destroy(pool) == POOL_OK);
  MUST(pool_destroy(pool) == POOL_ERR_STALE_HANDLE && errors_logged == 5);
}

/* What needs a system is refused, and says so. */
static void what_is_not_there_is_refused(void) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  errors_logged = 0;
  MUST(pool_create(16, 4) == NULL);
  options.block_size = 16;
  options.capacity = 4;
  options.threading = POOL_THREADS_SINGLE;
  MUST(pool_create_with(&options, &pool) == POOL_ERR_UNSUPPORTED);
  options.buffer = memory;
  options.buffer_bytes = sizeof memory;
  options.capacity = 0;
  options.on_exhausted = POOL_EXHAUSTED_HEAP;
  MUST(pool_create_with(&options, &pool) == POOL_ERR_UNSUPPORTED);
  MUST(errors_logged == 3);
}

int run(void);
int run(void) {
  pool_set_log_callback(count, &errors_logged, POOL_LOG_ERROR);
  MUST(pool_version() == POOL_VERSION_NUMBER);
  readings_come_and_go();
  misuse_is_found();
  what_is_not_there_is_refused();
  end(0);
  return 0;
}

/* The kernel starts here, with the stack aligned to 16. */
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  call run\n"
    "  ud2\n");

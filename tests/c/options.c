/* Options: defaults, the struct_size rule, and a refusal for everything that can't be had. */

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

static int errors_logged;
static char last_message[600];

static void keep(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  if (level == POOL_LOG_ERROR) ++errors_logged;
  strncpy(last_message, message, sizeof last_message - 1);
}

static pool_options_t sound(void) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = 40;
  options.capacity = 5;
  options.threading = POOL_THREADS_SINGLE;
  return options;
}

static void refused(const pool_options_t *options, pool_status_t expected) {
  pool_t *const untouched = (pool_t *)&errors_logged;
  pool_t *pool = untouched;
  size_t bytes = 77;
  errors_logged = 0;
  CHECK(pool_create_with(options, &pool) == expected);
  CHECK(errors_logged == 1);
  CHECK(pool == untouched);
  CHECK(pool_bytes_needed(options, &bytes) == expected && bytes == 77);
}

#define REFUSED(field, value, expected)    \
  do {                                     \
    pool_options_t options = sound();      \
    options.field = (value);               \
    refused(&options, expected);           \
    CHECK(last_message[0] != '\0');        \
  } while (0)

static void what_cannot_be_is_refused(void) {
  REFUSED(block_size, 0, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(capacity, 0, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(block_size, SIZE_MAX, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(capacity, SIZE_MAX, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(capacity, SIZE_MAX / 40 + 1, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(alignment, 3, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(alignment, 24, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(alignment, SIZE_MAX, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(alignment, (size_t)1 << 31, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(max_capacity, 4, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(threading, 3, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(checks, 3, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(on_exhausted, 2, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(on_misuse, 2, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(on_leak, 3, POOL_ERR_INVALID_ARGUMENT);

  REFUSED(max_capacity, SIZE_MAX - 1, POOL_ERR_INVALID_ARGUMENT);
  REFUSED(flags, 16, POOL_ERR_UNSUPPORTED);
}

/* Where the memory comes from must be said in one way. */
static void memory_must_be_said_in_one_way(void) {
  static char buffer[4096];
  pool_source_t source = {sizeof source, NULL, 0, NULL, NULL, NULL, NULL};
  pool_options_t options = sound();
  pool_t *pool = NULL;
  size_t bytes = 77;
  REFUSED(source, &source, POOL_ERR_INVALID_ARGUMENT); /* without reserve */

  options.buffer_bytes = sizeof buffer;
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  options.buffer = buffer;
  options.flags = POOL_PREFAULT;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
  options.flags = 0;
  options.source = &source;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
  options.source = NULL;
  options.buffer_bytes = SIZE_MAX;
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  options.buffer_bytes = 100;
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(strstr(last_message, "POOL_STATIC_BYTES") != NULL && pool == NULL);

  options.max_capacity = SIZE_MAX;
  CHECK(pool_bytes_needed(&options, &bytes) == POOL_ERR_INVALID_ARGUMENT);
  options.max_capacity = 0;
  options.capacity = 0;
  CHECK(pool_bytes_needed(&options, &bytes) == POOL_ERR_INVALID_ARGUMENT && bytes == 77);
}

/* What no pool can be is said before what this one can't be. */
static void impossible_comes_before_unsupported(void) {
  pool_options_t options = POOL_OPTIONS_INIT;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
  options.block_size = 16;
  options.capacity = 4;
  options.threading = POOL_THREADS_LOCK_FREE;
  options.on_exhausted = POOL_EXHAUSTED_HEAP; /* a lock-free pool can't have it */
  refused(&options, POOL_ERR_UNSUPPORTED);
  options.alignment = 3;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
}

static void null_is_refused(void) {
  pool_options_t options = sound();
  pool_t *pool = NULL;
  size_t bytes = 0;
  CHECK(pool_create_with(NULL, &pool) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_create_with(&options, NULL) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_bytes_needed(NULL, &bytes) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_bytes_needed(&options, NULL) == POOL_ERR_NULL_ARGUMENT);
  pool_options_init(NULL);
  CHECK(pool_create(0, 1) == NULL && pool_create(1, 0) == NULL);
  CHECK(pool_create(SIZE_MAX, SIZE_MAX) == NULL && pool_create(16, SIZE_MAX / 2) == NULL);
}

/* Memory that no machine has: sound as a size, refused by the system. */
static void memory_that_is_not_there_is_an_error(void) {
  pool_options_t options = sound();
  pool_t *pool = NULL;
  options.block_size = 4096;
  options.capacity = (size_t)1 << 48;
  CHECK(pool_create_with(&options, &pool) == POOL_ERR_OUT_OF_MEMORY && pool == NULL);
}

static void an_older_struct_is_extended_with_zeros(void) {
  pool_options_t options = sound();
  pool_t *pool = NULL;
  options.struct_size = offsetof(pool_options_t, name);
  options.name = (const char *)1; /* beyond the struct of this caller: never read */
  options.buffer_bytes = 99;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  CHECK(pool_block_size(pool) == 40);
  CHECK(pool_destroy(pool) == POOL_OK);
  options.struct_size = 0;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
  options.struct_size = sizeof(size_t) - 1;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
  options.struct_size = SIZE_MAX;
  refused(&options, POOL_ERR_INVALID_ARGUMENT);
}

static void a_newer_struct_may_only_add_zeros(void) {
  struct {
    pool_options_t known;
    unsigned char later[24];
  } newer;
  pool_t *pool = NULL;
  memset(&newer, 0, sizeof newer);
  newer.known = sound();
  newer.known.struct_size = sizeof newer;
  CHECK(pool_create_with(&newer.known, &pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);
  newer.later[23] = 1;
  refused(&newer.known, POOL_ERR_UNSUPPORTED);
}

static void both_ways_to_the_defaults_agree(void) {
  pool_options_t by_macro = POOL_OPTIONS_INIT;
  pool_options_t by_call;
  pool_options_t zero;
  memset(&zero, 0, sizeof zero);
  zero.struct_size = sizeof zero;
  pool_options_init(&by_call);
  CHECK(by_macro.struct_size == sizeof by_macro);
  CHECK(memcmp(&by_macro, &zero, sizeof zero) == 0);
  CHECK(memcmp(&by_call, &zero, sizeof zero) == 0);
}

static void alignment_is_as_asked(void) {
  for (size_t alignment = 1; alignment <= (size_t)1 << 22; alignment <<= 1) {
    pool_options_t options = sound();
    pool_t *pool = NULL;
    options.alignment = alignment;
    CHECK(pool_create_with(&options, &pool) == POOL_OK);
    CHECK(pool_alignment(pool) == alignment && pool_stride(pool) % alignment == 0);
    for (int i = 0; i < 5; ++i) CHECK((size_t)pool_allocate(pool) % alignment == 0);
    CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  }
}

static void leaks_follow_the_policy(void) {
  pool_options_t options = sound();
  pool_t *pool = NULL;
  options.on_leak = POOL_LEAK_REFUSE;
  options.name = "careful";
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  void *block = pool_allocate(pool);
  CHECK(pool_destroy(pool) == POOL_ERR_IN_USE);
  CHECK(strstr(last_message, "\"careful\"") != NULL);
  CHECK(strstr(last_message, "1 live block (index 0)") != NULL);
  CHECK(pool_deallocate(pool, block) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK);

  options.on_leak = POOL_LEAK_WARN;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  CHECK(pool_allocate(pool) != NULL);
  pool_set_log_callback(keep, NULL, POOL_LOG_WARN);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(strstr(last_message, "1 live block") != NULL);
}

int main(void) {
  pool_set_log_callback(keep, NULL, POOL_LOG_ERROR);
  what_cannot_be_is_refused();
  memory_must_be_said_in_one_way();
  impossible_comes_before_unsupported();
  null_is_refused();
  memory_that_is_not_there_is_an_error();
  an_older_struct_is_extended_with_zeros();
  a_newer_struct_may_only_add_zeros();
  both_ways_to_the_defaults_agree();
  alignment_is_as_asked();
  leaks_follow_the_policy();
  return CHECK_RESULT();
}

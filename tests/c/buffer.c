/* Pools in a caller's buffer: what they take is known beforehand, to the byte, and they use no
   other memory, wherever the buffer lies and whatever stands in it. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CANARY = 0xC5, CANARY_BYTES = 64, LIVE_IN_THE_LEDGER = 2 };

/* In constant expressions, with what they must come to. */
static unsigned char in_static_memory[POOL_STATIC_BYTES(64, 100)];
_Static_assert(sizeof in_static_memory == 128 * sizeof(void *) + 112 + 6400 + 63, "64 x 100");
_Static_assert(POOL_STATIC_BYTES(1, 1) == 128 * sizeof(void *) + 16 + sizeof(void *) + 15, "1 x 1");
_Static_assert(POOL_STATIC_BYTES(100, 16) == 128 * sizeof(void *) + 16 + 1600 + 15, "100 x 16");
_Static_assert(POOL_STATIC_BYTES(8192, 2) == 128 * sizeof(void *) + 16 + 16384 + 4095, "natural");
_Static_assert(POOL_STATIC_BYTES_ALIGNED(24, 3, 32) == 128 * sizeof(void *) + 16 + 96 + 31, "32");
_Static_assert(POOL_STATIC_BYTES(3 | 64, 1 ? 2 : 9) == POOL_STATIC_BYTES(67, 2), "expressions");
_Static_assert(POOL_STATIC_BYTES_ALIGNED(3 | 64, 1 ? 2 : 9, 1 << 5)
               == POOL_STATIC_BYTES_ALIGNED(67, 2, 32), "expressions");

static int errors_logged;

static void count_errors(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)message;
  if (level == POOL_LOG_ERROR) ++errors_logged;
}

static pool_options_t options_of(size_t block_size, size_t alignment, size_t capacity) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = block_size;
  options.alignment = alignment;
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  return options;
}

static size_t needed(const pool_options_t *options) {
  size_t bytes = 0;
  CHECK(pool_bytes_needed(options, &bytes) == POOL_OK);
  return bytes;
}

static pool_stats_t stats_of(const pool_t *pool) {
  pool_stats_t stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(pool_get_stats(pool, &stats) == POOL_OK);
  return stats;
}

static pool_status_t create_at(void *buffer, size_t bytes, pool_options_t options, pool_t **pool) {
  options.buffer = buffer;
  options.buffer_bytes = bytes;
  return pool_create_with(&options, pool);
}

static void both_ways_to_the_size_agree(void) {
  for (size_t block_size = 1; block_size < 20000; block_size += 1 + block_size / 9) {
    for (size_t capacity = 1; capacity < 3000; capacity += 1 + capacity / 3) {
      pool_options_t options = options_of(block_size, 0, capacity);
      CHECK(needed(&options) == POOL_STATIC_BYTES(block_size, capacity));
      options.threading = POOL_THREADS_LOCK_FREE;
      CHECK(needed(&options) == POOL_STATIC_BYTES_LOCK_FREE(block_size, capacity));
      options.threading = POOL_THREADS_SAFE;
      CHECK(needed(&options) == POOL_STATIC_BYTES(block_size, capacity));
      for (size_t alignment = 1; alignment <= (size_t)1 << 30; alignment *= 2) {
        options.alignment = alignment;
        CHECK(needed(&options) == POOL_STATIC_BYTES_ALIGNED(block_size, capacity, alignment));
      }
    }
  }
}

static void what_is_beside_the_question_changes_no_size(void) {
  pool_options_t options = options_of(40, 0, 7);
  const size_t bytes = needed(&options);
  options.checks = POOL_CHECKS_NONE;
  options.buffer = &options;
  options.buffer_bytes = 1;
  CHECK(needed(&options) == bytes);
  options.max_capacity = 70;
  CHECK(needed(&options) == POOL_STATIC_BYTES(40, 70));
}

/* Every block of the pool: inside, aligned, apart, and the caller's to the last byte. */
static void blocks_are_sound(pool_t *pool, unsigned char *buffer, size_t bytes, size_t count) {
  const size_t stride = pool_stride(pool), size = pool_block_size(pool);
  unsigned char *first = pool_allocate(pool);
  CHECK(first != NULL && (uintptr_t)first % pool_alignment(pool) == 0);
  CHECK(first > buffer && first + (count - 1) * stride + size <= buffer + bytes);
  for (size_t i = 0; i < count; ++i) {
    unsigned char *block = i == 0 ? first : pool_allocate(pool);
    CHECK(block == first + i * stride && pool_owns(pool, block));
    memset(block, 0xFF, size);
  }
  CHECK(pool_allocate(pool) == NULL && pool_in_use(pool) == count);
  CHECK(pool_validate(pool) == POOL_OK);
}

static void misuse_is_found(pool_t *pool, size_t count, unsigned char *block) {
  const size_t stride = pool_stride(pool);
  unsigned char *first = block - (count - 1) * stride;
  errors_logged = 0;
  CHECK(pool_deallocate(pool, block + 1) == POOL_ERR_INTERIOR_POINTER);
  CHECK(pool_deallocate(pool, block + stride) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate(pool, first - 1) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_deallocate(pool, block) == POOL_OK && errors_logged == 3);
  CHECK(pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE && errors_logged == 4);
  CHECK(pool_in_use(pool) == count - 1 && pool_validate(pool) == POOL_OK);
  CHECK(pool_allocate(pool) == block);
}

/* A whole life in `bytes` bytes at `buffer`, around which nothing may change. */
static void it_lives_at(unsigned char *buffer, size_t bytes, const pool_options_t *options) {
  const size_t count = options->capacity;
  pool_t *pool = NULL, *again = NULL;
  size_t trimmed = 77;
  memset(buffer - CANARY_BYTES, CANARY, CANARY_BYTES);
  memset(buffer + bytes, CANARY, CANARY_BYTES);
  memset(buffer, LIVE_IN_THE_LEDGER, bytes);
  CHECK(create_at(buffer, bytes - 1, *options, &pool) == POOL_ERR_INVALID_ARGUMENT);
  CHECK(create_at(buffer, bytes, *options, &pool) == POOL_OK && pool_capacity(pool) == count);
  CHECK(create_at(buffer, bytes, *options, &again) == POOL_ERR_IN_USE && again == NULL);
  blocks_are_sound(pool, buffer, bytes, count);
  CHECK(pool_reset(pool) == POOL_OK);
  blocks_are_sound(pool, buffer, bytes, count);
  const pool_stats_t stats = stats_of(pool);
  CHECK(stats.in_use == count && stats.peak_in_use == count && stats.failures == 2);
  CHECK(stats.reserved_bytes == bytes && stats.resident_bytes == bytes);
  const size_t side = options->threading == POOL_THREADS_LOCK_FREE ? sizeof(void *) / 2 + 2 : 1;
  CHECK(stats.metadata_bytes == 128 * sizeof(void *) + (count * side + 15) / 16 * 16);
  CHECK(pool_trim(pool, &trimmed) == POOL_OK && trimmed == 0);
  if (options->checks == POOL_CHECKS_STANDARD) {
    unsigned char *last = NULL;
    CHECK(pool_reset(pool) == POOL_OK);
    for (size_t i = 0; i < count; ++i) last = pool_allocate(pool);
    misuse_is_found(pool, count, last);
  }
  CHECK(pool_reset(pool) == POOL_OK && pool_trim(pool, NULL) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_OK && pool_destroy(pool) == POOL_ERR_STALE_HANDLE);
  for (size_t i = 0; i < CANARY_BYTES; ++i) {
    CHECK(buffer[bytes + i] == CANARY && *(buffer - 1 - i) == CANARY);
  }
}

static void it_lives_at_every_address(unsigned char *memory) {
  static const size_t sizes[] = {1, 8, 9, 24, 100, 129};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    for (size_t alignment = 0; alignment <= 64; alignment = alignment == 0 ? 1 : alignment * 8) {
      for (size_t capacity = 1; capacity <= 35; capacity += 17) {
        pool_options_t options = options_of(sizes[i], alignment, capacity);
        for (uint32_t at = 0; at < 128; ++at) {
          options.checks = at % 2 == 0 ? POOL_CHECKS_STANDARD : POOL_CHECKS_NONE;
          options.threading = (at + at / 16) % 3;
          it_lives_at(memory + CANARY_BYTES + at, needed(&options), &options);
        }
      }
    }
  }
  for (size_t alignment = 1024; alignment <= 16384; alignment *= 2) {
    pool_options_t options = options_of(5000, alignment, 3);
    for (size_t at = 4096 - 33; at <= 4096 + 33; ++at) {
      it_lives_at(memory + at, needed(&options), &options);
    }
  }
}

/* As many as fit are as many as pool_bytes_needed calls for, and not one more. */
static void a_capacity_of_0_takes_what_fits(unsigned char *memory) {
  pool_options_t options = options_of(56, 0, 0);
  pool_t *pool = NULL;
  CHECK(create_at(memory, POOL_STATIC_BYTES(56, 1) - 1, options, &pool)
        == POOL_ERR_INVALID_ARGUMENT);
  for (size_t bytes = POOL_STATIC_BYTES(56, 1); bytes < POOL_STATIC_BYTES(56, 40); bytes += 5) {
    size_t most = 1;
    while (POOL_STATIC_BYTES(56, most + 1) <= bytes) ++most;
    for (uint32_t checks = POOL_CHECKS_STANDARD; checks <= POOL_CHECKS_NONE; ++checks) {
      options.checks = checks;
      options.max_capacity = bytes % 2 == 0 ? 0 : SIZE_MAX;
      CHECK(create_at(memory + bytes % 64, bytes, options, &pool) == POOL_OK);
      CHECK(pool_capacity(pool) == most && stats_of(pool).max_capacity == most);
      blocks_are_sound(pool, memory + bytes % 64, bytes, most);
      CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
    }
  }
  options.max_capacity = 3; /* fewer than fit */
  CHECK(create_at(memory, POOL_STATIC_BYTES(56, 9), options, &pool) == POOL_OK);
  CHECK(pool_capacity(pool) == 3 && pool_destroy(pool) == POOL_OK);
  options.max_capacity = 10; /* more than fit */
  CHECK(create_at(memory, POOL_STATIC_BYTES(56, 9), options, &pool) == POOL_ERR_INVALID_ARGUMENT);
}

static void it_grows_in_the_buffer(unsigned char *memory, size_t block_size, size_t misaligned) {
  enum { MAX = 300 };
  const size_t bytes = POOL_STATIC_BYTES(block_size, MAX);
  unsigned char *buffer = memory + CANARY_BYTES + misaligned;
  pool_options_t options = options_of(block_size, 0, 1);
  pool_t *pool = NULL;
  memset(buffer - CANARY_BYTES, CANARY, CANARY_BYTES + bytes + CANARY_BYTES);
  memset(buffer, LIVE_IN_THE_LEDGER, bytes);
  options.max_capacity = misaligned % 2 == 0 ? MAX : SIZE_MAX;
  CHECK(create_at(buffer, bytes, options, &pool) == POOL_OK);
  CHECK(pool_capacity(pool) == 1 && stats_of(pool).max_capacity == MAX);
  unsigned char *first = pool_allocate(pool);
  *first = 7;
  CHECK(pool_grow(pool, 20) == POOL_OK && pool_capacity(pool) == 21);
  CHECK(pool_deallocate(pool, first + 20 * pool_stride(pool)) == POOL_ERR_DOUBLE_FREE);
  CHECK(pool_deallocate(pool, first + 21 * pool_stride(pool)) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_grow(pool, MAX - 20) == POOL_ERR_INVALID_ARGUMENT && pool_capacity(pool) == 21);
  for (size_t i = 1; i < MAX; ++i) CHECK(pool_allocate(pool) == first + i * pool_stride(pool));
  CHECK(pool_allocate(pool) == NULL && pool_capacity(pool) == MAX && *first == 7);
  CHECK(pool_reset(pool) == POOL_OK);
  blocks_are_sound(pool, buffer, bytes, MAX);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  for (size_t i = 0; i < CANARY_BYTES; ++i) {
    CHECK(buffer[bytes + i] == CANARY && *(buffer - 1 - i) == CANARY);
  }
}

/* Whichever of two neighbours comes first, and a pool in a block of a pool. */
static void buffers_may_adjoin_and_nest(unsigned char *memory) {
  pool_options_t options = options_of(8, 0, 1);
  const size_t bytes = needed(&options);
  for (size_t at = 0; at < 64; ++at) {
    pool_t *behind = NULL, *before = NULL;
    CHECK(create_at(memory + at + bytes, bytes, options, &behind) == POOL_OK);
    CHECK(create_at(memory + at, bytes, options, &before) == POOL_OK);
    CHECK(pool_destroy(behind) == POOL_OK);
    CHECK(create_at(memory + at + bytes, bytes, options, &behind) == POOL_OK);
    CHECK(pool_destroy(before) == POOL_OK && pool_destroy(behind) == POOL_OK);
  }
  pool_t *outer = NULL, *inner = NULL;
  options = options_of(2000, 0, 2);
  CHECK(create_at(memory, needed(&options), options, &outer) == POOL_OK);
  unsigned char *room = pool_allocate(outer);
  CHECK(create_at(room, 2000, options_of(8, 0, 0), &inner) == POOL_OK);
  blocks_are_sound(inner, room, 2000, pool_capacity(inner));
  CHECK(pool_reset(inner) == POOL_OK && pool_destroy(inner) == POOL_OK);
  CHECK(pool_deallocate(outer, room) == POOL_OK && pool_destroy(outer) == POOL_OK);
}

int main(void) {
  unsigned char *memory = malloc((size_t)1 << 18);
  pool_options_t options = options_of(64, 0, 100);
  pool_t *pool = NULL;
  if (memory == NULL) return 1;
  pool_set_log_callback(count_errors, NULL, POOL_LOG_ERROR);
  CHECK(create_at(in_static_memory, sizeof in_static_memory, options, &pool) == POOL_OK);
  blocks_are_sound(pool, in_static_memory, sizeof in_static_memory, 100);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
  both_ways_to_the_size_agree();
  what_is_beside_the_question_changes_no_size();
  it_lives_at_every_address(memory);
  a_capacity_of_0_takes_what_fits(memory);
  for (size_t at = 0; at < 32; ++at) it_grows_in_the_buffer(memory, 8 + at % 17 * 9, at);
  buffers_may_adjoin_and_nest(memory);
  free(memory);
  return CHECK_RESULT();
}

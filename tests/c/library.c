/* The library as a whole: its version, its words, the layout of its structs. */

#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

/* The layout is part of the ABI: fields are only ever added at the end. */
#define AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#if SIZE_MAX == 0xFFFFFFFFFFFFFFFF
AT(pool_options_t, struct_size, 0);
AT(pool_options_t, block_size, 8);
AT(pool_options_t, capacity, 16);
AT(pool_options_t, max_capacity, 24);
AT(pool_options_t, alignment, 32);
AT(pool_options_t, threading, 40);
AT(pool_options_t, checks, 44);
AT(pool_options_t, on_exhausted, 48);
AT(pool_options_t, on_misuse, 52);
AT(pool_options_t, on_leak, 56);
AT(pool_options_t, flags, 60);
AT(pool_options_t, name, 64);
AT(pool_options_t, buffer, 72);
AT(pool_options_t, buffer_bytes, 80);
AT(pool_options_t, source, 88);
_Static_assert(sizeof(pool_options_t) == 96, "pool_options_t has grown");
AT(pool_stats_t, in_use, 48);
AT(pool_stats_t, allocations, 72);
AT(pool_stats_t, heap_blocks, 120);
_Static_assert(sizeof(pool_stats_t) == 128, "pool_stats_t has grown");
#endif

_Static_assert(POOL_OK == 0 && POOL_ERR_NULL_ARGUMENT == 1 && POOL_ERR_INVALID_ARGUMENT == 2 &&
                   POOL_ERR_OUT_OF_MEMORY == 3 && POOL_ERR_EXHAUSTED == 4 &&
                   POOL_ERR_TIMED_OUT == 5 && POOL_ERR_FOREIGN_POINTER == 6 &&
                   POOL_ERR_INTERIOR_POINTER == 7 && POOL_ERR_DOUBLE_FREE == 8 &&
                   POOL_ERR_CORRUPTED == 9 && POOL_ERR_IN_USE == 10 &&
                   POOL_ERR_STALE_HANDLE == 11 && POOL_ERR_UNSUPPORTED == 12,
               "a status has a new number");

int main(void) {
  char version[32];
  CHECK(pool_version() == POOL_VERSION_NUMBER);
  snprintf(version, sizeof version, "%d.%d.%d", POOL_VERSION_MAJOR, POOL_VERSION_MINOR,
           POOL_VERSION_PATCH);
  CHECK(strcmp(version, POOL_VERSION_STRING) == 0);

  for (pool_status_t status = -1; status <= 13; ++status) {
    CHECK(pool_status_string(status) != NULL && pool_status_string(status)[0] != '\0');
    for (pool_status_t other = 0; other < status && status <= 12; ++other) {
      CHECK(strcmp(pool_status_string(status), pool_status_string(other)) != 0);
    }
  }
  return CHECK_RESULT();
}

/* Programs that must end by their pool's policy; tests/death.rs says how. */

#include <stdio.h>
#include <string.h>

#include "memory_pool/pool.h"

static pool_t *pool_with(uint32_t on_misuse, uint32_t on_leak) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = 64;
  options.capacity = 8;
  options.threading = POOL_THREADS_SINGLE;
  options.on_misuse = on_misuse;
  options.on_leak = on_leak;
  options.name = "packets";
  return pool_create_with(&options, &pool) == POOL_OK ? pool : NULL;
}

/* The report comes before the end, and the log's line after it. */
static void report(void *user_data, const pool_report_t *report) {
  (void)user_data;
  fprintf(stderr, "reported %d. ", (int)report->status);
}

int main(int argc, char **argv) {
  const char *scenario = argc > 1 ? argv[1] : "";
  pool_t *abort_on_misuse = pool_with(POOL_MISUSE_ABORT, POOL_LEAK_WARN);
  pool_t *abort_on_leak = pool_with(POOL_MISUSE_RETURN, POOL_LEAK_ABORT);
  char *block = pool_allocate(abort_on_misuse);
  if (strcmp(scenario, "double-free") == 0) {
    pool_deallocate(abort_on_misuse, block);
    pool_deallocate(abort_on_misuse, block);
  } else if (strcmp(scenario, "interior") == 0) {
    pool_deallocate(abort_on_misuse, block + 5);
  } else if (strcmp(scenario, "foreign") == 0) {
    pool_deallocate(abort_on_misuse, &scenario);
  } else if (strcmp(scenario, "never-handed-out") == 0) {
    pool_deallocate(abort_on_misuse, block + 64);
  } else if (strcmp(scenario, "write-after-free") == 0) {
    pool_deallocate(abort_on_misuse, block);
    memset(block, 0x41, 64);
    block = pool_allocate(abort_on_misuse); /* its link is what was overwritten */
    block = pool_allocate(abort_on_misuse);
  } else if (strcmp(scenario, "leak") == 0) {
    block = pool_allocate(abort_on_leak);
    pool_destroy(abort_on_leak);
  } else if (strcmp(scenario, "quiet-log") == 0) {
    pool_set_log_callback(NULL, NULL, 0);
    pool_deallocate(abort_on_misuse, block + 1);
  } else if (strcmp(scenario, "reported") == 0) {
    pool_set_log_callback(NULL, NULL, 0);
    pool_set_report_callback(abort_on_misuse, report, NULL);
    pool_deallocate(abort_on_misuse, block + 1);
  }
  puts("survived");
  return block == NULL;
}

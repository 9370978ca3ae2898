/* pool_set_report_callback: what is wrong with a pool, as a struct, before the log has it. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory_pool/pool.h"

enum { CAPACITY = 8, BLOCK_SIZE = 64 };

static uint32_t threading;
static uint32_t on_leak;

static pool_t *pool_of(size_t capacity, const char *name) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_SIZE;
  options.capacity = capacity;
  options.threading = threading;
  options.on_leak = on_leak;
  options.name = name;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  return pool;
}

static pool_t *pool_named(const char *name) { return pool_of(CAPACITY, name); }

/* The last report, copied: what it points to is gone afterwards. */
typedef struct {
  int count;
  size_t struct_size;
  pool_status_t status;
  void *block;
  char pool_name[64];
  char message[600];
  int lines_before; /* of the log */
} heard_t;

static int lines;
static char last_line[600];

static void listen(void *user_data, int32_t level, const char *message) {
  (void)user_data, (void)level;
  ++lines;
  strncpy(last_line, message, sizeof last_line - 1);
}

static void keep(void *user_data, const pool_report_t *report) {
  heard_t *heard = user_data;
  ++heard->count;
  heard->struct_size = report->struct_size;
  heard->status = report->status;
  heard->block = report->block;
  heard->lines_before = lines;
  strncpy(heard->pool_name, report->pool_name, sizeof heard->pool_name - 1);
  strncpy(heard->message, report->message, sizeof heard->message - 1);
}

/* One report and one line came, in this order, and both say the same. */
static void heard(heard_t *heard, pool_status_t status, const void *block) {
  CHECK(heard->count == 1 && heard->status == status && heard->block == block);
  CHECK(heard->struct_size == sizeof(pool_report_t) && heard->message[0] != '\0');
  CHECK(lines == 1 && heard->lines_before == 0);
  CHECK(strstr(last_line, heard->message) != NULL && strstr(last_line, heard->pool_name) != NULL);
  memset(heard, 0, sizeof *heard);
  lines = 0;
}

static void misuse_is_reported(void) {
  pool_t *pool = pool_named("packets");
  heard_t last = {0};
  char *block = pool_allocate(pool);
  void *two[] = {block, &last};
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  lines = 0;
  CHECK(pool_deallocate(pool, &last) == POOL_ERR_FOREIGN_POINTER);
  CHECK(strcmp(last.pool_name, "packets") == 0);
  heard(&last, POOL_ERR_FOREIGN_POINTER, &last);
  CHECK(pool_deallocate(pool, block + 3) == POOL_ERR_INTERIOR_POINTER);
  heard(&last, POOL_ERR_INTERIOR_POINTER, block + 3);
  CHECK(pool_deallocate_many(pool, two, 2) == POOL_ERR_FOREIGN_POINTER);
  CHECK(strncmp(last.message, "entry 1: ", 9) == 0);
  heard(&last, POOL_ERR_FOREIGN_POINTER, &last);
  CHECK(pool_deallocate(pool, block) == POOL_ERR_DOUBLE_FREE);
  CHECK(strstr(last.message, "double free") != NULL);
  heard(&last, POOL_ERR_DOUBLE_FREE, block);
  CHECK(pool_deallocate(pool, NULL) == POOL_OK && last.count == 0);
  CHECK(pool_destroy(pool) == POOL_OK && last.count == 0);
}

static void the_callback_can_be_replaced_and_switched_off(void) {
  pool_t *pool = pool_named("pool");
  heard_t first = {0}, second = {0};
  CHECK(pool_set_report_callback(pool, keep, &first) == POOL_OK);
  CHECK(pool_set_report_callback(pool, keep, &second) == POOL_OK);
  CHECK(pool_deallocate(pool, &first) == POOL_ERR_FOREIGN_POINTER);
  CHECK(first.count == 0 && second.count == 1);
  CHECK(pool_set_report_callback(pool, NULL, &second) == POOL_OK);
  CHECK(pool_deallocate(pool, &first) == POOL_ERR_FOREIGN_POINTER && second.count == 1);
  CHECK(pool_set_report_callback(NULL, keep, &first) == POOL_ERR_NULL_ARGUMENT);
  CHECK(pool_destroy(pool) == POOL_OK);
  CHECK(pool_set_report_callback(pool, keep, &first) == POOL_ERR_STALE_HANDLE);
}

/* Reports do not hang on the level of the log. */
static void a_silent_log_hides_no_report(void) {
  pool_t *pool = pool_named("pool");
  heard_t last = {0};
  pool_set_log_callback(listen, NULL, 0);
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  lines = 0;
  CHECK(pool_deallocate(pool, &last) == POOL_ERR_FOREIGN_POINTER && last.count == 1);
  CHECK(lines == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
  pool_set_log_callback(listen, NULL, POOL_LOG_WARN);
}

static void leaks_are_reported(void) {
  heard_t last = {0};
  on_leak = POOL_LEAK_REFUSE;
  pool_t *pool = pool_named("kept");
  void *first = pool_allocate(pool);
  void *second = pool_allocate(pool);
  CHECK(second != NULL);
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  lines = 0;
  CHECK(pool_destroy(pool) == POOL_ERR_IN_USE);
  CHECK(strstr(last.message, "2 live blocks") != NULL);
  heard(&last, POOL_ERR_IN_USE, first < second ? first : second);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK && last.count == 0);

  on_leak = POOL_LEAK_WARN;
  pool = pool_named("gone");
  first = pool_allocate(pool);
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  lines = 0;
  CHECK(pool_destroy(pool) == POOL_OK);
  heard(&last, POOL_ERR_IN_USE, first);
}

/* Only a pool of one owner has links in its blocks. */
static void damage_is_reported(void) {
  pool_t *pool = pool_named("damaged");
  heard_t last = {0};
  void *block = pool_allocate(pool);
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  CHECK(pool_deallocate(pool, block) == POOL_OK);
  memset(block, 0x41, BLOCK_SIZE);
  lines = 0;
  CHECK(pool_validate(pool) == POOL_ERR_CORRUPTED);
  heard(&last, POOL_ERR_CORRUPTED, NULL);
  CHECK(pool_allocate(pool) == block && last.count == 0); /* its link leads nowhere */
  CHECK(pool_allocate(pool) != NULL);
  heard(&last, POOL_ERR_CORRUPTED, NULL);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* A large pool keeps the first block that comes back away from its list, and so from every link. */
static void what_a_large_pool_keeps_cannot_be_damaged(void) {
  pool_t *pool = pool_of((256 << 10) / BLOCK_SIZE, "large");
  heard_t last = {0};
  void *blocks[] = {pool_allocate(pool), pool_allocate(pool)};
  CHECK(pool_set_report_callback(pool, keep, &last) == POOL_OK);
  for (int i = 0; i < 2; ++i) CHECK(pool_deallocate(pool, blocks[i]) == POOL_OK);
  memset(blocks[0], 0x41, BLOCK_SIZE);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_ERR_DOUBLE_FREE && last.count == 1);
  CHECK(pool_allocate(pool) == blocks[0] && pool_validate(pool) == POOL_OK);
  CHECK(pool_deallocate(pool, blocks[0]) == POOL_OK && pool_in_use(pool) == 0);
  memset(blocks[1], 0x41, BLOCK_SIZE);
  CHECK(pool_allocate(pool) == blocks[0] && pool_allocate(pool) == blocks[1]);
  CHECK(last.count == 1); /* the link leads nowhere */
  CHECK(pool_allocate(pool) != NULL && last.status == POOL_ERR_CORRUPTED);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

/* --- the callback calls the pool -------------------------------------------------------------- */

static void look(void *user_data, const pool_report_t *report) {
  pool_t *pool = user_data;
  void *block = pool_allocate(pool);
  (void)report;
  CHECK(block != NULL && pool_in_use(pool) == 1);
  CHECK(pool_deallocate(pool, block) == POOL_OK && pool_validate(pool) == POOL_OK);
  CHECK(pool_set_report_callback(pool, NULL, NULL) == POOL_OK);
}

static void destroy(void *user_data, const pool_report_t *report) {
  pool_t *pool = user_data;
  CHECK(pool_set_report_callback(pool, NULL, NULL) == POOL_OK && pool_destroy(pool) == POOL_OK);
  CHECK(report->status != POOL_OK && report->message[0] != '\0'); /* still there */
}

static void the_callback_may_do_all_up_to_destroying_the_pool(void) {
  int local = 0;
  pool_t *pool = pool_named("pool");
  CHECK(pool_set_report_callback(pool, look, pool) == POOL_OK);
  CHECK(pool_deallocate(pool, &local) == POOL_ERR_FOREIGN_POINTER);
  CHECK(pool_set_report_callback(pool, destroy, pool) == POOL_OK);
  lines = 0;
  CHECK(pool_deallocate(pool, &local) == POOL_ERR_FOREIGN_POINTER);
  CHECK(lines == 1 && strstr(last_line, "is no block of this pool") != NULL);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE);

  pool = pool_named("pool");
  CHECK(pool_allocate(pool) != NULL);
  CHECK(pool_set_report_callback(pool, destroy, pool) == POOL_OK);
  CHECK(pool_destroy(pool) == POOL_ERR_STALE_HANDLE); /* by the report of the leak */
}

/* --- changed while others report -------------------------------------------------------------- */

enum { CHANGES = 2000 };

static int words[2];

static void even(void *user_data, const pool_report_t *report) {
  if (user_data != &words[0] || report->status != POOL_ERR_FOREIGN_POINTER) abort();
}

static void odd(void *user_data, const pool_report_t *report) {
  if (user_data != &words[1] || report->status != POOL_ERR_FOREIGN_POINTER) abort();
}

static void *misuse(void *pool) {
  for (int i = 0; i < CHANGES; ++i) {
    if (pool_deallocate(pool, &words) != POOL_ERR_FOREIGN_POINTER) abort();
  }
  return NULL;
}

/* Each callback gets its own word, never the other's. */
static void function_and_word_change_as_one(void) {
  pool_t *pool = pool_named("pool");
  pthread_t threads[3];
  pool_set_log_callback(NULL, NULL, 0);
  for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, misuse, pool) == 0);
  for (int i = 0; i < CHANGES; ++i) {
    CHECK(pool_set_report_callback(pool, i % 2 ? odd : even, &words[i % 2]) == POOL_OK);
  }
  for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(pool_destroy(pool) == POOL_OK);
  pool_set_log_callback(listen, NULL, POOL_LOG_WARN);
}

int main(void) {
  const uint32_t all[] = {POOL_THREADS_SAFE, POOL_THREADS_SINGLE, POOL_THREADS_LOCK_FREE};
  pool_set_log_callback(listen, NULL, POOL_LOG_WARN);
  for (int i = 0; i < 3; ++i) {
    threading = all[i];
    misuse_is_reported();
    the_callback_can_be_replaced_and_switched_off();
    a_silent_log_hides_no_report();
    leaks_are_reported();
    the_callback_may_do_all_up_to_destroying_the_pool();
    if (threading == POOL_THREADS_SINGLE) damage_is_reported();
    if (threading == POOL_THREADS_SINGLE) what_a_large_pool_keeps_cannot_be_damaged();
    else function_and_word_change_as_one();
  }
  return CHECK_RESULT();
}

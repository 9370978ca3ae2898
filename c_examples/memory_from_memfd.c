/* A pool in shared memory: four functions over a memfd give the pool its memory. Whoever maps the
   same file sees the blocks; here that is a second mapping in this program, elsewhere it is another
   process that got the file through fork or over a Unix socket.

       the pool's mapping   | ledger | block 0 | block 1 | ... |  not yet in the file  |
       the file (memfd)     | ledger | block 0 | block 1 | ... |
       another mapping      | ledger | block 0 | block 1 | ... |   at another address */

#define _GNU_SOURCE /* memfd_create, fallocate, F_ADD_SEALS */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory_pool/pool.h"

/* What `user_data` points to: one file for one pool. */
typedef struct {
  int file;
  char *start; /* where the pool's mapping begins, which is byte 0 of the file */
} SharedMemory;

static off_t offset_of(const SharedMemory *shared, const void *address) {
  return (const char *)address - shared->start;
}

/* Addresses for all there may ever be; the file has no bytes yet, and so nothing takes memory. */
static void *reserve(void *user_data, size_t bytes) {
  SharedMemory *shared = user_data;
  void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared->file, 0);
  if (start == MAP_FAILED) return NULL; /* the pool is refused: POOL_ERR_OUT_OF_MEMORY */
  return shared->start = start;
}

/* Makes the file long enough. It has holes then, which read as zero, and each page takes memory
   when it is first written. To take the memory here, and never be short of it later, call
   fallocate(file, 0, offset, bytes) instead. */
static bool commit(void *user_data, void *start, size_t bytes) {
  const SharedMemory *shared = user_data;
  const off_t end = offset_of(shared, start) + (off_t)bytes;
  struct stat now;
  if (fstat(shared->file, &now) != 0) return false;
  return now.st_size >= end || ftruncate(shared->file, end) == 0;
}

/* Makes a hole: the memory goes back, for every mapping of the file. */
static bool decommit(void *user_data, void *start, size_t bytes) {
  const SharedMemory *shared = user_data;
  const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return fallocate(shared->file, hole, offset_of(shared, start), (off_t)bytes) == 0;
}

static void release(void *user_data, void *start, size_t bytes) {
  (void)user_data;
  munmap(start, bytes);
}

enum { BLOCK_BYTES = 64 * 1024, FIRST = 4, MOST = 16 };

static pool_t *create(const pool_source_t *source) {
  pool_options_t options = POOL_OPTIONS_INIT;
  pool_t *pool = NULL;
  options.block_size = BLOCK_BYTES;
  options.alignment = BLOCK_BYTES; /* whole pages, so that trimming one block gives them back */
  options.capacity = FIRST;
  options.max_capacity = MOST;
  options.threading = POOL_THREADS_SINGLE;
  options.name = "shared frames";
  options.source = source; /* copied; `shared` must stay */
  return pool_create_with(&options, &pool) == POOL_OK ? pool : NULL;
}

/* Fills every block there may be; the pool grows on the way. */
static bool fill(pool_t *pool, char *frames[MOST]) {
  for (int i = 0; i < MOST; ++i) {
    frames[i] = pool_allocate(pool);
    if (frames[i] == NULL) return false;
    memset(frames[i], 0, BLOCK_BYTES);
    snprintf(frames[i], BLOCK_BYTES, "frame %d", i);
  }
  return true;
}

static int use(const SharedMemory *shared, pool_t *pool) {
  char *frames[MOST];
  struct stat file;
  size_t trimmed = 0;
  printf("The pool begins with %zu blocks of %zu bytes.\n", pool_capacity(pool),
         pool_block_size(pool));
  if (!fill(pool, frames) || fstat(shared->file, &file) != 0) return 1;
  printf("It grew to %zu blocks.\n", pool_capacity(pool));

  /* Addresses differ from mapping to mapping; what others are told is an offset in the file. */
  const char *theirs = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_SHARED, shared->file, 0);
  if (theirs == MAP_FAILED) return 1;
  const char *first = theirs + offset_of(shared, frames[0]);
  const char *last = theirs + offset_of(shared, frames[MOST - 1]);
  printf("Another mapping reads \"%s\" and \"%s\".\n", first, last);
  snprintf(frames[0], BLOCK_BYTES, "frame 0, changed");
  printf("Another mapping reads \"%s\".\n", first);

  for (int i = 1; i < MOST; ++i) pool_deallocate(pool, frames[i]);
  if (pool_trim(pool, &trimmed) != POOL_OK) return 1;
  printf("With 15 blocks free, trimming gives %zu bytes back.\n", trimmed);
  printf("Another mapping reads \"%s\", and zeros where blocks were: %s.\n", first,
         *last == '\0' ? "yes" : "no");
  munmap((void *)theirs, (size_t)file.st_size);

  frames[1] = pool_allocate(pool);
  if (frames[1] == NULL || pool_available(pool) != MOST - 2) return 1;
  puts("The blocks can be had again.");
  pool_deallocate(pool, frames[0]);
  pool_deallocate(pool, frames[1]);
  return 0;
}

int main(void) {
  SharedMemory shared = {memfd_create("frames", MFD_CLOEXEC | MFD_ALLOW_SEALING), NULL};
  /* page_bytes 0: ranges are whole OS pages. */
  const pool_source_t source = {
      sizeof source, &shared, 0, reserve, commit, decommit, release,
  };
  /* The file may grow; that nobody who has it can make it shorter is a promise of the kernel. */
  if (shared.file < 0 || fcntl(shared.file, F_ADD_SEALS, F_SEAL_SHRINK) != 0) return 1;
  pool_t *pool = create(&source);
  if (pool == NULL) return 1;
  if (use(&shared, pool) != 0 || pool_destroy(pool) != POOL_OK) return 1;
  puts("The pool is destroyed and its mapping gone.");
  return close(shared.file);
}

/* A pool_source_t that holds every call against its contract: page multiples, inside the
   reservation, decommitted only what is committed, released once and whole. It hands out dirty
   memory, keeps what is not committed inaccessible where the pages allow that, and refuses the call
   that it is told to. Include it once. */

#ifndef TESTS_RECORDING_SOURCE_H
#define TESTS_RECORDING_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "memory_pool/pool.h"

/* DIRT is what a ledger calls live. */
enum { DIRT = 2, OS_PAGE = 4096, RESERVE_MAX = 64 << 20 };

typedef struct {
  size_t page_bytes;
  size_t skew;       /* added to the start, to make it misaligned */
  size_t refuse_at;  /* the number of the call that is refused, counted from 1; 0: none */
  bool keep;         /* decommit keeps what there is and says so */
  /* Recorded. */
  size_t calls, reserves, commits, decommits, releases;
  size_t largest_refused;
  unsigned char *mapping, *start;
  size_t mapped_bytes, bytes;
  unsigned char *committed; /* a byte a page */
} Recorder;

static inline size_t recorder_page(const Recorder *recorder) {
  return recorder->page_bytes == 0 ? OS_PAGE : recorder->page_bytes;
}

static inline bool recorder_refuses(Recorder *recorder) {
  return ++recorder->calls == recorder->refuse_at;
}

static inline void *record_reserve(void *user_data, size_t bytes) {
  Recorder *recorder = user_data;
  const size_t page = recorder_page(recorder);
  CHECK(bytes > 0 && bytes % page == 0);
  CHECK(recorder->reserves == recorder->releases); /* one reservation at a time */
  if (recorder_refuses(recorder) || bytes > RESERVE_MAX) {
    if (bytes > recorder->largest_refused) recorder->largest_refused = bytes;
    return NULL;
  }
  /* Aligned to `page` and to nothing more. */
  const size_t align = page < OS_PAGE ? OS_PAGE : page;
  recorder->mapped_bytes = bytes + 4 * align;
  const int access = page < OS_PAGE ? PROT_READ | PROT_WRITE : PROT_NONE;
  recorder->mapping =
      mmap(NULL, recorder->mapped_bytes, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (recorder->mapping == MAP_FAILED) return NULL;
  const size_t to_align = 2 * align - (uintptr_t)recorder->mapping % (2 * align);
  recorder->start = recorder->mapping + to_align + page + recorder->skew;
  recorder->bytes = bytes;
  recorder->committed = calloc(bytes / page, 1);
  CHECK(recorder->committed != NULL);
  if (page < OS_PAGE) memset(recorder->mapping, DIRT, recorder->mapped_bytes);
  ++recorder->reserves;
  return recorder->start;
}

/* Whether a part is what parts must be. */
static inline bool record_part(const Recorder *recorder, const void *start, size_t bytes) {
  const size_t page = recorder_page(recorder);
  const size_t offset = (size_t)((uintptr_t)start - (uintptr_t)recorder->start);
  const bool sound = bytes > 0 && bytes % page == 0 && (uintptr_t)start % page == 0
                     && offset < recorder->bytes && bytes <= recorder->bytes - offset;
  CHECK(sound);
  return sound;
}

static inline bool record_commit(void *user_data, void *start, size_t bytes) {
  Recorder *recorder = user_data;
  const size_t page = recorder_page(recorder);
  if (!record_part(recorder, start, bytes)) return false;
  if (recorder_refuses(recorder)) return false;
  ++recorder->commits;
  if (page >= OS_PAGE) CHECK(mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0);
  const size_t first = (size_t)((unsigned char *)start - recorder->start) / page;
  for (size_t i = first; i < first + bytes / page; ++i) {
    if (recorder->committed[i] == 0) memset(recorder->start + i * page, DIRT, page);
    recorder->committed[i] = 1;
  }
  return true;
}

static inline bool record_decommit(void *user_data, void *start, size_t bytes) {
  Recorder *recorder = user_data;
  const size_t page = recorder_page(recorder);
  ++recorder->calls;
  if (!record_part(recorder, start, bytes)) return false;
  const size_t first = (size_t)((unsigned char *)start - recorder->start) / page;
  for (size_t i = first; i < first + bytes / page; ++i) CHECK(recorder->committed[i] == 1);
  ++recorder->decommits;
  if (recorder->keep) return false;
  if (page >= OS_PAGE) CHECK(madvise(start, bytes, MADV_DONTNEED) == 0);
  else memset(start, DIRT, bytes);
  return true;
}

/* As record_decommit, and dirt stands there at once. */
static inline bool record_scramble(void *user_data, void *start, size_t bytes) {
  const bool gone = record_decommit(user_data, start, bytes);
  if (gone) memset(start, DIRT, bytes);
  return gone;
}

static inline void record_release(void *user_data, void *start, size_t bytes) {
  Recorder *recorder = user_data;
  ++recorder->calls;
  ++recorder->releases;
  CHECK(start == recorder->start && bytes == recorder->bytes);
  CHECK(munmap(recorder->mapping, recorder->mapped_bytes) == 0);
  free(recorder->committed);
  recorder->committed = NULL;
}

static inline pool_source_t recorded(Recorder *recorder) {
  const pool_source_t source = {sizeof source,  recorder,        recorder->page_bytes,
                                record_reserve, record_commit,   record_decommit,
                                record_release};
  return source;
}

#endif

/* Threads that stay: they do their part of one job after another, and between the jobs they are
   idle, alive, with whatever the library keeps for them. */

#ifndef TESTS_CREW_H
#define TESTS_CREW_H

#include <semaphore.h>

#include "threads.h"

struct member;
typedef struct {
  struct member *members;
  size_t count;
  sem_t done;
  job_t job; /* NULL: go home */
  void *shared;
} crew_t;

typedef struct member {
  pthread_t thread;
  sem_t go;
  size_t number;
  crew_t *crew;
} member_t;

static inline void await(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0) continue; /* a signal came */
}

static void *follow(void *argument) {
  member_t *member = argument;
  crew_t *crew = member->crew;
  for (;;) {
    await(&member->go);
    if (crew->job == NULL) return NULL;
    crew->job(member->number, crew->shared);
    MUST(sem_post(&crew->done) == 0);
  }
}

/* Of so many threads, or as many as the system lets: who needs all looks at `count`. */
static inline void begin_crew(crew_t *crew, size_t count) {
  pthread_attr_t small;
  *crew = (crew_t){.members = calloc(count, sizeof *crew->members), .count = count};
  MUST(crew->members != NULL && sem_init(&crew->done, 0, 0) == 0);
  MUST(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 64 << 10) == 0);
  for (size_t i = 0; i < count; ++i) {
    member_t *member = &crew->members[i];
    member->number = i;
    member->crew = crew;
    MUST(sem_init(&member->go, 0, 0) == 0);
    if (pthread_create(&member->thread, &small, follow, member) == 0) continue;
    crew->count = i;
    break;
  }
  MUST(crew->count > 0);
  pthread_attr_destroy(&small);
}

static inline void begin_together(crew_t *crew, job_t job, void *shared) {
  crew->job = job;
  crew->shared = shared;
  for (size_t i = 0; i < crew->count; ++i) MUST(sem_post(&crew->members[i].go) == 0);
}

/* Returns when all are idle again. */
static inline void await_all(crew_t *crew) {
  for (size_t i = 0; i < crew->count; ++i) await(&crew->done);
}

static inline void do_together(crew_t *crew, job_t job, void *shared) {
  begin_together(crew, job, shared);
  await_all(crew);
}

/* One of them does it, and the others stay idle. */
static inline void do_alone(crew_t *crew, size_t number, job_t job, void *shared) {
  crew->job = job;
  crew->shared = shared;
  MUST(sem_post(&crew->members[number].go) == 0);
  await(&crew->done);
}

static inline void end_crew(crew_t *crew) {
  begin_together(crew, NULL, NULL);
  for (size_t i = 0; i < crew->count; ++i) {
    MUST(pthread_join(crew->members[i].thread, NULL) == 0);
    sem_destroy(&crew->members[i].go);
  }
  sem_destroy(&crew->done);
  free(crew->members);
}

#endif

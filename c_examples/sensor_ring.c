/* The latest records of a sensor, as a device keeps them that has neither heap nor system: the pool
   lies in a static array with all it has. A new record takes the place of the oldest one when the
   pool is dry, so the array's size says how far back the device remembers.

       oldest --> record --> record --> ... --> newest
       `- given back when pool_allocate answers NULL */

#include <stdio.h>

#include "memory_pool/pool.h"

enum { RECORDS = 16 };

typedef struct Record {
  struct Record *next;
  uint32_t milliseconds;
  int32_t millidegrees;
} Record;

/* Known to the compiler: a device that is short of RAM finds out before it is flashed. */
static unsigned char memory[POOL_STATIC_BYTES(sizeof(Record), RECORDS)];
_Static_assert(sizeof memory <= 2048, "the ring must fit into 2 KiB of RAM");

typedef struct {
  pool_t *pool;
  Record *oldest, *newest;
  unsigned long dropped;
} Ring;

static pool_status_t ring_start(Ring *ring) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = sizeof(Record);
  options.capacity = RECORDS;
  options.threading = POOL_THREADS_SINGLE; /* the main loop alone */
  options.buffer = memory;
  options.buffer_bytes = sizeof memory;
  options.name = "sensor";
  *ring = (Ring){NULL, NULL, NULL, 0};
  return pool_create_with(&options, &ring->pool);
}

static void ring_drop_oldest(Ring *ring) {
  Record *record = ring->oldest;
  ring->oldest = record->next;
  pool_deallocate(ring->pool, record);
  ++ring->dropped;
}

static void ring_add(Ring *ring, uint32_t milliseconds, int32_t millidegrees) {
  Record *record = pool_allocate(ring->pool);
  if (record == NULL) {
    ring_drop_oldest(ring);
    record = pool_allocate(ring->pool); /* the one that was just given back */
  }
  *record = (Record){NULL, milliseconds, millidegrees};
  if (ring->oldest == NULL) ring->oldest = record;
  else ring->newest->next = record;
  ring->newest = record;
}

/* Stands for a converter: warms up by 10 millidegrees a sample, with a ripple on top. */
static int32_t sensor_read(uint32_t sample) {
  static const int32_t ripple[] = {0, 35, 50, 35, 0, -35, -50, -35};
  return 20000 + 10 * (int32_t)sample + ripple[sample % 8];
}

static void report(const Ring *ring) {
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (const Record *record = ring->oldest; record != NULL; record = record->next) {
    if (record->millidegrees < least) least = record->millidegrees;
    if (record->millidegrees > most) most = record->millidegrees;
  }
  printf("%zu records from %u ms to %u ms, %d to %d millidegrees, %lu dropped\n",
         pool_in_use(ring->pool), (unsigned)ring->oldest->milliseconds,
         (unsigned)ring->newest->milliseconds, (int)least, (int)most, ring->dropped);
}

int main(void) {
  Ring ring;
  if (ring_start(&ring) != POOL_OK) return 1;
  for (uint32_t sample = 0; sample < 1000; ++sample) {
    ring_add(&ring, sample * 100, sensor_read(sample));
    if (sample == 9 || sample == 15 || sample == 16 || sample == 999) report(&ring);
  }
  while (ring.oldest != NULL) ring_drop_oldest(&ring);
  return pool_destroy(ring.pool) == POOL_OK ? 0 : 1;
}

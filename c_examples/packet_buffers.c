/* Packets from one thread to another. The producer takes buffers from a pool, fills them and queues
   them; the consumer checks them and gives the buffers back. The pool is the only bound: while all
   its buffers are under way, the producer sleeps in pool_allocate_wait; that is the back-pressure.

       producer --> pool_allocate_wait --> queue --> consumer --> pool_deallocate
                           ^                                            |
                           +------- a buffer that comes back wakes -----+ */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "memory_pool/pool.h"

enum { BUFFERS = 32, PACKETS = 20000, PAYLOAD_MOST = 1500 };

typedef struct {
  uint16_t length, checksum;
  unsigned char payload[PAYLOAD_MOST];
} Packet;

typedef struct { unsigned long packets, bytes, damaged; } Count;

static pool_t *pool;

/* With room for every packet there can be, and for the NULL at the end, it is never full. */
static struct {
  pthread_mutex_t lock;
  pthread_cond_t filled;
  Packet *slots[BUFFERS + 1];
  unsigned first, count;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static void push(Packet *packet) {
  pthread_mutex_lock(&queue.lock);
  queue.slots[(queue.first + queue.count++) % (BUFFERS + 1)] = packet;
  pthread_cond_signal(&queue.filled);
  pthread_mutex_unlock(&queue.lock);
}

static Packet *pop(void) {
  pthread_mutex_lock(&queue.lock);
  while (queue.count == 0) pthread_cond_wait(&queue.filled, &queue.lock);
  Packet *packet = queue.slots[queue.first];
  queue.first = (queue.first + 1) % (BUFFERS + 1);
  --queue.count;
  pthread_mutex_unlock(&queue.lock);
  return packet;
}

/* That of IP, UDP and TCP (RFC 1071). */
static uint16_t checksum_of(const Packet *packet) {
  uint32_t sum = 0;
  for (unsigned i = 0; i < packet->length; ++i) sum += packet->payload[i] << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void *produce(void *argument) {
  Count *sent = argument;
  void *buffer;
  while (sent->packets < PACKETS && pool_allocate_wait(pool, UINT64_MAX, &buffer) == POOL_OK) {
    Packet *packet = buffer;
    packet->length = (uint16_t)(64 + sent->packets % (PAYLOAD_MOST - 63));
    for (unsigned i = 0; i < packet->length; ++i) packet->payload[i] = (unsigned char)(i * i);
    packet->checksum = checksum_of(packet);
    sent->packets += 1;
    sent->bytes += packet->length;
    push(packet); /* from here on it is the consumer's */
  }
  push(NULL);
  return NULL;
}

static void consume(Count *received) {
  for (Packet *packet; (packet = pop()) != NULL; pool_deallocate(pool, packet)) {
    received->packets += 1;
    received->bytes += packet->length;
    received->damaged += checksum_of(packet) != packet->checksum;
  }
}

int main(void) {
  pthread_t producer;
  Count sent = {0, 0, 0}, received = {0, 0, 0};
  pool_stats_t stats = {.struct_size = sizeof stats};
  if ((pool = pool_create(sizeof(Packet), BUFFERS)) == NULL) return 1;
  if (pthread_create(&producer, NULL, produce, &sent) != 0) return 1;
  while (pool_available(pool) != 0) sched_yield(); /* the link is down at first */
  consume(&received);

  if (pthread_join(producer, NULL) != 0 || pool_get_stats(pool, &stats) != POOL_OK) return 1;
  printf("sent     %lu packets, %lu bytes\n", sent.packets, sent.bytes);
  printf("received %lu packets, %lu bytes, %lu damaged\n", received.packets, received.bytes,
         received.damaged);
  printf("peak     %zu of %d buffers, now %zu\n", stats.peak_in_use, BUFFERS, stats.in_use);
  return pool_destroy(pool) == POOL_OK ? 0 : 1;
}

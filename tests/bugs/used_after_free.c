/* A list remembers its last node, also after that is gone. */

#include <stddef.h>

#include "memory_pool/pool.h"

typedef struct node {
  struct node *next;
  int value;
} node_t;

static node_t *last;

static void append(node_t *node, int value) {
  *node = (node_t){.next = NULL, .value = value};
  if (last != NULL) last->next = node; /* STOPPED */
  last = node;
}

int main(void) {
  pool_t *nodes = pool_create(sizeof(node_t), 2);
  node_t *first = pool_allocate(nodes); /* TAKEN */
  append(first, 1);
  pool_deallocate(nodes, first); /* GIVEN */
  node_t *second = pool_allocate(nodes);
  append(second, 2); /* writes to the first node, by `last` */
  node_t *third = pool_allocate(nodes); /* FOUND */
  pool_deallocate(nodes, second);
  pool_deallocate(nodes, third);
  return pool_destroy(nodes);
}

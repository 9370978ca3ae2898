/* The demo in C: a linked list whose nodes come from a pool. */

#include <stdio.h>

#include "memory_pool/pool.h"

typedef struct Node {
  int value;
  struct Node *next;
} Node;

static Node *push_front(pool_t *pool, Node *list, int value) {
  Node *node = pool_allocate(pool);
  if (node == NULL) return list;
  node->value = value;
  node->next = list;
  return node;
}

static void free_all(pool_t *pool, Node *list) {
  while (list != NULL) {
    Node *node = list;
    list = node->next;
    pool_deallocate(pool, node);
  }
}

int main(void) {
  pool_t *pool = pool_create(sizeof(Node), 8);
  Node *list = NULL;
  if (pool == NULL) return 1;

  puts("========================================");
  puts("  FixedBlockMemoryPool demo");
  puts("========================================");
  printf("Block size: %zu bytes\n", pool_block_size(pool));
  printf("Capacity  : %zu blocks\n", pool_capacity(pool));

  for (int value = 0; value < 5; ++value) list = push_front(pool, list, value);
  for (const Node *node = list; node != NULL; node = node->next) {
    printf("Node value = %d at %p\n", node->value, (const void *)node);
  }
  free_all(pool, list);

  if (pool_in_use(pool) != 0) return 1;
  puts("All nodes destroyed and deallocated back to the pool.");
  return pool_destroy(pool) == POOL_OK ? 0 : 1;
}

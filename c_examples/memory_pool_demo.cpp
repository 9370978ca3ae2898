// A linked list whose nodes come from a pool: placement new, manual destruction, one range of
// memory. LOG_LEVEL=debug shows every step.

#include <cstdio>
#include <new>

#include "common/logging.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

struct Node {
  int value;
  Node* next;
};

Node* push_front(FixedBlockMemoryPool& pool, Node* list, int value) {
  void* raw = pool.allocate();
  Node* node = new (raw) Node{value, list};
  LOG_DEBUG("constructed node ", value, " at ", raw);
  return node;
}

void destroy(FixedBlockMemoryPool& pool, Node* list) {
  while (list != nullptr) {
    Node* node = list;
    list = node->next;
    LOG_DEBUG("destroying node ", node->value);
    node->~Node();
    pool.deallocate(node);
  }
}

}  // namespace

int main() {
  FixedBlockMemoryPool pool(sizeof(Node), 8);

  std::puts("========================================");
  std::puts("  FixedBlockMemoryPool demo");
  std::puts("========================================");
  std::printf("Block size: %zu bytes\n", pool.block_size());
  std::printf("Capacity  : %zu blocks\n", pool.capacity());

  Node* list = nullptr;
  for (int value = 0; value < 5; ++value) list = push_front(pool, list, value);
  for (Node* node = list; node != nullptr; node = node->next) {
    std::printf("Node value = %d at %p\n", node->value, static_cast<void*>(node));
  }
  destroy(pool, list);

  if (pool.in_use() != 0) return 1;
  std::puts("All nodes destroyed and deallocated back to the pool.");
  return 0;
}

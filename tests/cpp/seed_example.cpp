// The example of the project's first document, word for word.

#include "common/logging.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

struct Node { int value; Node* next; };

int main() {
FixedBlockMemoryPool pool(sizeof(Node), 8);

void* raw = pool.allocate();
Node* n = new (raw) Node{42, nullptr};

LOG_DEBUG("Allocated node");

n->~Node();
pool.deallocate(n);

LOG_INFO("Returned block to pool");
}

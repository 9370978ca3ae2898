// An object is given back by the pointer to its second base, which lies inside it.

#include <new>

#include "memory_pool/concurrent_memory_pool.hpp"

struct Named {
  char name[24];
};

struct Counted {
  int count;
};

struct Item : Named, Counted {};

int main() {
  memory_pool::ConcurrentMemoryPool items(sizeof(Item), 100);
  Item* item = new (items.allocate()) Item;  // TAKEN
  Counted* counted = item;
  items.deallocate(counted);  // FOUND
  items.deallocate(item);
}

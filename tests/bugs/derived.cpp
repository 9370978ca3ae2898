// A pool for shapes, and a shape that has grown by a field since.

#include <new>

#include "memory_pool/fixed_block_memory_pool.hpp"

struct Shape {
  double x, y;
};

struct Circle : Shape {
  double radius;
};

int main() {
  FixedBlockMemoryPool shapes(sizeof(Shape), 100);
  void* raw = shapes.allocate();  // TAKEN
  Circle* circle = new (raw) Circle;
  circle->radius = 1.0;  // STOPPED
  shapes.deallocate(circle);  // GIVEN
}

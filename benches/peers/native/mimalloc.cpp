// The allocator of mimalloc for containers.
//     mimalloc allocator

#include <mimalloc.h>

#include "containers.hpp"

int main(int, char** words) {
  using namespace peers;
  return serve_one_of({{"allocator", containers<Plain<mi_stl_allocator>>()}}, words[1]);
}

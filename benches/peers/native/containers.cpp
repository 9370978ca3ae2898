// The allocators of the standard library for its containers.
//     containers standard|pmr_unsynchronized|pmr_synchronized

#include "containers.hpp"

int main(int, char** words) {
  using namespace peers;
  using std::pmr::synchronized_pool_resource;
  using std::pmr::unsynchronized_pool_resource;
  return serve_one_of(
      {{"standard", containers<Plain<std::allocator>>()},
       {"pmr_unsynchronized", containers<Polymorphic<unsynchronized_pool_resource>>()},
       {"pmr_synchronized", containers<Polymorphic<synchronized_pool_resource>>()}},
      words[1]);
}

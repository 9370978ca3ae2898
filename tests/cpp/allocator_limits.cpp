// Allocators in their thousands, each with pools of its own: they share the address space with each
// other and with the rest of the program.

#include <sys/mman.h>

#include <list>
#include <vector>

#include "../c/check.h"
#include "memory_pool/allocator.hpp"

namespace {

using List = std::list<int, memory_pool::Allocator<int>>;

bool is_room_for(std::size_t bytes) {
  void* const span = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                          -1, 0);
  return span != MAP_FAILED && munmap(span, bytes) == 0;
}

void ten_thousand_lists_leave_room_for_the_program() {
  std::vector<List> lists(10000);
  for (List& list : lists) list = {1, 2, 3};
  for (const List& list : lists) CHECK(list.get_allocator().in_use() == 3);
  CHECK(is_room_for(std::size_t{1} << (sizeof(void*) > 4 ? 38 : 20)));
}

}  // namespace

int main() {
  ten_thousand_lists_leave_room_for_the_program();
  ten_thousand_lists_leave_room_for_the_program();  // after the pools of the first
  return CHECK_RESULT();
}

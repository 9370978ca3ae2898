// Allocator in the node containers of Boost.Container, which were written by others than the
// standard library's.

#include <cstdio>

#if __has_include(<boost/container/list.hpp>)

#include <boost/container/flat_map.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>

#include "../c/check.h"
#include "memory_pool/allocator.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"
#include "memory_pool/node_layout.hpp"

namespace {

namespace container = boost::container;
using memory_pool::Allocator;
using memory_pool::FixedBlockMemoryPool;
using memory_pool::node_layout_of;

using Pair = std::pair<const int, int>;
using Map = container::map<int, int, std::less<int>, Allocator<Pair>>;

template <typename Container>
void add(Container& container, int number) {
  if constexpr (requires { typename Container::mapped_type; }) {
    container.emplace(number, number);
  } else if constexpr (requires { typename Container::key_type; }) {
    container.emplace(number);
  } else {
    container.emplace_front(number);
  }
}

template <typename Container>
void each_element_is_a_block() {
  FixedBlockMemoryPool pool(node_layout_of<Container>().size, 100);
  Container own;
  Container given{typename Container::allocator_type(pool)};
  for (int number = 0; number < 100; ++number) add(own, number), add(given, number);
  CHECK(own.size() == 100 && own.get_allocator().in_use() == 100 && pool.in_use() == 100);
  bool thrown = false;
  try {
    add(given, 100);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown && given.size() == 100);
  Container moved(std::move(given));
  own = std::move(moved);
  CHECK(own.size() == 100 && own.get_allocator().in_use() == 100 && pool.in_use() == 100);
  own.clear();
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

void a_flat_map_is_an_array() {
  container::flat_map<int, int, std::less<int>, Allocator<std::pair<int, int>>> map;
  map.reserve(100);
  for (int number = 0; number < 100; ++number) map.emplace(number, number);
  CHECK(map.size() == 100 && map.get_allocator().in_use() == 0);
}

}  // namespace

int main() {
  each_element_is_a_block<container::list<int, Allocator<int>>>();
  each_element_is_a_block<container::slist<int, Allocator<int>>>();
  each_element_is_a_block<container::set<int, std::less<int>, Allocator<int>>>();
  each_element_is_a_block<Map>();
  a_flat_map_is_an_array();
  return CHECK_RESULT();
}

#else

int main() {
  std::fputs("SKIPPED cpp/allocator_boost: no Boost.Container here; apt-get install libboost-dev\n",
             stderr);
}

#endif

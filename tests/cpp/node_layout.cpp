// node_layout_of: a pool of exactly such blocks is what the container takes its nodes from.

#include "memory_pool/node_layout.hpp"

#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "../c/check.h"
#include "memory_pool/allocator.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using memory_pool::Allocator;
using memory_pool::FixedBlockMemoryPool;
using memory_pool::node_layout_of;
using memory_pool::NodeLayout;

struct alignas(64) Aligned {
  int number = 0;
  auto operator<=>(const Aligned&) const = default;
};

/// No default, so one has to be given.
struct Named {
  explicit Named(std::string given) : name(std::move(given)) {}
  std::string name;
};

/// As many blocks of the layout as there are elements: all are used, none is missing. Blocks that
/// are eight bytes smaller hold no node.
template <typename Container, typename Element>
void blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not(const Element& element) {
  const NodeLayout node = node_layout_of<Container>(element);
  CHECK(node.size > sizeof(Element) && node.size % node.alignment == 0);
  CHECK(node.alignment >= alignof(Element) && node.alignment >= alignof(void*));
  FixedBlockMemoryPool exact(node.size, 1), smaller(node.size - 8, 1);
  Container from_pool{Allocator<Element>(exact)}, from_upstream{Allocator<Element>(smaller)};
  for (Container* container : {&from_pool, &from_upstream}) {
    if constexpr (requires { container->push_front(element); }) {
      container->push_front(element);
    } else {
      container->insert(element);
    }
  }
  CHECK(exact.in_use() == 1 && smaller.in_use() == 0);
}

template <typename Element>
void the_layout_is_right_for_every_container_of(const Element& element) {
  using A = Allocator<Element>;
  using Less = std::less<Element>;
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<std::list<Element, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<std::forward_list<Element, A>>(
      element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<std::set<Element, Less, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<std::multiset<Element, Less, A>>(
      element);
}

template <typename Key, typename Value>
void the_layout_is_right_for_every_map_of(const Key& key, const Value& value) {
  using Element = std::pair<const Key, Value>;
  using A = Allocator<Element>;
  using Hash = std::hash<Key>;
  using Equal = std::equal_to<Key>;
  using Set = std::unordered_set<Key, Hash, Equal, Allocator<Key>>;
  const Element element(key, value);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<
      std::map<Key, Value, std::less<Key>, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<
      std::multimap<Key, Value, std::less<Key>, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<
      std::unordered_map<Key, Value, Hash, Equal, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<
      std::unordered_multimap<Key, Value, Hash, Equal, A>>(element);
  blocks_of_the_layout_hold_the_nodes_and_smaller_ones_do_not<Set>(key);
}

void an_element_is_made_of_the_arguments_or_of_none() {
  CHECK(node_layout_of<std::list<Named>>("name").size > sizeof(Named));
  CHECK((node_layout_of<std::map<int, Named>>(1, Named("one")).size > sizeof(Named)));
  const NodeLayout node = node_layout_of<std::map<int, int>>();
  const NodeLayout same = node_layout_of<std::map<int, int, std::less<int>,
                                                  Allocator<std::pair<const int, int>>>>();
  CHECK(node.size == same.size && node.alignment == same.alignment);
}

void a_container_of_arrays_has_no_node() {
  CHECK(node_layout_of<std::deque<int>>().size == 0);
}

}  // namespace

int main() {
  the_layout_is_right_for_every_container_of(7);
  the_layout_is_right_for_every_container_of('c');
  the_layout_is_right_for_every_container_of(std::string("text"));
  the_layout_is_right_for_every_container_of(Aligned{7});
  the_layout_is_right_for_every_map_of(1, 2);
  the_layout_is_right_for_every_map_of(std::string("key"), 2.0);
  the_layout_is_right_for_every_map_of('c', Aligned{7});
  an_element_is_made_of_the_arguments_or_of_none();
  a_container_of_arrays_has_no_node();
  return CHECK_RESULT();
}

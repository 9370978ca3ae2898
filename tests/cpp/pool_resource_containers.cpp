// The containers of the standard library on pool resources: the standard's own two are the control.

#include <deque>
#include <list>
#include <map>
#include <memory_resource>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_resource.hpp"
#include "recording_resource.hpp"

namespace {

void lists_and_deques_keep_their_order(std::pmr::memory_resource& resource) {
  std::pmr::list<int> list(&resource);
  std::pmr::deque<int> deque(&resource);
  for (int i = 0; i < 10000; ++i) {
    list.push_back(i);
    deque.push_front(i);
    if (i % 3 != 0) continue;
    list.pop_front();
    deque.pop_back();
  }
  CHECK(list.size() == deque.size() && list.back() == 9999 && deque.front() == 9999);
  CHECK(std::equal(list.rbegin(), list.rend(), deque.begin()));
  list.sort(std::greater<>());
  std::pmr::list<int> other(&resource);
  other.splice(other.begin(), list);
  CHECK(list.empty() && other.front() == 9999);
}

void maps_find_what_was_put_in(std::pmr::memory_resource& resource) {
  std::pmr::map<int, int> map(&resource);
  std::pmr::unordered_map<int, int> hashed(&resource);
  std::pmr::multiset<int> set(&resource);
  for (int i = 0; i < 20000; ++i) {
    const int key = i * 7919 % 10007;
    map[key] = hashed[key] = i;
    set.insert(key);
    if (i % 5 != 0) continue;
    map.erase(key / 2);
    hashed.erase(key / 2);
  }
  CHECK(map.size() == hashed.size() && set.size() == 20000);
  for (const auto& [key, value] : map) CHECK(hashed.at(key) == value);
}

void vectors_and_strings_grow_beyond_the_pools(std::pmr::memory_resource& resource) {
  std::pmr::vector<int> vector(&resource);
  std::pmr::string string(&resource);
  for (int i = 0; i < 50000; ++i) {
    vector.push_back(i);
    string += static_cast<char>('a' + i % 26);
  }
  CHECK(std::accumulate(vector.begin(), vector.end(), 0LL) == 50000LL * 49999 / 2);
  CHECK(string.size() == 50000 && string[27] == 'b');
  vector.resize(10);
  vector.shrink_to_fit();
  CHECK(vector.back() == 9);
}

void nested_containers_use_the_resource_of_the_outer_one(std::pmr::memory_resource& resource) {
  using Names = std::pmr::vector<std::pmr::string>;
  std::pmr::map<std::pmr::string, Names> families(&resource);
  for (int i = 0; i < 500; ++i) {
    const std::string family = "a family whose name is number " + std::to_string(i % 50);
    families[family.c_str()].emplace_back("a child with a long name");
  }
  CHECK(families.size() == 50);
  for (const auto& [family, names] : families) {
    CHECK(names.size() == 10 && names.front().get_allocator().resource() == &resource);
    CHECK(family.get_allocator().resource() == &resource);
  }
  const Names copy = families.begin()->second;
  CHECK(copy.get_allocator().resource() == std::pmr::get_default_resource());
}

void a_polymorphic_allocator_makes_objects_and_bytes(std::pmr::memory_resource& resource) {
  std::pmr::polymorphic_allocator<> allocator(&resource);
  auto* text = allocator.new_object<std::pmr::string>("a text that is longer than a small string");
  CHECK(text->get_allocator().resource() == &resource && text->size() == 41);
  allocator.delete_object(text);
  struct alignas(128) Wide {
    char bytes[200];
  };
  Wide* const wide = allocator.allocate_object<Wide>(3);
  CHECK(reinterpret_cast<std::uintptr_t>(wide) % 128 == 0);
  allocator.deallocate_object(wide, 3);
  void* const bytes = allocator.allocate_bytes(1000, 512);
  CHECK(reinterpret_cast<std::uintptr_t>(bytes) % 512 == 0);
  allocator.deallocate_bytes(bytes, 1000, 512);
}

/// A monotonic buffer on a pool resource: what it never gives back, release() does.
void a_resource_is_the_upstream_of_another(std::pmr::memory_resource& resource) {
  std::pmr::monotonic_buffer_resource buffer(&resource);
  std::pmr::vector<std::pmr::string> words(&buffer);
  for (int i = 0; i < 3000; ++i) words.emplace_back("a word that does not fit into a string");
  CHECK(words.back() == words.front());
}

template <typename Resource>
void one_resource() {
  RecordingResource upstream;
  Resource resource(&upstream);
  lists_and_deques_keep_their_order(resource);
  maps_find_what_was_put_in(resource);
  vectors_and_strings_grow_beyond_the_pools(resource);
  nested_containers_use_the_resource_of_the_outer_one(resource);
  a_polymorphic_allocator_makes_objects_and_bytes(resource);
  a_resource_is_the_upstream_of_another(resource);
  if constexpr (requires { resource.stats(); }) {
    CHECK(resource.stats().blocks_in_use == 0 && resource.stats().upstream_blocks == 0);
  }
}

}  // namespace

int main() {
  one_resource<std::pmr::unsynchronized_pool_resource>();
  one_resource<std::pmr::synchronized_pool_resource>();
  one_resource<memory_pool::MemoryResource>();
  one_resource<memory_pool::ConcurrentMemoryResource>();
  return CHECK_RESULT();
}

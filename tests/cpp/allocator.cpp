// Allocator in the containers of the standard library: where their memory comes from, which
// allocator they have after a copy, a move and a swap, and that nothing is lost when things fail.

#include "memory_pool/allocator.hpp"

#include <array>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "../c/check.h"
#include "memory_pool/concurrent_memory_pool.hpp"
#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

using memory_pool::Allocator;
using memory_pool::ConcurrentAllocator;
using memory_pool::ConcurrentMemoryPool;
using memory_pool::FixedBlockMemoryPool;
using memory_pool::UncheckedFixedBlockMemoryPool;

using Pair = std::pair<const int, int>;
using List = std::list<int, Allocator<int>>;
using Map = std::map<int, int, std::less<int>, Allocator<Pair>>;
using Hashed =
    std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, Allocator<Pair>>;

std::string logged;  // by the calls of the last function that was given to log_of

template <typename Function>
const std::string& log_of(Function function) {
  logged.clear();
  const auto append = [](void*, int32_t, const char* line) { (logged += line) += '\n'; };
  pool_set_log_callback(append, nullptr, POOL_LOG_WARN);
  function();
  pool_set_log_callback(nullptr, nullptr, POOL_LOG_WARN);
  return logged;
}

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

void a_pool_without_a_free_block_is_bad_alloc_and_leaves_the_list_as_it_was() {
  FixedBlockMemoryPool pool(64, 3);
  List list(pool);
  for (int i = 0; i < 3; ++i) list.push_back(i);
  bool thrown = false;
  try {
    list.push_back(3);
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  CHECK(thrown && list.size() == 3 && list.back() == 2 && pool.in_use() == 3);
  list.pop_front();
  list.push_back(3);
  CHECK(list.back() == 3);
}

void no_pool_is_bad_alloc_and_a_line_in_the_log() {
  bool thrown = false;
  const auto use_none = [&] {
    FixedBlockMemoryPool none;
    List list(none);
    try {
      list.push_back(1);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    CHECK(list.empty());
  };
  CHECK(says(log_of(use_none), "NULL") && thrown);
}

void a_misuse_over_a_pool_that_checks_is_reported_and_not_thrown() {
  FixedBlockMemoryPool pool(64, 3);
  Allocator<int> allocator(pool);
  int* block = allocator.allocate(1);
  allocator.deallocate(block, 1);
  int own = 0;
  CHECK(says(log_of([&] { allocator.deallocate(block, 1); }), "double free"));
  CHECK(says(log_of([&] { allocator.deallocate(&own, 1); }), "no block of this pool"));
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

void blocks_that_are_never_given_back_are_logged_at_the_end() {
  const auto leak = [] {
    Allocator<long> allocator;
    long* kept = nullptr;
    for (int i = 0; i < 100; ++i) kept = allocator.allocate(1);
    allocator.deallocate(kept, 1);
  };
  CHECK(says(log_of(leak), "\"allocator\" destroyed with 99 live blocks"));
  CHECK(log_of([] { List list(1000, 7); }).empty());
}

struct Refusing {
  explicit Refusing(int number) {
    if (number % 3 == 0) throw std::runtime_error("no multiple of three");
  }
  bool operator<(const Refusing&) const { return true; }
};

/// How many of ten elements were refused.
template <typename Container>
int refused_by(Container& container) {
  int refused = 0;
  for (int number = 0; number < 10; ++number) {
    try {
      container.emplace(container.end(), number);
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  return refused;
}

void a_constructor_that_throws_leaks_no_node() {
  FixedBlockMemoryPool pool(64, 7);
  std::list<Refusing, Allocator<Refusing>> list(pool);
  CHECK(refused_by(list) == 4 && list.size() == 6 && pool.in_use() == 6);
  std::list<Refusing, Allocator<Refusing>> own;
  CHECK(refused_by(own) == 4 && own.get_allocator().in_use() == 6);
  try {
    (void)std::allocate_shared<Refusing>(own.get_allocator(), 3);
    CHECK(false);
  } catch (const std::runtime_error&) {
    CHECK(own.get_allocator().in_use() == 6);
  }
}

template <typename Container>
void fill(Container& container, int count) {
  if constexpr (requires { container.emplace_front(0); }) {
    for (int i = 0; i < count; ++i) container.emplace_front(i);
  } else if constexpr (requires { typename Container::mapped_type; }) {
    for (int i = 0; i < count; ++i) container.emplace(i, i);
  } else {
    for (int i = 0; i < count; ++i) container.emplace(i);
  }
}

template <typename Container>
void each_element_is_a_block() {
  FixedBlockMemoryPool pool(64, 1000);
  UncheckedFixedBlockMemoryPool unchecked(64, 1000);
  Container own, given(pool), trusting(unchecked);
  for (Container* container : {&own, &given, &trusting}) {
    const auto allocator = container->get_allocator();
    fill(*container, 1000);
    CHECK(allocator.in_use() == 1000);
    CHECK(std::distance(container->begin(), container->end()) == 1000);
    container->clear();
    CHECK(allocator.in_use() == 0);
    fill(*container, 10);
  }
  CHECK(pool.in_use() == 10);
  given = Container(pool);
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

void each_element_of_a_node_container_is_a_block() {
  using Multimap = std::multimap<int, int, std::less<int>, Allocator<Pair>>;
  using Set = std::unordered_multiset<int, std::hash<int>, std::equal_to<int>, Allocator<int>>;
  each_element_is_a_block<List>();
  each_element_is_a_block<std::forward_list<int, Allocator<int>>>();
  each_element_is_a_block<Map>();
  each_element_is_a_block<Multimap>();
  each_element_is_a_block<std::set<int, std::less<int>, Allocator<int>>>();
  each_element_is_a_block<Hashed>();
  each_element_is_a_block<Set>();
}

void arrays_come_from_operator_new() {
  FixedBlockMemoryPool pool(4096, 4);
  std::vector<int, Allocator<int>> vector(100, 7, pool);
  std::deque<int, Allocator<int>> deque(5000, 7, pool);
  std::basic_string<char, std::char_traits<char>, Allocator<char>> string(100, 'x', pool);
  CHECK(pool.in_use() == 0);
  std::vector<int, Allocator<int>> own;
  for (int i = 0; i < 1000; ++i) own.push_back(i);
  CHECK(own.get_allocator().in_use() == 0 && own[999] == 999);
}

void what_is_larger_or_more_aligned_than_a_block_comes_from_operator_new() {
  struct alignas(256) Aligned {
    char byte;
  };
  FixedBlockMemoryPool pool(64, 4);
  std::list<std::array<char, 100>, Allocator<std::array<char, 100>>> large(pool);
  std::list<Aligned, Allocator<Aligned>> aligned(pool);
  for (int i = 0; i < 10; ++i) large.emplace_back(), aligned.emplace_back();
  CHECK(pool.in_use() == 0 && reinterpret_cast<std::uintptr_t>(&aligned.back()) % 256 == 0);
  std::list<Aligned, Allocator<Aligned>> own(10);
  CHECK(own.get_allocator().in_use() == 10);
  CHECK(reinterpret_cast<std::uintptr_t>(&own.back()) % 256 == 0);
}

void a_copied_container_has_pools_of_its_own_or_the_given_one() {
  List own(10, 7);
  List copy(own);
  CHECK(copy == own && copy.get_allocator() != own.get_allocator());
  FixedBlockMemoryPool pool(64, 20);
  const List given(10, 7, pool);
  List other(given);
  CHECK(other.get_allocator() == given.get_allocator() && pool.in_use() == 20);
  List chosen(own, copy.get_allocator());
  CHECK(chosen.get_allocator() == copy.get_allocator());
  chosen.splice(chosen.end(), copy);
  CHECK(chosen.size() == 20 && chosen.get_allocator().in_use() == 20);
}

void a_container_that_is_assigned_to_keeps_its_allocator() {
  FixedBlockMemoryPool pool(64, 20);
  List given(pool);
  const List own(10, 7);
  given = own;
  CHECK(given == own && given.get_allocator() == Allocator<int>(pool) && pool.in_use() == 10);
}

void a_container_that_is_moved_takes_its_nodes_and_its_allocator_along() {
  FixedBlockMemoryPool pool(64, 20);
  Map own;
  Map given(pool);
  fill(own, 10);
  const int* first = &own[0];
  const auto allocator = own.get_allocator();
  given = std::move(own);
  CHECK(&given[0] == first && given.get_allocator() == allocator && pool.in_use() == 0);
  Map newer(std::move(given));
  CHECK(&newer[0] == first && newer.get_allocator() == allocator);
  fill(given, 5);  // moved from, and still of use
  CHECK(given.size() == 5 && allocator.in_use() == 15);
}

void containers_that_are_swapped_swap_their_allocators() {
  FixedBlockMemoryPool pool(64, 20);
  Hashed own, given(pool);
  fill(own, 10);
  fill(given, 3);
  const int* first = &own[0];
  swap(own, given);
  CHECK(&given[0] == first && given.get_allocator().in_use() == 10);
  CHECK(own.get_allocator() == Allocator<Pair>(pool) && own.size() == 3 && pool.in_use() == 3);
}

/// Over a given pool: libstdc++ 12 never ends the allocator of a node that was extracted and then
/// inserted, and so would keep an allocator's own pools for ever.
void nodes_move_between_containers_of_one_allocator() {
  FixedBlockMemoryPool pool(64, 20);
  Map one(pool), other(pool), own;
  fill(one, 10);
  other.insert(one.extract(3));
  CHECK(one.size() == 9 && other.size() == 1 && pool.in_use() == 10);
  fill(own, 10);
  Map merged(own.get_allocator());
  merged.merge(own);
  CHECK(own.empty() && merged.size() == 10 && merged.get_allocator().in_use() == 10);
}

void a_shared_pointer_and_its_weak_ones_keep_the_pools() {
  FixedBlockMemoryPool pool(128, 1);
  std::weak_ptr<std::string> weak, given;
  {
    const auto pointer = std::allocate_shared<std::string>(Allocator<std::string>(), "here");
    weak = pointer;
    const auto other = std::allocate_shared<std::string>(Allocator<std::string>(pool), "too");
    given = other;
    CHECK(*weak.lock() == "here" && *given.lock() == "too" && pool.in_use() == 1);
  }
  CHECK(weak.expired() && given.expired() && pool.in_use() == 1);
  given.reset();
  CHECK(pool.in_use() == 0 && log_of([&] { weak.reset(); }).empty());
}

template <std::size_t size>
void share_and_drop(const ConcurrentAllocator<int>& allocator) {
  using Block = std::array<char, size>;
  std::vector<std::shared_ptr<Block>> kept;
  for (int i = 0; i < 500; ++i) kept.push_back(std::allocate_shared<Block>(allocator));
  std::thread([&] { kept.clear(); }).join();
}

void threads_that_ask_for_the_same_sizes_at_once_share_the_pools() {
  for (int round = 0; round < 20; ++round) {
    const ConcurrentAllocator<int> allocator;
    const auto work = [&] {
      share_and_drop<16>(allocator);
      share_and_drop<200>(allocator);
      share_and_drop<5000>(allocator);
    };
    std::thread one(work), other(work);
    one.join();
    other.join();
    CHECK(allocator.in_use() == 0);
  }
  ConcurrentMemoryPool pool(64, 10000);
  std::list<int, ConcurrentAllocator<int>> list(100, 7, pool);
  CHECK(pool.in_use() == 100);
}

}  // namespace

int main() {
  a_pool_without_a_free_block_is_bad_alloc_and_leaves_the_list_as_it_was();
  no_pool_is_bad_alloc_and_a_line_in_the_log();
  a_misuse_over_a_pool_that_checks_is_reported_and_not_thrown();
  blocks_that_are_never_given_back_are_logged_at_the_end();
  a_constructor_that_throws_leaks_no_node();
  each_element_of_a_node_container_is_a_block();
  arrays_come_from_operator_new();
  what_is_larger_or_more_aligned_than_a_block_comes_from_operator_new();
  a_copied_container_has_pools_of_its_own_or_the_given_one();
  a_container_that_is_assigned_to_keeps_its_allocator();
  a_container_that_is_moved_takes_its_nodes_and_its_allocator_along();
  containers_that_are_swapped_swap_their_allocators();
  nodes_move_between_containers_of_one_allocator();
  a_shared_pointer_and_its_weak_ones_keep_the_pools();
  threads_that_ask_for_the_same_sizes_at_once_share_the_pools();
  return CHECK_RESULT();
}

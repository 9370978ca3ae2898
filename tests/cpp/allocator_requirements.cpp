// Allocator and ConcurrentAllocator against the table of the standard, [allocator.requirements],
// each over pools of its own and over a given pool.

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "../c/check.h"
#include "memory_pool/allocator.hpp"
#include "memory_pool/concurrent_memory_pool.hpp"

namespace {

using memory_pool::Allocator;
using memory_pool::ConcurrentAllocator;
using memory_pool::ConcurrentMemoryPool;

struct Small {
  char letter;
};
struct Large {
  std::uint64_t words[40];
};
template <std::size_t alignment>
struct alignas(alignment) Aligned {
  unsigned char byte;
};

template <typename A>
using Traits = std::allocator_traits<A>;

template <typename A, typename U>
using Rebound = typename Traits<A>::template rebind_alloc<U>;

template <typename A, typename Exception>
bool refuses(A allocator, std::size_t count) {
  try {
    (void)!allocator.allocate(count);
    return false;
  } catch (const Exception& exception) {
    return typeid(exception) == typeid(Exception);
  }
}

template <typename A>
void more_than_there_can_be_is_refused(const A& allocator) {
  const std::size_t beyond = SIZE_MAX / sizeof(typename A::value_type) + 1;
  if (beyond != 0) CHECK((refuses<A, std::bad_array_new_length>(allocator, beyond)));
  CHECK(allocator.in_use() == 0);
}

template <typename A>
void the_members_have_the_types_that_the_standard_says() {
  using T = typename A::value_type;
  static_assert(std::is_same_v<typename Traits<A>::pointer, T*>);
  static_assert(std::is_same_v<typename Traits<A>::const_pointer, const T*>);
  static_assert(std::is_same_v<typename Traits<A>::size_type, std::size_t>);
  static_assert(std::is_same_v<typename Traits<A>::difference_type, std::ptrdiff_t>);
  static_assert(std::is_same_v<Rebound<A, T>, A>);
  static_assert(std::is_same_v<Rebound<Rebound<A, Large>, T>, A>);
  static_assert(!Traits<A>::propagate_on_container_copy_assignment::value);
  static_assert(Traits<A>::propagate_on_container_move_assignment::value);
  static_assert(Traits<A>::propagate_on_container_swap::value);
  static_assert(!Traits<A>::is_always_equal::value);
}

template <typename A>
void nothing_that_copies_an_allocator_throws() {
  using B = Rebound<A, Large>;
  static_assert(std::is_nothrow_copy_constructible_v<A> && std::is_nothrow_copy_assignable_v<A>);
  static_assert(std::is_nothrow_move_constructible_v<A> && std::is_nothrow_move_assignable_v<A>);
  static_assert(std::is_nothrow_constructible_v<A, const B&> && std::is_nothrow_swappable_v<A>);
  static_assert(std::is_nothrow_constructible_v<A, B&&> && std::is_nothrow_destructible_v<A>);
  static_assert(noexcept(std::declval<const A&>() == std::declval<const B&>()));
  static_assert(noexcept(std::declval<A&>().deallocate(nullptr, 1)));
}

template <typename A>
void copies_and_moves_are_equal_and_leave_the_original(const A& original) {
  A one(original);
  CHECK(one == original && !(one != original));
  A other(std::move(one));
  CHECK(other == original && one == original);
  A third(original);
  third = std::move(other);
  CHECK(third == original && other == original);
  A& same = third;
  third = same;
  CHECK(third == original);
  typename A::value_type* memory = one.allocate(1);  // moved from twice, and still of use
  third.deallocate(memory, 1);
  CHECK(original.in_use() == 0);
}

template <typename A>
void a_round_trip_by_another_type_is_equal(const A& original) {
  using B = Rebound<A, Large>;
  B other(original);
  CHECK(A(B(original)) == original && B(A(other)) == other && A(other) == original);
  CHECK(other == original && original == other && !(other != original));
  B moved(std::move(A(original)));
  CHECK(moved == original);
  A back(other);
  typename A::value_type* memory = back.allocate(1);
  A(moved).deallocate(memory, 1);
  CHECK(original.in_use() == 0);
}

template <typename A>
void strangers_are_unequal_until_one_is_assigned(const A& original, A stranger) {
  const Rebound<A, Large> other(stranger);
  CHECK(original != stranger && other != original);
  A one(original);
  using std::swap;
  swap(one, stranger);
  CHECK(stranger == original && one != original);
  one = stranger;
  CHECK(one == original);
}

template <typename A>
void memory_is_distinct_and_its_own_for_as_long_as_it_is_kept(A allocator) {
  using T = typename A::value_type;
  std::map<std::uintptr_t, std::size_t> taken;  // address to bytes
  std::vector<std::pair<T*, std::size_t>> memory;
  for (std::size_t round = 0; round < 300; ++round) {
    const std::size_t count = round % 3 == 0 ? round / 3 % 7 : 1;
    T* const start = allocator.allocate(count);
    memory.emplace_back(start, count);
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    CHECK(start != nullptr && address % alignof(T) == 0);
    taken[address] = count * sizeof(T);
    for (std::size_t i = 0; i < count; ++i) Traits<A>::construct(allocator, start + i);
  }
  CHECK(taken.size() == 300);
  std::uintptr_t end = 0;
  for (const auto& [address, bytes] : taken) {
    CHECK(address >= end);
    end = address + bytes;
  }
  for (const auto& [start, count] : memory) {
    for (std::size_t i = 0; i < count; ++i) Traits<A>::destroy(allocator, start + i);
    A(allocator).deallocate(start, count);
  }
  CHECK(allocator.in_use() == 0);
}

template <typename A>
void all_of_it_holds(const A& original, const A& stranger) {
  more_than_there_can_be_is_refused(original);
  the_members_have_the_types_that_the_standard_says<A>();
  nothing_that_copies_an_allocator_throws<A>();
  copies_and_moves_are_equal_and_leave_the_original(original);
  a_round_trip_by_another_type_is_equal(original);
  strangers_are_unequal_until_one_is_assigned(original, stranger);
  memory_is_distinct_and_its_own_for_as_long_as_it_is_kept(original);
  CHECK(Traits<A>::max_size(original) == SIZE_MAX / sizeof(typename A::value_type));
}

template <template <typename> typename A, typename T>
void all_of_it_holds_over_every_pool() {
  all_of_it_holds(A<T>(), A<T>());
  ConcurrentMemoryPool pool(64, 300), other(64, 300);
  all_of_it_holds(A<T>(pool), A<T>(other));
  CHECK(A<T>(pool) == A<T>(pool.handle()) && A<T>(pool) != A<T>());
  CHECK(pool.in_use() == 0 && pool.validate() == POOL_OK);
}

template <template <typename> typename A>
void all_of_it_holds_for_every_type() {
  all_of_it_holds_over_every_pool<A, Small>();
  all_of_it_holds_over_every_pool<A, double>();
  all_of_it_holds_over_every_pool<A, Large>();
  all_of_it_holds_over_every_pool<A, Aligned<32>>();
  all_of_it_holds_over_every_pool<A, Aligned<128>>();
  all_of_it_holds_over_every_pool<A, Aligned<8192>>();
}

/// [allocator.requirements.completeness]: the type may be incomplete until a member is used.
template <template <typename> typename A>
void a_tree_holds_itself() {
  struct Tree {
    std::list<Tree, A<Tree>> branches;
  };
  Tree tree;
  tree.branches.emplace_back();
  tree.branches.emplace_back().branches.emplace_back();
  CHECK(tree.branches.size() == 2 && tree.branches.get_allocator().in_use() == 2);
}

}  // namespace

int main() {
  all_of_it_holds_for_every_type<Allocator>();
  all_of_it_holds_for_every_type<ConcurrentAllocator>();
  a_tree_holds_itself<Allocator>();
  a_tree_holds_itself<ConcurrentAllocator>();
  return CHECK_RESULT();
}

// node_layout_of: how large the nodes of a container are, without a guess.
//
//     FixedBlockMemoryPool pool(node_layout_of<std::map<int, Order>>().size, 1000);
//
// The container itself is asked: it gets one element, and an allocator that takes notes.

#ifndef MEMORY_POOL_NODE_LAYOUT_HPP
#define MEMORY_POOL_NODE_LAYOUT_HPP

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace memory_pool {

/// What a block must be to hold each object that a container allocates by itself. Blocks of `size`
/// bytes are as aligned as `alignment` says without a word about it, because it divides the size.
struct NodeLayout {
  std::size_t size;
  std::size_t alignment;
};

namespace detail {

/// Takes memory from operator new, and notes what is allocated as one object.
template <typename T>
class NodeProbe {
 public:
  using value_type = T;

  explicit NodeProbe(NodeLayout& seen) noexcept : seen_(&seen) {}

  template <typename U>
  NodeProbe(const NodeProbe<U>& other) noexcept : seen_(other.seen_) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count == 1) note();
    return static_cast<T*>(::operator new(count * sizeof(T), kAlignment));
  }

  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, kAlignment); }

  template <typename U>
  [[nodiscard]] bool operator==(const NodeProbe<U>& other) const noexcept {
    return seen_ == other.seen_;
  }

 private:
  template <typename>
  friend class NodeProbe;

  static constexpr std::align_val_t kAlignment{alignof(T)};

  void note() noexcept {
    if (seen_->size < sizeof(T)) seen_->size = sizeof(T);
    if (seen_->alignment < alignof(T)) seen_->alignment = alignof(T);
  }

  NodeLayout* seen_;
};

/// The same container with a probe in the place of its allocator.
template <typename Container>
struct Probed;

template <template <typename...> typename Container, typename... Arguments>
struct Probed<Container<Arguments...>> {
  using Original = Container<Arguments...>;
  using Allocator = typename Original::allocator_type;
  using Probe = NodeProbe<typename Original::value_type>;
  using type =
      Container<std::conditional_t<std::is_same_v<Arguments, Allocator>, Probe, Arguments>...>;
};

}  // namespace detail

/// The largest size and the strictest alignment of the single objects that a `Container` of the
/// standard's shape allocates when `arguments` are emplaced into it; without arguments, a value of
/// the default. Size 0: it allocates arrays only. Throws std::bad_alloc, and what the element's
/// constructor throws.
/// Thread-safety: any thread.
template <typename Container, typename... Arguments>
[[nodiscard]] NodeLayout node_layout_of(Arguments&&... arguments) {
  using Probed = detail::Probed<Container>;
  NodeLayout seen{0, 1};
  typename Probed::type container(typename Probed::Probe{seen});
  if constexpr (requires { container.emplace_front(std::forward<Arguments>(arguments)...); }) {
    container.emplace_front(std::forward<Arguments>(arguments)...);
  } else {
    container.emplace(std::forward<Arguments>(arguments)...);
  }
  return seen;
}

}  // namespace memory_pool

#endif  // MEMORY_POOL_NODE_LAYOUT_HPP

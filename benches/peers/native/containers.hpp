// The scenarios of containers, for an allocator of the standard's kind.
//
//     struct Source {                       // lives as long as the containers
//       template <typename T> Allocator<T> allocator();
//     };

#ifndef PEERS_CONTAINERS_HPP
#define PEERS_CONTAINERS_HPP

#include <memory_resource>

#include "../../native/containers.hpp"
#include "worker.hpp"

namespace peers {

template <template <typename> typename Scenario, typename Element, typename Source>
Answer container(const Request& request) {
  Source source;
  Scenario<decltype(source.template allocator<Element>())> scenario(
      source.template allocator<Element>());
  return timed(request.amount, [&scenario] {
    for (int i = 0; i < 1000; ++i) scenario.step();
    return 1000;
  });
}

template <typename Source>
Serve containers() {
  return [](const Request& request) -> Answer {
    if (request.scenario == "list") return container<List, int, Source>(request);
    if (request.scenario == "map") return container<Map, Pair, Source>(request);
    if (request.scenario == "unordered_map") return container<Hashed, Pair, Source>(request);
    return {};
  };
}

/// A source of allocators that need nothing beside.
template <template <typename> typename Allocator>
struct Plain {
  template <typename T>
  Allocator<T> allocator() { return {}; }
};

/// A source of allocators over a memory resource.
template <typename Resource>
struct Polymorphic {
  Resource resource;
  template <typename T>
  std::pmr::polymorphic_allocator<T> allocator() { return &resource; }
};

}  // namespace peers

#endif  // PEERS_CONTAINERS_HPP

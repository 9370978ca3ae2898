// The protocol: a program for a kind of peers, started for one of them by its name, reads a request
// a line and answers it by lines of a name and numbers, and a point. No other line: it can't.
//
//     > random 64 1000 1 20
//     < nanoseconds 4.75
//     < waited 0
//     < .
//
// A program has a peer as a class; it lives for one request:
//
//     struct Peer {
//       explicit Peer(const Shape& shape);
//       auto local();                       // what a thread calls; its own, and movable
//     };                                    // with void* take() and void give(void* block)
//
// or a class template with the size of a block, where a peer must know it at compile time.

#ifndef PEERS_WORKER_HPP
#define PEERS_WORKER_HPP

#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "latency.hpp"
#include "processor.hpp"
#include "threads.hpp"

namespace peers {

using Serve = std::function<Answer(const Request&)>;

/// Makes a peer, lets it be used, and ends it.
template <typename Peer, typename... More>
auto maker(More... more) {
  return [more...](const Shape& shape, auto use_peer) {
    Peer peer(shape, more...);
    return use_peer(peer);
  };
}

/// The same of a peer that has the size of a block in its type.
template <template <std::size_t> typename Peer, typename... More>
auto sized_maker(More... more) {
  return [more...](const Shape& shape, auto use_peer) -> Answer {
    auto with = [&]<std::size_t size>() {
      Peer<size> peer(shape, more...);
      return use_peer(peer);
    };
    switch (shape.block_size) {
      case 16: return with.template operator()<16>();
      case 64: return with.template operator()<64>();
      case 256: return with.template operator()<256>();
      case 4096: return with.template operator()<4096>();
      default: return {};
    }
  };
}

/// A pool is made, has one block taken and given back, and is destroyed.
template <typename Make>
Answer creation(Make make, const Request& request) {
  const Shape shape{request.block_size, request.live, request.live};
  return timed(request.amount, [&] {
    make(shape, [](auto& peer) -> Answer {
      auto local = peer.local();
      local.give(take_and_use(local));
      return {};
    });
    return 1;
  });
}

/// Calls that are timed one by one are those of a pool that is a tenth full, as pools are that must
/// not run out.
inline Shape shape_of_one_thread(const Request& request) {
  return shape_for(request, request.scenario == "latency" ? 9 * request.live : 0);
}

/// Brings the OS pages of the stack that calls may reach into memory. Where they begin is random in
/// each process, so that else a page more or less would be taken for the peer's.
[[gnu::noinline]] inline void touch_the_stack() {
  char pages[65536];
  std::memset(pages, 1, sizeof pages);
  keep(pages);
}

template <typename Make>
Answer memory_of(Make make, const Request& request) {
  std::vector<void*> live(request.live, &live);
  touch_the_stack();
  const double before = resident();
  return make(shape_for(request, 0), [&](auto& peer) -> Answer {
    auto local = peer.local();
    if constexpr (requires { local.end_of_burst(); }) return {};
    return memory(local, request, live, before);
  });
}

/// The scenarios in which one thread uses a peer that was made for them.
template <bool written, typename Local>
Answer alone(Local& local, const Request& request) {
  const std::string& name = request.scenario;
  if (name == "lifo") return burst<true, written>(local, request);
  if (name == "fifo") return burst<false, written>(local, request);
  if constexpr (!requires { local.end_of_burst(); }) {
    if (name == "random") return random<written>(local, request);
    if (name == "pair") return pair(local, request);
    if (name == "cold") return cold(local, request);
    if (name == "latency") return latency(local, request);
  }
  return {};
}

template <typename Peer>
Answer together(Peer& peer, const Request& request) {
  if (request.scenario == "churn") {
    return request.written ? churn<true>(peer, request) : churn<false>(peer, request);
  }
  if (request.scenario == "handover") return handover(peer, request);
  if (request.scenario == "all_to_all") return all_to_all(peer, request);
  return {};
}

/// All scenarios of a peer that `make` makes.
template <typename Make>
Serve scenarios(Make make, Abilities abilities) {
  return [make, abilities](const Request& request) -> Answer {
    const std::string& name = request.scenario;
    if (name == "creation") return abilities.is_made ? creation(make, request) : Answer{};
    if (name == "memory") return memory_of(make, request);
    if (name == "growth") {
      if (!abilities.grows) return {};
      return make(Shape{request.block_size, 1024, request.live}, [&](auto& peer) {
        auto local = peer.local();
        return growth(local, request);
      });
    }
    if (request.threads == 1) {
      return make(shape_of_one_thread(request), [&](auto& peer) {
        auto local = peer.local();
        return request.written ? alone<true>(local, request) : alone<false>(local, request);
      });
    }
    if constexpr (requires { Make::one_thread; }) {
      return {};
    } else {
      if (!abilities.any_thread) return {};
      return make(shape_for(request, aside), [&](auto& peer) { return together(peer, request); });
    }
  };
}

/// One thread is measured on one processor, the same for every peer. Several bind themselves.
inline Answer answered(const Serve& peer, const Request& request) {
  if (request.threads > 1) return peer(request);
  const OnProcessor bound(0);
  return peer(request);
}

/// Reads requests and answers them until there are no more.
inline int serve(const Serve& peer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    Request request;
    std::istringstream words(line);
    words >> request.scenario >> request.block_size >> request.live >> request.threads >>
        request.amount >> request.written;
    if (!words || request.live == 0 || request.threads == 0) {
      std::cerr << "not a request: " << line << '\n';
      return 2;
    }
    std::ostringstream text;
    text.precision(15);
    for (const auto& [name, numbers] : answered(peer, request)) {
      text << name;
      for (const double number : numbers) text << ' ' << number;
      text << '\n';
    }
    std::cout << text.str() << '.' << std::endl;
  }
  return 0;
}

/// For the main function: serves the one of `peers` that is asked for.
inline int serve_one_of(const std::vector<std::pair<std::string, Serve>>& peers, const char* name) {
  for (const auto& [own, peer] : peers) {
    if (own == name) return serve(peer);
  }
  std::cerr << "no peer " << name << " here\n";
  return 2;
}

}  // namespace peers

#endif  // PEERS_WORKER_HPP

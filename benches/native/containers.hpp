// What is done with containers of the standard library, whatever their allocator.

#ifndef BENCHES_CONTAINERS_HPP
#define BENCHES_CONTAINERS_HPP

#include <functional>
#include <list>
#include <map>
#include <unordered_map>

#include "numbers.hpp"

/// One is pushed at the back, one popped at the front, while 1000 are live.
template <typename List>
class Churn {
 public:
  explicit Churn(const typename List::allocator_type& allocator) : list_(1000, 7, allocator) {}
  void step() {
    list_.push_back(next_++);
    list_.pop_front();
  }

 private:
  List list_;
  int next_ = 0;
};

/// One of 1 000 000 keys at random is erased if it is there, and inserted if it is not.
template <typename Map>
class Random {
 public:
  explicit Random(const typename Map::allocator_type& allocator) : map_(allocator) {
    while (map_.size() < 500000) map_.emplace(key(), 0);
  }
  void step() {
    const int key = this->key();
    if (map_.erase(key) == 0) map_.emplace(key, key);
  }

 private:
  int key() { return static_cast<int>(numbers_.below(1000000)); }

  Map map_;
  Numbers numbers_;
};

using Pair = std::pair<const int, int>;

template <typename Allocator>
using List = Churn<std::list<int, Allocator>>;
template <typename Allocator>
using Map = Random<std::map<int, int, std::less<int>, Allocator>>;
template <typename Allocator>
using Hashed = Random<std::unordered_map<int, int, std::hash<int>, std::equal_to<int>, Allocator>>;

#endif  // BENCHES_CONTAINERS_HPP

// A container of one's own: an intrusive list, whose links lie in the elements, with elements from
// a pool. Here it keeps the sessions of a server in the order of their last use: a session that is
// used moves to the front in constant time, and when the pool is dry the last one makes room.

#include <cstddef>
#include <cstdio>
#include <iterator>
#include <new>
#include <utility>

#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

/// What an element inherits. It is in one list at most, and unlinks itself from whichever that is.
struct Link {
  Link* before = this;
  Link* after = this;

  Link() = default;
  Link(const Link&) = delete;
  void unlink() {
    before->after = after;
    after->before = before;
  }
};

/// A ring of links; its own, between the last element and the first, is end(). It owns no element.
template <typename T>
class IntrusiveList {
 public:
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Link* at = nullptr) : at_(at) {}
    T& operator*() const { return static_cast<T&>(*at_); }
    Iterator& operator++() { return *this = Iterator(at_->after); }
    Iterator operator++(int) { return Iterator(std::exchange(at_, at_->after)); }
    bool operator==(const Iterator&) const = default;

   private:
    Link* at_;
  };
  static_assert(std::forward_iterator<Iterator>);

  Iterator begin() { return Iterator(own_.after); }
  Iterator end() { return Iterator(&own_); }
  bool empty() const { return own_.after == &own_; }
  T& back() { return static_cast<T&>(*own_.before); }

  void push_front(T& element) {
    element.before = &own_;
    element.after = own_.after;
    own_.after = own_.after->before = &element;
  }

 private:
  Link own_;
};

struct Session : Link {
  explicit Session(int of_user) : user(of_user) {}
  int user, requests = 0;
};

void end(FixedBlockMemoryPool& pool, Session& session) {
  session.unlink();
  session.~Session();
  pool.deallocate(&session);
}

}  // namespace

int main() {
  FixedBlockMemoryPool pool(sizeof(Session), 4);
  IntrusiveList<Session> sessions;
  for (const int user : {1, 2, 3, 4, 2, 5, 2, 1, 5}) {
    Session* found = nullptr;
    for (Session& session : sessions) {
      if (session.user == user) found = &session;
    }
    if (found == nullptr && pool.available() == 0) end(pool, sessions.back());
    if (found == nullptr) found = new (pool.allocate()) Session(user);
    found->unlink();  // a new one is linked to itself alone
    sessions.push_front(*found);
    ++found->requests;

    std::printf("user %d;", user);
    for (const Session& session : sessions) std::printf(" %d x%d", session.user, session.requests);
    std::printf("\n");
  }
  while (!sessions.empty()) end(pool, sessions.back());
  return pool.in_use() == 0 ? 0 : 1;
}

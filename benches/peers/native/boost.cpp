// Boost.Pool, inlined: boost::pool, and for any thread boost::singleton_pool, which locks a mutex.
//     boost pool|singleton|fast_pool_allocator|fast_null_mutex

#include <boost/pool/pool.hpp>
#include <boost/pool/pool_alloc.hpp>
#include <boost/pool/singleton_pool.hpp>

#include "containers.hpp"

namespace {

using namespace peers;

struct Pool {
  struct Local {
    boost::pool<>* pool;
    void* take() { return pool->malloc(); }
    void give(void* block) { pool->free(block); }
  };

  explicit Pool(const Shape& shape) : pool(shape.block_size) {}
  Local local() { return {&pool}; }
  boost::pool<> pool;
};

struct Tag;

template <std::size_t size>
struct Singleton {
  using Only = boost::singleton_pool<Tag, size>;
  struct Local {
    void* take() { return Only::malloc(); }
    void give(void* block) { Only::free(block); }
  };

  explicit Singleton(const Shape&) {}
  Singleton(const Singleton&) = delete;
  ~Singleton() { Only::purge_memory(); }
  Local local() { return {}; }
};

template <typename T>
using Fast = boost::fast_pool_allocator<T>;
template <typename T>
using Unlocked = boost::fast_pool_allocator<T, boost::default_user_allocator_new_delete,
                                            boost::details::pool::null_mutex>;

}  // namespace

int main(int, char** words) {
  const Abilities singleton{.any_thread = true, .is_made = false};
  return serve_one_of({{"pool", scenarios(maker<Pool>(), {})},
                       {"singleton", scenarios(sized_maker<Singleton>(), singleton)},
                       {"fast_pool_allocator", containers<Plain<Fast>>()},
                       {"fast_null_mutex", containers<Plain<Unlocked>>()}},
                      words[1]);
}

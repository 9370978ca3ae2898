// The pools of the Apache Portable Runtime, which give back all blocks at once: bursts alone.
//     apr pool

#include <apr_general.h>
#include <apr_pools.h>

#include "worker.hpp"

namespace {

using namespace peers;

struct Pool {
  struct Local {
    apr_pool_t* pool;
    std::size_t size;
    void* take() { return apr_palloc(pool, size); }
    void give(void*) {}
    void end_of_burst() { apr_pool_clear(pool); }
  };

  explicit Pool(const Shape& shape) : size(shape.block_size) {
    if (apr_pool_create(&pool, nullptr) != APR_SUCCESS) std::exit(1);
  }
  Pool(const Pool&) = delete;
  ~Pool() { apr_pool_destroy(pool); }
  Local local() { return {pool, size}; }
  std::size_t size;
  apr_pool_t* pool = nullptr;
};

}  // namespace

int main(int, char** words) {
  if (apr_initialize() != APR_SUCCESS) return 1;
  return serve_one_of({{"pool", scenarios(maker<Pool>(), {})}}, words[1]);
}

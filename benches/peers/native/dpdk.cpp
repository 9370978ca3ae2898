// The rte_mempool of DPDK with a cache for each thread, inlined; its environment without huge
// pages, devices and files.
//     dpdk mempool

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_mempool.h>
#include <sched.h>

#include "worker.hpp"

namespace {

using namespace peers;

struct Pool {
  class Local {
   public:
    explicit Local(rte_mempool* pool)
        : pool_(pool), cache_(rte_mempool_cache_create(256, SOCKET_ID_ANY)) {}
    Local(Local&& other) noexcept : pool_(other.pool_), cache_(std::exchange(other.cache_, {})) {}
    ~Local() {
      if (cache_ == nullptr) return;
      rte_mempool_cache_flush(cache_, pool_);
      rte_mempool_cache_free(cache_);
    }
    void* take() {
      void* block = nullptr;
      rte_mempool_generic_get(pool_, &block, 1, cache_);
      return block;
    }
    void give(void* block) { rte_mempool_generic_put(pool_, &block, 1, cache_); }

   private:
    rte_mempool* pool_;
    rte_mempool_cache* cache_;
  };

  explicit Pool(const Shape& shape)
      : pool(rte_mempool_create("peer", static_cast<unsigned>(shape.maximum + 4096),
                                static_cast<unsigned>(shape.block_size), 0, 0, nullptr, nullptr,
                                nullptr, nullptr, SOCKET_ID_ANY, 0)) {
    if (pool != nullptr) return;
    std::fputs("rte_mempool_create: no memory\n", stderr);
    std::exit(1);
  }
  Pool(const Pool&) = delete;
  ~Pool() { rte_mempool_free(pool); }
  Local local() { return Local(pool); }

  rte_mempool* pool;
};

/// Its messages would stand between the answers, and its thread for interrupts on this one's
/// processor: it binds itself to one.
bool start() {
  cpu_set_t processors;
  sched_getaffinity(0, sizeof processors, &processors);
  const char* words[] = {"dpdk", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                         "--log-level=1", "-m", "8192", "-l", "0"};
  char* copies[std::size(words)];
  for (std::size_t i = 0; i < std::size(words); ++i) copies[i] = strdup(words[i]);
  const bool started = rte_eal_init(static_cast<int>(std::size(words)), copies) >= 0;
  sched_setaffinity(0, sizeof processors, &processors);
  return started;
}

}  // namespace

int main(int, char** words) {
  if (!start()) return 1;
  const Abilities abilities{.any_thread = true, .grows = false};
  return serve_one_of({{"mempool", scenarios(maker<Pool>(), abilities)}}, words[1]);
}

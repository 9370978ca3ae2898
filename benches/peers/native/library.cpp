// The pools of this project, called as a C program calls them: functions of libmemory_pool.so.
//     library floor|single|single_locked|safe|lock_free

#include "memory_pool/pool.h"
#include "worker.hpp"

extern "C" {
void* floor_allocate(void* pool);
int floor_deallocate(void* pool, void* block);
}

namespace {

using namespace peers;

struct Pool {
  struct Local {
    pool_t* pool;
    void* take() { return pool_allocate(pool); }
    void give(void* block) { pool_deallocate(pool, block); }
  };

  Pool(const Shape& shape, std::uint32_t threading, std::uint32_t flags) {
    pool_options_t options = POOL_OPTIONS_INIT;
    options.block_size = shape.block_size;
    options.capacity = shape.initial;
    options.max_capacity = shape.maximum;
    options.threading = threading;
    options.flags = flags;
    // The log says what is wrong.
    if (pool_create_with(&options, &pool) != POOL_OK) std::exit(1);
  }
  Pool(const Pool&) = delete;
  ~Pool() { pool_destroy(pool); }
  Local local() { return {pool}; }

  pool_t* pool = nullptr;
};

/// Two empty functions of another shared library, and memory that is touched as a pool's is: the
/// block that came back last, or else the next.
struct Floor {
  struct Local {
    Floor* floor;
    void* take() {
      void* block = std::exchange(floor->last, nullptr);
      return floor_allocate(block != nullptr ? block : floor->next_block());
    }
    void give(void* block) { floor_deallocate(nullptr, floor->last = block); }
  };

  explicit Floor(const Shape& shape) : shape(shape), memory(shape.maximum * shape.block_size) {}
  Local local() { return {this}; }
  void* next_block() {
    if (next == memory.size()) next = 0;
    return &memory[std::exchange(next, next + shape.block_size)];
  }

  Shape shape;
  std::vector<char> memory;
  std::size_t next = 0;
  void* last = nullptr;
};

Serve pool(std::uint32_t threading, std::uint32_t flags = 0) {
  const bool any_thread = threading != POOL_THREADS_SINGLE;
  return scenarios(maker<Pool>(threading, flags), {.any_thread = any_thread});
}

/// The same of blocks that threads pass on: in turn, of so many that none is in the queue any more
/// when it comes again.
struct FloorInTurn {
  struct Local {
    std::size_t block_size;
    std::vector<char> memory = std::vector<char>(2 * Ring::slots * block_size);
    std::size_t next = 0;
    void* take() { return floor_allocate(&memory[next++ % (2 * Ring::slots) * block_size]); }
    void give(void* block) { floor_deallocate(nullptr, block); }
  };

  explicit FloorInTurn(const Shape& shape) : block_size(shape.block_size) {}
  Local local() { return {block_size}; }

  std::size_t block_size;
};

/// What needs no memory can be compared in speed only.
Answer floor_of(const Request& request) {
  if (request.scenario == "handover") {
    return scenarios(maker<FloorInTurn>(), {.any_thread = true})(request);
  }
  for (const char* other : {"creation", "memory", "growth", "cold"}) {
    if (request.scenario == other) return {};
  }
  return scenarios(maker<Floor>(), {})(request);
}

}  // namespace

int main(int, char** words) {
  const std::uint32_t locked = POOL_PREFAULT | POOL_LOCK_MEMORY;
  return serve_one_of({{"floor", floor_of},
                       {"single", pool(POOL_THREADS_SINGLE)},
                       {"single_locked", pool(POOL_THREADS_SINGLE, locked)},
                       {"safe", pool(POOL_THREADS_SAFE)},
                       {"lock_free", pool(POOL_THREADS_LOCK_FREE)}},
                      words[1]);
}

// Pools and allocators of crates.io, behind the table of benches/peers/crates.
//     crates <library> <crate>

#include <dlfcn.h>

#include "worker.hpp"

namespace {

using namespace peers;

struct Table {
  void* (*create)(std::size_t maximum);
  void (*destroy)(void* peer);
  void* (*take)(void* peer);
  void (*give)(void* peer, void* block);
  bool any_thread;
  bool is_made;
  bool grows;
};

using Find = const Table*(const char* name, std::size_t block_size);

struct Crate {
  struct Local {
    void* (*take_)(void* peer);
    void (*give_)(void* peer, void* block);
    void* peer;
    void* take() { return take_(peer); }
    void give(void* block) { give_(peer, block); }
  };

  Crate(const Shape& shape, const Table* table)
      : table(table), peer(table->create(shape.maximum)) {}
  Crate(const Crate&) = delete;
  ~Crate() { table->destroy(peer); }
  Local local() { return {table->take, table->give, peer}; }

  const Table* table;
  void* peer;
};

}  // namespace

int main(int count, char** words) {
  void* library = count == 3 ? dlopen(words[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  Find* find = library ? reinterpret_cast<Find*>(dlsym(library, "peer_table")) : nullptr;
  if (find == nullptr) {
    std::cerr << "no library of crates\n";
    return 2;
  }
  return serve([find, name = words[2]](const Request& request) -> Answer {
    const Table* table = find(name, request.block_size);
    if (table == nullptr) return {};
    const Abilities abilities{table->any_thread, table->is_made, table->grows};
    return scenarios(maker<Crate>(table), abilities)(request);
  });
}

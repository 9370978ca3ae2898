// Allocators for every size behind their `malloc` and `free`, opened with names of their own, so
// that none takes the place of this process's.
//     malloc <library> <malloc> <free>

#include <dlfcn.h>

#include "worker.hpp"

namespace {

using namespace peers;

struct Functions {
  void* (*malloc)(std::size_t);
  void (*free)(void*);
};

struct Allocator {
  struct Local {
    Functions functions;
    std::size_t size;
    void* take() { return functions.malloc(size); }
    void give(void* block) { functions.free(block); }
  };

  Allocator(const Shape& shape, Functions functions) : own{functions, shape.block_size} {}
  Local local() { return own; }
  Local own;
};

template <typename Function>
Function* function(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (found == nullptr) {
    std::cerr << dlerror() << '\n';
    std::exit(2);
  }
  return reinterpret_cast<Function*>(found);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  void* library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::cerr << dlerror() << '\n';
    return 2;
  }
  const Functions functions{function<void*(std::size_t)>(library, words[2]),
                            function<void(void*)>(library, words[3])};
  return serve(scenarios(maker<Allocator>(functions), {.any_thread = true, .is_made = false}));
}

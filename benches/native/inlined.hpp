// What the programs of benches/inlined.rs share: who is measured, and how.

#ifndef BENCHES_INLINED_HPP
#define BENCHES_INLINED_HPP

#include <dlfcn.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace inlined {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kBytes = 64;

/// The block is used by something that the compiler does not see, which may read all memory.
inline void use(void*& block) { asm volatile("" : "+r"(block) : : "memory"); }

/// mimalloc, through the functions of its shared library, as its users call it.
struct Mimalloc {
  static constexpr const char* kName = "mimalloc";

  explicit Mimalloc(std::size_t) {}
  static bool is_there() { return library() != nullptr; }
  void* allocate() { return malloc_(kBytes); }
  void deallocate(void* block) { free_(block); }

 private:
  static void* library() {
    static void* const opened = dlopen("libmimalloc.so.2", RTLD_NOW | RTLD_LOCAL);
    return opened;
  }

  template <typename Function>
  static Function find(const char* name) {
    void* const found = library() == nullptr ? nullptr : dlsym(library(), name);
    return reinterpret_cast<Function>(found);
  }

  void* (*malloc_)(std::size_t) = find<void* (*)(std::size_t)>("mi_malloc");
  void (*free_)(void*) = find<void (*)(void*)>("mi_free");
};

/// So many numbers below `end`, by xorshift: the same for everyone.
inline std::vector<std::uint32_t> random_places(std::size_t count, std::uint32_t end) {
  std::uint64_t state = 88172645463325252u;
  std::vector<std::uint32_t> places(count);
  for (std::uint32_t& place : places) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    place = static_cast<std::uint32_t>((state >> 32) * end >> 32);
  }
  return places;
}

inline double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

inline void print(const char* scenario, const char* name, double nanoseconds) {
  std::printf("%s\t%s\t%f\n", scenario, name, nanoseconds);
}

}  // namespace inlined

#endif  // BENCHES_INLINED_HPP

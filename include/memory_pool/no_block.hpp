// How the headers say that there is no memory: by exception where there are exceptions.

#ifndef MEMORY_POOL_NO_BLOCK_HPP
#define MEMORY_POOL_NO_BLOCK_HPP

#include <cstdlib>
#include <new>

namespace memory_pool::detail {

// A program without exceptions ends here; the library has logged the reason by then.
[[noreturn]] inline void raise_no_block() {
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

/// For an array whose size in bytes is no std::size_t.
[[noreturn]] inline void raise_too_many() {
#if defined(__cpp_exceptions)
  throw std::bad_array_new_length();
#else
  std::abort();
#endif
}

}  // namespace memory_pool::detail

#endif  // MEMORY_POOL_NO_BLOCK_HPP

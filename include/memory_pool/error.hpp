// pool_status_t as std::error_code, and the exception that carries one.

#ifndef MEMORY_POOL_ERROR_HPP
#define MEMORY_POOL_ERROR_HPP

#include <cstdlib>
#include <new>
#include <string>
#include <system_error>

#include "pool.h"

namespace memory_pool {

/// The category of the codes POOL_ERR_*; its messages are those of pool_status_string.
inline const std::error_category& status_category() noexcept {
  struct Category final : std::error_category {
    const char* name() const noexcept override { return "memory_pool"; }
    std::string message(int status) const override { return pool_status_string(status); }
  };
  static const Category category;
  return category;
}

/// A pool that could not be created, with the status as its code().
class Error : public std::system_error {
 public:
  explicit Error(pool_status_t status, const std::string& what = "memory_pool")
      : std::system_error(status, status_category(), what) {}
};

namespace detail {

// A program without exceptions ends here; the library has logged the reason by then.
[[noreturn]] inline void raise_no_block() {
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

[[noreturn]] inline void raise(pool_status_t status) {
  if (status == POOL_ERR_OUT_OF_MEMORY) raise_no_block();
#if defined(__cpp_exceptions)
  throw Error(status);
#else
  std::abort();
#endif
}

}  // namespace detail
}  // namespace memory_pool

#endif  // MEMORY_POOL_ERROR_HPP

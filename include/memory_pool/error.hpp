// pool_status_t as std::error_code, and the exception that carries one.
//
//     std::error_code error;
//     auto pool = FixedBlockMemoryPool::try_create(options, error);
//     if (error == Status::unsupported) ...
//     if (error == std::errc::not_enough_memory) ...

#ifndef MEMORY_POOL_ERROR_HPP
#define MEMORY_POOL_ERROR_HPP

#include <cstdlib>
#include <string>
#include <system_error>

#include "no_block.hpp"
#include "pool.h"

namespace memory_pool {

/// The codes POOL_* as a type of their own, which std::error_code compares with.
enum class Status : pool_status_t {
  ok = POOL_OK,
  null_argument = POOL_ERR_NULL_ARGUMENT,
  invalid_argument = POOL_ERR_INVALID_ARGUMENT,
  out_of_memory = POOL_ERR_OUT_OF_MEMORY,
  exhausted = POOL_ERR_EXHAUSTED,
  timed_out = POOL_ERR_TIMED_OUT,
  foreign_pointer = POOL_ERR_FOREIGN_POINTER,
  interior_pointer = POOL_ERR_INTERIOR_POINTER,
  double_free = POOL_ERR_DOUBLE_FREE,
  corrupted = POOL_ERR_CORRUPTED,
  in_use = POOL_ERR_IN_USE,
  stale_handle = POOL_ERR_STALE_HANDLE,
  unsupported = POOL_ERR_UNSUPPORTED,
};

/// The category of the codes POOL_ERR_*; its messages are those of pool_status_string. Every misuse
/// by the caller is an std::errc::invalid_argument.
/// Thread-safety: any thread.
inline const std::error_category& status_category() noexcept {
  struct Category final : std::error_category {
    const char* name() const noexcept override { return "memory_pool"; }
    std::string message(int status) const override { return pool_status_string(status); }
    std::error_condition default_error_condition(int status) const noexcept override {
      switch (status) {
        case POOL_ERR_NULL_ARGUMENT:
        case POOL_ERR_INVALID_ARGUMENT:
        case POOL_ERR_FOREIGN_POINTER:
        case POOL_ERR_INTERIOR_POINTER:
        case POOL_ERR_DOUBLE_FREE:
        case POOL_ERR_STALE_HANDLE: return std::errc::invalid_argument;
        case POOL_ERR_OUT_OF_MEMORY: return std::errc::not_enough_memory;
        case POOL_ERR_EXHAUSTED: return std::errc::resource_unavailable_try_again;
        case POOL_ERR_TIMED_OUT: return std::errc::timed_out;
        case POOL_ERR_IN_USE: return std::errc::device_or_resource_busy;
        case POOL_ERR_UNSUPPORTED: return std::errc::not_supported;
        default: return {status, *this};
      }
    }
  };
  static const Category category;
  return category;
}

/// What a call answered, as an error code: false for POOL_OK.
inline std::error_code error_code_of(pool_status_t status) noexcept {
  return {status, status_category()};
}

/// Found by std::error_code, which so takes a Status.
inline std::error_code make_error_code(Status status) noexcept {
  return error_code_of(static_cast<pool_status_t>(status));
}

/// The same of a status as the functions of pool.h answer it.
inline std::error_code make_error_code(pool_status_t status) noexcept {
  return error_code_of(status);
}

/// A pool that could not be created, or a call that failed, with the status as its code().
class Error : public std::system_error {
 public:
  explicit Error(pool_status_t status, const std::string& what = "memory_pool")
      : std::system_error(status, status_category(), what) {}
};

namespace detail {

// A program without exceptions ends here; the library has logged the reason by then.
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

template <>
struct std::is_error_code_enum<memory_pool::Status> : std::true_type {};

#endif  // MEMORY_POOL_ERROR_HPP

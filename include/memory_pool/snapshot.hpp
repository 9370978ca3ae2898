// What write_snapshot() of the pool classes does with the function that it is given.

#ifndef MEMORY_POOL_SNAPSHOT_HPP
#define MEMORY_POOL_SNAPSHOT_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <type_traits>

#include "pool.h"

namespace memory_pool::detail {

/// Hands a picture to a function, piece by piece. An exception ends it, and waits for the library
/// to be left.
template <typename Function>
class SnapshotWriter {
 public:
  explicit SnapshotWriter(Function& function) noexcept : function_(function) {}

  pool_status_t write(pool_t* pool, std::uint32_t format) {
    const pool_status_t status = pool_write_snapshot(pool, format, &call, this);
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return status;
  }

 private:
  static bool call(void* self, const char* bytes, std::size_t count) noexcept {
    auto& writer = *static_cast<SnapshotWriter*>(self);
    const std::string_view piece(bytes, count);
#if defined(__cpp_exceptions)
    try {
      return writer.goes_on(piece);
    } catch (...) {
      writer.thrown_ = std::current_exception();
      return false;
    }
#else
    return writer.goes_on(piece);
#endif
  }

  bool goes_on(std::string_view piece) {
    if constexpr (std::is_same_v<std::invoke_result_t<Function&, std::string_view>, bool>) {
      return function_(piece);
    } else {
      function_(piece);
      return true;
    }
  }

  Function& function_;
  std::exception_ptr thrown_;
};

}  // namespace memory_pool::detail

#endif  // MEMORY_POOL_SNAPSHOT_HPP

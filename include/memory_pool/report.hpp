// What is wrong with a pool, as a call of a function: beside the log, or instead of reading it.
//
//     auto handler = on_report(pool, [](const pool_report_t& report) {
//       metrics.count(report.pool_name, report.status);
//     });
//
// Not part of memory_pool.hpp, because <functional> costs more to compile than most of it.

#ifndef MEMORY_POOL_REPORT_HPP
#define MEMORY_POOL_REPORT_HPP

#include <functional>
#include <memory>
#include <utility>

#include "error.hpp"
#include "pool.h"

namespace memory_pool {

/// A function that hears the reports of one pool, until the handler ends: see
/// pool_set_report_callback for what is reported. A pool has one handler; the next one takes its
/// place. It should end before its pool: the end of the pool is an end of the reports too, after
/// which the handler's own end logs a stale handle and does nothing else. A pool object that is
/// moved takes its handler along.
/// Thread-safety: making, moving and ending it is for one thread, while no other thread has a
/// report to make. The function itself is called by every thread that has one, at the same time.
class ReportHandler {
 public:
  /// May call its pool, up to destroying it, but must not end its own handler. An exception that
  /// leaves it ends the program (std::terminate).
  using Function = std::function<void(const pool_report_t&)>;

  /// Empty: hears nothing.
  ReportHandler() noexcept = default;

  /// Hears the reports of `pool`. Throws Error for a handle that is no live pool, which is logged,
  /// and std::bad_alloc.
  ReportHandler(pool_t* pool, Function function)
      : function_(std::make_unique<Function>(std::move(function))) {
    const auto callback = *function_ ? &call : nullptr;
    const pool_status_t status = pool_set_report_callback(pool, callback, function_.get());
    if (status != POOL_OK) detail::raise(status);
    pool_ = pool;
  }

  ReportHandler(const ReportHandler&) = delete;
  ReportHandler& operator=(const ReportHandler&) = delete;

  /// `other` is empty afterwards.
  ReportHandler(ReportHandler&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), function_(std::move(other.function_)) {}

  ReportHandler& operator=(ReportHandler&& other) noexcept {
    ReportHandler(std::move(other)).swap(*this);
    return *this;
  }

  /// From here on the pool reports to its log alone.
  ~ReportHandler() {
    if (pool_ != nullptr) pool_set_report_callback(pool_, nullptr, nullptr);
  }

  /// Whether there is a pool that it hears.
  explicit operator bool() const noexcept { return pool_ != nullptr; }

  void swap(ReportHandler& other) noexcept {
    std::swap(pool_, other.pool_);
    function_.swap(other.function_);
  }
  friend void swap(ReportHandler& one, ReportHandler& other) noexcept { one.swap(other); }

 private:
  static void call(void* function, const pool_report_t* report) noexcept {
    (*static_cast<Function*>(function))(*report);
  }

  pool_t* pool_ = nullptr;
  /// Where it stays when the handler moves: the pool knows its address.
  std::unique_ptr<Function> function_;
};

/// Calls `function` with every report of `pool`, an object with a handle() or a pool_t*, as long as
/// the handler lives. Throws as the constructor of ReportHandler does.
[[nodiscard]] inline ReportHandler on_report(pool_t* pool, ReportHandler::Function function) {
  return ReportHandler(pool, std::move(function));
}

template <typename Pool>
  requires requires(const Pool& pool) { static_cast<pool_t*>(pool.handle()); }
[[nodiscard]] ReportHandler on_report(const Pool& pool, ReportHandler::Function function) {
  return ReportHandler(pool.handle(), std::move(function));
}

}  // namespace memory_pool

#endif  // MEMORY_POOL_REPORT_HPP

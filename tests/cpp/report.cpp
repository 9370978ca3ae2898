// ReportHandler: a function hears what is wrong with its pool, and nothing when it has ended.

#include "memory_pool/report.hpp"

#include <string>
#include <type_traits>
#include <vector>

#include "../c/check.h"
#include "memory_pool/memory_pool.hpp"

namespace {

using memory_pool::on_report;
using memory_pool::ReportHandler;
using memory_pool::Status;

static_assert(!std::is_copy_constructible_v<ReportHandler>);
static_assert(!std::is_copy_assignable_v<ReportHandler>);
static_assert(std::is_nothrow_move_constructible_v<ReportHandler>);
static_assert(std::is_nothrow_move_assignable_v<ReportHandler>);
static_assert(std::is_nothrow_swappable_v<ReportHandler>);

template <typename Pool>
void no_pool_is_an_error() {
  Pool none;
  try {
    auto handler = on_report(none, [](const pool_report_t&) {});
    CHECK(false);
  } catch (const memory_pool::Error& error) {
    CHECK(error.code() == Status::null_argument);
  }
  CHECK(!ReportHandler());
}

template <typename Pool>
void a_report_says_what_is_wrong() {
  Pool pool(memory_pool::PoolOptions(64, 4).named("packets"));
  std::vector<std::string> heard;
  int local = 0;
  {
    const auto handler = on_report(pool, [&](const pool_report_t& report) {
      CHECK(report.struct_size >= sizeof(pool_report_t) && report.block == &local);
      CHECK(report.status == POOL_ERR_FOREIGN_POINTER);
      heard.push_back(std::string(report.pool_name) + ": " + report.message);
    });
    CHECK(handler && pool.deallocate(&local) == POOL_ERR_FOREIGN_POINTER);
    CHECK(heard.size() == 1 && heard[0].find("packets: 0x") == 0);
    CHECK(pool.deallocate(pool.allocate()) == POOL_OK && heard.size() == 1);
  }
  CHECK(pool.deallocate(&local) == POOL_ERR_FOREIGN_POINTER && heard.size() == 1);
}

template <typename Pool>
void a_handler_moves_and_is_replaced() {
  Pool pool(64, 4);
  int first = 0, second = 0, local = 0;
  ReportHandler handler = on_report(pool, [&](const pool_report_t&) { ++first; });
  ReportHandler moved(std::move(handler));
  CHECK(!handler && moved);
  Pool elsewhere(std::move(pool));  // takes its handler along
  CHECK(elsewhere.deallocate(&local) == POOL_ERR_FOREIGN_POINTER && first == 1);
  swap(handler, moved);
  CHECK(handler && !moved);
  handler = ReportHandler();
  CHECK(elsewhere.deallocate(&local) == POOL_ERR_FOREIGN_POINTER && first == 1);
  handler = on_report(elsewhere.handle(), [&](const pool_report_t&) { ++second; });
  CHECK(elsewhere.deallocate(&local) == POOL_ERR_FOREIGN_POINTER && second == 1);
  moved = on_report(elsewhere, nullptr);  // a function that is none hears nothing
  CHECK(elsewhere.deallocate(&local) == POOL_ERR_FOREIGN_POINTER && second == 1);
}

void objects_are_reported_too() {
  memory_pool::ObjectPool<std::string> pool(4);
  pool_status_t last = POOL_OK;
  auto handler = on_report(pool, [&](const pool_report_t& report) { last = report.status; });
  std::string* text = pool.create("text");
  CHECK(pool.destroy(text) == POOL_OK && last == POOL_OK);
  CHECK(pool.destroy(text) == POOL_ERR_DOUBLE_FREE && last == POOL_ERR_DOUBLE_FREE);
}

void the_end_of_a_pool_reports_its_leaks() {
  memory_pool::FixedBlockMemoryPool pool(64, 4);
  pool_status_t last = POOL_OK;
  auto handler = on_report(pool, [&](const pool_report_t& report) { last = report.status; });
  CHECK(pool.allocate() != nullptr && pool.destroy() == POOL_OK && last == POOL_ERR_IN_USE);
}

template <typename Pool>
void one_class() {
  no_pool_is_an_error<Pool>();
  a_report_says_what_is_wrong<Pool>();
  a_handler_moves_and_is_replaced<Pool>();
}

}  // namespace

int main() {
  pool_set_log_callback(nullptr, nullptr, 0);
  one_class<memory_pool::FixedBlockMemoryPool>();
  one_class<memory_pool::ConcurrentMemoryPool>();
  one_class<memory_pool::LockFreeMemoryPool>();
  objects_are_reported_too();
  the_end_of_a_pool_reports_its_leaks();
  return CHECK_RESULT();
}

// A handler that is dropped hears nothing.
// g++ says: ignoring return value of
// clang++ says: ignoring return value of function declared with 'nodiscard' attribute

#include "memory_pool/memory_pool.hpp"
#include "memory_pool/report.hpp"

using namespace memory_pool;

void listen(FixedBlockMemoryPool& pool) {
#ifdef RIGHT
  const ReportHandler handler = on_report(pool, [](const pool_report_t&) {});
#else
  on_report(pool, [](const pool_report_t&) {});
#endif
}

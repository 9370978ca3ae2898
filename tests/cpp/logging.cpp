// LOG_*: levels, sinks, unevaluated arguments, several threads. Without the pool.

#include "common/logging.hpp"

#include <string>
#include <thread>
#include <vector>

#include "../c/check.h"

namespace {

using common::logging::Level;

std::mutex lines_mutex;
std::vector<std::string> lines;

void keep_lines() {
  lines.clear();
  common::logging::set_sink([](Level, std::string_view line) {
    const std::lock_guard<std::mutex> guard(lines_mutex);
    lines.emplace_back(line);
  });
}

void below_the_level_nothing_is_evaluated() {
  int evaluated = 0;
  common::logging::set_level(Level::warn);
  LOG_TRACE("x", ++evaluated);
  LOG_DEBUG("x" << ++evaluated);
  LOG_INFO(++evaluated);
  CHECK(evaluated == 0 && lines.empty());
  LOG_WARN("x", ++evaluated);
  LOG_ERROR("x" << ++evaluated);
  CHECK(evaluated == 2 && lines.size() == 2);
  common::logging::set_level(Level::off);
  LOG_ERROR(++evaluated);
  CHECK(evaluated == 2 && lines.size() == 2);
}

void parts_come_after_commas_or_arrows() {
  lines.clear();
  common::logging::set_level(Level::trace);
  LOG_TRACE("plain");
  LOG_INFO("a ", 1, " b ", 2.5);
  LOG_INFO("a " << 1 << " b " << 2.5);
  CHECK(lines.size() == 3);
  CHECK(lines[0].starts_with("trace logging.cpp:") && lines[0].ends_with(": plain"));
  CHECK(lines[1].ends_with(": a 1 b 2.5") && lines[2].ends_with(": a 1 b 2.5"));
}

void odd_parts_do_no_harm() {
  lines.clear();
  const char* nothing = nullptr;
  LOG_INFO("before ", nothing, " after");
  LOG_INFO("ends itself" << std::endl);
  CHECK(lines.size() == 2 && lines[0].ends_with(": before (null) after"));
  CHECK(lines[1].ends_with(": ends itself"));
}

void it_is_one_statement() {
  lines.clear();
  if (lines.empty())
    LOG_INFO("then");
  else
    LOG_INFO("else");
  CHECK(lines.size() == 1 && lines[0].ends_with("then"));
}

void lines_of_threads_never_mix() {
  lines.clear();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 500; ++i) LOG_INFO("thread ", thread, " says ", i, " end");
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(lines.size() == 2000);
  for (const std::string& line : lines) CHECK(line.ends_with(" end"));
}

void a_sink_may_log_and_change_the_sink() {
  lines.clear();
  int nested = 0;
  common::logging::set_sink([&nested](Level, std::string_view) {
    keep_lines();
    if (nested++ == 0) LOG_INFO("from the sink");
  });
  LOG_INFO("first");
  CHECK(nested == 1 && lines.size() == 1 && lines[0].ends_with("from the sink"));
}

}  // namespace

int main() {
  keep_lines();
  below_the_level_nothing_is_evaluated();
  parts_come_after_commas_or_arrows();
  odd_parts_do_no_harm();
  it_is_one_statement();
  lines_of_threads_never_mix();
  a_sink_may_log_and_change_the_sink();
  common::logging::set_sink(nullptr);
  LOG_INFO("this line goes to standard error");
  return CHECK_RESULT();
}

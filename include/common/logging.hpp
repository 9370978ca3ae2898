// Logging for programs that have none of their own yet; usable without the pool.
//
//     LOG_INFO("node ", node.id, " took ", micros, " us");     // parts after commas
//     LOG_INFO("node " << node.id << " took " << micros);      // or as to a stream
//
// A part that holds an operator weaker than <<, such as ?: or ==, stands in parentheses.
//
// Below the level, a LOG_* costs one load and one compare: its arguments are not evaluated. Lines
// go to standard error from INFO on. The environment variable LOG_LEVEL (trace, debug, info, warn,
// error, off) and set_level() change the level, set_sink() the destination. All of it may be used
// from any thread; a sink may be called from several at once, and must not
// throw.
//
// The macros are named as <syslog.h> names some of its own: include one of the two.

#ifndef COMMON_LOGGING_HPP
#define COMMON_LOGGING_HPP

#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace common::logging {

enum class Level : int { trace, debug, info, warn, error, off };

/// Receives a line without its newline.
using Sink = std::function<void(Level level, std::string_view line)>;

namespace detail {

inline constexpr int not_read_yet = -1;
inline constexpr const char* names[] = {"trace", "debug", "info", "warn", "error", "off"};

// Constant-initialised, so that it can be asked from the constructors of other globals.
constinit inline std::atomic<int> threshold{not_read_yet};

inline int read_threshold() noexcept {
  int found = static_cast<int>(Level::info);
  if (const char* wanted = std::getenv("LOG_LEVEL"); wanted != nullptr) {
    std::string lower(wanted);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (int level = 0; level <= static_cast<int>(Level::off); ++level) {
      if (lower == names[level]) found = level;
    }
  }
  int before = not_read_yet;  // a level that was set by call meanwhile stays
  return threshold.compare_exchange_strong(before, found) ? found : before;
}

struct SinkSlot {
  std::mutex mutex;
  std::shared_ptr<const Sink> sink;  // null: standard error
};

inline SinkSlot& sink_slot() {
  // Never destroyed: the destructors of other globals may still log.
  static SinkSlot* slot = new SinkSlot;
  return *slot;
}

}  // namespace detail

/// Whether a line of this level goes anywhere.
inline bool enabled(Level level) noexcept {
  const int threshold = detail::threshold.load(std::memory_order_relaxed);
  if (static_cast<int>(level) < threshold) return false;
  return threshold != detail::not_read_yet || static_cast<int>(level) >= detail::read_threshold();
}

/// Lines below `level` go nowhere from now on.
inline void set_level(Level level) noexcept {
  detail::threshold.store(static_cast<int>(level), std::memory_order_relaxed);
}

/// Sends lines to `sink` from now on; an empty one sends them to standard error.
inline void set_sink(Sink sink) {
  auto shared = sink ? std::make_shared<const Sink>(std::move(sink)) : nullptr;
  const std::lock_guard<std::mutex> guard(detail::sink_slot().mutex);
  detail::sink_slot().sink = std::move(shared);
}

/// Hands one line to the sink.
inline void write(Level level, std::string_view line) {
  std::shared_ptr<const Sink> sink;
  {
    const std::lock_guard<std::mutex> guard(detail::sink_slot().mutex);
    sink = detail::sink_slot().sink;
  }
  if (sink) {
    (*sink)(level, line);  // outside the lock: a sink may log, or set another sink
    return;
  }
  std::string text(line);
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);  // one call: lines never mix
}

/// A line in the making; it is written when it ends.
class Line {
 public:
  Line(Level level, const char* file, int line) : level_(level) {
    const char* name = std::strrchr(file, '/');
    text_ << detail::names[static_cast<int>(level)] << ' ' << (name ? name + 1 : file) << ':'
          << line << ": ";
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { write(level_, text_.str()); }

  template <typename Part>
  Line& operator<<(const Part& part) {
    text_ << part;
    return *this;
  }
  Line& operator<<(const char* text) {
    text_ << (text != nullptr ? text : "(null)");
    return *this;
  }
  /// For std::endl and its kin; a line ends by itself.
  Line& operator<<(std::ostream& (*)(std::ostream&)) { return *this; }

  // LOG_INFO("a", 1) expands to `line << "a", 1`: each comma adds a part.
  template <typename Part>
  Line& operator,(const Part& part) {
    return *this << part;
  }

 private:
  Level level_;
  std::ostringstream text_;
};

}  // namespace common::logging

#define COMMON_LOG(level, ...)                                           \
  do {                                                                   \
    if (::common::logging::enabled(level)) {                             \
      ::common::logging::Line(level, __FILE__, __LINE__) << __VA_ARGS__; \
    }                                                                    \
  } while (false)

#define LOG_TRACE(...) COMMON_LOG(::common::logging::Level::trace, __VA_ARGS__)
#define LOG_DEBUG(...) COMMON_LOG(::common::logging::Level::debug, __VA_ARGS__)
#define LOG_INFO(...) COMMON_LOG(::common::logging::Level::info, __VA_ARGS__)
#define LOG_WARN(...) COMMON_LOG(::common::logging::Level::warn, __VA_ARGS__)
#define LOG_ERROR(...) COMMON_LOG(::common::logging::Level::error, __VA_ARGS__)

#endif  // COMMON_LOGGING_HPP

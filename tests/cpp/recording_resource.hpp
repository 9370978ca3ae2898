// An upstream that writes down what is asked of it, complains of what comes back wrong, and throws
// when it is told to.

#ifndef TESTS_RECORDING_RESOURCE_HPP
#define TESTS_RECORDING_RESOURCE_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory_resource>

#include "../c/check.h"

struct UpstreamIsOut {};

class RecordingResource : public std::pmr::memory_resource {
 public:
  struct Request {
    std::size_t bytes;
    std::size_t alignment;
  };

  ~RecordingResource() override { CHECK(live_.empty()); }

  /// After so many allocations each one throws UpstreamIsOut.
  void throw_after(std::size_t allocations) { allowed_ = allocations; }

  [[nodiscard]] std::size_t live() const { return live_.size(); }
  [[nodiscard]] std::size_t allocations() const { return allocations_; }
  [[nodiscard]] Request last() const { return last_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (allowed_ == 0) throw UpstreamIsOut();
    --allowed_;
    void* const block = std::pmr::new_delete_resource()->allocate(bytes, alignment);
    last_ = {bytes, alignment};
    live_[block] = last_;
    ++allocations_;
    return block;
  }

  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    const auto found = live_.find(block);
    CHECK(found != live_.end());
    if (found == live_.end()) return;
    CHECK(found->second.bytes == bytes && found->second.alignment == alignment);
    live_.erase(found);
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }

  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::map<void*, Request> live_;
  Request last_{};
  std::size_t allocations_ = 0;
  std::size_t allowed_ = SIZE_MAX;
};

#endif  // TESTS_RECORDING_RESOURCE_HPP

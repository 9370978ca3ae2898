// A status as std::error_code: it compares with Status and with std::errc, and an Error carries it.

#include "memory_pool/error.hpp"

#include <set>
#include <string>

#include "../c/check.h"

namespace {

using memory_pool::Error;
using memory_pool::error_code_of;
using memory_pool::Status;

void ok_is_no_error() {
  CHECK(!error_code_of(POOL_OK) && !std::error_code(Status::ok));
  CHECK(error_code_of(POOL_ERR_EXHAUSTED) && std::error_code(Status::exhausted));
}

void a_status_is_an_error_code_of_its_own_category() {
  std::error_code code = Status::double_free;
  CHECK(code == error_code_of(POOL_ERR_DOUBLE_FREE) && code == Status::double_free);
  CHECK(code != Status::stale_handle && code.value() == POOL_ERR_DOUBLE_FREE);
  CHECK(code.category() == memory_pool::status_category());
  CHECK(code != std::error_code(POOL_ERR_DOUBLE_FREE, std::generic_category()));
  CHECK(memory_pool::make_error_code(POOL_ERR_DOUBLE_FREE) == code);
  CHECK(make_error_code(Status::double_free) == code);
}

void every_status_says_what_the_library_says() {
  std::set<std::string> messages;
  for (pool_status_t status = POOL_OK; status <= POOL_ERR_UNSUPPORTED; ++status) {
    const std::string message = error_code_of(status).message();
    CHECK(message == pool_status_string(status) && messages.insert(message).second);
  }
}

void a_status_is_what_the_standard_calls_it() {
  const auto is = [](Status status, std::errc standard) {
    return std::error_code(status) == standard;
  };
  CHECK(is(Status::out_of_memory, std::errc::not_enough_memory));
  CHECK(is(Status::exhausted, std::errc::resource_unavailable_try_again));
  CHECK(is(Status::timed_out, std::errc::timed_out));
  CHECK(is(Status::in_use, std::errc::device_or_resource_busy));
  CHECK(is(Status::unsupported, std::errc::not_supported));
  for (const Status misuse : {Status::null_argument, Status::invalid_argument,
                              Status::foreign_pointer, Status::interior_pointer,
                              Status::double_free, Status::stale_handle}) {
    CHECK(is(misuse, std::errc::invalid_argument));
  }
  CHECK(!is(Status::corrupted, std::errc::invalid_argument));
  CHECK(std::error_code(Status::corrupted).default_error_condition().category() ==
        memory_pool::status_category());
}

void an_error_says_its_status() {
  try {
    throw Error(POOL_ERR_CORRUPTED, "the cellar");
  } catch (const std::system_error& error) {
    CHECK(error.code() == Status::corrupted);
    const std::string what = error.what();
    CHECK(what.starts_with("the cellar") && what.ends_with(pool_status_string(POOL_ERR_CORRUPTED)));
  }
}

}  // namespace

int main() {
  ok_is_no_error();
  a_status_is_an_error_code_of_its_own_category();
  every_status_says_what_the_library_says();
  a_status_is_what_the_standard_calls_it();
  an_error_says_its_status();
  return CHECK_RESULT();
}

// An exception flies past the line that gives a request back.

#include <stdexcept>

#include "memory_pool/pool.h"

static void handle(const char* text) {
  if (*text == '\0') throw std::invalid_argument("an empty request");
}

static void serve(pool_t* requests, const char* text) {
  void* request = pool_allocate(requests);  // TAKEN
  handle(text);
  pool_deallocate(requests, request);
}

int main() {
  pool_t* requests = pool_create(64, 100);
  for (const char* text : {"one", "", "two"}) {
    try {
      serve(requests, text);
    } catch (const std::invalid_argument&) {
      continue;
    }
  }
  return pool_destroy(requests);
}

// A pool in memory of the program's own, whose size the compiler computes.

#include <array>
#include <cstddef>
#include <type_traits>

#include "../c/check.h"
#include "memory_pool/pool.h"

namespace {

struct Particle {
  double position[3];
  double velocity[3];
};

constexpr std::size_t kCapacity = 50;
constexpr std::size_t kBytes = POOL_STATIC_BYTES(sizeof(Particle), kCapacity);
static_assert(std::is_same<const std::size_t, decltype(kBytes)>::value, "a size");
static_assert(kBytes == 128 * sizeof(void *) + 64 + sizeof(Particle) * kCapacity + 15, "48 x 50");

template <typename T, std::size_t Capacity>
struct Room {
  std::array<std::byte, POOL_STATIC_BYTES_ALIGNED(sizeof(T), Capacity, alignof(T))> bytes;
};

pool_options_t options_of(std::size_t capacity, void *buffer, std::size_t bytes) {
  pool_options_t options = POOL_OPTIONS_INIT;
  options.block_size = sizeof(Particle);
  options.alignment = alignof(Particle);
  options.capacity = capacity;
  options.threading = POOL_THREADS_SINGLE;
  options.buffer = buffer;
  options.buffer_bytes = bytes;
  return options;
}

void its_size_is_what_the_library_says() {
  const pool_options_t options = options_of(kCapacity, nullptr, 0);
  std::size_t bytes = 0;
  CHECK(pool_bytes_needed(&options, &bytes) == POOL_OK);
  CHECK(bytes == sizeof(Room<Particle, kCapacity>));
}

void it_lives_in_a_room_of_its_type() {
  static Room<Particle, kCapacity> room;
  const pool_options_t options = options_of(kCapacity, &room, sizeof room);
  pool_t *pool = nullptr;
  CHECK(pool_create_with(&options, &pool) == POOL_OK);
  for (std::size_t i = 0; i < kCapacity; ++i) {
    auto *block = static_cast<std::byte *>(pool_allocate(pool));
    CHECK(block >= room.bytes.data());
    CHECK(block + sizeof(Particle) <= room.bytes.data() + room.bytes.size());
  }
  CHECK(pool_allocate(pool) == nullptr);
  CHECK(pool_reset(pool) == POOL_OK && pool_destroy(pool) == POOL_OK);
}

}  // namespace

int main() {
  static unsigned char memory[kBytes];
  const pool_options_t options = options_of(0, memory, sizeof memory);
  pool_t *pool = nullptr;
  CHECK(pool_create_with(&options, &pool) == POOL_OK && pool_capacity(pool) == kCapacity);
  CHECK(pool_destroy(pool) == POOL_OK);
  its_size_is_what_the_library_says();
  it_lives_in_a_room_of_its_type();
  return CHECK_RESULT();
}

// A game with ten thousand entities, some of which die and are replaced in each frame; once with
// entities from a pool and once with new and delete. Both games take turns, frame by frame, so that
// what disturbs the machine disturbs both; their checksums show that they are the same game.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "memory_pool/fixed_block_memory_pool.hpp"

namespace {

constexpr std::size_t entities_most = 10'000;
constexpr int frames = 600;  // ten seconds of a game

struct Entity {
  int x, y, dx, dy, frames_left, sprite[11];  // 64 bytes with what drawing needs
};

struct FromPool {
  FixedBlockMemoryPool pool{sizeof(Entity), entities_most};
  Entity* create(const Entity& entity) { return new (pool.allocate()) Entity(entity); }
  void destroy(Entity* entity) {
    entity->~Entity();
    pool.deallocate(entity);
  }
};

struct FromHeap {
  Entity* create(const Entity& entity) { return new Entity(entity); }
  void destroy(Entity* entity) { delete entity; }
};

template <typename Memory>
class Game {
 public:
  Game() { entities_.reserve(entities_most); }
  Game(const Game&) = delete;
  ~Game() { for (Entity* entity : entities_) memory_.destroy(entity); }

  void play_frame() {
    const auto begin = std::chrono::steady_clock::now();
    std::size_t alive = 0;
    for (Entity* entity : entities_) {
      entity->x += entity->dx;
      entity->y += entity->dy;
      if (--entity->frames_left != 0) {
        entities_[alive++] = entity;
      } else {
        checksum_ = checksum_ * 31 + static_cast<unsigned>(entity->x * 1000 + entity->y);
        memory_.destroy(entity);
      }
    }
    entities_.resize(alive);
    while (entities_.size() < entities_most) {
      entities_.push_back(memory_.create({0, 0, below(7) - 3, below(7) - 3, 1 + below(20), {}}));
    }
    times_.push_back(std::chrono::steady_clock::now() - begin);
  }

  unsigned checksum() const { return checksum_; }

  /// The time that so many percent of the frames did not exceed.
  double microseconds(std::size_t percent) {
    std::sort(times_.begin(), times_.end());
    return times_[(times_.size() - 1) * percent / 100].count();
  }

 private:
  int below(unsigned limit) { return static_cast<int>(random_() % limit); }

  Memory memory_;
  std::vector<Entity*> entities_;
  std::vector<std::chrono::duration<double, std::micro>> times_;
  std::mt19937 random_;  // the standard says what it answers, on every machine
  unsigned checksum_ = 0;
};

}  // namespace

int main() {
  using Row = std::pair<const char*, std::size_t>;
  Game<FromPool> pool;
  Game<FromHeap> heap;
  for (int frame = 0; frame < frames; ++frame) {
    pool.play_frame();
    heap.play_frame();
  }
  std::printf("a frame       pool  new and delete\n");
  for (const auto& [name, part] : {Row("p50", 50), Row("p99", 99), Row("max", 100)}) {
    std::printf("%s %12.1fus %13.1fus\n", name, pool.microseconds(part), heap.microseconds(part));
  }
  std::printf("checksum %8x %15x\n", pool.checksum(), heap.checksum());
  return pool.checksum() == heap.checksum() ? 0 : 1;
}

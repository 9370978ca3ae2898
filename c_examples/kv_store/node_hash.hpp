// The hash of a leaf and of a branch: FNV-1a of 64 bits over all that it holds. It is real, short
// and no cryptographic hash: who wants to can find two contents of one hash. Where others choose
// the content, put SHA-256 here.

#ifndef KV_STORE_NODE_HASH_HPP
#define KV_STORE_NODE_HASH_HPP

#include <bit>
#include <cstdint>
#include <string_view>

namespace kv_store {

using Hash = std::uint64_t;

/// The bits of a hash count from the highest, which is 0; a leaf has a number beyond them.
constexpr std::uint32_t leaf_bit = 64;

class Fnv1a {
 public:
  constexpr Fnv1a& number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }

  /// The length comes first, so that no two sequences of texts are the same bytes.
  constexpr Fnv1a& text(std::string_view value) {
    number(value.size());
    for (const char c : value) byte(static_cast<std::uint8_t>(c));
    return *this;
  }

  constexpr Hash hash() const { return hash_; }

 private:
  constexpr void byte(std::uint8_t value) { hash_ = (hash_ ^ value) * 1099511628211u; }

  Hash hash_ = 14695981039346656037u;
};

/// Where a key lies: at each branch, the branch's bit of this says on which side.
constexpr Hash path_of(std::string_view key) { return Fnv1a().text(key).hash(); }

constexpr bool side_of(Hash path, std::uint32_t bit) { return (path >> (63 - bit) & 1) != 0; }

/// The first bit in which two paths differ; leaf_bit if they are the same.
constexpr std::uint32_t first_difference(Hash one, Hash other) {
  return static_cast<std::uint32_t>(std::countl_zero(one ^ other));
}

constexpr Hash hash_of_leaf(std::string_view key, std::string_view value) {
  return Fnv1a().number(leaf_bit).text(key).text(value).hash();
}

constexpr Hash hash_of_branch(std::uint32_t bit, Hash zero, Hash one) {
  return Fnv1a().number(bit).number(zero).number(one).hash();
}

}  // namespace kv_store

#endif  // KV_STORE_NODE_HASH_HPP

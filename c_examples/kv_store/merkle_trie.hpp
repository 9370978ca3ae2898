// MerkleTrie: keys and values in a tree in which each node has a hash of all that is below it. So
// the root's hash stands for the whole content, as in a block of a blockchain, and whoever knows
// that hash alone can check by a Proof that a key has a value.
//
//            branch, bit 0            A branch parts the keys by one bit of their hash; a bit
//         +--------+--------+         that all keys below share has no branch. n keys are n leaves
//     branch, bit 5       leaf        and n - 1 branches, all in blocks of one pool.
//     +------+-----+
//   leaf         leaf

#ifndef KV_STORE_MERKLE_TRIE_HPP
#define KV_STORE_MERKLE_TRIE_HPP

#include <memory_pool/fixed_block_memory_pool.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "node_hash.hpp"

namespace kv_store {

/// The way from a leaf up to the root: at each branch its bit, and the hash of the other side.
struct ProofStep {
  std::uint32_t bit;
  Hash other_side;
};
using Proof = std::vector<ProofStep>;

class MerkleTrie {
 public:
  /// Room for `keys_most` keys, from 1 up.
  explicit MerkleTrie(std::size_t keys_most);
  MerkleTrie(const MerkleTrie&) = delete;
  ~MerkleTrie();

  /// Adds a key, or changes its value. Throws std::bad_alloc when there is no room; the trie is as
  /// it was then. Answers false, and does nothing, if another key has the same hash.
  bool put(std::string_view key, std::string_view value);

  /// The value of a key, until that is changed; nullptr when it is not there.
  const std::string* find(std::string_view key) const;

  /// The hash of the whole content; 0 when it is empty.
  Hash root() const;

  /// Shows that a key that is there has its value.
  Proof prove(std::string_view key) const;

  std::size_t nodes() const { return pool_.in_use(); }

 private:
  struct Node;

  Node* create(Node&& node);
  void destroy(Node* node);
  void put_below(Node*& place, Node&& leaf, std::uint32_t bit);
  Node* nearest(Hash path) const;

  FixedBlockMemoryPool pool_;
  Node* root_ = nullptr;
};

/// Whether a trie with this root has that value for that key. Needs no trie.
bool verify(Hash root, std::string_view key, std::string_view value, const Proof& proof);

}  // namespace kv_store

#endif  // KV_STORE_MERKLE_TRIE_HPP

// The trie: nodes by placement new in blocks of the pool, hashes brought up to date on the way up.

#include "merkle_trie.hpp"

#include <new>
#include <utility>

namespace kv_store {

struct MerkleTrie::Node {
  std::uint32_t bit;  // the one that parts the keys below, or leaf_bit
  Hash hash;
  Hash path;  // of a leaf: the hash of its key
  std::string key, value;
  Node* children[2];  // of a branch: the keys whose bit is 0, and is 1
};

MerkleTrie::MerkleTrie(std::size_t keys_most) : pool_(sizeof(Node), 2 * keys_most - 1) {}
MerkleTrie::~MerkleTrie() { destroy(root_); }

MerkleTrie::Node* MerkleTrie::create(Node&& node) {
  return new (pool_.allocate()) Node(std::move(node));
}

void MerkleTrie::destroy(Node* node) {
  if (node == nullptr) return;
  for (Node* child : node->children) destroy(child);
  node->~Node();
  pool_.deallocate(node);
}

MerkleTrie::Node* MerkleTrie::nearest(Hash path) const {
  Node* node = root_;
  while (node != nullptr && node->bit != leaf_bit) node = node->children[side_of(path, node->bit)];
  return node;
}

bool MerkleTrie::put(std::string_view key, std::string_view value) {
  const Hash path = path_of(key);
  Node leaf{leaf_bit, hash_of_leaf(key, value), path, std::string(key), std::string(value), {}};
  const Node* near = nearest(path);
  if (near == nullptr) {
    root_ = create(std::move(leaf));
    return true;
  }
  if (near->path == path && near->key != key) return false;
  if (near->path != path && pool_.available() < 2) throw std::bad_alloc();
  put_below(root_, std::move(leaf), first_difference(near->path, path));
  return true;
}

/// `bit`: the first that tells the key from those below, or leaf_bit when the key is there.
void MerkleTrie::put_below(Node*& place, Node&& leaf, std::uint32_t bit) {
  if (place->bit < bit) {
    put_below(place->children[side_of(leaf.path, place->bit)], std::move(leaf), bit);
  } else if (bit != leaf_bit) {
    const bool side = side_of(leaf.path, bit);
    Node* branch = create({bit, 0, 0, {}, {}, {place, place}});
    branch->children[side] = create(std::move(leaf));
    place = branch;
  } else {
    place->value = std::move(leaf.value);
    place->hash = leaf.hash;
    return;
  }
  const auto& [zero, one] = place->children;
  place->hash = hash_of_branch(place->bit, zero->hash, one->hash);
}

const std::string* MerkleTrie::find(std::string_view key) const {
  const Node* near = nearest(path_of(key));
  return near != nullptr && near->key == key ? &near->value : nullptr;
}

Hash MerkleTrie::root() const { return root_ == nullptr ? 0 : root_->hash; }

Proof MerkleTrie::prove(std::string_view key) const {
  const Hash path = path_of(key);
  Proof proof;
  for (const Node* node = root_; node != nullptr && node->bit != leaf_bit;) {
    const bool side = side_of(path, node->bit);
    proof.insert(proof.begin(), {node->bit, node->children[!side]->hash});
    node = node->children[side];
  }
  return proof;
}

bool verify(Hash root, std::string_view key, std::string_view value, const Proof& proof) {
  const Hash path = path_of(key);
  Hash hash = hash_of_leaf(key, value);
  for (const auto& [bit, other] : proof) {
    if (bit >= leaf_bit) return false;  // no trie has such a branch
    hash = side_of(path, bit) ? hash_of_branch(bit, other, hash) : hash_of_branch(bit, hash, other);
  }
  return hash == root;
}

}  // namespace kv_store

// A ledger of a thousand accounts in a Merkle trie: the root's hash before and after a payment, and
// the proof of one balance, which is checked by the root's hash alone.

#include <cinttypes>
#include <cstdio>
#include <string>

#include "merkle_trie.hpp"

namespace {

constexpr int accounts = 1000;

std::string account(int number) { return "account " + std::to_string(number); }

bool pay(kv_store::MerkleTrie& ledger, int from, int to, int amount) {
  const std::string* payer = ledger.find(account(from));
  const std::string* payee = ledger.find(account(to));
  if (payer == nullptr || payee == nullptr || std::stoi(*payer) < amount) return false;
  ledger.put(account(from), std::to_string(std::stoi(*payer) - amount));
  ledger.put(account(to), std::to_string(std::stoi(*payee) + amount));
  return true;
}

}  // namespace

int main() {
  kv_store::MerkleTrie ledger(accounts);
  for (int number = 0; number < accounts; ++number) ledger.put(account(number), "100");
  const kv_store::Hash before = ledger.root();
  std::printf("%d accounts in %zu nodes\n", accounts, ledger.nodes());
  std::printf("root before       %016" PRIx64 "\n", before);

  if (!pay(ledger, 7, 42, 30) || pay(ledger, 7, 42, 71)) return 1;
  const kv_store::Hash after = ledger.root();
  std::printf("root after 30     %016" PRIx64 "\n", after);

  const kv_store::Proof proof = ledger.prove(account(42));
  const auto verdict = [&](kv_store::Hash root, const char* value) {
    return kv_store::verify(root, account(42), value, proof) ? "holds" : "is refused";
  };
  std::printf("account 42 has %s; the proof has %zu steps\n", ledger.find(account(42))->c_str(),
              proof.size());
  std::printf("  130 for the root after   %s\n", verdict(after, "130"));
  std::printf("  131 for the root after   %s\n", verdict(after, "131"));
  std::printf("  130 for the root before  %s\n", verdict(before, "130"));

  if (!pay(ledger, 42, 7, 30)) return 1;
  std::printf("root paid back    %016" PRIx64 "\n", ledger.root());
  return ledger.root() == before ? 0 : 1;
}

#include "emulator/arrivals.hpp"

namespace crossfix::emulator {
namespace {

constexpr int kMostArrivals = (1 << 20) - 1;
constexpr std::int64_t kMostBytes = (1 << 20) - 1;

}  // namespace

std::string Arrivals::Barrier::describe() const {
  return "mbarrier at shared offset " + std::to_string(offset) + " for the end of phase " +
         std::to_string(phase) + ", which lacks " + std::to_string(pending) + " arrivals and " +
         std::to_string(bytes) + " bytes";
}

Arrivals::Barrier& Arrivals::find(std::uint64_t& word, const char* what) {
  if (!block_.shared().holds(&word, sizeof word)) {
    block_.fail(std::string(what) + " of an mbarrier outside shared memory");
  }
  const std::size_t offset = block_.shared().offset_of(&word);
  const auto found = barriers_.find(offset);
  if (found == barriers_.end()) {
    block_.fail(std::string(what) + " of an mbarrier at shared offset " + std::to_string(offset) +
                " that was not initialised");
  }
  if (word != mark(offset)) {
    block_.fail(std::string(what) + " of an mbarrier at shared offset " + std::to_string(offset) +
                " that was written over");
  }
  return found->second;
}

void Arrivals::init(std::uint64_t& word, int arrivals) {
  if (!block_.shared().holds(&word, sizeof word)) {
    block_.fail("initialisation of an mbarrier outside shared memory");
  }
  const std::size_t offset = block_.shared().offset_of(&word);
  if (arrivals < 1 || arrivals > kMostArrivals || offset % sizeof word != 0) {
    block_.fail("initialisation of an mbarrier at shared offset " + std::to_string(offset) +
                " for " + std::to_string(arrivals) + " arrivals");
  }
  if (barriers_.count(offset) != 0) {
    block_.fail("second initialisation of the mbarrier at shared offset " + std::to_string(offset));
  }
  word = mark(offset);
  Barrier& barrier = barriers_[offset];
  barrier.offset = offset;
  barrier.arrivals = arrivals;
  barrier.pending = arrivals;
}

void Arrivals::fence_init() {
  for (auto& [offset, barrier] : barriers_) barrier.fenced = true;
}

void Arrivals::expect_known_to_copies(std::uint64_t& word) {
  if (!find(word, "copy on account").fenced) {
    block_.fail("copy on account of an mbarrier without a fence after its initialisation");
  }
}

void Arrivals::arrive(std::uint64_t& word, std::uint32_t bytes) {
  Barrier& barrier = find(word, "arrival");
  if (barrier.pending == 0) {
    block_.fail("one arrival too many, at the mbarrier at shared offset " +
                std::to_string(barrier.offset) + " for " + std::to_string(barrier.arrivals));
  }
  barrier.bytes += bytes;
  if (barrier.bytes > kMostBytes) block_.fail("an mbarrier that expects 2^20 bytes or more");
  --barrier.pending;
  advance(barrier);
  // What comes after an arrival may run much later than what the arrival released.
  if (block_.draw(2) == 0) block_.give_way();
}

void Arrivals::complete(std::uint64_t& word, std::size_t bytes) {
  Barrier& barrier = find(word, "completion");
  barrier.bytes -= static_cast<std::int64_t>(bytes);
  advance(barrier);
}

void Arrivals::advance(Barrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  ++barrier.phase;
  barrier.pending = barrier.arrivals;
  for (unsigned thread : barrier.waiting) block_.wake(thread);
  barrier.waiting.clear();
}

void Arrivals::wait(std::uint64_t& word, std::uint32_t parity) {
  Barrier& barrier = find(word, "wait");
  if (parity > 1) block_.fail("wait for a phase of parity " + std::to_string(parity));
  // Checked again when the thread's turn comes: if the phase has ended twice by then, it was
  // missed.
  while ((barrier.phase & 1u) == parity) {
    barrier.waiting.push_back(block_.running());
    block_.wait(barrier);
  }
}

}  // namespace crossfix::emulator

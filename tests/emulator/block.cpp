#include "emulator/block.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "emulator/cuda.hpp"

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace crossfix::emulator {
namespace {

constexpr unsigned kMostThreads = 1024;
constexpr unsigned kMostBlocksYz = 65535;
constexpr std::size_t kMostSharedBytes = 227 * 1024;  // of compute capability 9.0
constexpr std::uint64_t kWakesOfRank = 2048;          // of a warp's threads, about
constexpr std::size_t kMostReasons = 12;              // named in the message of a deadlock

thread_local Block* current_block = nullptr;
thread_local std::uint64_t next_seed = 1;

/// Fibers, kept for later launches.
Fiber* fiber_of(std::size_t thread) {
  thread_local std::vector<std::unique_ptr<Fiber>> fibers;
  while (fibers.size() <= thread) fibers.push_back(std::make_unique<Fiber>());
  return fibers[thread].get();
}

std::string text_of(const dim3& index) {
  return "block (" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

}  // namespace

std::string ranges_of(const std::vector<unsigned>& sorted) {
  std::string text;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i + 1;
    while (end < sorted.size() && sorted[end] == sorted[end - 1] + 1) ++end;
    if (!text.empty()) text += ", ";
    text += std::to_string(sorted[i]);
    if (end - i > 1) text += "-" + std::to_string(sorted[end - 1]);
    i = end;
  }
  return text;
}

Block& Block::current() {
  if (current_block == nullptr) throw Fault("device code called outside a launch");
  return *current_block;
}

Block::Block(unsigned threads, std::size_t shared_bytes, std::string what, std::uint64_t seed)
    : what_(std::move(what)), state_(seed), shared_(shared_bytes), threads_(threads) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_[i].fiber = fiber_of(i);
    threads_[i].block = this;
    threads_[i].index = i;
  }
  current_block = this;
}

Block::~Block() { current_block = nullptr; }

std::uint64_t Block::draw() {  // splitmix64
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void Block::fail(const std::string& message) const {
  std::string where = what_ + ", " + text_of(index_);
  if (running_ != kNobody) where += ", thread " + std::to_string(running_);
  throw Fault(where + ": " + message);
}

void Block::run(dim3 index, const std::function<void()>& body) {
  index_ = index;
  body_ = &body;
  blockIdx = {index.x, index.y, index.z};
  shared_.poison();
  for (auto& part : parts_) part.reset();
  deferred_.clear();
  draw_order();
  alive_ = threads();
  for (Thread& thread : threads_) {
    thread.returned = false;
    thread.reason = nullptr;
    thread.fiber->start(&Block::enter, &thread);
    wake(thread.index);
  }
  try {
    while (alive_ > 0 && thrown_ == nullptr) {
      if (!ready_.empty()) {
        const unsigned next = ready_.top().thread;
        ready_.pop();
        resume(next);
      } else if (!deferred_.empty()) {
        do_deferred();
      } else {
        fail(deadlock());
      }
    }
    if (thrown_ == nullptr) {
      for (auto& part : parts_) {
        if (part != nullptr) part->block_ended();
      }
      if (!shared_.guard_intact()) fail("a store past the end of shared memory");
    }
  } catch (...) {
    thrown_ = std::current_exception();
  }
  cancel_all();
  if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Block::draw_order() {
  const std::size_t preference = draw(3);
  order_ = {.copies_first = preference == 1,
            .products_first = preference == 2,
            .oldest_first = draw(2) == 0,
            .ranked = draw(2) == 0};
  warp_ranks_.resize((threads_.size() + kWarpThreads - 1) / kWarpThreads);
  for (unsigned warp = 0; warp < warp_ranks_.size(); ++warp) draw_rank(warp);
  ready_ = {};
}

void Block::draw_rank(unsigned warp) { warp_ranks_[warp] = static_cast<std::uint32_t>(draw()); }

void Block::resume(unsigned thread) {
  running_ = thread;
  threadIdx = {thread, 0, 0};
  threads_[thread].fiber->resume();
  running_ = kNobody;
}

void Block::do_deferred() {
  std::vector<std::size_t> eligible;
  for (std::size_t i = 0; i < deferred_.size(); ++i) {
    const Work kind = deferred_[i].kind;
    if (kind == Work::copy ? order_.copies_first : order_.products_first) eligible.push_back(i);
  }
  if (eligible.empty()) {
    eligible.resize(deferred_.size());
    std::iota(eligible.begin(), eligible.end(), std::size_t{0});
  }
  const std::size_t chosen = eligible[order_.oldest_first ? 0 : draw(eligible.size())];
  const auto work = std::move(deferred_[chosen].work);
  deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(chosen));
  work();
}

void Block::enter(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  Block& block = *thread.block;
  try {
    if (!block.cancelling_) (*block.body_)();
    thread.returned = true;
    --block.alive_;
    if (block.cancelling_) return;
    for (auto& part : block.parts_) {
      if (part != nullptr) part->thread_returned(thread.index);
    }
  } catch (const Cancelled&) {
    thread.returned = true;
    --block.alive_;
  } catch (...) {
    if (!thread.returned) --block.alive_;
    thread.returned = true;
    if (block.thrown_ == nullptr) block.thrown_ = std::current_exception();
  }
}

void Block::cancel_all() {
  cancelling_ = true;
  for (Thread& thread : threads_) {
    if (!thread.returned) resume(thread.index);
  }
  cancelling_ = false;
}

void Block::wait(const Waitable& reason) {
  Thread& thread = threads_[running_];
  thread.reason = &reason;
  thread.fiber->give_way();
  thread.reason = nullptr;
  if (cancelling_) throw Cancelled{};
}

void Block::wake(unsigned thread) {
  const std::uint64_t any = draw();
  const unsigned warp = thread / kWarpThreads;
  if (order_.ranked && any % kWakesOfRank == 0) draw_rank(warp);
  ready_.push({order_.ranked ? std::uint64_t{warp_ranks_[warp]} << 32 | any >> 32 : any, thread});
}

void Block::give_way() {
  struct Turn : public Waitable {
    std::string describe() const override { return "its turn"; }
  };
  draw_rank(running_ / kWarpThreads);
  wake(running_);
  wait(Turn{});
}

std::string Block::deadlock() const {
  std::map<std::string, std::vector<unsigned>> waiting;
  for (const Thread& thread : threads_) {
    if (!thread.returned) waiting[thread.reason->describe()].push_back(thread.index);
  }
  std::string message = "deadlock:";
  std::size_t named = 0;
  for (const auto& [reason, who] : waiting) {
    if (named++ == kMostReasons) {
      message += " and others;";
      break;
    }
    message += " threads " + ranges_of(who) + " wait at " + reason + ";";
  }
  message.back() = '.';
  return message;
}

void set_seed(std::uint64_t seed) { next_seed = seed; }

void launch(dim3 blocks, unsigned threads, std::size_t shared_bytes, const char* what,
            const std::function<void()>& body) {
  const std::string name = what;
  if (current_block != nullptr) throw Fault(name + ": launched inside a kernel");
  if (threads == 0 || threads > kMostThreads) {
    throw Fault(name + ": " + std::to_string(threads) + " threads in a block, of 1 to 1024");
  }
  if (blocks.x == 0 || blocks.x > 0x7fffffffu || blocks.y == 0 || blocks.y > kMostBlocksYz ||
      blocks.z == 0 || blocks.z > kMostBlocksYz) {
    throw Fault(name + ": no grid of " + text_of(blocks) + "s");
  }
  if (shared_bytes > kMostSharedBytes) {
    throw Fault(name + ": " + std::to_string(shared_bytes) +
                " bytes of shared memory, of at most " + std::to_string(kMostSharedBytes));
  }
  blockDim = dim3(threads);
  gridDim = blocks;
  Block block(threads, shared_bytes, name, next_seed);
  std::vector<std::size_t> order(static_cast<std::size_t>(blocks.x) * blocks.y * blocks.z);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t left = order.size(); left > 0; --left) {
    std::swap(order[left - 1], order[block.draw(left)]);
    const std::size_t at = order[left - 1];
    block.run(
        dim3(static_cast<unsigned>(at % blocks.x), static_cast<unsigned>(at / blocks.x % blocks.y),
             static_cast<unsigned>(at / blocks.x / blocks.y)),
        body);
  }
}

}  // namespace crossfix::emulator

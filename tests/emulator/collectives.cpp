#include "emulator/collectives.hpp"

#include <cstring>
#include <list>
#include <string>
#include <vector>

#include "emulator/block.hpp"

namespace crossfix::emulator {
namespace {

/// Lanes of a warp that meet at one operation.
class Meeting : public Waitable {
 public:
  Meeting(const char* what, std::uint32_t mask) : what_(what), mask_(mask) {}

  std::string describe() const override {
    std::vector<unsigned> absent;
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      if ((mask_ >> lane & 1u) != 0 && lanes_[lane] == nullptr) absent.push_back(lane);
    }
    return std::string(what_) + " for lanes " + ranges_of(absent) + " of their warp";
  }

  bool is(const char* what) const { return what_ == what || std::strcmp(what_, what) == 0; }

  const char* what_;
  std::uint32_t mask_;
  std::uint32_t arrived_ = 0;
  Lanes lanes_{};
  const LanesAction* act_ = nullptr;
};

/// The meetings that each warp has begun.
class Warps : public Part {
 public:
  static constexpr Slot kSlot = Slot::warps;

  explicit Warps(Block& block)
      : block_(block), meetings_((block.threads() + kWarpThreads - 1) / kWarpThreads) {}

  void meet(const char* what, std::uint32_t mask, void* brought, const LanesAction& act) {
    const unsigned warp = block_.running() / kWarpThreads;
    const unsigned lane = block_.running() % kWarpThreads;
    if ((mask >> lane & 1u) == 0) {
      block_.fail(std::string(what) + " with a mask that lacks the calling lane");
    }
    Meeting& meeting = find(warp, what, mask);
    meeting.lanes_[lane] = brought;
    meeting.arrived_ |= 1u << lane;
    meeting.act_ = &act;
    if (meeting.arrived_ == (mask & present(warp))) {
      finish(warp, meeting);
    } else {
      block_.wait(meeting);
    }
  }

  std::uint32_t present(unsigned warp) const {
    std::uint32_t lanes = 0;
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      const unsigned thread = warp * kWarpThreads + lane;
      if (thread < block_.threads() && !block_.has_returned(thread)) lanes |= 1u << lane;
    }
    return lanes;
  }

  void thread_returned(unsigned thread) override {
    const unsigned warp = thread / kWarpThreads;
    auto& meetings = meetings_[warp];
    for (auto at = meetings.begin(); at != meetings.end();) {
      Meeting& meeting = *at++;
      if (meeting.arrived_ == (meeting.mask_ & present(warp))) finish(warp, meeting);
    }
  }

 private:
  Meeting& find(unsigned warp, const char* what, std::uint32_t mask) {
    for (Meeting& meeting : meetings_[warp]) {
      if (meeting.mask_ != mask) continue;
      if (meeting.is(what)) return meeting;
      block_.fail(std::string(what) + " while other lanes of the same mask are at " +
                  meeting.what_);
    }
    return meetings_[warp].emplace_back(what, mask);
  }

  void finish(unsigned warp, Meeting& meeting) {
    (*meeting.act_)(meeting.lanes_);
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      const unsigned thread = warp * kWarpThreads + lane;
      if (meeting.lanes_[lane] != nullptr && thread != block_.running()) block_.wake(thread);
    }
    meetings_[warp].remove_if([&](const Meeting& other) { return &other == &meeting; });
  }

  Block& block_;
  std::vector<std::list<Meeting>> meetings_;
};

/// The sixteen barriers of the block.
class Barriers : public Part {
 public:
  static constexpr Slot kSlot = Slot::barriers;
  static constexpr int kCount = 16;
  static constexpr int kEverybody = 0;  // as a number of threads

  explicit Barriers(Block& block) : block_(block) {
    for (int id = 0; id < kCount; ++id) barriers_[static_cast<std::size_t>(id)].id = id;
  }

  void sync(int id, int threads) {
    if (id < 0 || id >= kCount) block_.fail("barrier " + std::to_string(id) + " of 0 to 15");
    if (threads < 0 || threads % static_cast<int>(kWarpThreads) != 0 ||
        threads > static_cast<int>(block_.threads() + kWarpThreads - 1)) {
      block_.fail("barrier for " + std::to_string(threads) + " threads in a block of " +
                  std::to_string(block_.threads()));
    }
    Barrier& barrier = barriers_[static_cast<std::size_t>(id)];
    if (!barrier.waiting.empty() && barrier.threads != threads) {
      block_.fail("barrier " + std::to_string(id) + " for " + std::to_string(threads) +
                  " threads where others came for " + std::to_string(barrier.threads));
    }
    barrier.threads = threads;
    barrier.waiting.push_back(block_.running());
    if (complete(barrier)) {
      release(barrier);
    } else {
      block_.wait(barrier);
    }
  }

  void thread_returned(unsigned) override {
    for (Barrier& barrier : barriers_) {
      if (!barrier.waiting.empty() && complete(barrier)) release(barrier);
    }
  }

 private:
  struct Barrier : public Waitable {
    std::string describe() const override {
      if (threads == kEverybody) {
        return "__syncthreads, where " + std::to_string(waiting.size()) + " have come";
      }
      return "barrier " + std::to_string(id) + ", where " + std::to_string(waiting.size()) +
             " of " + std::to_string(threads) + " have come";
    }
    int id = 0;
    int threads = kEverybody;
    std::vector<unsigned> waiting;
  };

  bool complete(const Barrier& barrier) const {
    const auto wanted =
        barrier.threads == kEverybody ? block_.alive() : static_cast<unsigned>(barrier.threads);
    return barrier.waiting.size() == wanted;
  }

  void release(Barrier& barrier) {
    for (unsigned thread : barrier.waiting) {
      if (thread != block_.running()) block_.wake(thread);
    }
    barrier.waiting.clear();
  }

  Block& block_;
  std::array<Barrier, kCount> barriers_;
};

}  // namespace

void meet(const char* what, std::uint32_t mask, void* brought, LanesAction act) {
  Block::current().part<Warps>().meet(what, mask, brought, act);
}

void meet_whole_warp(const char* what, void* brought, LanesAction act) {
  Block& block = Block::current();
  const auto check = [&](const Lanes& lanes) {
    for (const void* lane : lanes) {
      if (lane == nullptr) block.fail(std::string(what) + " where a lane has returned");
    }
    act(lanes);
  };
  meet(what, kWholeWarp, brought, check);
}

void meet_warp(std::uint32_t mask) {
  char present = 0;
  meet("__syncwarp", mask, &present, [](const Lanes&) {});
}

std::uint32_t vote(const char* what, std::uint32_t mask, bool predicate) {
  struct Ballot {
    bool own;
    std::uint32_t all;
  };
  Ballot mine{predicate, 0};
  meet(what, mask, &mine, [](const Lanes& lanes) {
    std::uint32_t all = 0;
    for (unsigned lane = 0; lane < kWarpThreads; ++lane) {
      if (lanes[lane] != nullptr && static_cast<Ballot*>(lanes[lane])->own) all |= 1u << lane;
    }
    for (void* lane : lanes) {
      if (lane != nullptr) static_cast<Ballot*>(lane)->all = all;
    }
  });
  return mine.all;
}

void block_barrier() { Block::current().part<Barriers>().sync(0, Barriers::kEverybody); }

void named_barrier(int id, int threads) {
  Block& block = Block::current();
  if (threads == 0) block.fail("barrier " + std::to_string(id) + " for no threads");
  block.part<Barriers>().sync(id, threads);
}

int own_lane() { return static_cast<int>(Block::current().running() % kWarpThreads); }

void missing_lane(const char* what, int from) {
  Block::current().fail(std::string(what) + " reads lane " + std::to_string(from) +
                        ", which takes no part");
}

}  // namespace crossfix::emulator

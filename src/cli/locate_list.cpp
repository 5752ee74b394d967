#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "locate_options.hpp"
#include "pair_decoder.hpp"
#include "pair_list.hpp"
#include "progress.hpp"
#include "raw_dump.hpp"
#include "report.hpp"

namespace crossfix::cli {
namespace {

/// Pairs decoded ahead of the network: the next batch, or enough to hide an image that takes long;
/// few enough that large photos do not fill the memory.
std::size_t decoded_ahead(Index batch) {
  constexpr Index kLeast = 4;
  return static_cast<std::size_t>(std::max(batch, kLeast));
}

/// Locates the pairs of a list and reports each.
class ListRun {
 public:
  ListRun(const LocateOptions& options, std::vector<PairEntry> entries)
      : options_(options),
        entries_(std::move(entries)),
        localizer_(load(options)),
        progress_("pairs", entries_.size()) {
    if (!options.dump.empty()) dump_.emplace(options.dump);
  }

  void run() {
    PairDecoder decoder(entries_, decoded_ahead(options_.batch));
    std::vector<DecodedPair> group;
    while (auto pair = decoder.next()) {
      group.push_back(std::move(*pair));
      if (static_cast<Index>(group.size()) == options_.batch) locate(group);
    }
    locate(group);
    progress_.clear();
    if (dump_) dump_->commit();
    if (!errors_.empty()) std::cerr << "crossfix: " << summary(errors_) << '\n';
    if (failed_ > 0) {
      throw DataError(options_.pairs + ": " + std::to_string(failed_) + " of " +
                      std::to_string(entries_.size()) +
                      " pairs could not be located; their lines say why under \"error\"");
    }
  }

 private:
  /// Locates the sound pairs of a group together, reports all in order and empties the group.
  void locate(std::vector<DecodedPair>& group) {
    std::vector<Pair> sound;
    for (DecodedPair& pair : group) {
      if (!pair.error.empty()) continue;
      try {
        localizer_.check(pair_of(pair));
        sound.push_back(pair_of(pair));
      } catch (const ImageError& error) {  // not what the weights expect
        pair.error = error.what();
      }
    }
    localizer_.locate(sound, fixes_);
    progress_.clear();
    auto fix = fixes_.begin();
    for (const DecodedPair& pair : group) {
      pair.error.empty() ? report(pair, *fix++) : report_failure(pair);
    }
    progress_.advance(group.size());
    group.clear();
  }

  Pair pair_of(const DecodedPair& pair) const {
    TileInfo tile = options_.tile();
    if (pair.entry->metres_per_pixel) tile.metres_per_pixel = pair.entry->metres_per_pixel;
    return {pair.ground, pair.satellite, tile, {options_.heading}};
  }

  static Subject subject_of(const DecodedPair& pair) {
    const PairEntry& entry = *pair.entry;
    return {entry.line,
            entry.ground.string(),
            entry.satellite.string(),
            {pair.satellite.extent(0), pair.satellite.extent(1)},
            entry.truth};
  }

  void report(const DecodedPair& pair, const Fix& fix) {
    if (!scale_warned_ &&
        !options_.rescale) {  // one tile of a list stands for all: they share a source
      scale_warned_ = warn_about_scale(localizer_, pair_of(pair), pair.entry->satellite.string());
    }
    std::cout << to_json(subject_of(pair), fix) << '\n';
    if (pair.entry->truth) errors_.push_back(error_of(fix, *pair.entry->truth));
    if (dump_) dump_->add(fix);
  }

  void report_failure(const DecodedPair& pair) {
    std::cout << to_json(subject_of(pair), pair.error) << '\n';
    if (dump_) {
      const Index grid = localizer_.configuration().grid;
      dump_->add_missing(grid * grid);
    }
    ++failed_;
  }

  const LocateOptions& options_;
  std::vector<PairEntry> entries_;
  Localizer localizer_;
  Progress progress_;
  std::optional<RawDump> dump_;
  std::vector<Fix> fixes_;
  std::vector<FixError> errors_;
  std::size_t failed_ = 0;
  bool scale_warned_ = false;
};

}  // namespace

void locate_list(const LocateOptions& options) {
  ListRun run(options, read_pair_list(options.pairs));
  run.run();
}

}  // namespace crossfix::cli

#include "locate_list.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <utility>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/detail/model/ground_sight.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/georeference.hpp"
#include "crossfix/io/image.hpp"
#include "crossfix/model/backbone/efficientnet_lite.hpp"
#include "failure.hpp"
#include "fix_report.hpp"
#include "locate_together.hpp"
#include "prefetch.hpp"
#include "raw_dump.hpp"
#include "sharing.hpp"

namespace crossfix::pipeline {
namespace {

/// The entries that a rank locates, in groups of `batch` neighbours.
std::vector<std::size_t> my_part(std::size_t entries, Index batch, const ranks::Ranks& ranks) {
  std::vector<std::size_t> part;
  const auto size = static_cast<std::size_t>(batch);
  for (const std::size_t group : groups_of_rank((entries + size - 1) / size, ranks.topology())) {
    for (std::size_t i = group * size; i < std::min((group + 1) * size, entries); ++i) {
      part.push_back(i);
    }
  }
  return part;
}

/// What decides the shapes that a dump has of a pair, with weights that match on the ground plane.
struct DumpShape {
  std::size_t line = 0;  ///< in the list
  Index grid = 0;
  double side = 0;  ///< of the tile, metres
  bool searched = false;

  std::string text() const {
    return "a tile of " + general_text(side, 4) + " m, " + std::to_string(grid) +
           " cells a side, and a heading that is " + (searched ? "searched for" : "given");
  }
};

/// Empty for a pair that cannot be located.
std::optional<DumpShape> dump_shape(const PairEntry& entry, const TileInfo& otherwise,
                                    const model::Configuration& weights) {
  Shape<2> size{};
  try {
    size = io::read_image_size(entry.satellite);
  } catch (const ImageError&) {  // its line will say so
    return {};
  }
  const auto [height, width] = size;
  const TileInfo tile = entry.tile(otherwise);
  if (!tile.metres_per_pixel && !tile.bounds) return {};
  const double metres = tile.metres_per_pixel ? *tile.metres_per_pixel
                                              : io::metres_per_pixel(*tile.bounds, height, width);
  const double least = metres * static_cast<double>(std::min(height, width));
  if (!(least >= kMatchedSide[0] && least <= kMatchedSide[1] && metres <= kCoarsestMatched)) {
    return {};
  }
  const Index side = model::matched_side(weights, height, width, metres);
  return DumpShape{entry.line, model::EfficientNetLiteWeights::extent(side),
                   metres * std::sqrt(static_cast<double>(height * width)),
                   entry.camera.searches_heading()};
}

/// Throws DataError if a dump cannot hold the pairs, whose shapes have to be the same. They are
/// known before the work with weights that match on the ground plane; others have one shape.
void check_dump(const std::vector<PairEntry>& entries, const ListOptions& options,
                const model::Configuration& weights) {
  if (options.dump.empty() || weights.family != model::Family::ground_match) return;
  std::optional<DumpShape> first;
  for (const PairEntry& entry : entries) {
    const auto shape = dump_shape(entry, options.tile, weights);
    if (!shape) continue;
    if (!first) first = shape;
    if (shape->grid == first->grid && shape->searched == first->searched) continue;
    throw DataError(options.name + ":" + std::to_string(shape->line) + ": " + shape->text() +
                    "; line " + std::to_string(first->line) + " has " + first->text() +
                    ": --dump takes tiles of one size in metres, and headings of one kind");
  }
}

/// Whether a truth may be a longitude and latitude, in either order, by mistake.
bool is_within_bounds(const PixelPoint& truth, const GeoBounds& bounds) {
  const auto holds = [&](double longitude, double latitude) {
    return longitude >= bounds.west && longitude <= bounds.east && latitude >= bounds.south &&
           latitude <= bounds.north;
  };
  return holds(truth.row, truth.col) || holds(truth.col, truth.row);
}

/// What a rank sends about one pair.
struct Located {
  std::size_t number = 0;  ///< in the list, from 0
  std::string line;        ///< JSON
  Warnings warnings;
  std::optional<FixError> error;
  bool failed = false;
  std::string raw;  ///< for the dump, see pack_raw; or empty
};

std::string pack(const Located& located) {
  nlohmann::json json{{"number", located.number},
                      {"line", located.line},
                      {"warnings", nlohmann::json::array()},
                      {"failed", located.failed}};
  for (const Warning& warning : located.warnings) {
    json["warnings"].push_back({static_cast<int>(warning.kind), warning.text});
  }
  if (located.error) {
    const FixError& error = *located.error;
    json["error"] = {error.pixels, error.within_radius68};
    if (error.metres) json["metres"] = *error.metres;
  }
  json["raw"] = nlohmann::json::binary({located.raw.begin(), located.raw.end()});
  std::string bytes;
  nlohmann::json::to_cbor(json, bytes);
  return bytes;
}

Located unpack(const std::string& bytes) {
  const nlohmann::json json = nlohmann::json::from_cbor(bytes);
  Located located{json.at("number"), json.at("line"), {}, {}, json.at("failed"), {}};
  for (const nlohmann::json& warning : json.at("warnings")) {
    located.warnings.push_back({static_cast<WarningKind>(warning[0].get<int>()), warning[1]});
  }
  if (json.contains("error")) {
    located.error.emplace();
    located.error->pixels = json.at("error")[0];
    located.error->within_radius68 = json.at("error")[1];
    if (json.contains("metres")) located.error->metres = json.at("metres").get<double>();
  }
  const auto& raw = json.at("raw").get_binary();
  located.raw.assign(raw.begin(), raw.end());
  return located;
}

/// The part of rank 0: prints what all ranks locate, in the order of the list.
class ListReport {
 public:
  ListReport(const ListOptions& options, Observer& observer, std::ostream& lines)
      : options_(options), observer_(observer), lines_(lines) {
    if (!options.dump.empty()) dump_.emplace(options.dump);
  }

  void take(Located located) {
    waiting_.emplace(located.number, std::move(located));
    observer_.clear_line();
    while (!waiting_.empty() && waiting_.begin()->first == next_) {
      print(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      ++next_;
    }
    observer_.advance(1);
  }

  /// Throws DataError if some pairs could not be located.
  void finish() {
    observer_.end();
    if (!errors_.empty()) observer_.note(summary(errors_));
    if (dump_) dump_->commit();
    if (failed_ == 0) return;
    throw DataError(options_.name + ": " + std::to_string(failed_) + " of " +
                    std::to_string(next_) +
                    " pairs could not be located; their lines say why under \"error\"");
  }

 private:
  void print(const Located& located) {
    for (const Warning& warning : located.warnings) {
      if (!std::exchange(warned_[static_cast<std::size_t>(warning.kind)], true)) {
        observer_.warn(warning.text);
      }
    }
    lines_ << located.line + '\n';
    flush_output(lines_);
    if (located.error) errors_.push_back(*located.error);
    if (located.failed) ++failed_;
    if (!dump_) return;
    if (located.failed) return dump_->add_missing();
    std::string_view raw = located.raw;
    dump_->add(unpack_raw(raw).second);
  }

  const ListOptions& options_;
  Observer& observer_;
  std::ostream& lines_;
  std::map<std::size_t, Located> waiting_;  ///< located, but pairs before them are missing
  std::size_t next_ = 0;                    ///< number of the pair to print next
  std::optional<RawDump> dump_;
  std::vector<FixError> errors_;
  std::size_t failed_ = 0;
  std::array<bool, kWarningKinds> warned_{};
};

/// Locates a rank's pairs of a list, and sends rank 0 the result of each.
class ListRun {
 public:
  ListRun(const ListOptions& options, Localizer& localizer, ranks::Ranks& ranks,
          const std::vector<PairEntry>& entries)
      : options_(options), localizer_(localizer), ranks_(ranks), entries_(entries) {}

  void run(Observer& observer, std::ostream& lines) {
    std::optional<ListReport> report;
    if (ranks_.first()) {
      report.emplace(options_, observer, lines);
      observer.begin("pairs", entries_.size());
      ranks_.on_receive([&](const std::string& message) { report->take(unpack(message)); });
    }
    const Index batch = localizer_.batch();
    numbers_ = my_part(entries_.size(), batch, ranks_);
    Prefetch<Images> images(numbers_.size(), pairs_ahead(batch), 1,
                            [&](std::size_t i) { return read(entries_[numbers_[i]]); });
    std::vector<ReadPair> group;
    for (const std::size_t number : numbers_) {
      ReadPair& pair = group.emplace_back();
      pair.entry = &entries_[number];
      try {
        pair.images = images.next().value();
      } catch (const std::exception& error) {  // also if memory runs out
        pair.error = failure_text(error);
      }
      if (static_cast<Index>(group.size()) == batch) locate(group);
    }
    locate(group);
    ranks_.part();
    ranks_.on_receive({});
    if (report) report->finish();
  }

 private:
  struct Images {
    io::Photo ground;
    io::Image satellite;
  };

  /// One entry with its images, or the reason why it has none.
  struct ReadPair {
    const PairEntry* entry = nullptr;
    Images images;
    std::string error;  ///< empty if both images were read
  };

  static Images read(const PairEntry& entry) {
    return {io::read_photo(entry.ground), io::read_image(entry.satellite)};
  }

  /// Locates the readable pairs of a group together, sends all results in order, and empties the
  /// group.
  void locate(std::vector<ReadPair>& group) {
    std::vector<Pair> sound;
    for (ReadPair& pair : group) {
      if (!pair.error.empty()) continue;
      try {
        const Pair known = pair_of(pair);
        need_camera(localizer_.configuration(), known.camera, known.ground.shape());
        localizer_.check(known);
        const Shape<3>& tile = known.satellite.shape();
        if (pair.entry->truth) check_truth(*pair.entry->truth, {tile[0], tile[1]});
        sound.push_back(known);
      } catch (const ImageError& error) {  // images that the weights do not accept
        pair.error = error.what();
      }
    }
    const auto errors = locate_together(localizer_, sound, fixes_);
    std::size_t tried = 0;
    for (ReadPair& pair : group) {
      const Fix* fix = nullptr;
      if (pair.error.empty()) {
        fix = &fixes_[tried];
        pair.error = errors[tried++];
      }
      Located located = pair.error.empty() ? located_by(pair, *fix) : failed(pair);
      located.number = numbers_[told_++];
      ranks_.send(pack(located));
    }
    group.clear();
  }

  Pair pair_of(const ReadPair& pair) const {
    const io::Photo& ground = pair.images.ground;
    return {GroundImage(ground.image), SatelliteImage(pair.images.satellite),
            pair.entry->tile(options_.tile),
            pair.entry->camera.ground_info(ground.image.shape(), ground.tags)};
  }

  static Subject subject_of(const ReadPair& pair) {
    const PairEntry& entry = *pair.entry;
    return {entry.line,
            entry.ground.string(),
            entry.satellite.string(),
            {pair.images.satellite.extent(0), pair.images.satellite.extent(1)},
            entry.truth,
            entry.camera.takes_heading_of(pair.images.ground.tags),
            {}};
  }

  Located located_by(const ReadPair& pair, const Fix& fix) const {
    Located located;
    Subject subject = subject_of(pair);
    subject.warnings = warnings_of(localizer_, pair_of(pair), pair.images.ground,
                                   pair.entry->camera, subject, options_.rescale);
    located.line = io::json_text(to_json(subject, fix));
    located.warnings = std::move(subject.warnings);
    if (pair.entry->truth) located.error = error_of(fix, *pair.entry->truth);
    if (!options_.dump.empty()) located.raw = pack_raw(0, fix);
    return located;
  }

  static Located failed(const ReadPair& pair) {
    Located located;
    located.line = io::json_text(to_json(subject_of(pair), pair.error));
    located.failed = true;
    return located;
  }

  const ListOptions& options_;
  Localizer& localizer_;
  ranks::Ranks& ranks_;
  const std::vector<PairEntry>& entries_;
  std::vector<std::size_t> numbers_;  ///< of this rank's pairs in the list
  std::size_t told_ = 0;
  std::vector<Fix> fixes_;
};

}  // namespace

Warnings warnings_of(const Localizer& localizer, const Pair& pair, const io::Photo& ground,
                     const CheckedCamera& camera, const Subject& subject, bool rescales) {
  Warnings found = camera.warnings(ground, subject.ground);
  const ImageDoubts doubts = localizer.doubts(pair);
  for (const auto& [name, doubt] :
       {std::pair{subject.ground, doubts.ground}, {subject.satellite, doubts.satellite}}) {
    if (doubt) found.push_back({WarningKind::image, name + ": " + *doubt});
  }
  if (subject.truth && pair.tile.bounds && is_within_bounds(*subject.truth, *pair.tile.bounds)) {
    found.push_back({WarningKind::truth,
                     subject.satellite + ": the truth, " + general_text(subject.truth->row, 9) +
                         "," + general_text(subject.truth->col, 9) +
                         ", is a position within the bounds, and is taken as row,column in pixels "
                         "of the tile"});
  }
  const auto ratio = localizer.scale_ratio(pair.tile, pair.satellite);
  if (rescales || !ratio || std::abs(*ratio - 1) <= kScaleTolerance) return found;
  found.push_back(
      {WarningKind::scale, subject.satellite + ": a pixel of the network's input covers " +
                               general_text(*ratio, 3) +
                               " times the ground it was trained on; expect worse fixes, or give "
                               "--rescale"});
  return found;
}

void locate_list(const std::vector<PairEntry>& entries, const ListOptions& options,
                 Localizer& localizer, ranks::Ranks& ranks, Observer& observer,
                 std::ostream& lines) {
  check_dump(entries, options, localizer.configuration());
  ListRun(options, localizer, ranks, entries).run(observer, lines);
}

}  // namespace crossfix::pipeline

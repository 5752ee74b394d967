#include "evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "crossfix/camera/ground.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/detail/model/ground_sight.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/model/backbone/efficientnet_lite.hpp"
#include "eval/measurement.hpp"
#include "locate_together.hpp"
#include "sample_reader.hpp"
#include "shared_results.hpp"
#include "sharing.hpp"

namespace crossfix::pipeline {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// Samples that go through the network together.
using Batch = std::vector<const data::Sample*>;

/// FNV-1a. It tells files apart, unless somebody makes two with the same hash on purpose.
class Fingerprint {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    }
  }
  std::string text() const {
    char buffer[17];
    std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(value_));
    return buffer;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// The fingerprint of all labels, in order. Wrong pairs follow from them.
std::string fingerprint_of(const data::Dataset& dataset) {
  Fingerprint print;
  for (const data::Sample& sample : dataset.samples) {
    if (sample.wrong) break;
    for (const std::string* name : {&sample.ground, &sample.satellite}) print.add(*name + '\n');
    for (const double number : {sample.true_.pixel.row, sample.true_.pixel.col,
                                sample.true_.metres_per_pixel, sample.rotation_degrees}) {
      char bytes[sizeof number];
      std::memcpy(bytes, &number, sizeof number);
      print.add({bytes, sizeof bytes});
    }
  }
  return print.text();
}

/// Keeps `limit` evenly chosen samples. The batches that the reference drops are those of the whole
/// data set.
void thin(data::Dataset& dataset, std::size_t limit) {
  const std::size_t count = dataset.samples.size();
  if (limit == 0 || limit >= count) return;
  std::vector<data::Sample> kept;
  for (std::size_t i = 0; i < limit; ++i) {
    kept.push_back(std::move(dataset.samples[i * count / limit]));
    kept.back().number = i;
  }
  dataset.samples = std::move(kept);
}

/// A pass over the data set: reads, locates, writes, reports. With several ranks each locates its
/// part of the batches, and only rank 0 reports.
class EvaluationRun {
 public:
  EvaluationRun(const EvaluationOptions& options, Localizer& localizer, ranks::Ranks& ranks,
                Observer& observer)
      : options_(options),
        localizer_(localizer),
        ranks_(ranks),
        observer_(observer),
        dataset_(options.data.read()) {
    for (const std::string& warning : dataset_.warnings) say(warning);
    thin(dataset_, options.limit);
    if (dataset_.samples.empty()) {
      throw DataError(options.data.root.string() + ": no samples in this split of " +
                      options.data.description());
    }
    right_ = dataset_.samples.size();
    if (options.data.wrong_pairs && data::add_wrong_pairs(dataset_) == 0) {
      throw DataError(
          "--wrong-pairs: these samples make none; a city or run needs cameras that are farther "
          "apart than a tile's diagonal");
    }
    check_projection();
    check_view();
    check_dump();
    warn_about_scale();
    header_ = make_header();
    results_.emplace(ranks, options.out, header_, options.resume, dataset_, outcomes_);
    if (!options.dump.empty() && ranks.first()) dump_.emplace(options.dump);
  }

  std::optional<EvaluationResult> run() {
    std::vector<Batch> batches = batches_left();
    std::size_t left = 0;
    for (const Batch& batch : batches) left += batch.size();
    if (options_.resume && ranks_.first()) {
      observer_.note(std::to_string(to_run_ - left) + " samples are there already, " +
                     std::to_string(left) + " to go");
    }
    if (left > 0) locate_all(my_part(std::move(batches)), left);
    results_->collect(outcomes_);
    if (!options_.dump.empty()) collect_raw();
    if (!ranks_.first()) return {};
    if (dump_) fill_dump();
    results_.reset();  // it refers to the data set
    return EvaluationResult{std::move(dataset_), std::move(outcomes_), std::move(header_),
                            std::move(dump_)};
  }

 private:
  const model::Configuration& configuration() const { return localizer_.configuration(); }
  bool robotcar() const { return options_.data.kind == data::DatasetKind::robotcar; }

  void say(const std::string& warning) const {
    if (ranks_.first()) observer_.warn(warning);
  }

  void check_projection() const {
    if (options_.data.view.draws() && !matches_ground()) {
      throw DataError(
          "--camera: these weights take the panoramas that they were trained with; weights that "
          "match on the ground plane, as crossfix-ground, take any camera");
    }
    const bool pinhole = configuration().ground_projection == model::GroundProjection::pinhole;
    if (pinhole == robotcar()) return;
    throw DataError("these weights expect " +
                    std::string(pinhole ? "pinhole images" : "equirectangular panoramas") +
                    ", and the ground images of " + options_.data.description() + " are " +
                    (pinhole ? "panoramas" : "pinhole images"));
  }

  /// Views that see no ground are refused before the work, and not one by one.
  void check_view() const {
    const auto& camera = options_.data.view.camera;
    if (!camera) return;
    const auto& settings = configuration().ground_match;
    camera::check_sees_ground(camera->camera, camera->mount, settings.nearest, settings.farthest);
  }

  /// With weights that match on the ground plane the grid follows from the tile's size in metres,
  /// and a dump has one grid.
  void check_dump() const {
    if (options_.dump.empty() || !matches_ground()) return;
    const auto metres = [](const data::Sample& sample) {
      return sample.true_.side * sample.true_.metres_per_pixel;
    };
    const auto grid = [&](const data::Sample& sample) {
      return model::EfficientNetLiteWeights::extent(
          model::matched_side(configuration(), 1, 1, metres(sample)));
    };
    const data::Sample* first = nullptr;
    for (const data::Sample& sample : dataset_.samples) {
      if (sample.wrong || !is_wanted(sample)) continue;
      if (first == nullptr) first = &sample;
      if (grid(sample) == grid(*first)) continue;
      char text[240];
      std::snprintf(text, sizeof text,
                    "--dump: the tile of sample %zu is of %.1f m, that of sample %zu of %.1f m; it "
                    "takes tiles of one size in metres: choose such by --cities, or leave it out",
                    sample.number, metres(sample), first->number, metres(*first));
      throw DataError(text);
    }
  }

  void warn_about_scale() const {
    const auto& scale = configuration().metres_per_network_pixel;
    if (!scale || matches_ground()) return;
    const double trained = *scale * static_cast<double>(configuration().satellite_size);
    double worst = 0;
    for (const data::Sample& sample : dataset_.samples) {
      const double side = sample.true_.side * sample.true_.metres_per_pixel;
      if (std::abs(side / trained - 1) > std::abs(worst)) worst = side / trained - 1;
    }
    if (std::abs(worst) <= kScaleTolerance) return;
    say("tiles are up to " + fixed_text(100 * std::abs(worst), 0) + " % " +
        (worst > 0 ? "wider" : "narrower") + " than the " + fixed_text(trained, 1) +
        " m that the weights were trained at");
  }

  bool is_wanted(const data::Sample& sample) const {
    if (sample.wrong) return true;
    const auto modes = options_.modes();
    return std::any_of(modes.begin(), modes.end(),
                       [&](eval::Mode mode) { return eval::is_scored(sample, mode); });
  }

  Json make_header() const {
    Json json = options_.data.settings();
    json["mode"] = options_.mode;
    json["limit"] = options_.limit;
    json["batch"] = options_.batch;
    json["device"] = name_of(localizer_.device());
    json["precision"] = name_of(localizer_.precision());
    json["weights"] = options_.weights;
    json["data"] = fingerprint_of(dataset_);
    json["samples"] = right_;
    json["format"] = 3;
    return json;
  }

  /// The batches that lack a result. The data set alone decides which samples go together. Wrong
  /// pairs have batches of their own, so that the others' results do not depend on them.
  std::vector<Batch> batches_left() {
    std::vector<Batch> all;
    for (const data::Sample& sample : dataset_.samples) {
      if (!is_wanted(sample)) continue;
      if (all.empty() || all.back().size() == static_cast<std::size_t>(options_.batch) ||
          all.back().front()->wrong != sample.wrong) {
        all.emplace_back();
      }
      all.back().push_back(&sample);
      ++to_run_;
    }
    std::erase_if(all, [&](const Batch& batch) {
      return std::all_of(batch.begin(), batch.end(), [&](const data::Sample* sample) {
        return outcomes_[sample->number].known();
      });
    });
    return all;
  }

  std::vector<Batch> my_part(std::vector<Batch> all) const {
    std::vector<Batch> part;
    for (const std::size_t i : groups_of_rank(all.size(), ranks_.topology())) {
      part.push_back(std::move(all[i]));
    }
    return part;
  }

  /// `left`: the samples of all ranks.
  void locate_all(const std::vector<Batch>& batches, std::size_t left) {
    const data::ImageSource images = options_.data.images(dataset_);
    std::vector<const data::Sample*> samples;
    for (const Batch& batch : batches) samples.insert(samples.end(), batch.begin(), batch.end());
    SampleReader reader(images, std::move(samples), pairs_ahead(options_.batch), options_.readers);
    if (ranks_.first()) observer_.begin("samples", left);
    ranks_.on_receive([&](const std::string& message) { receive(message); });
    const Clock::time_point begin = Clock::now();
    for (const Batch& batch : batches) {
      std::vector<SampleImages> read;
      while (read.size() < batch.size()) read.push_back(reader.next().value());
      locate(read);
    }
    const std::vector<std::string> busy = ranks_.gather(fixed_text(busy_, 6));
    ranks_.on_receive({});
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (!ranks_.first()) return;
    observer_.end();
    double sum = 0;
    for (const std::string& text : busy) sum += parse_number(text).value();
    const double share = sum / seconds / ranks_.size();
    observer_.note(std::to_string(left) + " samples in " + fixed_text(seconds, 1) + " s, " +
                   fixed_text(static_cast<double>(left) / seconds, 2) + "/s" + on_ranks() +
                   "; the network was busy " + fixed_text(100 * share, 1) + " % of it");
  }

  /// ", on 16 ranks on 2 machines" if there are several.
  std::string on_ranks() const {
    if (ranks_.alone()) return {};
    const int machines = ranks_.topology().machines;
    return ", on " + std::to_string(ranks_.size()) + " ranks on " + std::to_string(machines) +
           (machines == 1 ? " machine" : " machines");
  }

  /// Gives one line for each unreadable image, however many samples and ranks need it.
  void receive(const std::string& message) {
    const Json batch = Json::parse(message);
    for (const Json& failure : batch.at("failures")) {
      if (!failures_.insert(failure.at("error")).second) continue;
      observer_.warn("sample " + failure.at("sample").dump() + ": " +
                     failure.at("error").get<std::string>());
    }
    observer_.advance(batch.at("samples"));
  }

  Pair pair_of(const SampleImages& images) const {
    return {GroundImage(*images.ground), SatelliteImage(images.tile),
            tile_info(*images.sample, images.tile.extent(0)),
            ground_info(options_.data.heading_noise, options_.data.view, *images.sample,
                        configuration())};
  }

  /// Locates the samples of a batch whose images were read, records all samples in order, and sends
  /// rank 0 a message.
  void locate(std::vector<SampleImages>& batch) {
    const auto is_sound = [](const SampleImages& images) { return images.error.empty(); };
    std::vector<Pair> pairs;
    std::vector<SampleImages*> tried;
    for (SampleImages& images : batch) {
      if (!is_sound(images)) continue;
      try {
        localizer_.check(pair_of(images));
        pairs.push_back(pair_of(images));
        tried.push_back(&images);
      } catch (const ImageError& error) {  // it does not name a file
        images.error = images.sample->ground + ": " + error.what();
      }
    }
    const Clock::time_point begin = Clock::now();
    const auto errors = locate_together(localizer_, pairs, fixes_);
    for (std::size_t i = 0; i < tried.size(); ++i) {
      if (!errors[i].empty()) tried[i]->error = tried[i]->sample->ground + ": " + errors[i];
    }
    busy_ += std::chrono::duration<double>(Clock::now() - begin).count();
    Json message{{"samples", batch.size()}, {"failures", Json::array()}};
    std::size_t next = 0;  // of those tried
    for (const SampleImages& images : batch) {
      const Fix* fix = next < tried.size() && tried[next] == &images ? &fixes_[next++] : nullptr;
      const data::Sample& sample = *images.sample;
      const bool sound = is_sound(images);
      if (sound && !options_.dump.empty() && !sample.wrong) {
        raw_.emplace_back(sample.number, *fix);
      }
      if (!outcomes_[sample.number].known()) {
        if (!sound) {
          if (options_.strict) throw ImageError(images.error);
          message["failures"].push_back({{"sample", sample.number}, {"error", images.error}});
        }
        finish(sample, sound ? eval::Outcome{answer_of(images, *fix), {}}
                             : eval::Outcome{{}, images.error});
      }
    }
    ranks_.send(io::json_text(message));
  }

  bool matches_ground() const { return configuration().family == model::Family::ground_match; }

  eval::Answer answer_of(const SampleImages& images, const Fix& fix) const {
    const data::HeadingNoise& noise = options_.data.heading_noise;
    std::optional<double> heading;
    if (options_.data.view.draws()) {
      heading = drawn_mount(options_.data.view, noise, images.sample->ground).heading.degrees;
    } else if (noise.rolls()) {
      heading = data::heading_of(noise, images.sample->ground, images.ground->extent(1));
    }
    return eval::answer_of(*images.sample, fix, {images.tile.extent(0), images.tile.extent(1)},
                           configuration().decoding.temperature, heading);
  }

  void finish(const data::Sample& sample, eval::Outcome outcome) {
    results_->append(sample, outcome);
    outcomes_[sample.number] = std::move(outcome);
  }

  /// Collective: brings all raw outputs to rank 0, in the order of the data set.
  void collect_raw() {
    std::string mine;
    if (!ranks_.first()) {
      for (const auto& [number, fix] : raw_) mine += pack_raw(number, fix);
    }
    const std::vector<std::string> parts = ranks_.gather(std::move(mine));
    for (std::size_t rank = 1; rank < parts.size(); ++rank) {
      for (std::string_view rest = parts[rank]; !rest.empty();) raw_.push_back(unpack_raw(rest));
    }
    std::sort(raw_.begin(), raw_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  void fill_dump() {
    auto next = raw_.begin();
    for (const data::Sample& sample : dataset_.samples) {
      if (sample.wrong) break;
      if (next != raw_.end() && next->first == sample.number) {
        dump_->add((next++)->second);
      } else {
        dump_->add_missing();
      }
    }
  }

  const EvaluationOptions& options_;
  Localizer& localizer_;
  ranks::Ranks& ranks_;
  Observer& observer_;
  data::Dataset dataset_;
  std::size_t right_ = 0;  ///< samples that are no wrong pairs: the first ones
  Json header_;            ///< the settings, as they were when the run began
  std::vector<eval::Outcome> outcomes_;
  std::optional<SharedResults> results_;
  std::optional<RawDump> dump_;
  std::vector<std::pair<std::size_t, Fix>> raw_;
  std::vector<Fix> fixes_;
  std::set<std::string> failures_;
  std::size_t to_run_ = 0;
  double busy_ = 0;
};

}  // namespace

std::string fingerprint_of(const io::Safetensors& weights) {
  Fingerprint print;
  const std::span<const std::byte> bytes = weights.bytes();
  print.add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return print.text();
}

std::vector<eval::Mode> EvaluationOptions::modes() const {
  for (const eval::Mode one : {eval::Mode::reference, eval::Mode::true_}) {
    if (mode == eval::name_of(one)) return {one};
  }
  return {eval::Mode::reference, eval::Mode::true_};
}

TileInfo tile_info(const data::Sample& sample, Index side) {
  return {.metres_per_pixel =
              sample.true_.side * sample.true_.metres_per_pixel / static_cast<double>(side)};
}

GroundInfo ground_info(const data::HeadingNoise& noise, const data::ViewChoice& view,
                       const data::Sample& sample, const model::Configuration& configuration) {
  GroundInfo info;
  if (configuration.family != model::Family::ground_match) return info;
  camera::Heading heading = data::told_heading(noise);
  if (view.draws()) {
    info.mounted = {view.camera->camera, data::told_mount(view, noise, sample.ground)};
    heading = info.mounted->mount.heading;
  }
  if (!heading.known) {
    info.heading_degrees.reset();
  } else {
    info.heading_degrees = heading.degrees;
    info.heading_sigma_degrees = heading.sigma_degrees;
  }
  return info;
}

std::optional<EvaluationResult> evaluate(const EvaluationOptions& options, Localizer& localizer,
                                         ranks::Ranks& ranks, Observer& observer) {
  return EvaluationRun(options, localizer, ranks, observer).run();
}

}  // namespace crossfix::pipeline

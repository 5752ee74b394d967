#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/io/safetensors.hpp"
#include "crossfix/localizer.hpp"
#include "data/choice.hpp"
#include "eval/evaluation.hpp"
#include "observer.hpp"
#include "ranks/ranks.hpp"
#include "raw_dump.hpp"

namespace crossfix::pipeline {

/// Tells weights apart by all the bytes of their file, as they were read: 16 hexadecimal digits.
std::string fingerprint_of(const io::Safetensors& weights);

/// How a data set is evaluated.
struct EvaluationOptions {
  data::DatasetChoice data;
  std::string weights;         ///< fingerprint of what the localizer was loaded from
  std::string mode = "both";   ///< reference, true, both
  Index batch = 1;             ///< samples that go to the localizer together
  std::size_t limit = 0;       ///< samples, evenly chosen from the data set; 0: all
  int readers = 1;             ///< threads that read images
  std::filesystem::path out;   ///< folder of the results; or empty
  std::filesystem::path dump;  ///< file of the raw outputs; or empty
  bool resume = false;         ///< continue with the results in `out`
  bool strict = false;         ///< an image that cannot be used ends the run

  std::vector<eval::Mode> modes() const;
};

/// The outcome of every sample.
struct EvaluationResult {
  data::Dataset dataset;
  std::vector<eval::Outcome> outcomes;  ///< by sample
  nlohmann::ordered_json settings;      ///< what the results depend on
  std::optional<RawDump> dump;          ///< to be committed, if one is asked for
};

/// Locates the samples of the data set, or those that `out` has no result of, and writes `out`. The
/// result has what is to be written to `dump`: figures come first. Wrong pairs, where they are
/// wanted, follow the samples they are made of; `dump` has none of them.
/// Only rank 0 gets a result. Throws DataError for files that cannot be read or continued,
/// DeviceError, and with `strict` ImageError for an image that cannot be used. Collective over
/// `ranks`, which share the samples.
std::optional<EvaluationResult> evaluate(const EvaluationOptions& options, Localizer& localizer,
                                         ranks::Ranks& ranks, Observer& observer);

/// What is known of a sample's tile, `side` pixels wide: its scale.
TileInfo tile_info(const data::Sample& sample, Index side);

/// What the weights are told of a sample's ground image from `source`: that its centre looks north,
/// be it so or not. Those that match on the ground plane are told how sure that is, and the camera
/// of a view.
GroundInfo ground_info(const data::HeadingNoise& noise, const data::ViewChoice& view,
                       const data::Sample& sample, const model::Configuration& configuration);

}  // namespace crossfix::pipeline

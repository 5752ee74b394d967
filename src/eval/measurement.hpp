/// One answer of the network, compared with one truth.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>

#include "crossfix/core/geometry.hpp"
#include "crossfix/core/shape.hpp"
#include "crossfix/localizer.hpp"
#include "data/sample.hpp"

namespace crossfix::eval {

/// Which truths: those that the reference's scripts use, or the true ones.
enum class Mode { reference, true_ };

/// "reference" or "true": the name in options, files and tables.
constexpr const char* name_of(Mode mode) { return mode == Mode::true_ ? "true" : "reference"; }

const data::Truth& truth_of(const data::Sample& sample, Mode mode);

/// Whether a mode scores a sample. The reference drops incomplete batches; the true mode skips
/// tiles that do not hold the camera; neither scores wrong pairs.
bool is_scored(const data::Sample& sample, Mode mode);

/// How probable the truth was, by the posterior.
struct Belief {
  /// Share of the posterior that lies nearer to the fix than the truth. If the posterior is right,
  /// this is uniform from 0 to 1 over many samples.
  double level = 0;
  /// Natural logarithm of the posterior's density at the truth, per tile (0 for a uniform
  /// posterior). Absent if the truth lies outside the tile.
  std::optional<double> log_density;
};

/// What the network answers for one sample. Lengths are shares of the tile's side, so they do not
/// depend on the size of any image.
struct Answer {
  PixelPoint fix;
  double radius68 = 0;  ///< of the circle about the fix that holds 68 % of the posterior
  Belief reference;     ///< about the truths of the two modes; of a wrong pair nothing
  Belief true_;
  /// What the centre of a rolled panorama or of a view looks at, degrees clockwise from the tile's
  /// upper edge; absent of images as they are, whose cameras look there.
  std::optional<double> heading_degrees;
  /// Of the heading found, degrees clockwise from the camera's, within [-180, 180]; absent where it
  /// was not searched for, and of a wrong pair.
  std::optional<double> heading_error_degrees;
  std::optional<double> nowhere;  ///< `Fix::nowhere`
  ops::Evidence evidence;         ///< what it is computed from

  const Belief& belief(Mode mode) const { return mode == Mode::true_ ? true_ : reference; }
};

/// `fix` is in a tile [height, width], pixels; `truth` in shares of the tile's sides. `temperature`
/// is that of the weights. The level uses the same posterior as the radius (ops::kCellMassSide).
/// The density uses a posterior that is uniform over each cell of the fix's grid; it is finite even
/// if a cell's probability is 0.
Belief belief_of(const Fix& fix, const Shape<2>& tile, double temperature, PixelPoint truth);

/// What `fix`, located in a tile [height, width] of the sample, says of both truths.
/// `heading_degrees` is what `Answer` calls so.
Answer answer_of(const data::Sample& sample, const Fix& fix, const Shape<2>& tile,
                 double temperature, std::optional<double> heading_degrees = {});

/// The errors of one sample.
struct Measurement {
  std::size_t sample = 0;        ///< data::Sample::number
  std::size_t ground_image = 0;  ///< the same for all tiles of one ground image
  double metres = 0;             ///< distance of the fix from the truth
  double sides = 0;              ///< the same in shares of the tile's side
  double ahead_metres = 0;       ///< of the fix before the truth, along the camera's heading
  double right_metres = 0;       ///< of the fix right of the truth, across it
  std::optional<double> heading_degrees;  ///< error, without sign
  double radius68_metres = 0;
  double level = 0;
  std::optional<double> nll;  ///< negative log-likelihood, nats, of a density per square metre

  /// Whether a chart can show the error.
  bool drawable() const { return std::isfinite(metres) && metres >= 0; }
};

/// `ground_image` numbers the ground images.
Measurement measure(const data::Sample& sample, const Answer& answer, Mode mode,
                    std::size_t ground_image);

}  // namespace crossfix::eval

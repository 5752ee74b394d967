#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/decode.hpp"
#include "crossfix/ops/evidence.hpp"

namespace crossfix::model {

/// The camera model that ground images must have.
enum class GroundProjection {
  /// The whole sphere, 2:1. The centre column is the heading; the horizon is at half the height.
  equirectangular,
  pinhole,
};

/// The network that a weights file holds.
enum class Family {
  crossfix,        ///< the reference network, and networks made of the same parts
  mcc,             ///< MCC: one cell per pixel of the tile
  vigor_baseline,  ///< the VIGOR baseline: a single cell, the tile
  ground_match,    ///< a matcher over the ground plane, for photographs
};

/// All settings in which networks differ. The defaults describe the reference network at VIGOR
/// size, which is also assumed for a file without metadata. The fields correspond to those of the
/// JSON object under the key "crossfix" in a weights file's metadata (docs/weights.md).
struct Configuration {
  struct Backbone {
    std::array<Index, 3> blocks{3, 4, 6};  ///< bottlenecks in layer1, layer2, layer3
    Index planes = 64;                     ///< of layer1; doubled in each later layer, expansion 4
    bool shared = false;                   ///< one backbone, `sat_extractor`, for both views
  };
  struct Normalization {
    std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  ///< RGB, of value / 255
    std::array<float, 3> std{0.229F, 0.224F, 0.225F};
  };

  /// Settings of the matcher over the ground plane; lengths in metres.
  struct GroundMatch {
    Index blocks = 5;        ///< of the backbone, EfficientNet-Lite0
    double height = 2.6;     ///< of the camera above the ground
    double nearest = 1.5;    ///< ground closer to the camera than this is ignored
    double farthest = 16.0;  ///< ground farther from the camera than this is ignored
    double range = 5.0;      ///< ground at distance d has weight exp(-d / range)
    /// Weights of ground at even steps of its distance from 0 to `farthest`, in place of `range`;
    /// between them their logarithms are linear. Empty: `range` counts.
    std::vector<double> range_weights = {};
    Index adapters = 0;   ///< blocks of each view's own after the backbone
    Index headings = 18;  ///< number of headings tried, at even steps, if the heading is unknown
    /// Number of ratios tried, where a ratio is height times scale over their nominal values. They
    /// have even steps of the logarithm from 1 / `largest_ratio` to `largest_ratio`. If there is
    /// only one, it is 1.
    Index ratios = 1;
    double largest_ratio = 1.25;

    /// Weight of ground at a distance of d metres, up to `farthest`.
    double weight(double d) const {
      if (range_weights.empty()) return std::exp(-d / range);
      const auto last = static_cast<double>(range_weights.size() - 1);
      const double at = std::clamp(d / farthest * last, 0.0, last);
      const double low = std::min(std::floor(at), last - 1);
      const auto i = static_cast<std::size_t>(low);
      return range_weights[i] * std::pow(range_weights[i + 1] / range_weights[i], at - low);
    }

    double ratio(Index i) const {
      if (ratios == 1) return 1;
      return std::pow(largest_ratio,
                      2 * static_cast<double>(i) / static_cast<double>(ratios - 1) - 1);
    }
  };

  /// How `Fix::nowhere` follows from an answer's evidence: a logistic function, fitted to right and
  /// wrong pairs (training/nowhere.py). The defaults are for weights that were not calibrated: they
  /// use the share of the first hypothesis alone, which means the same for every network, and never
  /// reach one half.
  struct Nowhere {
    double bias = -1.2;
    std::array<double, ops::Evidence::kCount> weights{0, 0, 0, -2.0, 0};  ///< Evidence::values
    double wrong_share = 0.1;  ///< of wrong pairs among all that it was fitted for
    /// How well it tells them apart where it was fitted: how often a wrong pair has more than a
    /// right one. Empty: it was not fitted.
    std::optional<double> area = {};
    /// Weights of less area than this can hardly tell a wrong tile from the right one.
    static constexpr double kLeastArea = 0.8;

    /// From 0 to 1; 1 for evidence that is not finite.
    double of(const ops::Evidence& evidence) const {
      double sum = bias;
      const auto values = evidence.values();
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (weights[i] != 0) sum += weights[i] * values[i];
      }
      return std::isfinite(sum) ? 1 / (1 + std::exp(-sum)) : 1.0;
    }
  };

  Family family = Family::crossfix;
  GroundMatch ground_match = {};
  /// The baselines use only `planes`. They do not use the sizes of the fusion network either.
  Backbone backbone = {};
  Index model_width = 256;     ///< channels of a token
  Index heads = 8;             ///< attention heads, model_width / heads channels each
  Index encoder_layers = 4;    ///< fusion layers
  Index ffn_width = 1024;      ///< hidden width of every feed-forward network
  Index grid = 32;             ///< N: the posterior is over N x N cells
  Index satellite_size = 256;  ///< side of the satellite network input, network pixels
  std::array<Index, 2> ground_size{256, 512};  ///< height, width of the ground network input
  Normalization normalization = {};
  GroundProjection ground_projection = GroundProjection::equirectangular;
  std::optional<double> horizontal_fov_degrees = {};       ///< of a pinhole camera, if known
  std::optional<double> metres_per_network_pixel = 0.285;  ///< satellite scale in training
  std::string trained_on = "unknown";
  /// ratio of radius68 to the radius of the posterior, from calibration
  double radius_scale = 1.0;
  Nowhere nowhere = {};
  ops::Decoding decoding = {};  ///< fields `temperature` and `fix`

  /// Pixels of a network input per feature of the backbone, along each axis.
  static constexpr Index kBackboneStride = 8;

  Index backbone_channels() const { return 16 * backbone.planes; }
  Index satellite_tokens() const { return grid * grid; }
  Index ground_tokens() const {
    return (ground_size[0] / kBackboneStride) * (ground_size[1] / kBackboneStride);
  }
};

}  // namespace crossfix::model

#pragma once

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "crossfix/core/shape.hpp"
#include "crossfix/ops/decode.hpp"

namespace crossfix::model {

/// The camera model a ground image must have been taken with.
enum class GroundProjection {
  equirectangular,  ///< the whole sphere, 2:1; the centre column is the heading, the horizon half
                    ///< way
  pinhole,
};

/// Which network a weights file holds.
enum class Family {
  crossfix,        ///< the reference network and what has its parts
  mcc,             ///< MCC: a cell a pixel of the tile
  vigor_baseline,  ///< the VIGOR baseline: one cell, the tile
  ground_match,    ///< a matcher over the ground plane, for photographs
};

/// Everything in which networks differ. The defaults are the reference
/// network at VIGOR size, which is also what a file without metadata is taken for. Field by field
/// the JSON object under the key "crossfix" of a weights file's metadata (docs/weights.md).
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

  /// Of the matcher over the ground plane, metres.
  struct GroundMatch {
    Index blocks = 5;        ///< of the backbone, EfficientNet-Lite0
    double height = 2.6;     ///< of the camera above the ground
    double nearest = 1.5;    ///< ground nearer than this to the camera is left out
    double farthest = 16.0;  ///< and farther than this
    double range = 5.0;      ///< ground at a distance of d weighs exp(-d / range)
    Index headings = 18;     ///< tried, at even steps, where the heading is unknown
    /// Ratios of height times scale to their nominal values that are tried, in even steps of the
    /// logarithm from 1 / `largest_ratio` to `largest_ratio`; of one, 1.
    Index ratios = 1;
    double largest_ratio = 1.25;

    double ratio(Index i) const {
      if (ratios == 1) return 1;
      return std::pow(largest_ratio,
                      2 * static_cast<double>(i) / static_cast<double>(ratios - 1) - 1);
    }
  };

  Family family = Family::crossfix;
  GroundMatch ground_match;
  /// Of the baselines, `planes` alone; nor are the sizes of the fusion network theirs.
  Backbone backbone;
  Index model_width = 256;     ///< channels of a token
  Index heads = 8;             ///< attention heads, model_width / heads channels each
  Index encoder_layers = 4;    ///< fusion layers
  Index ffn_width = 1024;      ///< hidden width of every feed-forward network
  Index grid = 32;             ///< N: the posterior is over N x N cells
  Index satellite_size = 256;  ///< side of the satellite network input, network pixels
  std::array<Index, 2> ground_size{256, 512};  ///< height, width of the ground network input
  Normalization normalization;
  GroundProjection ground_projection = GroundProjection::equirectangular;
  std::optional<double> horizontal_fov_degrees;            ///< of a pinhole camera, where known
  std::optional<double> metres_per_network_pixel = 0.285;  ///< satellite scale trained at
  std::string trained_on = "unknown";
  double radius_scale = 1.0;  ///< of radius68 over that of the posterior, from calibration
  ops::Decoding decoding;     ///< fields `temperature` and `fix`

  /// Pixels of a network input to a feature of the backbone, along each axis.
  static constexpr Index kBackboneStride = 8;

  Index backbone_channels() const { return 16 * backbone.planes; }
  Index satellite_tokens() const { return grid * grid; }
  Index ground_tokens() const {
    return (ground_size[0] / kBackboneStride) * (ground_size[1] / kBackboneStride);
  }
};

}  // namespace crossfix::model

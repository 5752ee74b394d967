#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crossfix/camera/panorama.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/model/efficientnet_lite.hpp"
#include "crossfix/model/layout.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decoder.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::model {

/// A matcher over the ground plane, for photographs: a panorama is laid on flat ground about the
/// camera, north up; early layers of a trunk that was pretrained on photographs are taken of that
/// view and of the tile; the one is slid over the other by normalised cross-correlation, weighted by
/// range. Every place, every heading that is asked for and every ratio of height and scale is scored;
/// the posterior is the softmax over all of them, and its marginals over place and heading are the
/// answer.
///
/// Immutable after construction: any number of workspaces, one a thread, may use it. Host memory.
template <ops::Backend B>
class GroundMatch {
  using Element = typename B::Element;
  using Trunk = EfficientNetLite<B>;

 public:
  /// What is asked: images 8-bit RGB [height, width, 3].
  struct Question {
    TensorView<const std::uint8_t, 3> satellite;  ///< north up
    TensorView<const std::uint8_t, 3> panorama;   ///< equirectangular, whole, level
    double metres_per_pixel = 0;                  ///< of the satellite image
    std::optional<double> heading_degrees;        ///< of the centre column; unknown where absent
  };

  /// The memory of one thread's work. What depends on the tile's size is made anew where that changes.
  class Workspace {
   public:
    Workspace(const GroundMatch& match, const typename B::Target& target)
        : target_(target),
          image_({match.view_side(), match.view_side(), 3}),
          weights_({match.view_cells(), match.view_cells()}) {}

   private:
    friend class GroundMatch;
    /// A trunk for tiles of one size, with all that a pass over them takes.
    struct Tile {
      Tile(const GroundMatch& match, const typename B::Target& target, Index tile_side)
          : side(tile_side),
            trunk(target, match.weights_, {1, side, side, 3}),
            grid(trunk.output_shape()[1]),
            image({side, side, 3}),
            features({grid, grid, match.weights_.channels()}),
            even({grid, grid}),
            context(target,
                    std::max({trunk.scratch_bytes(), match.view_trunk_.scratch_bytes(),
                              B::correlate_scratch_bytes(target, features.shape(),
                                                         {1, match.view_cells(), match.view_cells(),
                                                          match.weights_.channels()})})) {
        const Index elements =
            std::max(trunk.buffer_elements(), match.view_trunk_.buffer_elements());
        for (auto& buffer : buffers) buffer = Tensor<Element, 1>({elements});
        std::fill_n(even.data(), even.size(), 1.0F);
      }
      typename Trunk::Buffers pointers() {
        return {buffers[0].data(), buffers[1].data(), buffers[2].data(), buffers[3].data()};
      }

      Index side;
      Trunk trunk;
      Index grid;
      Tensor<Element, 3> image;
      Tensor<Element, 3> features;
      Tensor<float, 2> even;  ///< weights of positions: all alike
      std::array<Tensor<Element, 1>, Trunk::kBuffers> buffers;
      typename B::Context context;
    };

    typename B::Target target_;
    Tensor<Element, 3> image_;
    Tensor<float, 2> weights_;
    Tensor<Element, 4> views_;
    Tensor<float, 3> scores_;
    std::vector<float> outputs_;
    std::vector<float> headings_;
    std::unique_ptr<Tile> tile_;
  };

  /// Reads the parameters. Throws WeightsError where they are not this configuration's.
  GroundMatch(const typename B::Target& target, Parameters parameters,
              const Configuration& configuration)
      : configuration_(configuration),
        weights_(parameters, "trunk", configuration.ground_match.blocks),
        parameter_count_(parameters.count()),
        view_trunk_(target, weights_, {1, view_side(), view_side(), 3}) {}

  const Configuration& configuration() const { return configuration_; }
  Index parameter_count() const { return parameter_count_; }

  /// Pixels of a side of the tile as the trunk sees it.
  Index tile_side(const Question& question) const {
    const double side =
        std::sqrt(static_cast<double>(question.satellite.extent(0) * question.satellite.extent(1)));
    return static_cast<Index>(
        std::llround(side * question.metres_per_pixel / *configuration_.metres_per_network_pixel));
  }

  /// Answers a question. The outputs lie in `work`: logits are the marginal over headings and ratios at
  /// the configuration's temperature, cells are `kStride` pixels of the tile as the trunk sees it, of
  /// which the grid covers grid * kStride from the upper left corner on.
  ops::DecoderOutputs<HostSpace> operator()(Workspace& work, const Question& question) const {
    const Index side = tile_side(question);
    if (!work.tile_ || work.tile_->side != side) {
      work.tile_.reset();
      work.tile_ = std::make_unique<typename Workspace::Tile>(*this, work.target_, side);
    }
    auto& tile = *work.tile_;
    const Index grid = tile.grid;
    load(tile.context, question.satellite, tile.image);
    extract(tile, tile.trunk, tile.image, tile.even, tile.features);

    const std::vector<double> headings = headings_of(question);
    const auto& settings = configuration_.ground_match;
    const Index hypotheses = static_cast<Index>(headings.size()) * settings.ratios;
    const Shape<4> views{hypotheses, view_cells(), view_cells(), weights_.channels()};
    if (work.views_.shape() != views) work.views_ = Tensor<Element, 4>(views);
    const Shape<3> scores{hypotheses, grid, grid};
    if (work.scores_.shape() != scores) work.scores_ = Tensor<float, 3>(scores);
    weigh_ground(question, work.weights_);
    Index index = 0;
    for (const double heading : headings) {
      for (Index r = 0; r < settings.ratios; ++r) {
        look(work, question, heading, settings.ratio(r), work.views_.view()[index++]);
      }
    }
    B::correlate(tile.context, tile.features.view(), work.views_.view(), work.weights_.view(),
                 work.scores_.view());
    return decode(work, headings.size(), static_cast<std::size_t>(settings.ratios));
  }

  /// The posterior over the headings of the last question, one for each, at even steps from north where
  /// they were unknown.
  const std::vector<float>& heading_probability(const Workspace& work) const {
    return work.headings_;
  }

  /// Cells, and pixels, of a side of a view.
  Index view_cells() const {
    const auto& settings = configuration_.ground_match;
    const double cell = *configuration_.metres_per_network_pixel * kStride;
    return 2 * static_cast<Index>(std::floor(settings.farthest / cell)) + 1;
  }
  Index view_side() const { return (view_cells() - 1) * kStride + 1; }

  static constexpr Index kStride = EfficientNetLiteWeights::kStride;

 private:
  std::vector<double> headings_of(const Question& question) const {
    if (question.heading_degrees) return {*question.heading_degrees};
    std::vector<double> headings;
    const Index count = configuration_.ground_match.headings;
    for (Index i = 0; i < count; ++i) {
      headings.push_back(360.0 * static_cast<double>(i) / static_cast<double>(count));
    }
    return headings;
  }

  /// exp(-distance / range) of the ground that is seen and used, at the cells' middles. A panorama shows
  /// the less of a square metre the farther away it is, and a wrong height moves it the more.
  void weigh_ground(const Question& question, Tensor<float, 2>& weights) const {
    const auto& settings = configuration_.ground_match;
    const double cell = *configuration_.metres_per_network_pixel * kStride;
    const double nearest =
        std::max(settings.nearest, camera::nearest_ground(question.panorama, settings.height));
    const Index middle = view_cells() / 2;
    double total = 0;
    for (Index i = 0; i < weights.extent(0); ++i) {
      for (Index j = 0; j < weights.extent(1); ++j) {
        const double distance =
            cell * std::hypot(static_cast<double>(i - middle), static_cast<double>(j - middle));
        const bool used = distance >= nearest && distance <= settings.farthest;
        weights(i, j) = used ? static_cast<float>(std::exp(-distance / settings.range)) : 0.0F;
        total += static_cast<double>(weights(i, j));
      }
    }
    if (!(total > 0)) {
      throw ImageError("the panorama shows no ground within " +
                       std::to_string(static_cast<int>(settings.farthest)) +
                       " m of the camera: its lower part is of one colour");
    }
  }

  void load(typename B::Context& context, TensorView<const std::uint8_t, 3> image,
            TensorView<Element, 3> y) const {
    const auto [mean, std] = normalization();
    B::load_image(context, image, mean.values, std.values, y);
  }

  /// Standardized features of an image.
  void extract(typename Workspace::Tile& tile, const Trunk& trunk,
               TensorView<const Element, 3> image, TensorView<const float, 2> weights,
               TensorView<Element, 3> features) const {
    const Shape<3>& shape = image.shape();
    const auto found =
        trunk(tile.context, image.template reshape<4>({1, shape[0], shape[1], 3}), tile.pointers());
    B::standardize(tile.context, TensorView<const Element, 3>(found[0]), weights, features);
  }

  /// The standardized features of the ground as one hypothesis has it.
  void look(Workspace& work, const Question& question, double heading, double ratio,
            TensorView<Element, 3> features) const {
    const auto [mean, std] = normalization();
    const ops::GroundViewSpecification view{
        .side = view_side(),
        .metres_per_pixel = static_cast<float>(*configuration_.metres_per_network_pixel),
        .camera_height = static_cast<float>(configuration_.ground_match.height * ratio),
        .heading_degrees = static_cast<float>(heading)};
    B::sample_ground(work.tile_->context, question.panorama, view, mean.values, std.values,
                     work.image_.view());
    extract(*work.tile_, view_trunk_, work.image_, work.weights_, features);
  }

  /// Scores to posteriors. Hypotheses are headings times ratios, each as likely as the next beforehand.
  ops::DecoderOutputs<HostSpace> decode(Workspace& work, std::size_t headings,
                                        std::size_t ratios) const {
    const Index grid = work.tile_->grid;
    const double temperature = configuration_.decoding.temperature;
    work.outputs_.resize(
        static_cast<std::size_t>(ops::DecoderOutputs<HostSpace>::element_count(1, grid)));
    const ops::DecoderOutputs<HostSpace> outputs(work.outputs_.data(), 1, grid);
    const auto& scores = work.scores_;
    const Index cells = grid * grid;
    const float largest = *std::max_element(scores.data(), scores.data() + scores.size());
    std::vector<double> of_heading(headings);
    std::vector<double> of_cell(static_cast<std::size_t>(cells));
    for (std::size_t h = 0; h < headings; ++h) {
      for (std::size_t r = 0; r < ratios; ++r) {
        const float* map = scores.data() + static_cast<Index>(h * ratios + r) * cells;
        for (Index i = 0; i < cells; ++i) {
          const double mass = std::exp(static_cast<double>(map[i] - largest) / temperature);
          of_heading[h] += mass;
          of_cell[static_cast<std::size_t>(i)] += mass;
        }
      }
    }
    double total = 0;
    for (const double mass : of_heading) total += mass;
    work.headings_.resize(headings);
    for (std::size_t h = 0; h < headings; ++h) {
      work.headings_[h] = static_cast<float>(of_heading[h] / total);
    }
    const auto logits = outputs.logits();
    const auto offsets = outputs.offsets();
    for (Index i = 0; i < cells; ++i) {
      logits(0, i) = static_cast<float>(std::log(
          std::max(of_cell[static_cast<std::size_t>(i)], std::numeric_limits<double>::min())));
      // A feature is about the middle of its cell's first pixel (EfficientNetLiteWeights).
      offsets(0, i, 0) = offsets(0, i, 1) = 0.5F / static_cast<float>(kStride);
    }
    ops::Decoding decoding = configuration_.decoding;
    decoding.temperature = 1;
    decoding.sigmoid = false;
    B::decode(work.tile_->context, outputs, decoding);
    // As of every network: the posterior is the softmax of the logits over the temperature.
    for (Index i = 0; i < cells; ++i) logits(0, i) *= static_cast<float>(temperature);
    return outputs;
  }

  struct Rgb {
    float values[3];
  };
  std::pair<Rgb, Rgb> normalization() const {
    const auto& [mean, std] = configuration_.normalization;
    return {{{mean[0], mean[1], mean[2]}}, {{std[0], std[1], std[2]}}};
  }

  Configuration configuration_;
  EfficientNetLiteWeights weights_;
  Index parameter_count_;
  Trunk view_trunk_;
};

}  // namespace crossfix::model

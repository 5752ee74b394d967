#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/core/image_view.hpp"
#include "crossfix/detail/model/ground_sight.hpp"
#include "crossfix/detail/model/heading_search.hpp"
#include "crossfix/detail/model/layout.hpp"
#include "crossfix/model/backbone/efficientnet_lite.hpp"
#include "crossfix/model/configuration.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/decode.hpp"
#include "crossfix/ops/finite.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::model {

/// A matcher over the ground plane, for photographs. An image of any camera is projected onto flat
/// ground around it, north up. The early layers of a backbone pretrained on photographs extract
/// features from this view and from the tile. The view is then slid over the tile by normalised
/// cross-correlation, weighted by range. Every position, every requested heading (HeadingSearch)
/// and every way in which the camera may stand (MountVariant) gets a score. The posterior is the
/// softmax over all scores. The results are its marginals over position and heading.
///
/// Immutable after construction. Any number of workspaces may use it, each in one thread.
template <ops::Backend B>
class GroundMatch {
  using Element = typename B::Element;
  using Space = typename B::Space;
  using Backbone = EfficientNetLite<B>;
  struct Buffers {
    Element* tile_image = nullptr;
    Element* tile_features = nullptr;
    Element* view_images = nullptr;
    Element* view_features = nullptr;
    typename Backbone::Buffers backbone{};
    float* scores = nullptr;
    float* bias = nullptr;
    float* results = nullptr;  ///< HeadOutputs, then the logarithms of the rows' masses
  };

 public:
  /// One request to the matcher. Images are 8-bit RGB [height, width, 3].
  struct Question {
    GroundImage image;            ///< of the camera; a whole level panorama if none is given
    SatelliteImage satellite;     ///< north up
    double metres_per_pixel = 0;  ///< of the satellite image
    /// Heading of the camera's forward axis, a panorama's centre column, degrees clockwise from
    /// north. Empty if unknown.
    std::optional<double> heading_degrees;
    double heading_sigma_degrees = 0;  ///< standard deviation of a heading that is given; 0: exact
    const camera::MountedCamera* mounted = nullptr;  ///< its mount's heading is not read
  };

  /// The memory for the work of one thread. The parts that depend on the tile's size are rebuilt
  /// when the size changes.
  class Workspace {
   public:
    Workspace(const GroundMatch& match, const typename B::Target& target)
        : target_(target), search_(match.configuration_.ground_match.headings) {
      const auto most = static_cast<std::size_t>(HeadingSearch::most_rows(
          match.configuration_.ground_match.headings, match.configuration_.ground_match.ratios));
      poses_.reserve(most);
      bias_.reserve(most);
      headings_.reserve(most * HeadingSearch::kParts);
    }

   private:
    friend class GroundMatch;
    /// What a pass over tiles of one size needs.
    struct Room {
      Room(const GroundMatch& match, const typename B::Target& target, Index tile_side,
           Index most_rows)
          : side(tile_side),
            rows(most_rows),
            backbone(target, match.tile_weights_, {1, side, side, 3}),
            grid(backbone.output_shape()[1]),
            even({grid, grid}),
            arena(target, match.lay_out(nullptr, *this).second),
            buffers(match.lay_out(arena.data(), *this).first),
            context(target,
                    std::max({backbone.scratch_bytes(), match.scratch_bytes(),
                              B::correlate_scratch_bytes(target, match.tile_features_shape(grid),
                                                         match.view_features_shape(rows))})),
            results(outputs_count(grid) + static_cast<std::size_t>(rows)) {
        std::fill_n(even.data(), even.size(), 1.0F);
        // A cell is centred on its feature.
        const std::vector<float> middle(static_cast<std::size_t>(2 * grid * grid), 0.5F);
        B::write(context, middle.data(),
                 outputs().offsets().template reshape<1>({2 * grid * grid}));
      }
      ops::HeadOutputs<Space> outputs() const { return {buffers.results, 1, grid}; }
      ops::HeadOutputs<HostSpace> host_outputs() { return {results.data(), 1, grid}; }

      Index side;
      Index rows;  ///< number of rows of scores that fit
      Backbone backbone;
      Index grid;
      Tensor<float, 2> even;  ///< weights of positions: all equal
      typename B::Arena arena;
      Buffers buffers;
      typename B::Context context;
      std::vector<float> results;
      std::vector<std::uint8_t> pixels;  ///< of the tile whose features are stored, if any
      Shape<3> pixels_shape{};
    };

    typename B::Target target_;
    std::vector<Tensor<float, 2>> weights_;  ///< of the ground, for every row or for all of them
    bool same_weights_ = true;
    double seen_ = 0;
    std::vector<std::uint8_t> corners_;
    std::optional<camera::BasicCamera<float>> camera_;
    std::vector<MountVariant> variants_;
    HeadingSearch search_;
    std::vector<ops::CameraPose> poses_;
    std::vector<float> bias_;
    std::vector<float> headings_;
    std::vector<float> scores_;  ///< in host memory, where the backend's are not
    std::vector<float> mass_;    ///< of `for_each_row`
    std::unique_ptr<Room> room_;
  };

  /// Reads the parameters. Throws WeightsError if they do not match this configuration.
  GroundMatch(const typename B::Target& target, Parameters parameters,
              const Configuration& configuration)
      : configuration_(configuration),
        view_weights_(parameters, "trunk", configuration.ground_match.blocks,
                      {"adapters.view", configuration.ground_match.adapters}),
        tile_weights_(parameters, "trunk", configuration.ground_match.blocks,
                      {"adapters.tile", configuration.ground_match.adapters}),
        parameter_count_(parameters.count()),
        view_backbone_(target, view_weights_, view_images_shape(1)) {
    if (kTogether > 1) views_backbone_.emplace(target, view_weights_, view_images_shape(kTogether));
    Tensor<float, 2> weights({view_cells(), view_cells()});
    whole_ground_ = weigh_ground(configuration_.ground_match, configuration_.ground_match.nearest,
                                 *configuration_.metres_per_network_pixel * kStride, weights);
  }

  const Configuration& configuration() const { return configuration_; }
  Index parameter_count() const { return parameter_count_; }

  /// Answers a question. The outputs are stored in `work`. The logits are the marginal over
  /// headings and ratios at the configuration's temperature. A cell covers `kStride` pixels of the
  /// tile as the backbone sees it; its middle is at `kFirstCentre` + kStride * (row, col) in those
  /// pixels.
  ops::HeadOutputs<HostSpace> operator()(Workspace& work, const Question& question) const {
    start(work, question);
    extract_tile(work, question);
    score(work, question, 0);
    if (work.search_.searched()) {
      const Index steps = work.search_.rows();
      sum_up(work);
      work.search_.refine(read_masses(work));
      score(work, question, steps);
    }
    return decode(work);
  }

  /// Computes the features of the tile. Does nothing if the tile is identical, pixel for pixel, to
  /// the previous one.
  void extract_tile(Workspace& work, const Question& question) const {
    const Index side = tile_side(question);
    const auto variants = static_cast<Index>(work.variants_.size());
    const Index needed =
        work.search_.searched()
            ? HeadingSearch::most_rows(configuration_.ground_match.headings, variants)
            : variants;
    if (!work.room_ || work.room_->side != side || work.room_->rows < needed) {
      work.room_.reset();
      work.room_ = std::make_unique<typename Workspace::Room>(*this, work.target_, side, needed);
    }
    auto& room = *work.room_;
    if (holds(room, question.satellite)) return;
    room.pixels_shape = {};  // no features are valid until all are computed
    const auto [mean, std] = normalization();
    const ops::ActivationView<B, 3> image(room.buffers.tile_image, {side, side, 3});
    B::load_image(room.context, question.satellite, mean.values, std.values, image);
    extract(
        room, room.backbone, image.template reshape<4>({1, side, side, 3}),
        [&](Index) -> const Tensor<float, 2>& { return room.even; },
        tile_features(room).template reshape<4>(room.backbone.output_shape()),
        "satellite backbone");
    keep(room, question.satellite);
  }

  /// Computes the features of the views for the search's rows from `first` on.
  void extract_views(Workspace& work, const Question& question, Index first) const {
    const HeadingSearch& search = work.search_;
    work.poses_.clear();
    for (Index row = first; row < search.rows(); ++row) {
      work.poses_.push_back(pose(work, question, row));
    }
    weigh(work, question, first);
    const auto count = static_cast<Index>(work.poses_.size());
    const ops::ActivationView<B, 4> views = view_features(work, count);
    for (Index done = 0; done < count;) {
      const bool many = views_backbone_ && count - done >= kTogether;
      const Index together = many ? kTogether : 1;
      look(work, question, many ? *views_backbone_ : view_backbone_, first + done,
           std::span(work.poses_)
               .subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(together)),
           views.slice(0, done, done + together));
      done += together;
    }
  }

  /// Computes the scores of those rows.
  void correlate(Workspace& work, Index first) const {
    auto& room = *work.room_;
    const Index count = work.search_.rows() - first;
    const TensorView<float, 3, Space> scores(room.buffers.scores + first * room.grid * room.grid,
                                             {count, room.grid, room.grid});
    const ops::ConstActivationView<B, 3> tile(tile_features(room));
    const ops::ConstActivationView<B, 4> views(view_features(work, count));
    if (work.same_weights_) {
      B::correlate(room.context, tile, views, work.weights_.front(), scores);
    } else {
      for (Index view = 0; view < count; ++view) {
        B::correlate(room.context, tile, views.slice(0, view, view + 1),
                     weights_of(work, first + view), scores.slice(0, view, view + 1));
      }
    }
    ops::expect_finite(scores, "correlation");
  }

  /// Computes the answer from the scores.
  ops::HeadOutputs<HostSpace> decode(Workspace& work) const {
    auto& room = *work.room_;
    sum_up(work);
    ops::Decoding decoding = configuration_.decoding;
    decoding.temperature = 1;
    decoding.sigmoid = false;
    B::decode(room.context, room.outputs(), decoding);
    const auto block = room.outputs().block();
    B::read(room.context, TensorView<const float, 2, Space>(block), room.results.data());
    work.search_.posterior(read_masses(work), work.headings_);
    // As for every network, the posterior is the softmax of the logits over the temperature.
    const auto logits = room.host_outputs().logits()[0];
    for (Index i = 0; i < logits.size(); ++i) {
      logits(i) *= static_cast<float>(configuration_.decoding.temperature);
    }
    return room.host_outputs();
  }

  /// The posterior over the headings of the last question, at even steps clockwise from north if
  /// they were searched. If the heading was known, a single 1.
  const std::vector<float>& heading_probability(const Workspace& work) const {
    return work.headings_;
  }

  /// The posterior of the last question over headings (as above) and positions, [K, grid, grid],
  /// sums to 1.
  void pose_probability(Workspace& work, std::vector<float>& probability) const {
    const HeadingSearch& search = work.search_;
    const Index cells = work.room_->grid * work.room_->grid;
    probability.assign(static_cast<std::size_t>(search.bins() * cells), 0.0F);
    for_each_row(work, [&](const HeadingSearch::Heading& heading, std::span<const float> mass) {
      search.for_each_bin(heading, [&](Index bin) {
        float* map = probability.data() + bin * cells;
        for (const float p : mass) *map++ += p;
      });
    });
  }

  /// each(heading, mass) for the rows of scores of the last question: `mass` [cells] is the
  /// posterior of each bin of the heading's arc and of the row's ratio.
  template <class Each>
  void for_each_row(Workspace& work, const Each& each) const {
    auto& room = *work.room_;
    const HeadingSearch& search = work.search_;
    const auto cells = static_cast<std::size_t>(room.grid * room.grid);
    const float* scores = read_scores(work);
    const double scale = 1.0 / configuration_.decoding.temperature;
    const double total = HeadingSearch::log_sum(
        std::span<const float>(room.results)
            .subspan(outputs_count(room.grid), static_cast<std::size_t>(search.rows())));
    work.mass_.resize(cells);
    for (Index row = 0; row < search.rows(); ++row, scores += cells) {
      const auto& heading = search.heading(row);
      const double share =
          log_prior(work, row) - total - std::log(static_cast<double>(heading.width));
      for (std::size_t cell = 0; cell < cells; ++cell) {
        work.mass_[cell] =
            static_cast<float>(std::exp(scale * static_cast<double>(scores[cell]) + share));
      }
      each(heading, std::span<const float>(work.mass_));
    }
  }

  /// Logarithm of the sum of the priors of the last question's rows, which the logits include.
  double log_prior(const Workspace& work) const {
    double sum = 0;
    for (Index row = 0; row < work.search_.rows(); ++row) sum += std::exp(log_prior(work, row));
    return std::log(sum);
  }

  /// Of the ground that is looked at, the share by weight that the last question's image shows in
  /// the pose that shows most.
  double seen(const Workspace& work) const { return work.seen_; }

  /// Side of the tile as the backbone sees it, in pixels.
  Index tile_side(const Question& question) const {
    return matched_side(configuration_, question.satellite.extent(0), question.satellite.extent(1),
                        question.metres_per_pixel);
  }

  /// Side of a view, in cells and in pixels.
  Index view_cells() const {
    const auto& settings = configuration_.ground_match;
    const double cell = *configuration_.metres_per_network_pixel * kStride;
    return 2 * static_cast<Index>(std::floor(settings.farthest / cell)) + 1;
  }
  Index view_side() const { return (view_cells() - 1) * kStride + 1; }

  static constexpr Index kStride = EfficientNetLiteWeights::kStride;
  /// The middle of the first cell, in pixels of the tile as the backbone sees it: a feature is
  /// centred on the middle of its first pixel.
  static constexpr double kFirstCentre = 0.5;

 private:
  /// Number of views that go through the backbone together. Many are faster on a GPU; few fit into
  /// a CPU's caches.
  static constexpr Index kTogether = Space::kHostAccessible ? 1 : 6;

  std::size_t scratch_bytes() const {
    return std::max(view_backbone_.scratch_bytes(),
                    views_backbone_ ? views_backbone_->scratch_bytes() : 0);
  }
  Shape<4> view_images_shape(Index count) const { return {count, view_side(), view_side(), 3}; }
  Shape<4> view_features_shape(Index count) const {
    return {count, view_cells(), view_cells(), view_weights_.channels()};
  }
  Shape<3> tile_features_shape(Index grid) const { return {grid, grid, tile_weights_.channels()}; }
  static std::size_t outputs_count(Index grid) {
    return static_cast<std::size_t>(ops::HeadOutputs<HostSpace>::element_count(1, grid));
  }

  std::pair<Buffers, std::size_t> lay_out(std::byte* base,
                                          const typename Workspace::Room& room) const {
    Layout layout(base);
    Buffers buffers;
    Index elements = std::max(room.backbone.buffer_elements(), view_backbone_.buffer_elements());
    if (views_backbone_) elements = std::max(elements, views_backbone_->buffer_elements());
    layout.take(buffers.tile_image, room.side * room.side * 3);
    layout.take(buffers.tile_features, element_count(tile_features_shape(room.grid)));
    layout.take(buffers.view_images, element_count(view_images_shape(kTogether)));
    layout.take(buffers.view_features, element_count(view_features_shape(room.rows)));
    for (auto& buffer : buffers.backbone) layout.take(buffer, elements);
    layout.take(buffers.scores, room.rows * room.grid * room.grid);
    layout.take(buffers.bias, room.rows);
    layout.take(buffers.results, static_cast<Index>(outputs_count(room.grid)) + room.rows);
    return {buffers, layout.bytes()};
  }

  static bool holds(const typename Workspace::Room& room,
                    const TensorView<const std::uint8_t, 3>& tile) {
    if (room.pixels_shape != tile.shape()) return false;
    const auto row_bytes = static_cast<std::size_t>(3 * tile.extent(1));
    for (Index row = 0; row < tile.extent(0); ++row) {
      const std::uint8_t* kept = room.pixels.data() + static_cast<std::size_t>(row) * row_bytes;
      if (std::memcmp(kept, &tile(row, 0, 0), row_bytes) != 0) return false;
    }
    return true;
  }
  static void keep(typename Workspace::Room& room, const TensorView<const std::uint8_t, 3>& tile) {
    room.pixels.resize(static_cast<std::size_t>(tile.size()));
    for (Index row = 0; row < tile.extent(0); ++row) {
      std::copy_n(&tile(row, 0, 0), 3 * tile.extent(1),
                  room.pixels.data() + row * 3 * tile.extent(1));
    }
    room.pixels_shape = tile.shape();
  }

  ops::ActivationView<B, 3> tile_features(const typename Workspace::Room& room) const {
    return {room.buffers.tile_features, tile_features_shape(room.grid)};
  }
  ops::ActivationView<B, 4> view_features(const Workspace& work, Index count) const {
    return {work.room_->buffers.view_features, view_features_shape(count)};
  }
  TensorView<float, 2, Space> scores_of(const Workspace& work) const {
    const auto& room = *work.room_;
    return {room.buffers.scores, {work.search_.rows(), room.grid * room.grid}};
  }

  /// Prepares the variants and the headings of a question.
  void start(Workspace& work, const Question& question) const {
    mount_variants(configuration_.ground_match, question.mounted, work.variants_);
    work.search_.start(question.heading_degrees, static_cast<Index>(work.variants_.size()),
                       question.heading_sigma_degrees);
    work.camera_.reset();
    if (question.mounted != nullptr) work.camera_.emplace(question.mounted->camera);
    // A whole panorama sees as much of the ground in every direction.
    work.same_weights_ = question.mounted == nullptr || is_whole_panorama(question.mounted->camera);
  }

  double log_prior(const Workspace& work, Index row) const {
    return work.search_.log_prior(row) + variant(work, row).log_weight;
  }
  static const MountVariant& variant(const Workspace& work, Index row) {
    return work.variants_[static_cast<std::size_t>(row % work.search_.variants())];
  }

  ops::CameraPose pose(const Workspace& work, const Question& question, Index row) const {
    const MountVariant& stands = variant(work, row);
    const double height = nominal_height(configuration_.ground_match, question.mounted);
    return {static_cast<float>(height * stands.height_ratio),
            static_cast<float>(work.search_.heading(row).degrees),
            static_cast<float>(stands.roll_degrees), static_cast<float>(stands.pitch_degrees)};
  }

  const Tensor<float, 2>& weights_of(const Workspace& work, Index row) const {
    return work.weights_[work.same_weights_ ? 0 : static_cast<std::size_t>(row)];
  }

  /// Computes the weights of the rows from `first` on, whose poses are in `work`. A variant that
  /// sees no ground keeps the weights of a camera that sees all of it: its view is of one colour
  /// and matches nothing.
  void weigh(Workspace& work, const Question& question, Index first) const {
    const auto& settings = configuration_.ground_match;
    const double cell = *configuration_.metres_per_network_pixel * kStride;
    const double nearest = nearest_used(settings, question.image, question.mounted);
    const auto rows = static_cast<std::size_t>(work.same_weights_ ? 1 : work.search_.rows());
    while (work.weights_.size() < rows) {
      work.weights_.emplace_back(Shape<2>{view_cells(), view_cells()});
    }
    if (first == 0) work.seen_ = 0;
    for (auto row = static_cast<std::size_t>(work.same_weights_ ? 0 : first); row < rows; ++row) {
      Tensor<float, 2>& weights = work.weights_[row];
      double seen = weigh_ground(settings, nearest, cell, weights);
      if (!(seen > 0)) throw no_ground(settings);
      if (!work.same_weights_) {
        const ops::PosedCamera posed(*work.camera_,
                                     work.poses_[row - static_cast<std::size_t>(first)]);
        seen = keep_seen(posed, cell, weights, work.corners_);
        if (!(seen > 0)) weigh_ground(settings, nearest, cell, weights);
      }
      work.seen_ = std::max(work.seen_, seen / whole_ground_);
    }
  }

  /// Standardized features of images [n, side, side, 3], each over positions with `weights(i)`.
  void extract(typename Workspace::Room& room, const Backbone& backbone,
               ops::ConstActivationView<B, 4> images, const auto& weights,
               ops::ActivationView<B, 4> features, const char* stage) const {
    const auto found = backbone(room.context, images, room.buffers.backbone);
    for (Index i = 0; i < features.extent(0); ++i) {
      const Tensor<float, 2>& of_positions = weights(i);
      B::standardize(room.context, ops::ConstActivationView<B, 3>(found[i]), of_positions,
                     features[i]);
    }
    ops::expect_moderate(found, stage);
  }

  void score(Workspace& work, const Question& question, Index first) const {
    extract_views(work, question, first);
    correlate(work, first);
  }

  /// Computes the standardized features of the ground as seen from each pose.
  void look(Workspace& work, const Question& question, const Backbone& backbone, Index first,
            std::span<const ops::CameraPose> poses, ops::ActivationView<B, 4> features) const {
    auto& room = *work.room_;
    const auto [mean, std] = normalization();
    const ops::ActivationView<B, 4> images(room.buffers.view_images,
                                           view_images_shape(static_cast<Index>(poses.size())));
    const ops::GroundViewSpecification specification{
        view_side(), static_cast<float>(*configuration_.metres_per_network_pixel)};
    if (work.camera_) {
      B::sample_ground(room.context, question.image, *work.camera_, specification, poses,
                       mean.values, std.values, images);
    } else {
      B::sample_ground(room.context, question.image, specification, poses, mean.values, std.values,
                       images);
    }
    extract(
        room, backbone, images,
        [&](Index i) -> const Tensor<float, 2>& { return weights_of(work, first + i); }, features,
        "ground backbone");
  }

  /// Marginals of exp(score / temperature) times the prior. Those of positions are written to the
  /// outputs' logits, those of rows behind the outputs.
  void sum_up(Workspace& work) const {
    auto& room = *work.room_;
    const HeadingSearch& search = work.search_;
    const double temperature = configuration_.decoding.temperature;
    work.bias_.clear();
    for (Index row = 0; row < search.rows(); ++row) {
      work.bias_.push_back(static_cast<float>(temperature * log_prior(work, row)));
    }
    const TensorView<float, 1, Space> bias(room.buffers.bias, {search.rows()});
    B::write(room.context, work.bias_.data(), bias);
    const TensorView<float, 1, Space> of_rows(room.buffers.results + outputs_count(room.grid),
                                              {search.rows()});
    B::log_sum_exp(room.context, TensorView<const float, 2, Space>(scores_of(work)),
                   TensorView<const float, 1, Space>(bias), static_cast<float>(1 / temperature),
                   of_rows, room.outputs().logits()[0]);
  }

  /// The logarithms of the rows' masses, in host memory.
  std::span<const float> read_masses(Workspace& work) const {
    auto& room = *work.room_;
    const std::size_t behind = outputs_count(room.grid);
    const auto masses =
        std::span(room.results).subspan(behind, static_cast<std::size_t>(work.search_.rows()));
    B::read(
        room.context,
        TensorView<const float, 2, Space>(room.buffers.results + behind, {1, work.search_.rows()}),
        masses.data());
    return masses;
  }

  /// The scores of the last question in host memory, [rows, cells].
  const float* read_scores(Workspace& work) const {
    const TensorView<const float, 2, Space> scores(scores_of(work));
    if constexpr (Space::kHostAccessible) {
      return scores.data();
    } else {
      work.scores_.resize(static_cast<std::size_t>(scores.size()));
      B::read(work.room_->context, scores, work.scores_.data());
      return work.scores_.data();
    }
  }

  struct Rgb {
    float values[3];
  };
  std::pair<Rgb, Rgb> normalization() const {
    const auto& [mean, std] = configuration_.normalization;
    return {{{mean[0], mean[1], mean[2]}}, {{std[0], std[1], std[2]}}};
  }

  Configuration configuration_;
  EfficientNetLiteWeights view_weights_;  ///< of the backbone and the view's adapters
  EfficientNetLiteWeights tile_weights_;  ///< of the backbone and the tile's adapters
  Index parameter_count_;
  double whole_ground_ = 0;  ///< sum of the weights of a view that shows all ground
  Backbone view_backbone_;
  std::optional<Backbone> views_backbone_;  ///< for `kTogether` views
};

}  // namespace crossfix::model

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crossfix/detail/model/ground_match.hpp"
#include "engine.hpp"

namespace crossfix {

/// The engine of the family `ground_match`, whose tiles may have any size, on a backend.
template <class B>
class GroundEngine final : public Engine {
  using Match = model::GroundMatch<B>;
  using Target = typename B::Target;

 public:
  GroundEngine(const Target& target, std::shared_ptr<const Match> match, std::string description)
      : target_(target),
        match_(std::move(match)),
        workspace_(*match_, target),
        description_(std::move(description)) {}

  std::unique_ptr<Engine> share() const override {
    return std::make_unique<GroundEngine>(sibling(), match_, description_);
  }

  Index batch() const override { return 1; }

  ops::HeadOutputs<HostSpace> run(std::span<const Images> pairs) override {
    const Images& images = pairs.front();
    const typename Match::Question question{images.ground,
                                            images.satellite,
                                            images.metres_per_pixel,
                                            images.heading_degrees,
                                            images.heading_sigma_degrees,
                                            images.mounted};
    const auto outputs = (*match_)(workspace_, question);
    const auto side = static_cast<double>(match_->tile_side(question));
    const double rows = static_cast<double>(images.satellite.extent(0)) / side;
    const double cols = static_cast<double>(images.satellite.extent(1)) / side;
    constexpr double kStart = Match::kFirstCentre - Match::kStride / 2.0;
    const auto covered = static_cast<double>(outputs.grid() * Match::kStride);
    window_ = {kStart * rows, kStart * cols, covered * rows, covered * cols};
    return outputs;
  }
  std::optional<PixelWindow> window() const override { return window_; }
  ops::HeadOutputs<HostSpace> run(std::span<const DeviceImages>) override {
    throw DeviceError(
        "images in a GPU's memory were given to weights that match on the ground plane: give them "
        "in host memory");
  }
  std::span<const float> heading_probability() const override {
    return match_->heading_probability(workspace_);
  }
  void pose_probability(std::vector<float>& probability) override {
    match_->pose_probability(workspace_, probability);
  }
  void add_poses(ops::PoseSums& sums) override {
    match_->for_each_row(workspace_, [&](const auto& heading, std::span<const float> mass) {
      sums.add(heading.bin, heading.width, mass);
    });
  }

  double log_prior() const override { return match_->log_prior(workspace_); }
  double seen() const override { return match_->seen(workspace_); }

  Device device() const override { return B::Space::kHostAccessible ? Device::cpu : Device::cuda; }
  Precision precision() const override { return precision_of<typename B::Element>(); }
  Index parameter_count() const override { return match_->parameter_count(); }
  std::string description() const override { return description_; }

 private:
  /// A target for another thread.
  Target sibling() const {
    if constexpr (requires { target_.sibling(); }) {
      return target_.sibling();
    } else {
      return target_;
    }
  }

  Target target_;
  std::shared_ptr<const Match> match_;
  typename Match::Workspace workspace_;
  std::string description_;
  PixelWindow window_;
};

/// Throws WeightsError if parameters do not match the configuration.
template <class B>
std::unique_ptr<Engine> make_ground_engine(const typename B::Target& target,
                                           const TensorRecords& records,
                                           const model::Configuration& configuration,
                                           std::string description) {
  return std::make_unique<GroundEngine<B>>(
      target,
      std::make_shared<const model::GroundMatch<B>>(
          target, model::Parameters(model::source_of(records)), configuration),
      std::move(description));
}

}  // namespace crossfix

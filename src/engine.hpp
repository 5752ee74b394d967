#pragma once

#include <memory>
#include <span>
#include <string>

#include "crossfix/core/tensor_record.hpp"
#include "crossfix/localizer.hpp"

namespace crossfix {

/// A network on some backend at some precision, behind one interface: where the localizer stops
/// knowing types. Used by one thread at a time.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Another engine over the same weights, with its own working memory.
  virtual std::unique_ptr<Engine> share() const = 0;

  /// Images to raw outputs: `logits` [cells] and `offsets` [cells, 2] after the sigmoid.
  virtual void run(HostImageView satellite, HostImageView ground, std::span<float> logits,
                   std::span<float> offsets) = 0;

  virtual Device device() const = 0;
  virtual Precision precision() const = 0;
  virtual Index parameter_count() const = 0;
  virtual std::string description() const = 0;
};

/// Prepares the network for the device and precision that `options` ask for. Throws WeightsError for
/// parameters that do not fit the configuration, DeviceError for what the build or machine lacks.
std::unique_ptr<Engine> make_engine(const TensorRecords& records,
                                    const model::Configuration& configuration,
                                    const LocalizerOptions& options);

}  // namespace crossfix

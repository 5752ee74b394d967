#pragma once

#include <memory>
#include <string>

#include "crossfix/core/tensor_record.hpp"
#include "crossfix/localizer.hpp"
#include "crossfix/ops/decoder.hpp"

namespace crossfix {

/// A network on some backend at some precision, behind one interface: where the localizer stops
/// knowing types. Used by one thread at a time.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Another engine over the same weights, with its own working memory.
  virtual std::unique_ptr<Engine> share() const = 0;

  /// Images to what the network says of them. The views hold until the next run.
  virtual ops::DecoderOutputs<HostSpace> run(HostImageView satellite, HostImageView ground) = 0;

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

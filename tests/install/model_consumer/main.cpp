#include <cmath>
#include <crossfix/cpu/backend.hpp>
#include <crossfix/io/configuration.hpp>
#include <crossfix/model/fusion.hpp>
#include <crossfix/model/heads.hpp>
#include <cstdio>
#include <vector>

namespace {

using namespace crossfix;
using Backend = cpu::Backend<float>;
using Fusion = model::Fusion<Backend>;

/// Fusion and heads over tokens from outside, as for a user with other backbones.
int fuse(const char* weights) {
  const auto file = io::Safetensors::open(weights);
  const model::Configuration configuration = io::read_configuration(file);
  model::Parameters parameters(model::source_of(file.tensors()));
  const cpu::Target target{.threads = 1};
  const Fusion fusion(target, parameters, configuration, 1);
  const model::Heads<Backend> heads(target, parameters, configuration, 1);

  const Index d = configuration.model_width;
  const Index ground_count = configuration.ground_tokens();
  const Index satellite_count = configuration.satellite_tokens();
  Tensor<float, 2> ground({ground_count, d});
  Tensor<float, 2> satellite({satellite_count, d});
  for (Index i = 0; i < ground.size(); ++i)
    ground.data()[i] = std::sin(0.1F * static_cast<float>(i));
  for (Index i = 0; i < satellite.size(); ++i) {
    satellite.data()[i] = std::cos(0.1F * static_cast<float>(i));
  }
  const Index larger = std::max(ground_count, satellite_count);
  Tensor<float, 2> ground_projected({ground_count, 3 * d});
  Tensor<float, 2> satellite_projected({satellite_count, 3 * d});
  Tensor<float, 2> attended({larger, d});
  Tensor<float, 2> branch({larger, d});
  Tensor<float, 2> hidden({larger, configuration.ffn_width});
  Tensor<float, 2> first({satellite_count, d});
  Tensor<float, 2> second({satellite_count, d});
  Tensor<float, 2> logits({satellite_count, 1});
  Tensor<float, 2> offsets({satellite_count, 2});

  Backend::Context context(target, std::max(fusion.scratch_bytes(), heads.scratch_bytes()));
  fusion(context, Fusion::GroundTokens({ground, ground}),
         Fusion::SatelliteTokens({satellite, satellite}),
         {ground_projected.data(), satellite_projected.data(), attended.data(), branch.data(),
          hidden.data()});
  heads(context, satellite, {first.data(), second.data()}, logits, offsets);
  float largest = logits(0, 0);
  float smallest = logits(0, 0);
  for (Index i = 0; i < satellite_count; ++i) {
    if (!std::isfinite(logits(i, 0)) || !std::isfinite(offsets(i, 1))) return 1;
    largest = std::max(largest, logits(i, 0));
    smallest = std::min(smallest, logits(i, 0));
  }
  std::printf("logits from %.3f to %.3f\n", smallest, largest);
  return largest > smallest ? 0 : 1;
}

}  // namespace

// model_consumer WEIGHTS: the fusion and heads of the reference network, from an installed prefix.
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    return fuse(argv[1]);
  } catch (const crossfix::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

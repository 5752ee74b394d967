/// crossfix-fusion MODEL FEATURES OUT [f32|bf16]: runs the fusion network alone, to compare it with
/// the reference on varied features. FEATURES holds `satellite` [batch, cells, d] and `ground`
/// [batch, tokens, d], the projected tokens. OUT will hold `fused` [batch, cells, d].
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/detail/model/network.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"

namespace {

using namespace crossfix;

std::vector<float> tokens_of(const io::Safetensors& file, const char* name,
                             const std::vector<Index>& shape) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.shape.size() != 3 ||
      found->second.shape[1] != shape[0] || found->second.shape[2] != shape[1]) {
    throw DataError(file.path().string() + ": expected a tensor '" + name + "' of shape [batch, " +
                    std::to_string(shape[0]) + ", " + std::to_string(shape[1]) + "]");
  }
  std::vector<float> values(static_cast<std::size_t>(found->second.element_count()));
  to_float(found->second, values.data());
  return values;
}

template <class Element>
void run(const std::string& model, const std::string& features, const std::string& out) {
  const auto weights = io::Safetensors::open(model);
  const model::Configuration configuration = io::read_configuration(weights);
  const auto input = io::Safetensors::open(features);
  const Index d = configuration.model_width;
  const auto satellite = tokens_of(input, "satellite", {configuration.satellite_tokens(), d});
  const auto ground = tokens_of(input, "ground", {configuration.ground_tokens(), d});
  const Index batch = static_cast<Index>(satellite.size()) / (configuration.satellite_tokens() * d);
  if (static_cast<Index>(ground.size()) != batch * configuration.ground_tokens() * d) {
    throw DataError(features + ": 'satellite' and 'ground' have different batch sizes");
  }
  const model::Network<cpu::Backend<Element>> network(
      {}, model::Parameters(model::source_of(weights.tensors())), configuration, batch);
  typename model::Network<cpu::Backend<Element>>::Workspace work(network, {});
  const auto fill = [](auto view, const std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      view.data()[i] = values[i];
    }
  };
  fill(network.satellite_tokens(work), satellite);
  fill(network.ground_tokens(work), ground);
  network.fuse(work);
  const auto tokens = network.satellite_tokens(work);
  const std::vector<float> fused(tokens.data(), tokens.data() + tokens.size());
  TensorRecords records;
  records["fused"] = {Dtype::f32,
                      {batch, configuration.satellite_tokens(), d},
                      reinterpret_cast<const std::byte*>(fused.data())};
  io::write_safetensors(out, records);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view precision = argc == 5 ? argv[4] : "f32";
  if (argc < 4 || argc > 5 || (precision != "f32" && precision != "bf16")) {
    std::fputs(
        "usage: crossfix-fusion MODEL FEATURES OUT [f32|bf16]\n"
        "example: crossfix-fusion vigor.safetensors features.safetensors fused.safetensors bf16\n",
        stderr);
    return 2;
  }
  try {
    (precision == "bf16" ? run<bfloat16> : run<float>)(argv[1], argv[2], argv[3]);
  } catch (const DeviceError& error) {
    std::fprintf(stderr, "crossfix-fusion: error: %s\n", error.what());
    return 4;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crossfix-fusion: error: %s\n", error.what());
    return 3;
  }
  return 0;
}

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/model/network.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test {

/// A configuration small enough for a test to run in a blink.
inline model::Configuration tiny_configuration() {
  model::Configuration c;
  c.trunk = {.blocks = {1, 2, 1}, .planes = 8, .shared = true};
  c.model_width = 64;
  c.heads = 2;
  c.encoder_layers = 1;
  c.ffn_width = 96;
  c.grid = 8;
  c.satellite_size = 128;
  c.ground_size = {64, 128};
  return c;
}

/// The tensors a network of this configuration asks for, with generated values.
struct GeneratedModel {
  std::map<std::string, std::vector<float>> values;
  TensorRecords records;

  explicit GeneratedModel(const model::Configuration& configuration) {
    const auto source = [this](const std::string& name, std::span<const Index> shape, float* out) {
      const std::vector<Index> extents(shape.begin(), shape.end());
      auto& tensor = values[name];
      Index count = 1;
      for (const Index extent : shape) count *= extent;
      tensor.resize(static_cast<std::size_t>(count));
      const std::uint64_t s = stream(name);
      for (Index i = 0; i < count; ++i) {
        tensor[static_cast<std::size_t>(i)] = weight(name, s, extents, i);
      }
      std::copy(tensor.begin(), tensor.end(), out);
      records[name] = {Dtype::f32, extents, reinterpret_cast<const std::byte*>(tensor.data())};
    };
    const model::Network<cpu::Backend<float>> network({}, model::Parameters(source), configuration,
                                                      1);
  }

  void write(const std::filesystem::path& path, const model::Configuration& configuration) const {
    io::write_safetensors(path, records, {{io::kConfigurationKey, io::to_json(configuration)}});
  }
};

}  // namespace crossfix::test

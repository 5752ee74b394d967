#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/detail/model/families.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "io/files.hpp"
#include "support/counter_generator.hpp"
#include "support/tiny_configuration.hpp"

namespace crossfix::test {

/// The tensors that a network of this configuration needs, with generated values.
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
    model::with_network<cpu::Backend<float>>(configuration.family, [&]<class Network>() {
      Network({}, model::Parameters(source), configuration, 1);
    });
  }

  void write(const std::filesystem::path& path, const model::Configuration& configuration) const {
    io::write_safetensors(path, records, {{io::kConfigurationKey, io::to_json(configuration)}});
  }
};

/// A tiny model file that exists as long as the object.
class ModelFile {
 public:
  explicit ModelFile(const model::Configuration& configuration = tiny_configuration()) {
    GeneratedModel(configuration).write(path_, configuration);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "weights.safetensors";
};

}  // namespace crossfix::test

#include "model_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <vector>

#include "crossfix/core/number_text.hpp"
#include "messages.hpp"
#include "pipeline/thread_count.hpp"

namespace crossfix::cli {
namespace {

constexpr std::array kDevices{Device::automatic, Device::cpu, Device::cuda};
constexpr std::array kPrecisions{Precision::automatic, Precision::f32, Precision::bf16,
                                 Precision::f16};

std::vector<std::string> names_of(const auto& values) {
  std::vector<std::string> names(values.size());
  std::ranges::transform(values, names.begin(), [](auto value) { return name_of(value); });
  return names;
}

/// The value of that name, which is one of them.
auto named(const auto& values, const std::string& name) {
  return *std::find_if(values.begin(), values.end(),
                       [&](const auto value) { return name_of(value) == name; });
}

/// Beside the program, both in a build tree and where it is installed.
std::filesystem::path bundled_model(const std::string& name) {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "share/crossfix/models" / name;
}

}  // namespace

void ModelOptions::add_to(CLI::App& command) {
  command.add_option("--device", device, "cpu, cuda, or auto: CUDA where there is one")
      ->check(CLI::IsMember(names_of(kDevices)))
      ->capture_default_str();
  command
      .add_option("--precision", precision,
                  "f32, bf16, f16 (GPU), or auto: bf16 where the machine has instructions for it")
      ->check(CLI::IsMember(names_of(kPrecisions)))
      ->capture_default_str();
  command
      .add_option("--threads", threads,
                  "CPU threads of a rank; all cores where absent, divided among a machine's ranks")
      ->check(CLI::Range(1, 4096));
  command
      .add_option("--gpu", gpu,
                  "Number of the GPU; where absent the first, and of several ranks on a machine "
                  "each takes its own")
      ->check(CLI::Range(0, 1023));
}

std::filesystem::path ModelOptions::model_path() const {
  if (!model.empty()) return model;
  std::filesystem::path file = bundled_model(bundled);
  if (!std::filesystem::exists(file)) {
    throw CLI::ValidationError("--model",
                               "needed: there are no bundled weights at " + file.string());
  }
  return file;
}

Localizer ModelOptions::load(const io::Safetensors& weights, const ranks::Topology& topology,
                             LocalizerOptions options) const {
  options.device = named(kDevices, device);
  options.precision = named(kPrecisions, precision);
  const bool first = topology.rank == 0;
  options.threads = pipeline::usable_threads(threads, topology.cpus, [&](const std::string& text) {
    if (first) warn(text);
  });
  options.gpu = gpu.value_or(topology.local_rank);
  return Localizer::load(weights, options);
}

void need_one_rank(const ranks::Ranks& ranks, const std::string& what) {
  if (ranks.alone()) return;
  throw CLI::ValidationError(what, "has no work to share: start it without mpirun");
}

std::uint64_t parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seed);
  if (error == std::errc() && stop == end) return seed;
  throw DataError("'" + text + "' is no whole number from 0 to 2^64 - 1");
}

std::string plain_number(const std::string& text) {
  const auto value = parse_number(text);
  if (!value) throw CLI::ValidationError("'" + text + "' is no number");
  const std::string_view plain = without_blanks(text);
  return std::string(plain.substr(plain.starts_with('+') ? 1 : 0));
}

}  // namespace crossfix::cli

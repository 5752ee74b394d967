/// Pairs on a GPU, the reference network with generated weights, through the Localizer:
///
/// - gpu/device_images: from 8-bit images in the GPU's memory to fixes on the host;
/// - gpu/host_images: the images are in host memory;
/// - gpu/files: from JPEG files; all cores read the next batch while one is located;
/// - gpu/backbones, gpu/fusion, gpu/heads: stages, as CUDA graphs launched back to back;
/// - gpu/match: the ground-plane matcher with the bundled weights, compared with the CPU's logits.
///
/// Images have VIGOR's sizes, so resizing is part of the work. A benchmark first compares the fixes
/// of the golden images with the float64 reference, in every slot of its batch.
#include "model/gpu_bench.hpp"

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crossfix/crossfix.hpp"
#include "crossfix/cuda/backend.hpp"
#include "crossfix/cuda/graph.hpp"
#include "crossfix/detail/cuda/libraries.hpp"
#include "crossfix/detail/model/network.hpp"
#include "support/golden.hpp"
#include "support/model_files.hpp"
#include "support/source_folder.hpp"

namespace crossfix::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kSatelliteSide = 640;
constexpr Shape<2> kGroundSize{1024, 2048};
/// The bounds of the tests on the relative L2 error of logits.
constexpr double kBound16 = 2e-2;
constexpr double kBound32 = 2e-5;
/// Different pairs that a benchmark cycles through, so that images are not found in a cache.
constexpr Index kPairs = 64;

/// A temporary folder that is removed when the program ends.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("crossfix-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  static const std::filesystem::path& get() {
    static const Folder folder;
    return folder.path_;
  }

 private:
  std::filesystem::path path_;
};

/// The generated weights of the reference network, written at the first call.
const std::filesystem::path& weights() {
  static const std::filesystem::path path = [] {
    const auto file = Folder::get() / "reference.safetensors";
    const model::Configuration configuration;
    test::GeneratedModel(configuration).write(file, configuration);
    return file;
  }();
  return path;
}

Precision precision_of(Dtype dtype) {
  return dtype == Dtype::bf16  ? Precision::bf16
         : dtype == Dtype::f16 ? Precision::f16
                               : Precision::f32;
}

void expect(cudaError_t status) {
  if (status != cudaSuccess) throw DeviceError(cudaGetErrorString(status));
}

/// An image in the GPU's memory.
class DeviceImage {
 public:
  explicit DeviceImage(const Tensor<std::uint8_t, 3>& image) : shape_(image.shape()) {
    const auto bytes = static_cast<std::size_t>(image.size());
    expect(cudaMalloc(&data_, bytes));
    expect(cudaMemcpy(data_, image.data(), bytes, cudaMemcpyHostToDevice));
  }
  DeviceImage(DeviceImage&& other) noexcept
      : shape_(other.shape_), data_(std::exchange(other.data_, nullptr)) {}
  DeviceImage& operator=(DeviceImage&&) = delete;
  ~DeviceImage() { cudaFree(data_); }
  DeviceImageView view() const { return {static_cast<const std::uint8_t*>(data_), shape_}; }

 private:
  Shape<3> shape_;
  void* data_ = nullptr;
};

/// The pairs that all benchmarks cycle through.
struct Images {
  std::vector<Tensor<std::uint8_t, 3>> ground;
  std::vector<Tensor<std::uint8_t, 3>> satellite;

  Images() {
    for (Index i = 0; i < kPairs; ++i) {
      const std::string number = std::to_string(i);
      ground.push_back(test::image("bench/ground/" + number, kGroundSize[0], kGroundSize[1]));
      satellite.push_back(test::image("bench/satellite/" + number, kSatelliteSide, kSatelliteSide));
    }
  }
  static const Images& get() {
    static const Images images;
    return images;
  }
};

/// Pairs in one kind of memory, with the golden pair.
struct HostPairs {
  using PairType = Pair;
  Tensor<std::uint8_t, 3> golden_ground = test::image("image/ground", 256, 512);
  Tensor<std::uint8_t, 3> golden_satellite = test::image("image/satellite", 512, 512);

  Pair at(Index i) const {
    const auto slot = static_cast<std::size_t>(i % kPairs);
    return {GroundImage(Images::get().ground[slot]), SatelliteImage(Images::get().satellite[slot])};
  }
  Pair golden() const { return {GroundImage(golden_ground), SatelliteImage(golden_satellite)}; }
};

struct DevicePairs {
  using PairType = DevicePair;
  std::vector<DeviceImage> ground;
  std::vector<DeviceImage> satellite;
  DeviceImage golden_ground{test::image("image/ground", 256, 512)};
  DeviceImage golden_satellite{test::image("image/satellite", 512, 512)};

  DevicePairs() {
    for (const auto& image : Images::get().ground) ground.emplace_back(image);
    for (const auto& image : Images::get().satellite) satellite.emplace_back(image);
  }
  DevicePair at(Index i) const {
    const auto slot = static_cast<std::size_t>(i % kPairs);
    return {DeviceGroundImage(ground[slot].view()), DeviceSatelliteImage(satellite[slot].view())};
  }
  DevicePair golden() const {
    return {DeviceGroundImage(golden_ground.view()), DeviceSatelliteImage(golden_satellite.view())};
  }
};

bool golden_is_right(benchmark::State& state, std::span<const Fix> fixes, Dtype dtype) {
  static const test::Golden golden("vigor");
  double worst = 0.0;
  for (const Fix& fix : fixes) {
    const double error = golden.error("logits", fix.logits);
    worst = !(error <= worst) ? error : worst;
  }
  if (worst <= (dtype == Dtype::f32 ? kBound32 : kBound16)) return true;
  state.SkipWithError(("wrong results: relative error " + std::to_string(worst)).c_str());
  return false;
}

/// Keeps the last object that was made, as long as the same one is asked for. A benchmark is
/// entered several times until its number of iterations is found, and preparing a network takes
/// longer than timing it.
template <class T, class Key, class Make>
T& kept(const Key& key, const Make& make) {
  static std::optional<Key> made_for;
  static std::unique_ptr<T> last;
  if (made_for != key) {
    made_for.reset();
    last.reset();  // before the next one takes its memory
    last = make();
    made_for = key;
  }
  return *last;
}

Localizer& localizer_for(Dtype dtype, Index batch) {
  return kept<Localizer>(std::pair(dtype, batch), [&] {
    LocalizerOptions options;
    options.device = Device::cuda;
    options.precision = precision_of(dtype);
    options.batch = batch;
    return std::make_unique<Localizer>(Localizer::load(weights(), options));
  });
}

void report_pairs(benchmark::State& state, Index batch) {
  state.counters["pairs/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

/// From images in memory to fixes, one batch at a time.
template <class Pairs>
void locate(benchmark::State& state, Dtype dtype, Index batch) try {
  Localizer& localizer = localizer_for(dtype, batch);
  const Pairs pairs;
  std::vector<typename Pairs::PairType> group(static_cast<std::size_t>(batch), pairs.golden());
  std::vector<Fix> fixes;
  localizer.locate(group, fixes);
  if (!golden_is_right(state, fixes, dtype)) return;
  Index next = 0;
  for (auto _ : state) {
    for (auto& pair : group) pair = pairs.at(next++);
    localizer.locate(group, fixes);
  }
  report_pairs(state, batch);
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

/// The images of the pairs as JPEG files.
struct Files {
  std::vector<std::filesystem::path> satellite;
  std::vector<std::filesystem::path> ground;

  Files() {
    const auto write = [](const Tensor<std::uint8_t, 3>& image, const std::string& name) {
      const auto path = Folder::get() / name;
      io::write_jpeg(path, image);
      return path;
    };
    for (std::size_t i = 0; i < static_cast<std::size_t>(kPairs); ++i) {
      satellite.push_back(
          write(Images::get().satellite[i], "satellite" + std::to_string(i) + ".jpg"));
      ground.push_back(write(Images::get().ground[i], "ground" + std::to_string(i) + ".jpg"));
    }
  }
  static const Files& get() {
    static const Files files;
    return files;
  }
};

struct ReadPair {
  io::Image satellite;
  io::Image ground;
};

/// Reads `count` pairs from the files, on all cores.
std::vector<ReadPair> read_pairs(Index first, Index count) {
  std::vector<ReadPair> pairs(static_cast<std::size_t>(count));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t image = next++; image < 2 * pairs.size(); image = next++) {
      const auto file =
          (static_cast<std::size_t>(first) + image / 2) % static_cast<std::size_t>(kPairs);
      ReadPair& pair = pairs[image / 2];
      if (image % 2 == 0) {
        pair.ground = io::read_image(Files::get().ground[file]);
      } else {
        pair.satellite = io::read_image(Files::get().satellite[file]);
      }
    }
  };
  const std::size_t workers =
      std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), 2 * pairs.size());
  std::vector<std::future<void>> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.push_back(std::async(std::launch::async, work));
  }
  for (auto& thread : threads) thread.get();
  return pairs;
}

void locate_files(benchmark::State& state, Dtype dtype, Index batch) try {
  Localizer& localizer = localizer_for(dtype, batch);
  const HostPairs host;
  std::vector<Pair> group(static_cast<std::size_t>(batch), host.golden());
  std::vector<Fix> fixes;
  localizer.locate(group, fixes);
  if (!golden_is_right(state, fixes, dtype)) return;
  Files::get();
  Index next = 0;
  const auto begin = [&] {
    return std::async(std::launch::async,
                      [first = next, batch] { return read_pairs(first, batch); });
  };
  auto ahead = begin();
  for (auto _ : state) {
    // For one pair the time from file to fix is wanted; for more, the rate in a stream of batches.
    if (batch == 1) ahead = begin();
    const auto pairs_read = ahead.get();
    next += batch;
    if (batch > 1) ahead = begin();
    for (std::size_t i = 0; i < pairs_read.size(); ++i) {
      group[i] = {GroundImage(pairs_read[i].ground), SatelliteImage(pairs_read[i].satellite)};
    }
    localizer.locate(group, fixes);
  }
  report_pairs(state, batch);
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

/// A network with its workspace and the golden images.
template <class Element>
struct Bed {
  using Network = model::Network<cuda::Backend<Element>>;

  explicit Bed(Index batch)
      : network(target, test::generated_parameters(), {}, batch),
        work(network, target),
        block(static_cast<std::size_t>(network.output_count())) {}

  void load() {
    for (Index slot = 0; slot < network.batch(); ++slot) {
      network.load_satellite(work, slot, pairs.golden_satellite);
      network.load_ground(work, slot, pairs.golden_ground);
    }
  }
  void backbones() {
    network.extract_satellite(work);
    network.extract_ground(work);
  }
  std::vector<Fix> fixes() {
    load();
    network.run(work);
    const auto outputs = network.read(work, block.data());
    std::vector<Fix> all(static_cast<std::size_t>(network.batch()));
    for (std::size_t slot = 0; slot < all.size(); ++slot) {
      const auto logits = outputs.logits()[static_cast<Index>(slot)];
      all[slot].logits.assign(logits.data(), logits.data() + logits.size());
    }
    return all;
  }

  cuda::Target target{cuda::Device()};
  Network network;
  typename Network::Workspace work;
  HostPairs pairs;
  std::vector<float> block;
};

/// One stage of the network alone: a graph of it, launched back to back.
template <class Element>
void stage(benchmark::State& state, const std::string& name, Index batch) try {
  auto& bed = kept<Bed<Element>>(batch, [&] { return std::make_unique<Bed<Element>>(batch); });
  if (!golden_is_right(state, bed.fixes(), dtype_of<Element>)) return;
  bed.load();  // fusion overwrites the memory of the images
  if (name != "backbones") bed.backbones();
  const std::map<std::string, std::function<void()>> stages{
      {"backbones", [&] { bed.backbones(); }},
      {"fusion", [&] { bed.network.fuse(bed.work); }},
      {"heads", [&] { bed.network.run_heads(bed.work); }}};
  const cuda::Graph graph(bed.target, stages.at(name));
  constexpr int kLaunches = 20;
  for (auto _ : state) {
    bed.target.synchronize();
    const auto start = Clock::now();
    for (int i = 0; i < kLaunches; ++i) graph.launch(bed.target);
    bed.target.synchronize();
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count() / kLaunches);
  }
  report_pairs(state, batch);
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

/// The ground-plane matcher, with a panorama of 512 x 1024 and a tile of 73 m in host memory. The
/// tile is always the same.
void match(benchmark::State& state, Dtype dtype, std::optional<double> heading) try {
  const auto weights = test::source_folder() / "models/crossfix-ground.safetensors";
  const auto tile = test::image("image/tile", 365, 365);
  const auto panorama = test::image("image/panorama", 512, 1024);
  const Pair pair{
      GroundImage(panorama), SatelliteImage(tile), {.metres_per_pixel = 0.2}, {heading}};
  Localizer localizer =
      Localizer::load(weights, {.device = Device::cuda, .precision = precision_of(dtype)});
  Fix fix;
  Fix expected;
  localizer.locate(pair, fix);
  Localizer::load(weights, {.device = Device::cpu}).locate(pair, expected);
  if (!(test::relative_l2(fix.logits, expected.logits) <=
        (dtype == Dtype::f32 ? kBound32 : kBound16))) {
    state.SkipWithError("its logits are not the CPU's");
    return;
  }
  for (auto _ : state) localizer.locate(pair, fix);
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

std::string named(const std::string& what, Index batch, Dtype dtype) {
  return "gpu/" + what + "/reference/batch:" + std::to_string(batch) + "/" +
         std::string(name_of(dtype));
}

void add_localizer(const std::string& what, Index batch, Dtype dtype,
                   void (*run)(benchmark::State&, Dtype, Index)) {
  benchmark::RegisterBenchmark(named(what, batch, dtype).c_str(),
                               [=](benchmark::State& state) { run(state, dtype, batch); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

void add_gpu_pairs() {
  try {
    const std::string libraries = cuda::library_versions();
    benchmark::AddCustomContext("libraries", libraries);
    std::fprintf(stderr, "bench_model: %s\n", libraries.c_str());
    const cuda::Device device;
    benchmark::AddCustomContext("gpu", device.description());
  } catch (const DeviceError& error) {
    std::fprintf(stderr, "bench_model: no pair measured on a GPU: %s\n", error.what());
    return;
  }
  for (const Index batch : {1, 8, 64}) {
    for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
      if (dtype != Dtype::bf16 && batch != 1) continue;
      add_localizer("device_images", batch, dtype, locate<DevicePairs>);
      add_localizer("host_images", batch, dtype, locate<HostPairs>);
    }
    add_localizer("files", batch, Dtype::bf16, locate_files);
    for (const char* name : {"backbones", "fusion", "heads"}) {
      benchmark::RegisterBenchmark(
          named(name, batch, Dtype::bf16).c_str(),
          [=](benchmark::State& state) { stage<bfloat16>(state, name, batch); })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
    for (const bool known : {true, false}) {
      const std::string name = std::string("gpu/match/heading_") + (known ? "known" : "unknown") +
                               "/" + std::string(name_of(dtype));
      benchmark::RegisterBenchmark(name.c_str(),
                                   [=](benchmark::State& state) {
                                     match(state, dtype,
                                           known ? std::optional(30.0) : std::nullopt);
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace crossfix::bench

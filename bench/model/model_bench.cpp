/// A whole pair and each stage of the network on the CPU, in f32 and bf16: the reference network
/// with random weights, or the weights file that CROSSFIX_BENCH_MODEL names, and the ground-plane
/// matcher. CROSSFIX_BENCH_THREADS sets the number of threads (default: all cores); a single thread
/// is timed like that of the operators' benchmarks (ops/bench.hpp). Every benchmark first checks
/// its answer: its two warm-up runs must agree to the bit, every logit must be finite, and bf16
/// must be close to f32.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/detail/model/network.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "model/gpu_bench.hpp"
#include "model/ground_bench.hpp"
#include "ops/bench.hpp"
#include "support/golden.hpp"

namespace {

using namespace crossfix;

struct Model {
  std::string name;
  model::Configuration configuration;
  std::shared_ptr<const io::Safetensors> file;  // empty: generated weights
};

model::Parameters parameters_of(const Model& model) {
  return model.file ? model::Parameters(model::source_of(model.file->tensors()))
                    : test::generated_parameters();
}

/// A network with its workspace and images, run once.
template <class Element>
class Bed {
 public:
  using Network = model::Network<cpu::Backend<Element>>;

  explicit Bed(const Model& model)
      : network_({.threads = bench::threads()}, parameters_of(model), model.configuration, 1),
        work_(network_, {.threads = bench::threads()}),
        satellite_(test::image("image/satellite", 640, 640)),
        ground_(test::image("image/ground", 1024, 2048)),
        out_(static_cast<std::size_t>(network_.output_count())) {
    run();
  }

  void load() {
    network_.load_satellite(work_, 0, satellite_);
    network_.load_ground(work_, 0, ground_);
  }
  void backbones() {
    network_.extract_satellite(work_);
    network_.extract_ground(work_);
  }
  void fuse() { network_.fuse(work_); }
  void heads() {
    network_.run_heads(work_);
    network_.read(work_, out_.data());
  }
  void run() {
    load();
    backbones();
    fuse();
    heads();
  }
  const std::vector<float>& out() const { return out_; }
  std::span<const float> logits() {
    const auto logits = network_.read(work_, out_.data()).logits();
    return {logits.data(), static_cast<std::size_t>(logits.size())};
  }

 private:
  Network network_;
  typename Network::Workspace work_;
  Tensor<std::uint8_t, 3> satellite_;
  Tensor<std::uint8_t, 3> ground_;
  std::vector<float> out_;
};

/// Multiply-adds of a pass, by stage.
struct Work {
  double backbones = 0;  ///< both, with their projections
  double fusion = 0;
  double heads = 0;
};

double backbone_work(const model::Configuration& c, Index height, Index width) {
  const auto product = [](auto... factors) { return (static_cast<double>(factors) * ...); };
  double work = product(c.backbone.planes, 3, 49, height / 2, width / 2);
  Index in = c.backbone.planes;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const Index planes = c.backbone.planes << layer;
    const Index stride = layer == 0 ? 4 : 8;
    const double pixels = product(height / stride, width / stride);
    // The reduction of the first block of a strided layer still runs at the finer resolution.
    for (Index block = 0; block < c.backbone.blocks[layer]; ++block) {
      const double finer = layer == 1 && block == 0 ? 4 : 1;
      work += pixels * (product(in, planes) * finer + product(9, planes, planes) +
                        product(planes, 4, planes) + (block == 0 ? product(in, 4, planes) : 0));
      in = 4 * planes;
    }
  }
  return work;
}

Work work_of(const model::Configuration& c) {
  const auto d = static_cast<double>(c.model_width);
  const auto s = static_cast<double>(c.satellite_tokens());
  const auto g = static_cast<double>(c.ground_tokens());
  const auto ffn = 2 * d * static_cast<double>(c.ffn_width);
  const double attention = 4 * d * d;  // four projections of d x d for each token, divided below
  Work work;
  work.backbones = backbone_work(c, c.satellite_size, c.satellite_size) +
                   backbone_work(c, c.ground_size[0], c.ground_size[1]) +
                   (s + g) * d * static_cast<double>(c.backbone_channels());
  const double layer = 2 * d * (s * s + g * g + 2 * s * g) +  // scores and weighted sums
                       2 * attention * (s + g) + ffn * (s + g);
  const double decoder = 2 * d * s * g + attention / 2 * (s + g) + ffn * s;
  work.fusion = static_cast<double>(c.encoder_layers) * layer + decoder;
  work.heads = s * (4 * d * d + 3 * d);
  return work;
}

template <class Element>
std::optional<std::string> wrong_answer(const Model& model, Bed<Element>& bed) {
  const std::vector<float> first = bed.out();
  bed.run();
  if (first != bed.out()) return "two runs differ";
  for (const float value : first) {
    if (!std::isfinite(value)) return "an output is not finite";
  }
  if constexpr (dtype_of<Element> == Dtype::bf16) {
    constexpr double kBound = 0.1;  // the bound of the tests on centred logits
    Bed<float> exact(model);
    if (!(test::relative_l2(bed.logits(), exact.logits(), true) <= kBound)) {
      return "bf16 is far from f32";
    }
  }
  return std::nullopt;
}

template <class Element>
void measure(benchmark::State& state, const Model& model, void (Bed<Element>::*stage)(),
             double multiply_adds) {
  Bed<Element> bed(model);
  if (const auto wrong = wrong_answer(model, bed)) {
    state.SkipWithError(wrong->c_str());
    return;
  }
  for (auto _ : state) (bed.*stage)();
  if (multiply_adds > 0) {
    const double flop = 2 * multiply_adds;
    state.counters["GFLOP"] = flop * 1e-9;
    state.counters["GFLOP/s"] =
        benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["of_peak"] =
        benchmark::Counter(flop / bench::peak_flops<Element>(bench::threads()),
                           benchmark::Counter::kIsIterationInvariantRate);
  }
}

template <class Element>
void add(const Model& model) {
  const Work work = work_of(model.configuration);
  const std::string suffix = "/" + model.name + "/" + std::string(name_of(dtype_of<Element>));
  const auto stage = [&](const char* name, void (Bed<Element>::*function)(), double multiply_adds) {
    bench::add(name + suffix, bench::threads(),
               [model, function, multiply_adds](benchmark::State& state) {
                 measure<Element>(state, model, function, multiply_adds);
               })
        ->Unit(benchmark::kMillisecond);
  };
  stage("pair", &Bed<Element>::run, work.backbones + work.fusion + work.heads);
  stage("load_images", &Bed<Element>::load, 0);
  stage("backbones", &Bed<Element>::backbones, work.backbones);
  stage("fusion", &Bed<Element>::fuse, work.fusion);
  stage("heads", &Bed<Element>::heads, work.heads);
}

void add_both(const Model& model) {
  add<float>(model);
  if (cpu::supports_bf16()) add<bfloat16>(model);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    add_both({"reference", {}, nullptr});
    if (const char* path = std::getenv("CROSSFIX_BENCH_MODEL")) {
      auto file = std::make_shared<const io::Safetensors>(io::Safetensors::open(path));
      add_both({file->path().stem().string(), io::read_configuration(*file), file});
    }
    bench::add_ground_matches();
  } catch (const Error& error) {
    std::fprintf(stderr, "crossfix bench: error: %s\n", error.what());
    return 3;
  }
#if CROSSFIX_BENCH_GPU
  bench::add_gpu_pairs();
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

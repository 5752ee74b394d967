#include "model/ground_bench.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crossfix/cpu/backend.hpp"
#include "crossfix/detail/model/ground_match.hpp"
#include "crossfix/io/configuration.hpp"
#include "crossfix/io/safetensors.hpp"
#include "crossfix/ops/pose_sums.hpp"
#include "ops/bench.hpp"
#include "support/counter_generator.hpp"
#include "support/source_folder.hpp"

namespace crossfix::bench {
namespace {

constexpr Index kTileSide = 365;  // pixels
constexpr double kScale = 0.2;    // metres a pixel

template <class Element>
class MatchBed {
 public:
  using Match = model::GroundMatch<cpu::Backend<Element>>;

  MatchBed(const io::Safetensors& file, bool heading_known)
      : match_({.threads = threads()}, model::Parameters(model::source_of(file.tensors())),
               io::read_configuration(file)),
        work_(match_, {.threads = threads()}),
        tiles_{test::image("image/tile", kTileSide, kTileSide),
               test::image("image/other", kTileSide, kTileSide)},
        panorama_(test::image("image/panorama", 512, 1024)) {
    if (heading_known) heading_ = 30.0;
    run();
  }

  /// With the tile whose features are kept.
  void run() { outputs_ = match_(work_, question(0)); }
  void run_new_tile() {
    next_ = 1 - next_;
    outputs_ = match_(work_, question(next_));
  }
  void tile() {
    next_ = 1 - next_;
    match_.extract_tile(work_, question(next_));
  }
  void views() { match_.extract_views(work_, question(0), 0); }
  void correlate() { match_.correlate(work_, 0); }
  void decode() { outputs_ = match_.decode(work_); }
  /// The hypotheses, their headings and how heading and position vary together.
  void poses() {
    const auto row = [](const auto& view) {
      return std::span<const float>(view.data(), static_cast<std::size_t>(view.size()));
    };
    const ops::Posterior posterior{row(outputs_.probability()), row(outputs_.offsets()),
                                   outputs_.grid()};
    const ops::GridHypotheses hypotheses(
        posterior, ops::hypothesis_radius(outputs_.grid(), kScale * Match::kStride));
    const auto& headings = match_.heading_probability(work_);
    sums_.start(posterior, hypotheses, static_cast<Index>(headings.size()));
    match_.for_each_row(work_, [&](const auto& heading, std::span<const float> mass) {
      sums_.add(heading.bin, heading.width, mass);
    });
    auto sum = sums_.covariance(ops::circular_mean(headings).degrees);
    for (std::size_t i = 0; i < hypotheses.found().size(); ++i) sum[0] += sums_.heading(i);
    benchmark::DoNotOptimize(sum);
  }

  std::vector<float> logits() const {
    const auto logits = outputs_.logits();
    return {logits.data(), logits.data() + logits.size()};
  }

 private:
  typename Match::Question question(std::size_t tile) const {
    return {GroundImage(panorama_), SatelliteImage(tiles_[tile]), kScale, heading_};
  }

  Match match_;
  typename Match::Workspace work_;
  Tensor<std::uint8_t, 3> tiles_[2];
  Tensor<std::uint8_t, 3> panorama_;
  std::optional<double> heading_;
  std::size_t next_ = 0;
  ops::HeadOutputs<HostSpace> outputs_;
  ops::PoseSums sums_;
};

template <class Element>
std::optional<std::string> wrong_answer(const io::Safetensors& file, MatchBed<Element>& bed,
                                        bool heading_known) {
  const std::vector<float> first = bed.logits();
  bed.run();
  if (first != bed.logits()) return "two runs differ";
  for (const float value : first) {
    if (!std::isfinite(value)) return "a logit is not finite";
  }
  if constexpr (dtype_of<Element> == Dtype::bf16) {
    constexpr float kBound = 0.01f;  // of correlations
    const std::vector<float> exact = MatchBed<float>(file, heading_known).logits();
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (!(std::abs(first[i] - exact[i]) <= kBound)) return "bf16 is far from f32";
    }
  }
  return std::nullopt;
}

template <class Element>
void add(const std::shared_ptr<const io::Safetensors>& file) {
  const std::string suffix = "/" + std::string(name_of(dtype_of<Element>));
  const auto stage = [&](const std::string& name, bool heading_known,
                         void (MatchBed<Element>::*function)()) {
    bench::add("match_" + name + suffix, threads(),
               [file, heading_known, function](benchmark::State& state) {
                 MatchBed<Element> bed(*file, heading_known);
                 if (const auto wrong = wrong_answer(*file, bed, heading_known)) {
                   state.SkipWithError(wrong->c_str());
                   return;
                 }
                 for (auto _ : state) (bed.*function)();
               })
        ->Unit(benchmark::kMillisecond);
  };
  using Bed = MatchBed<Element>;
  stage("pair/heading_known", true, &Bed::run);
  stage("pair/heading_known/new_tile", true, &Bed::run_new_tile);
  stage("pair/heading_unknown", false, &Bed::run);
  stage("pair/heading_unknown/new_tile", false, &Bed::run_new_tile);
  stage("tile", true, &Bed::tile);
  for (const bool known : {true, false}) {
    const std::string views = known ? "/1" : "/24";
    stage("views" + views, known, &Bed::views);
    stage("correlate" + views, known, &Bed::correlate);
    stage("decode" + views, known, &Bed::decode);
  }
  stage("poses/24", false, &Bed::poses);
}

}  // namespace

void add_ground_matches() {
  const auto file = std::make_shared<const io::Safetensors>(
      io::Safetensors::open(test::source_folder() / "models/crossfix-ground.safetensors"));
  add<float>(file);
  if (cpu::supports_bf16()) add<bfloat16>(file);
}

}  // namespace crossfix::bench

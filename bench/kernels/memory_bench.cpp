#include <cmath>
#include <vector>

#include "check.hpp"
#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/cuda/layer_norm.hpp"
#include "crossfix/cuda/softmax.hpp"
#include "kernels/gpu.hpp"

// Kernels whose bound is the memory: each input is read once and each output is written once. Their
// rates are compared with that of a large copy on the same device.
namespace crossfix::bench {
namespace {

/// Rows that are compared with plain sums: evenly chosen, including the last.
constexpr Index kSamples = 40;
Index sample_row(Index sample, Index rows) { return rows - 1 - sample * 8191 % rows; }

template <class T>
std::vector<T> read_row(const T* row, Index count) {
  std::vector<T> out(static_cast<std::size_t>(count));
  expect(cudaMemcpy(out.data(), row, out.size() * sizeof(T), cudaMemcpyDeviceToHost));
  return out;
}

/// Memory for a set of tensors, one after another, filled with NaN.
class Sets {
 public:
  explicit Sets(std::size_t bytes)
      : bytes_((bytes + 255) / 256 * 256),
        count_(Gpu::get().sets_of(bytes_)),
        memory_(bytes_ * static_cast<std::size_t>(count_)) {
    expect(cudaMemset(memory_.data(), 0xff, bytes_ * static_cast<std::size_t>(count_)));
  }
  int count() const { return count_; }
  template <class T>
  T* at(int set, std::size_t offset) const {
    return reinterpret_cast<T*>(memory_.data() + bytes_ * static_cast<std::size_t>(set) + offset);
  }

 private:
  std::size_t bytes_;
  int count_;
  DeviceMemory memory_;
};

/// Reports the rate, and its share of the rate of the copy.
void report_bytes(benchmark::State& state, double bytes) {
  using benchmark::Counter;
  state.counters["GB/s"] = Counter(bytes * 1e-9, Counter::kIsIterationInvariantRate);
  state.counters["of_copy"] =
      Counter(bytes / Gpu::get().copy_rate(), Counter::kIsIterationInvariantRate);
}

template <class Element>
void softmax(benchmark::State& state, Index rows, Index columns) try {
  Gpu& gpu = Gpu::get();
  const Index count = rows * columns;
  const auto tensor_bytes = static_cast<std::size_t>(count) * sizeof(Element);
  const Sets sets(2 * tensor_bytes);
  const auto shift = [](int set) { return 1234567 * Index{set}; };
  for (int set = 0; set < sets.count(); ++set) {
    Pattern<Element>::get().fill(sets.at<Element>(set, 0), count, shift(set));
  }
  constexpr float kScale = 1.5f;
  const auto run = [&](int set) {
    cuda::softmax<Element>(
        gpu.stream(), gpu.traits(),
        TensorView<const Element, 2, DeviceSpace>(sets.at<Element>(set, 0), {rows, columns}),
        kScale,
        TensorView<Element, 2, DeviceSpace>(sets.at<Element>(set, tensor_bytes), {rows, columns}));
  };
  for (int set = 0; set < sets.count(); ++set) run(set);
  gpu.wait();

  Check check;
  for (Index sample = 0; sample < kSamples; ++sample) {
    const int set = sample % 2 == 0 ? 0 : sets.count() - 1;
    const Index row = sample_row(sample, rows);
    const auto result = read_row(sets.at<Element>(set, tensor_bytes) + row * columns, columns);
    const auto weight = [&](Index c) {
      return std::exp(static_cast<double>(kScale) *
                      Pattern<Element>::get().number_at(row * columns + c, shift(set)));
    };
    double total = 0.0;
    for (Index c = 0; c < columns; ++c) total += weight(c);
    for (Index c = 0; c < columns; ++c) {
      check.add(result[static_cast<std::size_t>(c)], weight(c) / total);
    }
  }
  if (!check.passes<Element>(state)) return;
  gpu.time(state, sets.count(), run);
  report_bytes(state, 2.0 * static_cast<double>(tensor_bytes));
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

/// Residual and LayerNorm over the 256 channels of the network. Tokens stay in float, and a copy is
/// rounded to Element for the next product.
template <class Element>
void add_layer_norm(benchmark::State& state, Index rows) try {
  constexpr Index kChannels = 256;
  constexpr float kEpsilon = 1e-5f;
  Gpu& gpu = Gpu::get();
  const Index count = rows * kChannels;
  const auto float_bytes = static_cast<std::size_t>(count) * sizeof(float);
  const std::size_t bytes = 3 * float_bytes + static_cast<std::size_t>(count) * sizeof(Element);
  const Sets sets(bytes);
  const DeviceMemory table(2 * kChannels * sizeof(float));
  const auto& pattern = Pattern<float>::get();
  const auto x_shift = [](int set) { return 1234567 * Index{set}; };
  const auto r_shift = [](int set) { return 1234567 * Index{set} + 654321; };
  constexpr Index kTableShift = 99;
  pattern.fill(reinterpret_cast<float*>(table.data()), 2 * kChannels, kTableShift);
  for (int set = 0; set < sets.count(); ++set) {
    pattern.fill(sets.at<float>(set, 0), count, x_shift(set));
    pattern.fill(sets.at<float>(set, float_bytes), count, r_shift(set));
  }
  const auto run = [&](int set) {
    const Shape<2> shape{rows, kChannels};
    const auto* scale = reinterpret_cast<const float*>(table.data());
    cuda::layer_norm<Element>(
        gpu.stream(), gpu.traits(),
        TensorView<const float, 2, DeviceSpace>(sets.at<float>(set, 0), shape),
        TensorView<const float, 2, DeviceSpace>(sets.at<float>(set, float_bytes), shape),
        TensorView<const float, 1, DeviceSpace>(scale, {kChannels}),
        TensorView<const float, 1, DeviceSpace>(scale + kChannels, {kChannels}), kEpsilon,
        TensorView<float, 2, DeviceSpace>(sets.at<float>(set, 2 * float_bytes), shape),
        TensorView<Element, 2, DeviceSpace>(sets.at<Element>(set, 3 * float_bytes), shape));
  };
  for (int set = 0; set < sets.count(); ++set) run(set);
  gpu.wait();

  Check check_float, check_rounded;
  for (Index sample = 0; sample < kSamples; ++sample) {
    const int set = sample % 2 == 0 ? 0 : sets.count() - 1;
    const Index first = sample_row(sample, rows) * kChannels;
    const auto y = read_row(sets.at<float>(set, 2 * float_bytes) + first, kChannels);
    const auto z = read_row(sets.at<Element>(set, 3 * float_bytes) + first, kChannels);
    const auto sum = [&](Index c) {
      return pattern.number_at(first + c, x_shift(set)) +
             pattern.number_at(first + c, r_shift(set));
    };
    double mean = 0.0;
    double variance = 0.0;
    for (Index c = 0; c < kChannels; ++c) mean += sum(c) / kChannels;
    for (Index c = 0; c < kChannels; ++c) {
      variance += (sum(c) - mean) * (sum(c) - mean) / kChannels;
    }
    for (Index c = 0; c < kChannels; ++c) {
      const double expected = (sum(c) - mean) /
                                  std::sqrt(variance + static_cast<double>(kEpsilon)) *
                                  pattern.number_at(c, kTableShift) +
                              pattern.number_at(kChannels + c, kTableShift);
      check_float.add(y[static_cast<std::size_t>(c)], expected);
      check_rounded.add(z[static_cast<std::size_t>(c)], expected);
    }
  }
  if (!check_float.passes<float>(state) || !check_rounded.passes<Element>(state)) return;
  gpu.time(state, sets.count(), run);
  report_bytes(state, static_cast<double>(bytes));
} catch (const Error& error) {
  state.SkipWithError(error.what());
}

template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

template <class Element>
void add_all() {
  for (const auto& [rows, columns] :
       {std::pair<Index, Index>{65536, 256}, {16384, 2048}, {4096, 8192}, {1024, 65536}}) {
    add(named<Element>("softmax/" + std::to_string(rows) + "x" + std::to_string(columns)),
        [rows = rows, columns = columns](benchmark::State& state) {
          softmax<Element>(state, rows, columns);
        });
  }
  for (Index rows : {2048, 3072, 98304}) {  // ground tokens, those of one pair, those of 32 pairs
    add(named<Element>("add_layer_norm/" + std::to_string(rows) + "x256"),
        [rows](benchmark::State& state) { add_layer_norm<Element>(state, rows); });
  }
}

}  // namespace

void add_memory_bound() {
  add_all<float>();
  add_all<bfloat16>();
}

}  // namespace crossfix::bench

#include "crossfix/cuda/image.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "crossfix/ops/resample.hpp"
#include "kernels/machine.hpp"
#include "support/counter_generator.hpp"

namespace crossfix::test::image_test {
namespace {

using Elements = std::tuple<float, bfloat16, float16>;
constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kStd[3] = {0.229f, 0.224f, 0.225f};

/// The rule of ops/resample.hpp along axis 0, in plain loops.
Tensor<std::uint8_t, 3> resampled_rows(const Tensor<std::uint8_t, 3>& image, Index outputs) {
  const auto table = ops::resample_table(image.extent(0), outputs);
  Tensor<std::uint8_t, 3> out({outputs, image.extent(1), 3});
  for (Index i = 0; i < outputs; ++i) {
    const auto at = static_cast<std::size_t>(i);
    for (Index j = 0; j < image.extent(1); ++j) {
      for (Index c = 0; c < 3; ++c) {
        std::int32_t sum = ops::kResampleHalf;
        for (Index t = 0; t < table.count[at]; ++t) {
          sum += table.weights[static_cast<std::size_t>(i * table.taps + t)] *
                 image(table.first[at] + t, j, c);
        }
        out(i, j, c) = ops::resampled(sum);
      }
    }
  }
  return out;
}

Tensor<std::uint8_t, 3> transposed(const Tensor<std::uint8_t, 3>& image) {
  Tensor<std::uint8_t, 3> out({image.extent(1), image.extent(0), 3});
  for (Index i = 0; i < image.extent(0); ++i) {
    for (Index j = 0; j < image.extent(1); ++j) {
      for (Index c = 0; c < 3; ++c) out(j, i, c) = image(i, j, c);
    }
  }
  return out;
}

/// Along rows first, then along columns.
Tensor<std::uint8_t, 3> resized(const Tensor<std::uint8_t, 3>& image, const Shape<2>& size) {
  return resampled_rows(transposed(resampled_rows(transposed(image), size[1])), size[0]);
}

/// A copy with `gap` bytes after each row, which a kernel must not read into its result.
Tensor<std::uint8_t, 2> with_gaps(const Tensor<std::uint8_t, 3>& image, Index gap) {
  const Index row = image.extent(1) * 3;
  Tensor<std::uint8_t, 2> out({image.extent(0), row + gap});
  std::memset(out.data(), 0xff, static_cast<std::size_t>(out.size()));
  for (Index i = 0; i < image.extent(0); ++i) {
    std::memcpy(&out(i, 0), &image(i, 0, 0), static_cast<std::size_t>(row));
  }
  return out;
}

/// Memory of an image on the machine: pixels, tables, scratch.
struct Stored {
  Machine::Memory<std::uint8_t> pixels;
  Tensor<std::byte, 1> host_tables;
  Machine::Memory<std::byte> tables;
  Machine::Memory<std::byte> scratch;
  cuda::ImageSource source;

  static Tensor<std::byte, 1> bytes(std::size_t count) {
    Tensor<std::byte, 1> out({static_cast<Index>(count)});
    std::memset(out.data(), 0x5a, count);
    return out;
  }

  /// Tables are filled in their existing memory: the struct is copied later.
  Stored(const Tensor<std::uint8_t, 3>& image, const Shape<2>& size, Index gap)
      : pixels(with_gaps(image, gap)),
        host_tables(bytes(cuda::image_table_bytes({image.extent(0), image.extent(1)}, size))),
        tables(host_tables),
        scratch(bytes(cuda::image_scratch_bytes({image.extent(0), image.extent(1)}, size))) {
    const TensorView<const std::uint8_t, 3, DeviceSpace> view(pixels.data(), image.shape(),
                                                              {image.extent(1) * 3 + gap, 3, 1});
    source = cuda::describe_image(
        view, size, {host_tables.data(), static_cast<std::size_t>(host_tables.size())},
        tables.data(), scratch.data());
    tables.write(host_tables);
  }
};

/// Loads images of these sizes as one batch, and compares to the bit.
template <class Element>
void check(const std::vector<Shape<2>>& sizes, const Shape<2>& to, Index channels, Index gap) {
  const auto batch = static_cast<Index>(sizes.size());
  std::vector<Tensor<std::uint8_t, 3>> images;
  std::vector<std::unique_ptr<Stored>> stored;
  Tensor<cuda::ImageSource, 1> sources({batch});
  for (Index i = 0; i < batch; ++i) {
    const Shape<2>& size = sizes[static_cast<std::size_t>(i)];
    images.push_back(image("picture" + std::to_string(i), size[0], size[1]));
    stored.push_back(std::make_unique<Stored>(images.back(), to, gap));
    sources(i) = stored.back()->source;
  }
  constexpr Index kGuard = 64;
  Tensor<Element, 1> memory({batch * to[0] * to[1] * channels + 2 * kGuard});
  for (Index i = 0; i < memory.size(); ++i) memory.data()[i] = Element(42.0f);
  Machine::Memory<cuda::ImageSource> described(sources);
  Machine::Memory<Element> out(memory);
  const Shape<4> shape{batch, to[0], to[1], channels};
  cuda::load_images(Machine::stream(), Machine::device(),
                    TensorView<const cuda::ImageSource, 1, DeviceSpace>(described.data(), {batch}),
                    kMean, kStd, TensorView<Element, 4, DeviceSpace>(out.data() + kGuard, shape));
  out.read(memory);
  for (Index i = 0; i < kGuard; ++i) {
    REQUIRE(static_cast<float>(memory.data()[i]) == 42.0f);
    REQUIRE(static_cast<float>(memory.data()[memory.size() - 1 - i]) == 42.0f);
  }
  const TensorView<const Element, 4> y(memory.data() + kGuard, shape);
  for (Index n = 0; n < batch; ++n) {
    const auto expected = resized(images[static_cast<std::size_t>(n)], to);
    bool same = true;
    for (Index i = 0; i < to[0]; ++i) {
      for (Index j = 0; j < to[1]; ++j) {
        for (Index c = 0; c < channels; ++c) {
          float value = 0.0f;
          if (c < 3) {
            value = (static_cast<float>(expected(i, j, c)) / 255.0f - kMean[c]) / kStd[c];
          }
          same = same && static_cast<float>(y(n, i, j, c)) == static_cast<float>(Element(value));
        }
      }
    }
    REQUIRE(same);
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("Image kernels: the integers of the CPU's resize, normalised", "[kernels]",
                        Elements) {
  CROSSFIX_NEED_MACHINE
  std::uint64_t seed = 0;
  for (const auto& [from, to] : {std::pair<Shape<2>, Shape<2>>{{64, 64}, {64, 64}},
                                 {{113, 71}, {32, 32}},
                                 {{7, 13}, {20, 33}},
                                 {{1, 1}, {3, 2}},
                                 {{40, 80}, {16, 150}},
                                 {{300, 5}, {2, 5}}}) {
    for (const Index channels : {3, 4, 8}) {
      CAPTURE(to_string(from), to_string(to), channels);
      Machine::set_seed(++seed);
      check<TestType>({from}, to, channels, 5);
    }
  }
}

TEST_CASE("Image kernels: a batch of images of many sizes", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  check<float>({{30, 61}, {16, 32}, {64, 17}, {5, 200}}, {16, 32}, 3, 0);
}

TEST_CASE("Image kernels: what does not fit is refused", "[kernels]") {
  CROSSFIX_NEED_MACHINE
  const Shape<2> to{4, 4};
  std::uint8_t pixels[8 * 8 * 3] = {};
  const std::size_t bytes = cuda::image_table_bytes({8, 8}, to);
  const auto memory = Stored::bytes(2 * bytes);
  auto* tables = const_cast<std::byte*>(memory.data());
  const auto describe = [&](const TensorView<const std::uint8_t, 3, DeviceSpace>& image,
                            std::size_t size, std::byte* scratch) {
    return cuda::describe_image(image, to, {tables, size}, tables, scratch);
  };
  const TensorView<const std::uint8_t, 3, DeviceSpace> good(pixels, {8, 8, 3});
  CHECK(describe(good, bytes, tables).height == 8);
  CHECK_THROWS_AS(describe({pixels, {8, 6, 4}}, bytes, tables), ShapeError);
  CHECK_THROWS_AS(describe({pixels, {8, 4, 3}, {24, 6, 1}}, bytes, tables), ShapeError);
  CHECK_THROWS_AS(describe(good, bytes - 1, tables), ShapeError);
  CHECK_THROWS_AS(describe(good, bytes, tables + 1), ShapeError);
  CHECK_THROWS_AS(cuda::image_table_bytes({0, 8}, to), ShapeError);
  CHECK_THROWS_AS(cuda::image_scratch_bytes({8, 8}, {4, 0}), ShapeError);

  Tensor<float, 1> y({4 * 4 * 5 + 4});
  const TensorView<const cuda::ImageSource, 1, DeviceSpace> sources(nullptr, {1});
  const auto load = [&](float* data, const Shape<4>& shape) {
    cuda::load_images(Machine::stream(), kH200, sources, kMean, kStd,
                      TensorView<float, 4, DeviceSpace>(data, shape));
  };
  CHECK_THROWS_AS(load(y.data(), {1, 4, 4, 5}), ShapeError);
  CHECK_THROWS_AS(load(y.data(), {2, 4, 4, 3}), ShapeError);
  CHECK_THROWS_AS(load(y.data() + 1, {1, 4, 4, 4}), ShapeError);
}

}  // namespace crossfix::test::image_test

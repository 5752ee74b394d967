#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "crossfix/core/tensor.hpp"
#include "crossfix/ops/backend.hpp"
#include "crossfix/ops/ground.hpp"

namespace crossfix::test {

/// The backend that the others are compared with: the contract of ops/backend.hpp in plain loops,
/// with one thread, sums in double, and activations in float. Written to be easy to read, not to be
/// fast.
struct ReferenceBackend {
  using Space = HostSpace;
  using Element = float;
  using In2 = TensorView<const float, 2>;
  using In4 = TensorView<const float, 4>;
  using Out2 = TensorView<float, 2>;
  using Out4 = TensorView<float, 4>;

  struct Target {};

  struct Context {
    explicit Context(Target = {}, std::size_t = 0) {}
  };

  class Arena {
   public:
    Arena(Target, std::size_t bytes) : bytes_({static_cast<Index>(bytes)}) {}
    std::byte* data() { return bytes_.data(); }

   private:
    Tensor<std::byte, 1> bytes_;
  };

  class Convolution {
   public:
    Convolution(Target, const ops::ConvolutionSpecification& spec, In4 weights,
                TensorView<const float, 1> bias, const Shape<4>&)
        : spec_(spec),
          weights_(weights.data(), weights.data() + weights.size()),
          bias_(bias.data(), bias.data() + bias.size()) {}

    void operator()(Context&, In4 x, Out4 y) const { run(x, {}, y); }
    void operator()(Context&, In4 x, In4 r, Out4 y) const { run(x, r, y); }
    std::size_t scratch_bytes() const { return 0; }

   private:
    void run(In4 x, In4 r, Out4 y) const {
      for (Index n = 0; n < y.extent(0); ++n) {
        for (Index i = 0; i < y.extent(1); ++i) {
          for (Index j = 0; j < y.extent(2); ++j) {
            for (Index o = 0; o < y.extent(3); ++o) {
              double sum = bias_[static_cast<std::size_t>(o)] + tap_sum(x, n, i, j, o);
              if (r.data() != nullptr) sum += static_cast<double>(r(n, i, j, o));
              y(n, i, j, o) = activated(sum, spec_.activation);
            }
          }
        }
      }
    }

    double tap_sum(In4 x, Index n, Index i, Index j, Index o) const {
      const TensorView<const float, 4> w(
          weights_.data(), {spec_.out_channels, spec_.in_channels, spec_.kernel, spec_.kernel});
      double sum = 0.0;
      for (Index a = 0; a < spec_.kernel; ++a) {
        for (Index b = 0; b < spec_.kernel; ++b) {
          const Index row = i * spec_.stride + a * spec_.dilation - spec_.padding;
          const Index column = j * spec_.stride + b * spec_.dilation - spec_.padding;
          if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2)) continue;
          for (Index c = 0; c < spec_.in_channels; ++c) {
            sum += static_cast<double>(x(n, row, column, c)) * static_cast<double>(w(o, c, a, b));
          }
        }
      }
      return sum;
    }

    ops::ConvolutionSpecification spec_;
    std::vector<float> weights_;
    std::vector<float> bias_;
  };

  class DepthwiseConvolution {
   public:
    DepthwiseConvolution(Target, const ops::DepthwiseConvolutionSpecification& spec,
                         TensorView<const float, 3> weights, TensorView<const float, 1> bias,
                         const Shape<4>&)
        : spec_(spec),
          weights_(weights.data(), weights.data() + weights.size()),
          bias_(bias.data(), bias.data() + bias.size()) {}

    void operator()(Context&, In4 x, Out4 y) const {
      const TensorView<const float, 3> w(weights_.data(),
                                         {spec_.channels, spec_.kernel, spec_.kernel});
      for (Index n = 0; n < y.extent(0); ++n) {
        for (Index i = 0; i < y.extent(1); ++i) {
          for (Index j = 0; j < y.extent(2); ++j) {
            for (Index c = 0; c < y.extent(3); ++c) {
              double sum = static_cast<double>(bias_[static_cast<std::size_t>(c)]);
              for (Index a = 0; a < spec_.kernel; ++a) {
                for (Index b = 0; b < spec_.kernel; ++b) {
                  const Index row = i * spec_.stride + a * spec_.dilation - spec_.padding;
                  const Index column = j * spec_.stride + b * spec_.dilation - spec_.padding;
                  if (row < 0 || row >= x.extent(1) || column < 0 || column >= x.extent(2))
                    continue;
                  sum +=
                      static_cast<double>(x(n, row, column, c)) * static_cast<double>(w(c, a, b));
                }
              }
              y(n, i, j, c) = activated(sum, spec_.activation);
            }
          }
        }
      }
    }
    std::size_t scratch_bytes() const { return 0; }

   private:
    ops::DepthwiseConvolutionSpecification spec_;
    std::vector<float> weights_;
    std::vector<float> bias_;
  };

  class Linear {
   public:
    Linear(Target, const ops::LinearSpecification& spec, In2 weights, In2 table)
        : spec_(spec),
          tokens_(table.extent(0)),
          weights_(weights.data(), weights.data() + weights.size()),
          table_(table.data(), table.data() + table.size()) {}

    void operator()(Context&, In2 x, Out2 y) const {
      const In2 w(weights_.data(), {spec_.out_features, spec_.in_features});
      const In2 table(table_.data(), {tokens_, spec_.out_features});
      for (Index row = 0; row < x.extent(0); ++row) {
        for (Index o = 0; o < spec_.out_features; ++o) {
          double sum = static_cast<double>(table(row % tokens_, o));
          for (Index c = 0; c < spec_.in_features; ++c) {
            sum += static_cast<double>(x(row, c)) * static_cast<double>(w(o, c));
          }
          y(row, o) = activated(sum, spec_.activation);
        }
      }
    }
    std::size_t scratch_bytes() const { return 0; }

   private:
    ops::LinearSpecification spec_;
    Index tokens_;
    std::vector<float> weights_;
    std::vector<float> table_;
  };

  using FloatLinear = Linear;

  class Projection {
   public:
    Projection(Target, In2 weights, TensorView<const float, 1> bias)
        : linear_({},
                  {.rows = 0, .in_features = weights.extent(1), .out_features = weights.extent(0)},
                  weights, In2(bias.data(), {1, bias.extent(0)})) {}
    void operator()(Context& context, In2 x, Out2 y) const { linear_(context, x, y); }

   private:
    Linear linear_;
  };

  class LayerNorm {
   public:
    LayerNorm(Target, TensorView<const float, 1> scale, TensorView<const float, 1> shift,
              float epsilon)
        : scale_(scale.data(), scale.data() + scale.size()),
          shift_(shift.data(), shift.data() + shift.size()),
          epsilon_(epsilon) {}

    void operator()(Context& context, In2 x, Out2 y, Out2 z) const {
      run(x, {}, y);
      round(context, y, z);
    }
    void operator()(Context& context, In2 x, In2 r, Out2 y, Out2 z) const {
      run(x, r, y);
      round(context, y, z);
    }

   private:
    void run(In2 x, In2 r, Out2 y) const {
      const std::size_t channels = scale_.size();
      std::vector<double> z(channels);
      for (Index row = 0; row < x.extent(0); ++row) {
        double mean = 0.0;
        for (std::size_t c = 0; c < channels; ++c) {
          z[c] = static_cast<double>(x(row, static_cast<Index>(c)));
          if (r.data() != nullptr) z[c] += static_cast<double>(r(row, static_cast<Index>(c)));
          mean += z[c] / static_cast<double>(channels);
        }
        double variance = 0.0;
        for (double value : z) {
          variance += (value - mean) * (value - mean) / static_cast<double>(channels);
        }
        for (std::size_t c = 0; c < channels; ++c) {
          const double normal = (z[c] - mean) / std::sqrt(variance + static_cast<double>(epsilon_));
          y(row, static_cast<Index>(c)) = static_cast<float>(
              normal * static_cast<double>(scale_[c]) + static_cast<double>(shift_[c]));
        }
      }
    }

    std::vector<float> scale_;
    std::vector<float> shift_;
    float epsilon_;
  };

  static std::size_t attention_scratch_bytes(Target, Index, Index, Index, Index) { return 0; }

  static void attention(Context&, In4 q, In4 k, In4 v, Out4 o, float scale) {
    attend(q, k, v, o, nullptr, scale);
  }
  static void attention(Context&, In4 q, In4 k, In4 v, Out4 o, TensorView<float, 3> lse,
                        float scale) {
    attend(q, k, v, o, &lse, scale);
  }

  static void max_pool(Context&, ops::PoolWindow window, In4 x, Out4 y) {
    const Index before = window == ops::PoolWindow::three ? 1 : 0;
    pool(x, y, [&](Index i, std::size_t axis) {
      return ops::PoolRange{std::max<Index>(0, 2 * i - before),
                            std::min<Index>(x.extent(axis), 2 * i + 2)};
    });
  }

  class SpatialAttention {
   public:
    SpatialAttention(Target, const ops::SpatialAttentionSpecification& spec,
                     TensorView<const float, 3> weights, In2 bias)
        : spec_(spec),
          weights_(weights.data(), weights.data() + weights.size()),
          bias_(bias.data(), bias.data() + bias.size()) {}

    void operator()(Context&, In4 x, Out2 y) const {
      Index row = 0;
      for (Index n = 0; n < x.extent(0); ++n) {
        for (Index top = 0; top < x.extent(1); top += spec_.rows) {
          for (Index left = 0; left < x.extent(2); left += spec_.cols) {
            describe(x, {n, top, left}, y, row++);
          }
        }
      }
    }
    std::size_t scratch_bytes() const { return 0; }

   private:
    void describe(In4 x, const Shape<3>& block, Out2 y, Index row) const {
      const Index positions = spec_.positions();
      const Index channels = x.extent(3);
      const auto feature = [&](Index p, Index c) {
        return static_cast<double>(
            x(block[0], block[1] + p / spec_.cols, block[2] + p % spec_.cols, c));
      };
      std::vector<double> summary;
      for (Index p = 0; p < positions; ++p) {
        double sum = 0.0;
        double largest = feature(p, 0);
        for (Index c = 0; c < channels; ++c) {
          sum += feature(p, c);
          largest = std::max(largest, feature(p, c));
        }
        const bool mean = spec_.summary == ops::SpatialAttentionSpecification::Summary::mean;
        summary.push_back(mean ? sum / static_cast<double>(channels) : largest);
      }
      double squares = 0.0;
      std::vector<double> descriptor(static_cast<std::size_t>(spec_.heads * channels), 0.0);
      for (Index h = 0; h < spec_.heads; ++h) {
        for (Index p = 0; p < positions; ++p) {
          double weight = static_cast<double>(bias_[static_cast<std::size_t>(h * positions + p)]);
          for (Index q = 0; q < positions; ++q) {
            const Index at = (h * positions + q) * positions + p;
            weight += summary[static_cast<std::size_t>(q)] *
                      static_cast<double>(weights_[static_cast<std::size_t>(at)]);
          }
          for (Index c = 0; c < channels; ++c) {
            descriptor[static_cast<std::size_t>(h * channels + c)] += weight * feature(p, c);
          }
        }
      }
      for (const double value : descriptor) squares += value * value;
      const double length = spec_.normalized ? std::max(std::sqrt(squares), 1e-12) : 1.0;
      for (Index i = 0; i < spec_.heads * channels; ++i) {
        y(row, i) = static_cast<float>(descriptor[static_cast<std::size_t>(i)] / length);
      }
    }

    ops::SpatialAttentionSpecification spec_;
    std::vector<float> weights_;
    std::vector<float> bias_;
  };

  static void match(Context&, In2 blocks, In2 panoramas, Out4 y) {
    const Index length = blocks.extent(1);
    Index row = 0;
    for (Index n = 0; n < y.extent(0); ++n) {
      for (Index i = 0; i < y.extent(1); ++i) {
        for (Index j = 0; j < y.extent(2); ++j, ++row) {
          double dot = 0.0;
          for (Index c = 0; c < length; ++c) {
            dot += static_cast<double>(blocks(row, c)) * static_cast<double>(panoramas(n, c));
            y(n, i, j, c) = blocks(row, c);
          }
          y(n, i, j, length) = static_cast<float>(dot);
          for (Index c = length + 1; c < y.extent(3); ++c) y(n, i, j, c) = 0.0f;
        }
      }
    }
  }

  static void copy(Context&, In4 x, Out4 y) {
    for (Index n = 0; n < x.extent(0); ++n) {
      for (Index i = 0; i < x.extent(1); ++i) {
        for (Index j = 0; j < x.extent(2); ++j) {
          for (Index c = 0; c < x.extent(3); ++c) y(n, i, j, c) = x(n, i, j, c);
        }
      }
    }
  }

  static void adaptive_max_pool(Context&, In4 x, Out4 y) {
    pool(x, y, [&](Index i, std::size_t axis) {
      return ops::adaptive_range(i, x.extent(axis), y.extent(axis));
    });
  }

  /// The triangle filter itself, without the 8-bit roundings of the real one.
  static void load_image(Context&, TensorView<const std::uint8_t, 3> image, const float (&mean)[3],
                         const float (&std)[3], TensorView<float, 3> y) {
    for (Index i = 0; i < y.extent(0); ++i) {
      const std::vector<double> rows = triangle(i, y.extent(0), image.extent(0));
      for (Index j = 0; j < y.extent(1); ++j) {
        const std::vector<double> columns = triangle(j, y.extent(1), image.extent(1));
        for (Index c = 0; c < 3; ++c) {
          double sum = 0.0;
          for (Index r = 0; r < image.extent(0); ++r) {
            for (Index s = 0; s < image.extent(1); ++s) {
              sum += rows[static_cast<std::size_t>(r)] * columns[static_cast<std::size_t>(s)] *
                     image(r, s, c);
            }
          }
          y(i, j, c) = static_cast<float>((sum / 255.0 - static_cast<double>(mean[c])) /
                                          static_cast<double>(std[c]));
        }
      }
    }
  }

  /// By the bearing and the elevation of the ray to each point. Directly below the camera any
  /// bearing fits; like the other backends it uses south.
  static void sample_ground(Context&, TensorView<const std::uint8_t, 3> panorama,
                            const ops::GroundViewSpecification& spec,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], TensorView<float, 4> y) {
    Index index = 0;
    for (const ops::CameraPose& pose : poses) {
      sample_ground(panorama, spec, pose, mean, std, y[index++]);
    }
  }
  static void sample_ground(TensorView<const std::uint8_t, 3> panorama,
                            const ops::GroundViewSpecification& spec, const ops::CameraPose& pose,
                            const float (&mean)[3], const float (&std)[3], TensorView<float, 3> y) {
    const auto height = static_cast<double>(panorama.extent(0));
    const Index width = panorama.extent(1);
    const auto metres = static_cast<double>(spec.metres_per_pixel);
    for (Index i = 0; i < spec.side; ++i) {
      for (Index j = 0; j < spec.side; ++j) {
        const double north = static_cast<double>(spec.side / 2 - i) * metres;
        const double east = static_cast<double>(j - spec.side / 2) * metres;
        const bool below = north == 0 && east == 0;
        const double bearing = (below ? std::numbers::pi : std::atan2(east, north)) -
                               static_cast<double>(pose.heading_degrees) * std::numbers::pi / 180;
        const double elevation =
            -std::atan2(static_cast<double>(pose.height), std::hypot(north, east));
        const double row =
            std::clamp((0.5 - elevation / std::numbers::pi) * height - 0.5, 0.0, height - 1);
        const double col = (0.5 + bearing / (2 * std::numbers::pi)) * static_cast<double>(width);
        for (Index c = 0; c < 3; ++c) {
          double sum = 0;
          for (Index r = 0; r < panorama.extent(0); ++r) {
            for (Index s = 0; s < width; ++s) {
              // Columns are on a circle.
              const double away =
                  std::remainder(col - 0.5 - static_cast<double>(s), static_cast<double>(width));
              sum += std::max(0.0, 1 - std::abs(row - static_cast<double>(r))) *
                     std::max(0.0, 1 - std::abs(away)) * panorama(r, s, c);
            }
          }
          y(i, j, c) = static_cast<float>((sum / 255 - static_cast<double>(mean[c])) /
                                          static_cast<double>(std[c]));
        }
      }
    }
  }

  /// By the camera's own projection, in double, and every pixel of the image.
  static void sample_ground(Context&, TensorView<const std::uint8_t, 3> image,
                            const camera::BasicCamera<float>& camera,
                            const ops::GroundViewSpecification& spec,
                            std::span<const ops::CameraPose> poses, const float (&mean)[3],
                            const float (&std)[3], TensorView<float, 4> y) {
    const auto height = static_cast<double>(image.extent(0));
    const auto width = static_cast<double>(image.extent(1));
    for (Index view = 0; view < y.extent(0); ++view) {
      const ops::CameraPose& pose = poses[static_cast<std::size_t>(view)];
      const camera::Mount mount{.height = static_cast<double>(pose.height),
                                .roll_degrees = static_cast<double>(pose.roll_degrees),
                                .pitch_degrees = static_cast<double>(pose.pitch_degrees)};
      const camera::GroundCamera ground(camera::Camera(camera), mount);
      for (Index i = 0; i < spec.side; ++i) {
        for (Index j = 0; j < spec.side; ++j) {
          const auto metres = static_cast<double>(spec.metres_per_pixel);
          const camera::GroundPoint point =
              camera::ground_point_of(static_cast<double>(j - spec.side / 2) * metres,
                                      static_cast<double>(spec.side / 2 - i) * metres,
                                      static_cast<double>(pose.heading_degrees));
          const camera::Projection seen = ground.project(point.right, point.forward);
          for (Index c = 0; c < 3; ++c) {
            y(view, i, j, c) = 0;
            if (!seen.inside) continue;
            const double row = std::clamp(seen.row - 0.5, 0.0, height - 1);
            const double col =
                camera.wraps() ? seen.col - 0.5 : std::clamp(seen.col - 0.5, 0.0, width - 1);
            double sum = 0;
            for (Index r = 0; r < image.extent(0); ++r) {
              for (Index s = 0; s < image.extent(1); ++s) {
                const double away = camera.wraps()
                                        ? std::remainder(col - static_cast<double>(s), width)
                                        : col - static_cast<double>(s);
                sum += std::max(0.0, 1 - std::abs(row - static_cast<double>(r))) *
                       std::max(0.0, 1 - std::abs(away)) * image(r, s, c);
              }
            }
            y(view, i, j, c) = static_cast<float>((sum / 255 - static_cast<double>(mean[c])) /
                                                  static_cast<double>(std[c]));
          }
        }
      }
    }
  }

  static void standardize(Context&, TensorView<const float, 3> x, In2 weights,
                          TensorView<float, 3> y) {
    for (Index c = 0; c < x.extent(2); ++c) {
      // The weighted sum over positions of `value` at each.
      const auto sum = [&](auto&& value) {
        double total = 0;
        for (Index i = 0; i < x.extent(0); ++i) {
          for (Index j = 0; j < x.extent(1); ++j) {
            if (weights(i, j) == 0) continue;
            total += static_cast<double>(weights(i, j)) * value(static_cast<double>(x(i, j, c)));
          }
        }
        return total;
      };
      const double total = sum([](double) { return 1.0; });
      const double mean = sum([](double v) { return v; }) / total;
      const double deviation =
          std::sqrt(sum([mean](double v) { return (v - mean) * (v - mean); }) / total);
      for (Index i = 0; i < x.extent(0); ++i) {
        for (Index j = 0; j < x.extent(1); ++j) {
          y(i, j, c) =
              static_cast<float>((static_cast<double>(x(i, j, c)) - mean) / (deviation + 1e-6));
        }
      }
    }
  }

  static std::size_t correlate_scratch_bytes(Target, const Shape<3>&, const Shape<4>&) { return 0; }

  static void correlate(Context&, TensorView<const float, 3> tile, In4 views, In2 weights,
                        TensorView<float, 3> scores) {
    const Index h = views.extent(1);
    const Index w = views.extent(2);
    double total = 0;
    for (Index i = 0; i < weights.size(); ++i) total += static_cast<double>(weights.data()[i]);
    for (Index k = 0; k < views.extent(0); ++k) {
      for (Index row = 0; row < tile.extent(0); ++row) {
        for (Index col = 0; col < tile.extent(1); ++col) {
          double sums[4] = {};  // of products, squares of tile and of view, and weights
          for (Index i = 0; i < h; ++i) {
            for (Index j = 0; j < w; ++j) {
              const Index r = row + i - h / 2;
              const Index s = col + j - w / 2;
              if (r < 0 || r >= tile.extent(0) || s < 0 || s >= tile.extent(1)) continue;
              const auto weight = static_cast<double>(weights(i, j));
              for (Index c = 0; c < tile.extent(2); ++c) {
                const auto t = static_cast<double>(tile(r, s, c));
                const auto v = static_cast<double>(views(k, i, j, c));
                sums[0] += weight * t * v;
                sums[1] += weight * t * t;
                sums[2] += weight * v * v;
              }
              sums[3] += weight;
            }
          }
          const double energies = std::max(sums[1], 1e-3) * std::max(sums[2], 1e-3);
          scores(k, row, col) = static_cast<float>(sums[0] / (std::sqrt(energies) + 1e-6) *
                                                   std::sqrt(sums[3] / total));
        }
      }
    }
  }

  static void log_sum_exp(Context&, In2 scores, TensorView<const float, 1> bias, float scale,
                          TensorView<float, 1> of_rows, TensorView<float, 1> of_columns) {
    const auto log_sum = [scale](const auto& score, Index count) {
      double largest = score(0);
      for (Index i = 1; i < count; ++i) largest = std::max(largest, score(i));
      double sum = 0;
      for (Index i = 0; i < count; ++i) {
        sum += std::exp(static_cast<double>(scale) * (score(i) - largest));
      }
      return static_cast<float>(static_cast<double>(scale) * largest + std::log(sum));
    };
    const auto biased = [&](Index r, Index c) {
      return static_cast<double>(scores(r, c)) + static_cast<double>(bias(r));
    };
    const Index rows = scores.extent(0);
    const Index columns = scores.extent(1);
    for (Index r = 0; r < rows; ++r) {
      of_rows(r) = log_sum([&](Index c) { return biased(r, c); }, columns);
    }
    for (Index c = 0; c < columns; ++c) {
      of_columns(c) = log_sum([&](Index r) { return biased(r, c); }, rows);
    }
  }

  static void decode(Context&, const ops::HeadOutputs<HostSpace>& outputs,
                     const ops::Decoding& decoding) {
    for (Index image = 0; image < outputs.batch(); ++image) {
      const auto logits = outputs.logits()[image];
      const auto probability = outputs.probability()[image];
      const Index grid = outputs.grid();
      double total = 0.0;
      Index cell = 0;
      for (Index i = 0; i < logits.size(); ++i) {
        if (logits(i) > logits(cell)) cell = i;
      }
      const auto weight = [&](Index i) {
        return std::exp((static_cast<double>(logits(i)) - static_cast<double>(logits(cell))) /
                        decoding.temperature);
      };
      for (Index i = 0; i < logits.size(); ++i) total += weight(i);
      for (Index i = 0; i < logits.size(); ++i) {
        probability(i) = static_cast<float>(weight(i) / total);
        for (Index axis = 0; axis < 2; ++axis) {
          float& offset = outputs.offsets()(image, i, axis);
          if (decoding.sigmoid) {
            offset = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(offset))));
          }
        }
      }
      ops::DecodedFix fix{.cell = static_cast<std::int32_t>(cell)};
      double sums[3] = {0.0, 0.0, 0.0};  // of weights, of rows and columns times weights
      for (Index i = 0; i < logits.size(); ++i) {
        const Index away =
            std::max(std::abs(i / grid - cell / grid), std::abs(i % grid - cell % grid));
        if (away > (decoding.fix == ops::FixRule::neighbourhood ? 1 : 0)) continue;
        const double w =
            std::exp(static_cast<double>(logits(i)) - static_cast<double>(logits(cell)));
        sums[0] += w;
        sums[1] += w * (static_cast<double>(i / grid) + outputs.offsets()(image, i, 0));
        sums[2] += w * (static_cast<double>(i % grid) + outputs.offsets()(image, i, 1));
      }
      fix.row = static_cast<float>(sums[1] / sums[0]);
      fix.col = static_cast<float>(sums[2] / sums[0]);
      fill_moments(probability, outputs.offsets()[image], grid, fix);
      outputs.fix()(image) = fix;
    }
  }

  static void round(Context&, In2 x, Out2 z) {
    for (Index i = 0; i < x.extent(0); ++i) {
      for (Index j = 0; j < x.extent(1); ++j) z(i, j) = x(i, j);
    }
  }

  static void read(Context&, In2 x, float* out) {
    for (Index i = 0; i < x.extent(0); ++i) {
      out = std::copy_n(x.data() + x.offset(i, 0), x.extent(1), out);
    }
  }
  static void write(Context&, const float* from, TensorView<float, 1> y) {
    for (Index i = 0; i < y.size(); ++i) y(i) = from[i];
  }

 private:
  static float activated(double value, ops::Activation activation) {
    if (activation != ops::Activation::none && value < 0.0) value = 0.0;
    if (activation == ops::Activation::relu6 && value > 6.0) value = 6.0;
    return static_cast<float>(value);
  }

  static void attend(In4 q, In4 k, In4 v, Out4 o, const TensorView<float, 3>* lse, float scale) {
    const Index keys = k.extent(1);
    std::vector<double> weights(static_cast<std::size_t>(keys));
    for (Index b = 0; b < q.extent(0); ++b) {
      for (Index h = 0; h < q.extent(2); ++h) {
        for (Index i = 0; i < q.extent(1); ++i) {
          const double log_sum =
              softmax_of_scores(q, k, b, h, i, static_cast<double>(scale), weights);
          if (lse != nullptr) (*lse)(b, i, h) = static_cast<float>(log_sum);
          // With a log-sum-exp, a row in which no key has a weight is zeros.
          const bool zeros = lse != nullptr && std::isinf(log_sum);
          for (Index d = 0; d < q.extent(3); ++d) {
            double sum = 0.0;
            for (Index j = 0; j < keys; ++j) {
              sum += weights[static_cast<std::size_t>(j)] * static_cast<double>(v(b, j, h, d));
            }
            o(b, i, h, d) = zeros ? 0.0f : static_cast<float>(sum);
          }
        }
      }
    }
  }

  /// weights = softmax(scale q k^T) of one row. Returns the log-sum-exp of its scores: -inf if all
  /// are -inf or there are none; NaN if one is NaN or +inf.
  static double softmax_of_scores(In4 q, In4 k, Index b, Index h, Index i, double scale,
                                  std::vector<double>& weights) {
    double largest = std::numeric_limits<double>::lowest();
    for (std::size_t j = 0; j < weights.size(); ++j) {
      double score = 0.0;
      for (Index d = 0; d < q.extent(3); ++d) {
        score += static_cast<double>(q(b, i, h, d)) *
                 static_cast<double>(k(b, static_cast<Index>(j), h, d));
      }
      weights[j] = score * scale;
      largest = std::max(largest, weights[j]);
    }
    double total = 0.0;
    for (double& weight : weights) total += weight = std::exp(weight - largest);
    for (double& weight : weights) weight /= total;
    return largest + std::log(total);
  }

  /// Covariance and radius of a posterior, from points evenly over the square of each cell.
  static void fill_moments(TensorView<float, 1> probability, TensorView<float, 2> offsets,
                           Index grid, ops::DecodedFix& fix) {
    constexpr Index kPoints = 64;  // along a side of the square
    struct Point {
      double distance, mass;
    };
    std::vector<Point> points;
    double mean[2] = {};
    double second[3] = {};
    for (Index i = 0; i < grid * kPoints; ++i) {
      for (Index j = 0; j < grid * kPoints; ++j) {
        const auto within = [](Index point) {  // from the middle of the square
          return ops::kCellMassSide *
                 ((static_cast<double>(point % kPoints) + 0.5) / kPoints - 0.5);
        };
        const Index cell = i / kPoints * grid + j / kPoints;
        const double row = static_cast<double>(i / kPoints) + offsets(cell, 0) + within(i);
        const double col = static_cast<double>(j / kPoints) + offsets(cell, 1) + within(j);
        const double mass =
            static_cast<double>(probability(cell)) / static_cast<double>(kPoints * kPoints);
        points.push_back(
            {std::hypot(row - static_cast<double>(fix.row), col - static_cast<double>(fix.col)),
             mass});
        mean[0] += mass * row;
        mean[1] += mass * col;
        second[0] += mass * row * row;
        second[1] += mass * row * col;
        second[2] += mass * col * col;
      }
    }
    fix.covariance = {static_cast<float>(second[0] - mean[0] * mean[0]),
                      static_cast<float>(second[1] - mean[0] * mean[1]),
                      static_cast<float>(second[2] - mean[1] * mean[1])};
    std::sort(points.begin(), points.end(),
              [](const Point& a, const Point& b) { return a.distance < b.distance; });
    double held = 0.0;
    for (auto point = points.begin(); point != points.end() && held < ops::kRadiusShare; ++point) {
      held += point->mass;
      fix.radius = static_cast<float>(point->distance);
    }
  }

  template <class Range>
  static void pool(In4 x, Out4 y, Range range) {
    for (Index n = 0; n < y.extent(0); ++n) {
      for (Index i = 0; i < y.extent(1); ++i) {
        for (Index j = 0; j < y.extent(2); ++j) {
          for (Index c = 0; c < y.extent(3); ++c) {
            float largest = -std::numeric_limits<float>::infinity();
            for (Index r = range(i, 1).begin; r < range(i, 1).end; ++r) {
              for (Index s = range(j, 2).begin; s < range(j, 2).end; ++s) {
                const float value = x(n, r, s, c);
                if (value > largest || std::isnan(value)) largest = value;
              }
            }
            y(n, i, j, c) = largest;
          }
        }
      }
    }
  }

  /// Weights of the `input` pixels in pixel `index` of `output` output pixels, summing to 1.
  static std::vector<double> triangle(Index index, Index output, Index input) {
    const double ratio = static_cast<double>(input) / static_cast<double>(output);
    const double width = std::max(ratio, 1.0);
    const double centre = (static_cast<double>(index) + 0.5) * ratio;
    std::vector<double> weights(static_cast<std::size_t>(input));
    double total = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = std::max(0.0, 1.0 - std::abs(static_cast<double>(i) + 0.5 - centre) / width);
      total += weights[i];
    }
    for (double& weight : weights) weight /= total;
    return weights;
  }
};

static_assert(ops::Backend<ReferenceBackend>);

}  // namespace crossfix::test

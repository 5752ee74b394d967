#pragma once

#include "crossfix/core/math.hpp"
#include "crossfix/ops/online_softmax.hpp"
#include "exp2.hpp"
#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// Fused attention of one head on one thread.
///
/// Both products, scores = Q K^T and sums += P V, run in register tiles of several rows by two
/// vectors of sums. Each step takes one broadcast per row and two vectors of columns. Keys and
/// values of the head are packed once, so that a step reads both vectors next to each other:
///
///   K [key / panel][dim / kPack][panel][kPack]     panel: two vectors of keys
///   V [key / kPack][padded dim][kPack]             kPack: elements that a product sums at once
///   Q [dim / kPack][kQueryBlock][kPack]            of the current queries
///
/// For every kQueryBlock queries, the keys are processed in blocks of kKeyBlock: scores to a buffer
/// (14 KB, in L1 together with the current panel), weights in place, then the product with V. Keys
/// and values stream from L2: 512 bytes per key for dim 32 in f32, against 12 * 64 multiply-adds.
///
/// `Product` defines the arithmetic:
///   Simd            vectors of floats
///   Stored          an element in memory: float, or the bits of a bfloat16
///   Unit            kPack elements as a product takes them from a broadcast
///   Operand         a vector of units: load(const Unit*), broadcast(const Unit*)
///   multiply_add    sums += operand * operand
///   store_weights   stores two vectors of floats as elements
///   to_stored       converts a float to an element; negative: negates an element
///   kExp2Degree     see exp2.hpp
template <class Product>
class Attention {
  using Simd = typename Product::Simd;
  using Floats = typename Simd::Floats;
  using Stored = typename Product::Stored;
  using Unit = typename Product::Unit;
  using Operand = typename Product::Operand;
  using Head = AttentionHead<Stored>;

  static constexpr int kLanes = Simd::kLanes;
  static constexpr int kRows = Simd::kTileRows;
  static constexpr int kScoreRows = Simd::kScoreRows;
  static constexpr Index kColumns = 2 * kLanes;
  static constexpr Index kPack = Product::kPack;
  static constexpr int kAtOnce = Simd::kExponentials;  // vectors of weights processed together
  // Not a power of two, so that rows start in different sets of the L1 cache.
  static constexpr Index kScoreStride = kKeyBlock + kPanel;
  static constexpr float kSmallest = 0x1p-126f;
  static_assert(kQueryBlock % kRows == 0 && kQueryBlock % kScoreRows == 0 &&
                kPanel % kColumns == 0 && kKeyBlock % kColumns == 0);

  /// Arithmetic of a row's state, used once per block of keys. It is exact to the last bits,
  /// whatever the precision of the weights. Otherwise the error of each block's factor would affect
  /// the sums of all earlier blocks.
  struct RowMath {
    using Real = Floats;
    static Real set(float a) { return Simd::set(a); }
    static Real maximum(Real a, Real b) { return Simd::maximum(a, b); }
    static Real add(Real a, Real b) { return Simd::add(a, b); }
    static Real subtract(Real a, Real b) { return Simd::subtract(a, b); }
    static Real multiply(Real a, Real b) { return Simd::multiply(a, b); }
    static Real exp2(Real a) {
      Real x[1] = {a};
      kernels::exp2<Simd, 5>(x);
      return x[0];
    }
  };
  using State = ops::OnlineSoftmax<RowMath>;
  // One softmax per lane: the rows of a block of queries.
  static constexpr int kStates = static_cast<int>(ceil_div<Index>(kQueryBlock, kLanes));

  struct Scratch {
    Stored* k;
    Stored* v;
    Stored* q;
    float* scores;
    float* sums;
    Index steps;   // units of a head's dim
    Index padded;  // columns of v and of the sums

    explicit Scratch(const Head& head)
        : steps(ceil_div(head.dim, kPack)), padded(round_up_to(head.dim, kColumns)) {
      const Index keys = round_up_to(head.keys, kPanel);
      const Index dims = round_up_to(head.dim, kPanel);
      k = reinterpret_cast<Stored*>(head.scratch);
      v = k + keys * dims;
      q = v + keys * dims;
      scores = reinterpret_cast<float*>(q + kQueryBlock * dims);
      sums = scores + kQueryBlock * kScoreStride;
    }
  };

 public:
  static void pack(const Head& head) {
    const Scratch s(head);
    for (Index key = 0; key < round_up_to(head.keys, kColumns); ++key) {
      Stored* to_k = s.k + (key / kColumns * s.steps * kColumns + key % kColumns) * kPack;
      Stored* to_v = s.v + key / kPack * s.padded * kPack + key % kPack;
      const Index dim = key < head.keys ? head.dim : 0;  // rows beyond the last key are zero
      if (key + kAhead < head.keys) {
        prefetch(head.k + (key + kAhead) * head.k_stride, head.dim);
        prefetch(head.v + (key + kAhead) * head.v_stride, head.dim);
      }
      scatter(head.k + key * head.k_stride, dim, s.steps * kPack, to_k, kColumns * kPack);
      const Stored* from_v = head.v + key * head.v_stride;
      for (Index d = 0; d < dim; ++d) to_v[d * kPack] = from_v[d];
      for (Index d = dim; d < s.padded; ++d) to_v[d * kPack] = Stored{};
    }
  }

  static void run(const Head& head, Index begin, Index end) {
    const Scratch s(head);
    for (Index row = begin; row < end; row += kQueryBlock) {
      const Index rows = end - row < kQueryBlock ? end - row : kQueryBlock;
      query_block(head, s, row, rows);
    }
  }

 private:
  /// Rows are prefetched this many tokens ahead: they are far apart in memory, and the hardware
  /// does not predict them.
  static constexpr Index kAhead = 16;

  static void prefetch(const Stored* row, Index dim) {
    const auto* bytes = reinterpret_cast<const char*>(row);
    const Index size = dim * static_cast<Index>(sizeof(Stored));
    for (Index at = 0; at < size; at += 64) __builtin_prefetch(bytes + at);
    __builtin_prefetch(bytes + size - 1);
  }

  /// The factor from scores to units of log 2. Its sign is applied to the queries, so that the
  /// largest score stays the largest. It is never 0, which would give NaN for the -inf beyond the
  /// last key.
  static float log2_scale(const Head& head) {
    const float magnitude = __builtin_fabsf(head.scale) * kLog2E;
    return magnitude > kSmallest ? magnitude : kSmallest;
  }

  /// Writes the units of a row, `dim` elements and zeros up to `padded`, `distance` elements apart.
  static void scatter(const Stored* from, Index dim, Index padded, Stored* to, Index distance) {
    Index d = 0;
    for (; d + kPack <= dim; d += kPack, to += distance) {
      for (Index i = 0; i < kPack; ++i) to[i] = from[d + i];
    }
    for (; d < padded; d += kPack, to += distance) {
      for (Index i = 0; i < kPack; ++i) to[i] = d + i < dim ? from[d + i] : Stored{};
    }
  }

  /// c[R][two vectors] += a[R][steps] b[steps][two vectors]; `a_row`, `a_step` are the distances
  /// between rows and steps of a.
  template <int R>
  [[gnu::always_inline]] static inline void multiply(const Unit* a, Index a_row, Index a_step,
                                                     const Unit* b, Index b_step, Index steps,
                                                     Floats (&c)[R][2]) {
    for (Index step = 0; step < steps; ++step) {
      const Operand b0 = Product::load(b + step * b_step);
      const Operand b1 = Product::load(b + step * b_step + kLanes);
#pragma GCC unroll 12
      for (int r = 0; r < R; ++r) {
        const Operand ar = Product::broadcast(a + r * a_row + step * a_step);
        c[r][0] = Product::multiply_add(ar, b0, c[r][0]);
        c[r][1] = Product::multiply_add(ar, b1, c[r][1]);
      }
    }
  }

  static void query_block(const Head& head, const Scratch& s, Index row, Index rows) {
    for (Index r = 0; r < kQueryBlock; ++r) {
      scatter(head.q + (row + r) * head.q_stride, r < rows ? head.dim : 0, s.steps * kPack,
              s.q + r * kPack, kQueryBlock * kPack);
      for (Index d = 0; d < s.padded; ++d) s.sums[r * s.padded + d] = 0.0f;
    }
    if (head.scale < 0.0f) {
      for (Index i = 0; i < kQueryBlock * s.steps * kPack; ++i) s.q[i] = Product::negative(s.q[i]);
    }
    State states[kStates];
    const Index ahead = (kQueryBlock * kKeyBlock + head.keys - 1) / (head.keys + 1) + 1;
    Index next = row + kQueryBlock;
    const Index last = next + kQueryBlock < head.queries ? next + kQueryBlock : head.queries;
    for (Index key = 0; key < head.keys; key += kKeyBlock) {
      // A few rows of the next block of queries at a time, because each may also miss the TLB.
      for (Index i = 0; i < ahead && next < last; ++i, ++next) {
        prefetch(head.q + next * head.q_stride, head.dim);
      }
      const Index keys = head.keys - key < kKeyBlock ? head.keys - key : kKeyBlock;
      key_block(head, s, key, keys, states);
    }
    write(head, s, row, rows, states);
  }

  static void key_block(const Head& head, const Scratch& s, Index key, Index keys,
                        State (&states)[kStates]) {
    alignas(64) float largest[kStates * kLanes] = {};
    const Index padded_keys = round_up_to(keys, kColumns);
    for (Index r = 0; r < kQueryBlock; r += kScoreRows) {
      scores(head, s, r, key, keys, largest + r);
    }
    alignas(64) float reference[kStates * kLanes];
    alignas(64) float factors[kStates * kLanes];
    alignas(64) float added[kStates * kLanes] = {};
    for (int i = 0; i < kStates; ++i) {
      Simd::store(factors + i * kLanes, states[i].update_maximum(Simd::load(largest + i * kLanes)));
      Simd::store(reference + i * kLanes, states[i].reference());
    }
    weights(s, padded_keys, log2_scale(head), reference, added);
    for (int i = 0; i < kStates; ++i) {
      states[i].sum = Simd::add(states[i].sum, Simd::load(added + i * kLanes));
    }
    for (Index r = 0; r < kQueryBlock; r += kRows) {
      for (Index d = 0; d < s.padded; d += kColumns) values(s, r, d, key, keys, factors + r);
    }
  }

  /// Scores, before scaling, of kScoreRows queries from row r on and a block of keys, and the
  /// largest of each row in units of log 2. Keys beyond the last are -inf. The tile is smaller than
  /// that of the other product: the maxima of the rows also stay in registers, and stores, two
  /// cycles each, overlap with the products of the next tile.
  [[gnu::noinline]] static void scores(const Head& head, const Scratch& s, Index r, Index key,
                                       Index keys, float* largest) {
    Floats top[kScoreRows];
    for (Floats& value : top) value = Simd::set(-__builtin_inff());
    for (Index j = 0; j < keys; j += kColumns) {
      Floats c[kScoreRows][2] = {};
      multiply(reinterpret_cast<const Unit*>(s.q) + r, 1, kQueryBlock,
               reinterpret_cast<const Unit*>(s.k) + (key + j) * s.steps, kColumns, s.steps, c);
      if (keys - j < kColumns) mask_beyond(keys - j, c);
      float* out = s.scores + r * kScoreStride + j;
#pragma GCC unroll 12
      for (int i = 0; i < kScoreRows; ++i) {
        Simd::store(out + i * kScoreStride, c[i][0]);
        Simd::store(out + i * kScoreStride + kLanes, c[i][1]);
        top[i] = Simd::maximum(top[i], Simd::maximum(c[i][0], c[i][1]));
      }
    }
    for (int i = 0; i < kScoreRows; ++i) largest[i] = Simd::largest(top[i]) * log2_scale(head);
  }

  /// Sets the columns from `first` on to -inf.
  static void mask_beyond(Index first, Floats (&c)[kScoreRows][2]) {
    alignas(64) float mask[kColumns];
    for (Index x = 0; x < kColumns; ++x) mask[x] = x < first ? 0.0f : -__builtin_inff();
    for (int i = 0; i < kScoreRows; ++i) {
      c[i][0] = Simd::add(c[i][0], Simd::load(mask));
      c[i][1] = Simd::add(c[i][1], Simd::load(mask + kLanes));
    }
  }

  /// Replaces the scores by weights 2^(scale score - reference of the row), in place; `added` are
  /// their sums. The rows are reduced together at the end, because each reduction is a dependency
  /// chain.
  [[gnu::noinline]] static void weights(const Scratch& s, Index keys, float scale,
                                        const float* reference, float* added) {
    alignas(64) float partial[kQueryBlock * kLanes];
    const Floats factor = Simd::set(scale);
    for (Index r = 0; r < kQueryBlock; ++r) {
      float* row = s.scores + r * kScoreStride;
      const Floats shift = Simd::set(-reference[r]);
      Floats sum = Simd::set(0.0f);
      Index j = 0;
      for (; j + kAtOnce * kLanes <= keys; j += kAtOnce * kLanes) {
        sum = Simd::add(sum, weights_at<kAtOnce>(row, j, factor, shift));
      }
      for (; j < keys; j += kColumns) sum = Simd::add(sum, weights_at<2>(row, j, factor, shift));
      Simd::store(partial + r * kLanes, sum);
    }
    for (Index r = 0; r < kQueryBlock; ++r) added[r] = Simd::sum(Simd::load(partial + r * kLanes));
  }

  template <int kCount>
  [[gnu::always_inline]] static inline Floats weights_at(float* row, Index j, Floats factor,
                                                         Floats shift) {
    Floats p[kCount];
#pragma GCC unroll 8
    for (int i = 0; i < kCount; ++i) {
      p[i] = Simd::multiply_add(Simd::load(row + j + i * kLanes), factor, shift);
    }
    kernels::exp2<Simd, Product::kExp2Degree>(p);
    Floats sum = Simd::add(p[0], p[1]);
#pragma GCC unroll 8
    for (int i = 0; i < kCount; i += 2) {
      Product::store_weights(row + (j + i * kLanes) / kPack, p[i], p[i + 1]);
      if (i > 0) sum = Simd::add(sum, Simd::add(p[i], p[i + 1]));
    }
    return sum;
  }

  /// sums[r ..][d ..] = factors * sums + weights * values
  [[gnu::noinline]] static void values(const Scratch& s, Index r, Index d, Index key, Index keys,
                                       const float* factors) {
    Floats c[kRows][2];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const float* in = s.sums + (r + i) * s.padded + d;
      const Floats factor = Simd::set(factors[i]);
      c[i][0] = Simd::multiply(factor, Simd::load(in));
      c[i][1] = Simd::multiply(factor, Simd::load(in + kLanes));
    }
    multiply(reinterpret_cast<const Unit*>(s.scores) + r * kScoreStride, kScoreStride, 1,
             reinterpret_cast<const Unit*>(s.v) + key / kPack * s.padded + d, s.padded,
             ceil_div(keys, kPack), c);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      float* out = s.sums + (r + i) * s.padded + d;
      Simd::store(out, c[i][0]);
      Simd::store(out + kLanes, c[i][1]);
    }
  }

  /// o = sums / l, and m + ln l if lse is requested. If every score was -inf, o is NaN, as a
  /// softmax gives; with lse, o is 0 and lse is -inf. o is 0 if there are no keys.
  static void write(const Head& head, const Scratch& s, Index row, Index rows,
                    const State (&states)[kStates]) {
    alignas(64) float maximum[kStates * kLanes];
    alignas(64) float sum[kStates * kLanes];
    for (int i = 0; i < kStates; ++i) {
      Simd::store(maximum + i * kLanes, states[i].maximum);
      Simd::store(sum + i * kLanes, states[i].sum);
    }
    for (Index r = 0; r < rows; ++r) {
      Stored* out = head.o + (row + r) * head.o_stride;
      if (head.lse != nullptr) {
        head.lse[(row + r) * head.lse_stride] = maximum[r] * kLn2 + __builtin_logf(sum[r]);
      }
      const bool weightless = maximum[r] == -__builtin_inff() && sum[r] == sum[r];
      if (head.keys == 0 || (weightless && head.lse != nullptr)) {
        for (Index d = 0; d < head.dim; ++d) out[d] = Stored{};
        continue;
      }
      const float inverse = weightless ? __builtin_nanf("") : 1.0f / sum[r];
      for (Index d = 0; d < head.dim; ++d) {
        out[d] = Product::to_stored(s.sums[r * s.padded + d] * inverse);
      }
    }
  }
};

/// Products in float.
template <class SimdType>
struct FloatProduct {
  using Simd = SimdType;
  using Floats = typename Simd::Floats;
  using Stored = float;
  using Unit = float;
  using Operand = Floats;
  static constexpr Index kPack = 1;
  static constexpr int kExp2Degree = 5;

  static Operand load(const Unit* p) { return Simd::load(p); }
  static Operand broadcast(const Unit* p) { return Simd::set(*p); }
  static Floats multiply_add(Operand a, Operand b, Floats c) { return Simd::multiply_add(a, b, c); }
  static void store_weights(float* to, Floats a, Floats b) {
    Simd::store(to, a);
    Simd::store(to + Simd::kLanes, b);
  }
  static Stored to_stored(float a) { return a; }
  static Stored negative(Stored a) { return -a; }
};

}  // namespace crossfix::cpu::kernels

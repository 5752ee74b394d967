#pragma once

#include "crossfix/ops/online_softmax.hpp"
#include "exp2.hpp"
#include "kernels.hpp"

namespace crossfix::cpu::kernels {

/// Fused attention of one head on one thread.
///
/// Both products, scores = Q K^T and sums += P V, run in one register tile: kTileRows rows by two
/// vectors of sums, each step one broadcast a row and two vectors of columns. Keys and values of
/// the head are packed once so that a step reads both vectors side by side:
///
///   K [key / panel][dim / kPack][panel][kPack]     panel: two vectors of keys
///   V [key / kPack][padded dim][kPack]             kPack: elements a product sums at once
///
/// For kQueryBlock queries at a time the keys pass by in blocks of kKeyBlock: scores to a buffer
/// (14 KB, in L1 with the panel in use), weights in place, then the product with V. Keys and values
/// stream from L2: 512 bytes a key for dim 32 in f32, against 12 * 64 multiply-adds.
///
/// `Product` names the arithmetic:
///   Simd            vectors of floats
///   Stored          an element in memory: float, or the bits of a bfloat16
///   Unit            kPack elements as a product takes them from a broadcast
///   Operand         a vector of units: load(const Unit*), broadcast(const Unit*)
///   multiply_add    sums += operand * operand
///   store_weights   two vectors of floats as elements
///   to_stored       an element of a float
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
  static constexpr Index kColumns = 2 * kLanes;
  static constexpr Index kPack = Product::kPack;
  static constexpr Index kScoreStride = kKeyBlock + kPanel;  // not a power of two: rows spread
                                                             // over the sets of the L1 cache
  static constexpr float kLog2e = 1.44269504f;
  static_assert(kQueryBlock % kRows == 0 && kPanel % kColumns == 0 && kKeyBlock % kColumns == 0);

  struct RowMath {
    using Real = Floats;
    static Real set(float a) { return Simd::set(a); }
    static Real maximum(Real a, Real b) { return Simd::maximum(a, b); }
    static Real add(Real a, Real b) { return Simd::add(a, b); }
    static Real subtract(Real a, Real b) { return Simd::subtract(a, b); }
    static Real multiply(Real a, Real b) { return Simd::multiply(a, b); }
    static Real exp2(Real a) { return kernels::exp2<Simd, Product::kExp2Degree>(a); }
  };
  using State = ops::OnlineSoftmax<RowMath>;
  // One softmax a lane: the rows of a block of queries.
  static constexpr int kStates = static_cast<int>((kQueryBlock + kLanes - 1) / kLanes);

  static constexpr Index rounded(Index n, Index multiple) {
    return (n + multiple - 1) / multiple * multiple;
  }

  struct Scratch {
    Stored* k;
    Stored* v;
    Stored* q;
    float* scores;
    float* sums;
    Index steps;   // units of a head's dim
    Index padded;  // columns of v and of the sums

    explicit Scratch(const Head& head)
        : steps((head.dim + kPack - 1) / kPack), padded(rounded(head.dim, kColumns)) {
      const Index keys = rounded(head.keys, kPanel);
      const Index dims = rounded(head.dim, kPanel);
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
    for (Index key = 0; key < rounded(head.keys, kColumns); ++key) {
      const bool real = key < head.keys;
      const Stored* from_k = head.k + key * head.k_stride;
      const Stored* from_v = head.v + key * head.v_stride;
      Stored* to_k = s.k + (key / kColumns * s.steps * kColumns + key % kColumns) * kPack;
      Stored* to_v = s.v + key / kPack * s.padded * kPack + key % kPack;
      for (Index d = 0; d < s.steps * kPack; ++d) {
        to_k[d / kPack * kColumns * kPack + d % kPack] =
            real && d < head.dim ? from_k[d] : Stored{};
      }
      for (Index d = 0; d < s.padded; ++d) {
        to_v[d * kPack] = real && d < head.dim ? from_v[d] : Stored{};
      }
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
  /// c[kRows][two vectors] += a[kRows][steps] b[steps][two vectors]
  static inline void multiply(const Unit* a, Index a_stride, const Unit* b, Index b_stride,
                              Index steps, Floats (&c)[kRows][2]) {
    for (Index step = 0; step < steps; ++step) {
      const Operand b0 = Product::load(b + step * b_stride);
      const Operand b1 = Product::load(b + step * b_stride + kLanes);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const Operand ar = Product::broadcast(a + r * a_stride + step);
        c[r][0] = Product::multiply_add(ar, b0, c[r][0]);
        c[r][1] = Product::multiply_add(ar, b1, c[r][1]);
      }
    }
  }

  static void query_block(const Head& head, const Scratch& s, Index row, Index rows) {
    for (Index r = 0; r < kQueryBlock; ++r) {
      for (Index d = 0; d < s.steps * kPack; ++d) {
        s.q[r * s.steps * kPack + d] =
            r < rows && d < head.dim ? head.q[(row + r) * head.q_stride + d] : Stored{};
      }
      for (Index d = 0; d < s.padded; ++d) s.sums[r * s.padded + d] = 0.0f;
    }
    State states[kStates];
    for (Index key = 0; key < head.keys; key += kKeyBlock) {
      const Index keys = head.keys - key < kKeyBlock ? head.keys - key : kKeyBlock;
      key_block(head, s, key, keys, states);
    }
    write(head, s, row, rows, states);
  }

  static void key_block(const Head& head, const Scratch& s, Index key, Index keys,
                        State (&states)[kStates]) {
    alignas(64) float largest[kStates * kLanes] = {};
    const Index padded_keys = rounded(keys, kColumns);
    for (Index r = 0; r < kQueryBlock; r += kRows) {
      scores(head, s, r, key, keys, largest + r);
    }
    alignas(64) float reference[kStates * kLanes];
    alignas(64) float factors[kStates * kLanes];
    alignas(64) float added[kStates * kLanes] = {};
    for (int i = 0; i < kStates; ++i) {
      Simd::store(factors + i * kLanes, states[i].raise(Simd::load(largest + i * kLanes)));
      Simd::store(reference + i * kLanes, states[i].reference());
    }
    for (Index r = 0; r < kQueryBlock; ++r) {
      added[r] = weights(s.scores + r * kScoreStride, padded_keys, reference[r]);
    }
    for (int i = 0; i < kStates; ++i) {
      states[i].sum = Simd::add(states[i].sum, Simd::load(added + i * kLanes));
    }
    for (Index r = 0; r < kQueryBlock; r += kRows) {
      for (Index d = 0; d < s.padded; d += kColumns) values(s, r, d, key, keys, factors + r);
    }
  }

  /// Scores, in units of log 2, of kRows queries from row r on and a block of keys, and the largest
  /// of each row. Keys beyond the last are -inf.
  static void scores(const Head& head, const Scratch& s, Index r, Index key, Index keys,
                     float* largest) {
    const Floats scale = Simd::set(head.scale * kLog2e);
    Floats top[kRows];
    for (int i = 0; i < kRows; ++i) top[i] = Simd::set(-__builtin_inff());
    for (Index j = 0; j < keys; j += kColumns) {
      Floats c[kRows][2] = {};
      multiply(reinterpret_cast<const Unit*>(s.q) + r * s.steps, s.steps,
               reinterpret_cast<const Unit*>(s.k) + (key + j) * s.steps, kColumns, s.steps, c);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        c[i][0] = Simd::multiply(c[i][0], scale);
        c[i][1] = Simd::multiply(c[i][1], scale);
      }
      if (keys - j < kColumns) mask_beyond(keys - j, c);
#pragma GCC unroll 12
      for (int i = 0; i < kRows; ++i) {
        float* out = s.scores + (r + i) * kScoreStride + j;
        Simd::store(out, c[i][0]);
        Simd::store(out + kLanes, c[i][1]);
        top[i] = Simd::maximum(top[i], Simd::maximum(c[i][0], c[i][1]));
      }
    }
    for (int i = 0; i < kRows; ++i) largest[i] = Simd::largest(top[i]);
  }

  /// Makes the columns from `first` on -inf.
  static void mask_beyond(Index first, Floats (&c)[kRows][2]) {
    alignas(64) float mask[kColumns];
    for (Index x = 0; x < kColumns; ++x) mask[x] = x < first ? 0.0f : -__builtin_inff();
    for (int i = 0; i < kRows; ++i) {
      c[i][0] = Simd::add(c[i][0], Simd::load(mask));
      c[i][1] = Simd::add(c[i][1], Simd::load(mask + kLanes));
    }
  }

  /// Turns a row of scores into weights 2^(score - reference), in place; returns their sum.
  static float weights(float* row, Index keys, float reference) {
    const Floats shift = Simd::set(reference);
    Floats sum0 = Simd::set(0.0f);
    Floats sum1 = sum0;
    for (Index j = 0; j < keys; j += kColumns) {
      const Floats p0 = RowMath::exp2(Simd::subtract(Simd::load(row + j), shift));
      const Floats p1 = RowMath::exp2(Simd::subtract(Simd::load(row + j + kLanes), shift));
      sum0 = Simd::add(sum0, p0);
      sum1 = Simd::add(sum1, p1);
      Product::store_weights(row + j / kPack, p0, p1);
    }
    return Simd::sum(Simd::add(sum0, sum1));
  }

  /// sums[r ..][d ..] = factors * sums + weights * values
  static void values(const Scratch& s, Index r, Index d, Index key, Index keys,
                     const float* factors) {
    Floats c[kRows][2];
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      const float* in = s.sums + (r + i) * s.padded + d;
      const Floats factor = Simd::set(factors[i]);
      c[i][0] = Simd::multiply(factor, Simd::load(in));
      c[i][1] = Simd::multiply(factor, Simd::load(in + kLanes));
    }
    multiply(reinterpret_cast<const Unit*>(s.scores) + r * kScoreStride, kScoreStride,
             reinterpret_cast<const Unit*>(s.v) + key / kPack * s.padded + d, s.padded,
             (keys + kPack - 1) / kPack, c);
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
      float* out = s.sums + (r + i) * s.padded + d;
      Simd::store(out, c[i][0]);
      Simd::store(out + kLanes, c[i][1]);
    }
  }

  /// o = sums / l; NaN where every score was -inf, as a softmax gives; 0 where there are no keys.
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
      float inverse = 1.0f / sum[r];
      if (maximum[r] == -__builtin_inff()) inverse = __builtin_nanf("");
      if (head.keys == 0) inverse = 0.0f;
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
};

}  // namespace crossfix::cpu::kernels

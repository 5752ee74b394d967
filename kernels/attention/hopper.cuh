#pragma once

// Fused attention forward for Hopper: o = softmax(scale q k^T) v, 16-bit inputs and outputs, sums
// in float.
//
// Tile. A block computes 64 queries per consumer warpgroup, over tiles of kKeys keys. If there are
// too few queries for all multiprocessors, two consumers share 64 queries. hopper_layout.hpp has
// the configurations and the shared-memory map: two query blocks, kStages tiles of keys and of
// values, all in the swizzled layout of the copy engine, and for each a "full" and an "empty"
// barrier.
//
// Roles. Warpgroup 0 releases registers; its first thread requests queries, keys and values from
// the copy engine, as far ahead as the stages allow. Every other warpgroup computes scores = q k^T
// (m64 nkKeys k16, both operands in shared memory), the weights in registers, and o += weights v
// (with the weights as the register operand: an accumulator's fragment, once packed, is an
// operand's fragment). A thread holds two rows of the tile, 2 of every 8 columns (accumulator_row,
// accumulator_column).
//
// Softmax. Weights are 2^(s c - m) with c = scale log2(e). m is the rounded maximum over the first
// tile only: later tiles need no maximum and no rescaling, which saves 3 instructions per score.
// Later scores of a row may be larger, as long as its sum stays below kLargestSum and large values
// times their weights do not overflow. A row that exceeds this, or begins with only -inf, or
// contains NaN, is detected in its sum or in its output. The block then repeats all its work with
// the running maximum of OnlineSoftmax. Both ways are exact; only the second is slow.
//
// Order. Blocks are persistent: block i processes work items i, i + gridDim.x, ... Adjacent items
// share a head, so that keys and values come from the L2 cache.
//
// Bound: the exponentials, 16 per clock and multiprocessor: 4 * kDim * 16 operations per clock,
// that is 535 TFLOP/s for kDim = 32 at 1.98 GHz on 132 multiprocessors. From kDim = 64 on, the
// matrix units are also a bound (1070 TFLOP/s). Not yet measured.

#include "crossfix/core/math.hpp"
#include "crossfix/kernels/attention/arguments.hpp"
#include "crossfix/kernels/attention/hopper_layout.hpp"
#include "crossfix/kernels/device/hopper.cuh"
#include "crossfix/kernels/device/memory.cuh"
#include "crossfix/kernels/device/scalar.cuh"
#include "crossfix/ops/online_softmax.hpp"

namespace crossfix::kernels {

/// The kernel's argument. It is in constant memory, where the copy engine reads the maps.
template <class Element>
struct HopperProblem {
  device::TensorMap query_map;
  device::TensorMap key_map;
  device::TensorMap value_map;
  AttentionOperand<Element> o;
  AttentionOperand<float> lse;  ///< null if not requested
  int heads;
  int queries;
  int keys;
  int key_tiles;  ///< tiles of Tile::kKeys keys needed for all keys; at least 1
  int query_blocks;
  int work_items;
  float scale_log2;  ///< scale times log2(e)
};

/// Named barriers; 0 is __syncthreads.
enum HopperBarrier { kVerdictBarrier = 1, kExchangeFullBarrier = 2, kExchangeFreeBarrier = 3 };

/// A slot in a ring of stages, and the parity of the current pass over it.
template <int kStages>
struct RingPosition {
  int stage = 0;
  std::uint32_t parity = 0;
  __device__ __forceinline__ void advance() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1u;
    }
  }
};

/// The block's shared memory, by name.
template <class Tile>
struct HopperShared {
  unsigned char* base;

  __device__ __forceinline__ unsigned char* query(int stage) const {
    return base + Tile::kQueryAt + stage * Tile::kQueryBytes;
  }
  __device__ __forceinline__ unsigned char* key(int stage) const {
    return base + Tile::kKeyAt + stage * Tile::kTileBytes;
  }
  __device__ __forceinline__ unsigned char* value(int stage) const {
    return base + Tile::kValueAt + stage * Tile::kTileBytes;
  }
  __device__ __forceinline__ float* exchange() const {
    return reinterpret_cast<float*>(base + Tile::kExchangeAt);
  }
  __device__ __forceinline__ device::Barrier& barrier(int index) const {
    return reinterpret_cast<device::Barrier*>(base + Tile::kBarrierAt)[index];
  }
  __device__ __forceinline__ device::Barrier& query_full(int stage) const { return barrier(stage); }
  __device__ __forceinline__ device::Barrier& query_empty(int stage) const {
    return barrier(Tile::kQueryStages + stage);
  }
  __device__ __forceinline__ device::Barrier& tile_barrier(int kind, int stage) const {
    return barrier(2 * Tile::kQueryStages + kind * Tile::kStages + stage);
  }
  __device__ __forceinline__ device::Barrier& key_full(int s) const { return tile_barrier(0, s); }
  __device__ __forceinline__ device::Barrier& key_empty(int s) const { return tile_barrier(1, s); }
  __device__ __forceinline__ device::Barrier& value_full(int s) const { return tile_barrier(2, s); }
  __device__ __forceinline__ device::Barrier& value_empty(int s) const {
    return tile_barrier(3, s);
  }
  /// Set if a row needs the running maximum.
  __device__ __forceinline__ volatile int& failed() const {
    return *reinterpret_cast<volatile int*>(base + Tile::kFlagAt);
  }

  /// Called by one thread. Each warp arrives once at an empty barrier.
  __device__ __forceinline__ void initialise() const {
    constexpr int kWarps = kWarpgroupThreads / 32;
    constexpr int kReaders = kWarps * (Tile::kShareRows ? 1 : Tile::kConsumers);
    for (int stage = 0; stage < Tile::kQueryStages; ++stage) {
      device::barrier_init(query_full(stage), 1);
      device::barrier_init(query_empty(stage), kWarps * Tile::kConsumers);
    }
    for (int stage = 0; stage < Tile::kStages; ++stage) {
      device::barrier_init(key_full(stage), 1);
      device::barrier_init(key_empty(stage), kReaders);
      device::barrier_init(value_full(stage), 1);
      device::barrier_init(value_empty(stage), kReaders);
    }
    failed() = 0;
  }
};

/// The loader: one thread, for all of the block's work. Its ring positions persist across passes.
template <class Tile, class Element>
struct HopperLoader {
  const HopperProblem<Element>& problem;
  HopperShared<Tile> shared;
  RingPosition<Tile::kQueryStages> query;
  RingPosition<Tile::kStages> tile;

  /// Loads `rows` rows from `token` on, one panel of columns after the other.
  __device__ __forceinline__ void load(unsigned char* to, const device::TensorMap& map,
                                       device::Barrier& full, int rows, const WorkItem& item,
                                       int token) const {
    device::barrier_arrive_expect(full, static_cast<std::uint32_t>(rows * Tile::kDim) *
                                            static_cast<std::uint32_t>(sizeof(Element)));
#pragma unroll
    for (int panel = 0; panel < Tile::kPanels; ++panel) {
      device::tensor_load_4d(to + Tile::panel_offset(panel, rows), map, full, panel * Tile::kPanel,
                             item.head, token, item.batch);
    }
  }

  __device__ void pass() {
    const int tiles = problem.key_tiles;
    for (int index = static_cast<int>(blockIdx.x); index < problem.work_items;
         index += static_cast<int>(gridDim.x)) {
      const WorkItem item = work_item(index, problem.heads, problem.query_blocks);
      device::barrier_wait(shared.query_empty(query.stage), query.parity ^ 1u);
      load(shared.query(query.stage), problem.query_map, shared.query_full(query.stage),
           Tile::kRows, item, item.query_block * Tile::kRows);
      query.advance();
      for (int t = 0; t < tiles; ++t) {
        device::barrier_wait(shared.key_empty(tile.stage), tile.parity ^ 1u);
        load(shared.key(tile.stage), problem.key_map, shared.key_full(tile.stage), Tile::kKeys,
             item, t * Tile::kKeys);
        device::barrier_wait(shared.value_empty(tile.stage), tile.parity ^ 1u);
        load(shared.value(tile.stage), problem.value_map, shared.value_full(tile.stage),
             Tile::kKeys, item, t * Tile::kKeys);
        tile.advance();
      }
    }
  }
};

/// A consumer warpgroup, for all of the block's work. Its ring positions persist across passes.
template <class Tile, class Element>
struct HopperConsumer {
  static constexpr int kScores = Tile::kKeys / 2;  ///< per thread and tile
  static constexpr int kOutputs = Tile::kDim / 2;  ///< per thread
  using State = ops::OnlineSoftmax<device::SoftmaxMath>;

  const HopperProblem<Element>& problem;
  HopperShared<Tile> shared;
  int group;   ///< index among the consumers
  int thread;  ///< index within the warpgroup
  RingPosition<Tile::kQueryStages> query;
  RingPosition<Tile::kStages> tile;
  int previous_stage = 0;

  /// Limit below which a row's sum of weights, relative to the maximum of its first tile, is
  /// certainly exact: neither an f16 weight nor a float sum may overflow.
  static constexpr float kLargestSum = std::is_same_v<Element, float16> ? 0x1p15f : 0x1p100f;

  __device__ __forceinline__ void arrive(device::Barrier& barrier) const {
    if (thread % 32 == 0) device::barrier_arrive(barrier);
  }

  /// The largest of a row's values over the four threads that hold it; likewise the sum.
  static __device__ __forceinline__ float quad_maximum(float value) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
    return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
  }
  static __device__ __forceinline__ float quad_sum(float value) {
    value += __shfl_xor_sync(0xffffffffu, value, 1);
    return value + __shfl_xor_sync(0xffffffffu, value, 2);
  }

  /// The query of which this thread holds row `half`.
  __device__ __forceinline__ int row(const WorkItem& item, int half) const {
    return item.query_block * Tile::kRows + (Tile::kShareRows ? 0 : group * kWarpgroupRows) +
           accumulator_row(thread, half);
  }

  /// Whether the outputs of a row that this thread holds are neither infinite nor NaN.
  static __device__ __forceinline__ bool finite(const float (&o)[kOutputs], int half) {
    float zero = 0.0f;
#pragma unroll
    for (int i = 0; i < kOutputs / 4; ++i) {
      zero = fmaf(o[4 * i + 2 * half], 0.0f, zero);
      zero = fmaf(o[4 * i + 2 * half + 1], 0.0f, zero);
    }
    return zero == 0.0f;
  }

  /// Starts s = q k^T for this warpgroup's rows and the current tile; does not wait.
  __device__ __forceinline__ void start_scores(float (&s)[kScores]) const {
    constexpr std::uint64_t kBase = descriptor_base<Tile::kSpan>(0, 8 * Tile::kSpan);
    const int first_row = Tile::kShareRows ? 0 : group * kWarpgroupRows;
    const std::uint64_t q = kBase | descriptor_address(device::shared_address(
                                        shared.query(query.stage) + first_row * Tile::kSpan));
    const std::uint64_t k =
        kBase | descriptor_address(device::shared_address(shared.key(tile.stage)));
    device::hold(s);
    device::warpgroup_fence();
#pragma unroll
    for (int step = 0; step < Tile::kDim / kDepth; ++step) {
      device::warpgroup_mma<Element, Tile::kKeys>(
          s, q + descriptor_address(Tile::depth_offset(step, Tile::kRows)),
          k + descriptor_address(Tile::depth_offset(step, Tile::kKeys)), step > 0);
    }
    device::warpgroup_commit();
  }

  /// Starts o += weights v for the current tile; does not wait.
  __device__ __forceinline__ void start_values(float (&o)[kOutputs],
                                               std::uint32_t (&weights)[Tile::kKeys / kDepth][4]) {
    constexpr std::uint64_t kBase =
        descriptor_base<Tile::kSpan>(Tile::kKeys * Tile::kSpan, 8 * Tile::kSpan);
    const std::uint64_t v =
        kBase | descriptor_address(device::shared_address(shared.value(tile.stage)));
    device::hold(o);
    device::warpgroup_fence();
#pragma unroll
    for (int step = 0; step < Tile::kKeys / kDepth; ++step) {
      device::warpgroup_mma<Element, Tile::kDim>(
          o, weights[step], v + descriptor_address(step * kDepth * Tile::kSpan), true);
    }
    device::warpgroup_commit();
  }

  /// Keys beyond the last are zeros; their scores must have no weight and become -inf. Scales the
  /// other scores here, so that -inf is the smallest whatever the scale.
  __device__ __forceinline__ void scale_and_mask(float (&s)[kScores], int valid) const {
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
      const bool exists = accumulator_column(thread, i / 4, i % 2) < valid;
      s[i] = exists ? s[i] * problem.scale_log2 : -__builtin_inff();
    }
  }

  /// A row's largest score in this tile, in units of log 2.
  __device__ __forceinline__ float largest(const float (&s)[kScores], float scale, int half) const {
    float value = -__builtin_inff();
#pragma unroll
    for (int i = 0; i < kScores / 4; ++i) {
      value = fmaxf(value, fmaxf(s[4 * i + 2 * half] * scale, s[4 * i + 2 * half + 1] * scale));
    }
    return quad_maximum(value);
  }

  /// Computes the weights of the scores relative to each row's reference, packed as operands, and
  /// adds them to the sums.
  __device__ __forceinline__ void weigh(const float (&s)[kScores], float scale,
                                        std::uint32_t (&weights)[Tile::kKeys / kDepth][4],
                                        State (&state)[2]) const {
    const float reference[2] = {state[0].reference(), state[1].reference()};
#pragma unroll
    for (int i = 0; i < kScores / 2; ++i) {  // d[2i] and d[2i + 1]: one row, adjacent columns
      const int half = i % 2;
      const float low = device::exp2_approx(fmaf(s[2 * i], scale, -reference[half]));
      const float high = device::exp2_approx(fmaf(s[2 * i + 1], scale, -reference[half]));
      state[half].sum += low + high;
      weights[i / 4][i % 4] = device::pack2<Element>(low, high);
    }
  }

  /// Processes one work item; with the running maximum if `kOnline`. Returns true if this thread's
  /// rows are certainly exact.
  template <bool kOnline>
  __device__ __forceinline__ bool work(const WorkItem& item) {
    const int tiles = problem.key_tiles;
    const int tail = problem.keys - (tiles - 1) * Tile::kKeys;
    float s[kScores];
    float o[kOutputs];
    std::uint32_t weights[Tile::kKeys / kDepth][4];
    State state[2];
#pragma unroll
    for (int i = 0; i < kOutputs; ++i) o[i] = 0.0f;
    bool exact = true;
    bool first = true;
    bool running = false;  // a product with values

    device::barrier_wait(shared.query_full(query.stage), query.parity);
    for (int t = 0; t < tiles; ++t) {
      if (Tile::kShareRows && t % Tile::kConsumers != group) {
        tile.advance();
        continue;
      }
      device::barrier_wait(shared.key_full(tile.stage), tile.parity);
      start_scores(s);
      device::warpgroup_wait<0>();
      device::hold(s);
      device::hold(o);
      arrive(shared.key_empty(tile.stage));
      if (Tile::kOverlap && running) arrive(shared.value_empty(previous_stage));

      float scale = problem.scale_log2;  // scale of the scores in s
      if (t == tiles - 1 && tail < Tile::kKeys) {
        scale_and_mask(s, tail);
        scale = 1.0f;
      }
      if constexpr (kOnline) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const float factor = state[half].update_maximum(largest(s, scale, half));
#pragma unroll
          for (int i = 0; i < kOutputs / 4; ++i) {
            o[4 * i + 2 * half] *= factor;
            o[4 * i + 2 * half + 1] *= factor;
          }
        }
      } else if (first) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          state[half].maximum = rintf(largest(s, scale, half));
          exact = exact &&
                  (state[half].maximum > -__builtin_inff() || row(item, half) >= problem.queries);
        }
      }
      first = false;
      weigh(s, scale, weights, state);

      device::barrier_wait(shared.value_full(tile.stage), tile.parity);
      start_values(o, weights);
      if constexpr (Tile::kOverlap) {
        running = true;
        previous_stage = tile.stage;
      } else {
        device::warpgroup_wait<0>();
        device::hold(o);
        arrive(shared.value_empty(tile.stage));
      }
      tile.advance();
    }
    if constexpr (Tile::kOverlap) {
      device::warpgroup_wait<0>();
      device::hold(o);
      if (running) arrive(shared.value_empty(previous_stage));
    }
    arrive(shared.query_empty(query.stage));
    query.advance();

#pragma unroll
    for (int half = 0; half < 2; ++half) {
      state[half].sum = quad_sum(state[half].sum);
      exact = exact && (state[half].sum < kLargestSum || row(item, half) >= problem.queries);
    }
    if constexpr (Tile::kShareRows) {
      // A consumer that had no tile has summed nothing, and its result is valid.
      exact = exact || first;
      if (group > 0) {
        give(state, o);
        return exact;
      }
      take(state, o);
    }
    if constexpr (!kOnline) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        exact = exact && (finite(o, half) || row(item, half) >= problem.queries);
      }
    }
    if (problem.lse.data != nullptr) store_log_sums(item, state, o);
    store(item, state, o);
    return exact;
  }

  /// Passes the second consumer's sums to the first through shared memory.
  __device__ __forceinline__ void give(const State (&state)[2], const float (&o)[kOutputs]) const {
    float* to = shared.exchange() + thread;
    device::named_barrier_sync(kExchangeFreeBarrier, 2 * kWarpgroupThreads);
#pragma unroll
    for (int i = 0; i < kOutputs; ++i) to[i * kWarpgroupThreads] = o[i];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      to[(kOutputs + 2 * half) * kWarpgroupThreads] = state[half].maximum;
      to[(kOutputs + 2 * half + 1) * kWarpgroupThreads] = state[half].sum;
    }
    device::named_barrier_sync(kExchangeFullBarrier, 2 * kWarpgroupThreads);
  }
  __device__ __forceinline__ void take(State (&state)[2], float (&o)[kOutputs]) const {
    const float* from = shared.exchange() + thread;
    device::named_barrier_sync(kExchangeFreeBarrier, 2 * kWarpgroupThreads);
    device::named_barrier_sync(kExchangeFullBarrier, 2 * kWarpgroupThreads);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      State other;
      other.maximum = from[(kOutputs + 2 * half) * kWarpgroupThreads];
      other.sum = from[(kOutputs + 2 * half + 1) * kWarpgroupThreads];
      const typename State::Factors factors = state[half].merge(other);
#pragma unroll
      for (int i = 0; i < kOutputs / 4; ++i) {
#pragma unroll
        for (int pair = 0; pair < 2; ++pair) {
          const int at = 4 * i + 2 * half + pair;
          o[at] = o[at] * factors.own + from[at * kWarpgroupThreads] * factors.other;
        }
      }
    }
  }

  /// Writes the log-sum-exp of existing rows, by one thread of a row. The output of rows without
  /// any weight becomes zero.
  __device__ __forceinline__ void store_log_sums(const WorkItem& item, State (&state)[2],
                                                 float (&o)[kOutputs]) const {
    float* head = problem.lse.head(item.batch, item.head);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int token = row(item, half);
      if (thread % 4 == 0 && token < problem.queries) {
        head[token * problem.lse.token_stride] = state[half].log_sum();
      }
      if (state[half].sum != 0.0f) continue;
      state[half].sum = 1.0f;
#pragma unroll
      for (int i = 0; i < kOutputs / 4; ++i) {
        o[4 * i + 2 * half] = o[4 * i + 2 * half + 1] = 0.0f;
      }
    }
  }

  /// Divides by the sums, and writes the existing rows. The four threads of a row hold 2 columns of
  /// every 8. They exchange them within 32 columns, so that each writes 16 bytes.
  __device__ __forceinline__ void store(const WorkItem& item, const State (&state)[2],
                                        const float (&o)[kOutputs]) const {
    Element* head = problem.o.head(item.batch, item.head);
    const int own = thread % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float inverse = 1.0f / state[half].sum;
      const int token = row(item, half);
#pragma unroll
      for (int chunk = 0; chunk < Tile::kDim / 32; ++chunk) {
        std::uint32_t words[4];
#pragma unroll
        for (int block = 0; block < 4; ++block) {
          const int at = 4 * (4 * chunk + block) + 2 * half;
          words[block] = device::pack2<Element>(o[at] * inverse, o[at + 1] * inverse);
        }
        // Thread t sends word t ^ r to thread t ^ r, and receives from it its word t.
        std::uint32_t received[4] = {pick(words, own), 0, 0, 0};
#pragma unroll
        for (int r = 1; r < 4; ++r) {
          received[r] = __shfl_xor_sync(0xffffffffu, pick(words, own ^ r), r);
        }
        const uint4 line = make_uint4(pick(received, own), pick(received, own ^ 1),
                                      pick(received, own ^ 2), pick(received, own ^ 3));
        if (token < problem.queries) {
          *reinterpret_cast<uint4*>(head + token * problem.o.token_stride + 32 * chunk + 8 * own) =
              line;
        }
      }
    }
  }
  /// words[index], without an indexed register.
  static __device__ __forceinline__ std::uint32_t pick(const std::uint32_t (&words)[4], int index) {
    const std::uint32_t even = index & 2 ? words[2] : words[0];
    const std::uint32_t odd = index & 2 ? words[3] : words[1];
    return index & 1 ? odd : even;
  }

  template <bool kOnline>
  __device__ __forceinline__ void pass() {
    bool exact = true;
    for (int index = static_cast<int>(blockIdx.x); index < problem.work_items;
         index += static_cast<int>(gridDim.x)) {
      const bool came_out = work<kOnline>(work_item(index, problem.heads, problem.query_blocks));
      exact = exact && came_out;
    }
    if (!kOnline && !exact) shared.failed() = 1;
  }
};

/// Blocks of Tile::kThreads threads and Tile::kSharedBytes of shared memory. `Tile` is the
/// HopperLayout of a tile: nvcc 13.0 cannot name, on the host, a kernel whose own argument is of a
/// class.
template <class Tile, class Element>
__global__ void __launch_bounds__(Tile::kThreads, 1)
    attention_hopper_kernel(const __grid_constant__ HopperProblem<Element> problem) {
#if CROSSFIX_DEVICE_SM90A
  const HopperShared<Tile> shared{device::shared_memory()};
  const int thread = static_cast<int>(threadIdx.x);
  // Uniform across the warp, and known to the compiler as such.
  const int group = __shfl_sync(0xffffffffu, thread / kWarpgroupThreads, 0);
  if (thread == 0) {
    device::prefetch(problem.query_map);
    device::prefetch(problem.key_map);
    device::prefetch(problem.value_map);
    shared.initialise();
    device::fence_barrier_init();
  }
  __syncthreads();

  // When all consumers have finished the first pass, it is known whether a second one is needed.
  constexpr int kVerdictThreads = Tile::kConsumers * kWarpgroupThreads + 32;
  if (group == 0) {
    device::register_limit_decrease<Tile::kLoaderRegisters>();
    if (thread < 32) {
      HopperLoader<Tile, Element> loader{problem, shared, {}, {}};
      if (thread == 0) loader.pass();
      __syncwarp();
      device::named_barrier_sync(kVerdictBarrier, kVerdictThreads);
      if (shared.failed() != 0 && thread == 0) loader.pass();
    }
  } else {
    device::register_limit_increase<Tile::kConsumerRegisters>();
    HopperConsumer<Tile, Element> consumer{problem, shared, group - 1, thread % kWarpgroupThreads,
                                           {},      {}};
    consumer.template pass<false>();
    device::named_barrier_sync(kVerdictBarrier, kVerdictThreads);
    if (shared.failed() != 0) consumer.template pass<true>();
  }
#endif
}

}  // namespace crossfix::kernels

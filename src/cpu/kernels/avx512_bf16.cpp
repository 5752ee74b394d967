#include "attention_kernel.hpp"
#include "row_kernels.hpp"
#include "simd_avx512.hpp"

namespace crossfix::cpu::kernels {
namespace {

struct Avx512Bf16Set;
using Simd = Avx512Simd<Avx512Bf16Set>;

/// Elements that are the bits of bfloat16. Conversions round to nearest, ties to even; subnormal
/// floats become zero, as in the instruction.
struct Bfloat16Access {
  using Simd = kernels::Simd;
  using Stored = std::uint16_t;

  static __m512 load(const Stored* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  static void store(Stored* p, __m512 a) {
    const __m256bh bits = _mm512_cvtneps_pbh(a);
    __builtin_memcpy(p, &bits, sizeof bits);
  }
  static float load_one(const Stored* p) {
    const std::uint32_t bits = static_cast<std::uint32_t>(*p) << 16;
    return __builtin_bit_cast(float, bits);
  }
  static void store_one(Stored* p, float a) {
    const __m128bh bits = _mm_cvtneps_pbh(_mm_set_ss(a));
    __builtin_memcpy(p, &bits, sizeof *p);
  }
};

/// Products of bfloat16 pairs, summed in float by VDPBF16PS.
struct Bfloat16Product {
  using Simd = kernels::Simd;
  using Stored = std::uint16_t;
  using Unit = std::uint32_t;
  using Operand = __m512i;
  static constexpr Index kPack = 2;
  static constexpr int kExp2Degree = 3;

  static Operand load(const Unit* p) { return _mm512_loadu_si512(p); }
  static Operand broadcast(const Unit* p) {
    int pair;
    __builtin_memcpy(&pair, p, sizeof pair);
    return _mm512_set1_epi32(pair);
  }
  static __m512 multiply_add(Operand a, Operand b, __m512 c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  static void store_weights(float* to, __m512 a, __m512 b) {
    _mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
  }
  static Stored to_stored(float a) {
    Stored bits;
    Bfloat16Access::store_one(&bits, a);
    return bits;
  }
  static Stored negative(Stored a) { return static_cast<Stored>(a ^ 0x8000u); }
};

using Bf16Attention = Attention<Bfloat16Product>;
using Bf16Rows = RowKernels<Bfloat16Access>;

}  // namespace

const Bfloat16Kernels kAvx512Bf16 = {
    {Bf16Attention::pack, Bf16Attention::run}, Bf16Rows::layer_norm, Bf16Rows::maximum};

}  // namespace crossfix::cpu::kernels

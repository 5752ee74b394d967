/// Shared by the safetensors reader and writer.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "crossfix/core/dtype.hpp"
#include "crossfix/io/safetensors.hpp"

namespace crossfix::io {

inline constexpr std::size_t kLengthBytes = 8;
inline constexpr std::size_t kMaximumHeaderBytes = 100'000'000;  ///< the format's own limit
inline constexpr std::string_view kMetadataKey = "__metadata__";

/// The format's names of the element types.
inline constexpr std::array<std::pair<std::string_view, Dtype>, 22> kDtypeNames = {{
    {"F32", Dtype::f32},
    {"F16", Dtype::f16},
    {"BF16", Dtype::bf16},
    {"F64", Dtype::f64},
    {"I64", Dtype::i64},
    {"I32", Dtype::i32},
    {"I16", Dtype::i16},
    {"I8", Dtype::i8},
    {"U8", Dtype::u8},
    {"BOOL", Dtype::boolean},
    {"U64", Dtype::u64},
    {"U32", Dtype::u32},
    {"U16", Dtype::u16},
    {"C64", Dtype::c64},
    {"F8_E4M3", Dtype::f8_e4m3},
    {"F8_E5M2", Dtype::f8_e5m2},
    {"F8_E8M0", Dtype::f8_e8m0},
    {"F8_E4M3FNUZ", Dtype::f8_e4m3fnuz},
    {"F8_E5M2FNUZ", Dtype::f8_e5m2fnuz},
    {"F6_E2M3", Dtype::f6_e2m3},
    {"F6_E3M2", Dtype::f6_e3m2},
    {"F4", Dtype::f4},
}};

/// Fills tensors and metadata from a file's bytes. Throws WeightsError without the file's name.
void parse_safetensors(std::span<const std::byte> file, TensorRecords& tensors, Metadata& metadata);

}  // namespace crossfix::io

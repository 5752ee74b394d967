#include "crossfix/io/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "safetensors_header.hpp"

namespace crossfix::io {

namespace {

using Sort = FileKind::Sort;
using namespace std::string_view_literals;

constexpr std::size_t kBeginning = 512;
constexpr auto kUnpack = "unpack it first"sv;

/// Bytes at an index where only files of one kind have them.
struct Signature {
  std::size_t at;
  std::string_view bytes;
  FileKind kind;
};

/// The more particular ones stand first.
constexpr auto kSignatures = std::to_array<Signature>({
    {0, "\x89PNG\r\n\x1a\n"sv, {"a PNG image", Sort::picture}},
    {0, "\xff\xd8\xff"sv, {"a JPEG image", Sort::picture}},
    {0, "GIF8"sv, {"a GIF image", Sort::picture}},
    {8, "WEBP"sv, {"a WebP image", Sort::picture}},
    {0, "II*\0"sv, {"a TIFF image", Sort::picture}},
    {0, "MM\0*"sv, {"a TIFF image", Sort::picture}},
    {0, "II+\0"sv, {"a TIFF image", Sort::picture}},
    {0, "MM\0+"sv, {"a TIFF image", Sort::picture}},
    {0, "\0\0\0\x0cjP  "sv, {"a JPEG 2000 image", Sort::picture}},
    {0, "\xff\x4f\xff\x51"sv, {"a JPEG 2000 image", Sort::picture}},
    {0, "\0\0\0\x0cJXL "sv, {"a JPEG XL image", Sort::picture}},
    {0, "\xff\x0a"sv, {"a JPEG XL image", Sort::picture}},
    {0, "\0\0\1\0"sv, {"an icon (ICO)", Sort::picture}},
    {4, "ftypavi"sv, {"an AVIF image", Sort::picture}},
    {4, "ftyphe"sv, {"a HEIC image", Sort::picture}},
    {4, "ftypmif1"sv, {"a HEIF image", Sort::picture}},
    {4, "ftypmsf1"sv, {"a HEIF image", Sort::picture}},
    {4, "ftyp"sv, {"a video (MP4)"}},
    {0, "8BPS"sv, {"a Photoshop image", Sort::picture}},
    {0, "\x76\x2f\x31\x01"sv, {"an OpenEXR image", Sort::picture}},
    {0, "#?RADIANCE"sv, {"a Radiance HDR image", Sort::picture}},
    {0, "%PDF-"sv, {"a PDF document"}},
    {0, "\x93NUMPY"sv, {"a NumPy array (.npy)"}},
    {0, "\x89HDF\r\n\x1a\n"sv, {"an HDF5 file"}},
    {0, "GGUF"sv, {"a GGUF file"}},
    {0, "\x1f\x8b"sv, {"a gzip archive", Sort::other, kUnpack}},
    {0, "BZh"sv, {"a bzip2 archive", Sort::other, kUnpack}},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     {"an xz archive", Sort::other, kUnpack}},
    {0, "\x28\xb5\x2f\xfd"sv, {"a zstd archive", Sort::other, kUnpack}},
    {0, "7z\xbc\xaf\x27\x1c"sv, {"a 7z archive", Sort::other, kUnpack}},
    {257, "ustar"sv, {"a tar archive", Sort::other, kUnpack}},
    {0,
     "\x7f"
     "ELF"sv,
     {"a program (ELF)"}},
    {0,
     "version https://git-lfs.github.com/spec/"sv,
     {"a Git LFS pointer, which stands for the file itself"}},
});

bool starts_with_any_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::ranges::equal(text.substr(0, lower.size()), lower, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         });
}

/// An archive by the name of its first entry, which stands behind 30 bytes.
FileKind zip_kind(std::string_view bytes) {
  const std::string_view first = bytes.substr(std::min<std::size_t>(bytes.size(), 30));
  if (first.substr(0, 200).find(".npy") != first.npos) return {"a NumPy archive (.npz)"};
  return {"a zip archive, as PyTorch writes its checkpoints", Sort::checkpoint};
}

std::optional<FileKind> text_kind(std::string_view text) {
  constexpr auto kMark = "\xef\xbb\xbf"sv;  // the byte order mark
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  for (const auto beginning : {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv}) {
    if (starts_with_any_case(text, beginning)) {
      return FileKind{"a web page (HTML)", Sort::other, "the download brought no file"};
    }
  }
  if (text.starts_with("<?xml") || text.starts_with("<svg")) {
    if (text.find("<svg") != text.npos) return FileKind{"an SVG drawing", Sort::picture};
    return FileKind{"an XML document"};
  }
  const bool list = text.starts_with('[');
  if (!list && !text.starts_with('{')) return {};
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n", 1), text.size()));
  if (list || text.starts_with('"') || text.starts_with('}')) {
    return FileKind{"a JSON text", Sort::json};
  }
  return {};
}

/// Kinds whose beginning is a pattern, not fixed bytes.
std::optional<FileKind> pattern_kind(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  if (bytes.starts_with("PK\3\4")) return zip_kind(bytes);
  if (at(0) == 0x80 && at(1) >= 2 && at(1) <= 5) {  // protocols of pickle
    return FileKind{"a pickle, as old versions of PyTorch write checkpoints", Sort::checkpoint};
  }
  // The reserved bytes of the header are zero.
  if (bytes.size() >= 14 && bytes.starts_with("BM") && bytes.substr(6, 4) == "\0\0\0\0"sv) {
    return FileKind{"a BMP image", Sort::picture};
  }
  if (at(0) == 'P' && at(1) >= '1' && at(1) <= '7' && std::isspace(static_cast<int>(at(2))) != 0) {
    return FileKind{"a PNM image (PPM, PGM, PBM)", Sort::picture};
  }
  // Protocol buffers: the version of the format, then the producer's name or the graph.
  if (at(0) == 0x08 && at(1) >= 1 && at(1) <= 0x20 && (at(2) == 0x12 || at(2) == 0x3a)) {
    return FileKind{"an ONNX model"};
  }
  // The length of the header, then the header.
  const std::size_t length = at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24;
  if (bytes.size() > kLengthBytes && length <= kMaximumHeaderBytes &&
      bytes.substr(4, 4) == "\0\0\0\0"sv && at(kLengthBytes) == '{') {
    return FileKind{"a safetensors file"};
  }
  return {};
}

}  // namespace

std::string FileKind::text() const {
  return std::string(name) + (advice.empty() ? "" : "; " + std::string(advice));
}

std::optional<FileKind> kind_of_file(std::string_view beginning) {
  const std::string_view bytes = beginning.substr(0, kBeginning);
  for (const Signature& signature : kSignatures) {
    if (bytes.size() > signature.at && bytes.substr(signature.at).starts_with(signature.bytes)) {
      return signature.kind;
    }
  }
  if (const auto kind = pattern_kind(bytes)) return kind;
  return text_kind(bytes);
}

std::optional<FileKind> kind_of_file(std::span<const std::byte> beginning) {
  return kind_of_file(
      std::string_view(reinterpret_cast<const char*>(beginning.data()), beginning.size()));
}

}  // namespace crossfix::io

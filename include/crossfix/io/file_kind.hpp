#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace crossfix::io {

/// What a file is, for a message about one of the wrong kind.
struct FileKind {
  /// What its reader may advise.
  enum class Sort { picture, checkpoint, json, other };

  std::string_view name;  ///< with an article: "a WebP image"
  Sort sort = Sort::other;
  std::string_view advice = {};  ///< what helps any reader, or nothing

  /// The name, and the advice behind it.
  std::string text() const;
};

/// The kind of a file by its first bytes; the first 512 suffice. Nothing for a text that is none of
/// the known ones, and for other bytes that have no known beginning.
std::optional<FileKind> kind_of_file(std::span<const std::byte> beginning);
std::optional<FileKind> kind_of_file(std::string_view beginning);

}  // namespace crossfix::io

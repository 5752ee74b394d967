#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace crossfix::pipeline {

/// A path that is read or written, and what names it: an option, or a line of a list.
struct NamedPath {
  std::string name;
  std::filesystem::path path;  ///< may be empty: not given
};

/// Throws ChoiceError if an output would overwrite an input or another output, however
/// each path is spelled and whatever links it has, and if standard output or standard error goes
/// into one of them.
void check_outputs(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs);

/// The endings of a file's name that say what is in it; "" is none.
using Endings = std::vector<std::string>;
inline const Endings kReportEndings{".html", ".htm"};
inline const Endings kDumpEndings{".safetensors", ".st", ".raw", ""};

/// Throws ChoiceError if the path, or the file that it links to, ends as another kind of
/// file does. Such a file may be one of the data set.
void check_ending(const NamedPath& output, const Endings& endings);

/// All of these for the outputs of an evaluation, and DataError if its folder could not be made.
void check_evaluation_outputs(const std::filesystem::path& folder,
                              const std::filesystem::path& report,
                              const std::filesystem::path& dump,
                              const std::vector<NamedPath>& inputs);

/// Whether a path is a folder, or would be in it.
bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace crossfix::pipeline

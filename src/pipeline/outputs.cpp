#include "outputs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "camera_choice.hpp"
#include "crossfix/core/number_text.hpp"
#include "crossfix/io/folder.hpp"

namespace crossfix::pipeline {

namespace fs = std::filesystem;

namespace {

/// The file that is written under a path: links are followed, also one to a file that is not there.
fs::path target_of(const fs::path& path) {
  if (path.empty()) return {};
  std::error_code ignored;
  fs::path target = fs::absolute(path);  // weakly_canonical keeps some relative ones relative
  for (int links = 0; links < 40 && fs::is_symlink(target, ignored); ++links) {
    target = target.parent_path() / fs::read_symlink(target, ignored);
  }
  return fs::weakly_canonical(target, ignored);
}

/// Devices and pipes hold nothing that could be lost.
bool is_device(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// What the shell opened for the program.
struct Stream {
  int descriptor;
  const char* name;
};
constexpr std::array kStreams = {Stream{STDOUT_FILENO, "standard output"},
                                 Stream{STDERR_FILENO, "standard error"}};

/// Whether the stream goes into the file of that path.
bool goes_into(const Stream& stream, const fs::path& path) {
  struct stat opened {};
  struct stat named {};
  return !path.empty() && ::fstat(stream.descriptor, &opened) == 0 && S_ISREG(opened.st_mode) &&
         ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

/// Throws ChoiceError if a stream goes into a file that is read or written.
void check_streams(const std::vector<NamedPath>& paths) {
  for (const NamedPath& path : paths) {
    for (const Stream& stream : kStreams) {
      if (!goes_into(stream, path.path)) continue;
      throw ChoiceError(path.name, Words::options,
                        "'" + path.path.string() + "' is where " + stream.name +
                            " goes: name another file, or send " + stream.name + " to another");
    }
  }
}

}  // namespace

void check_outputs(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
  check_streams(outputs);
  check_streams(inputs);
  std::vector<fs::path> targets;
  targets.reserve(outputs.size());
  for (const NamedPath& output : outputs) targets.push_back(target_of(output.path));
  const auto same = [&](std::size_t output, const fs::path& path) {
    std::error_code ignored;
    return !outputs[output].path.empty() && !path.empty() && !is_device(path) &&
           (fs::equivalent(targets[output], path, ignored) || targets[output] == target_of(path));
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string shown = "'" + outputs[i].path.string() + "' is ";
    for (const NamedPath& input : inputs) {
      if (!same(i, input.path)) continue;
      throw ChoiceError(outputs[i].name, Words::options,
                        shown + "an input, '" + input.path.string() + "' of " + input.name +
                            ": name another file");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!same(i, outputs[j].path)) continue;
      throw ChoiceError(outputs[i].name, Words::options,
                        shown + "'" + outputs[j].path.string() + "', which " + outputs[j].name +
                            " writes: name another one");
    }
  }
}

void check_ending(const NamedPath& output, const Endings& endings) {
  if (output.path.empty() || is_device(output.path)) return;
  const auto check = [&](const fs::path& path, const std::string& shown) {
    const std::string ending = lower_case(path.extension().string());
    if (std::find(endings.begin(), endings.end(), ending) != endings.end()) return;
    throw ChoiceError(output.name, Words::options, shown + " should end in " + endings.front());
  };
  const std::string spelled = "'" + output.path.string() + "'";
  const fs::path target = target_of(output.path);
  check(output.path, spelled);
  check(target, spelled + ", a link to '" + target.string() + "',");
}

bool is_within(const fs::path& path, const fs::path& folder) {
  if (path.empty() || folder.empty()) return false;
  const fs::path inner = target_of(path);
  fs::path outer = target_of(folder);
  if (!outer.has_filename()) outer = outer.parent_path();
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

void check_evaluation_outputs(const std::filesystem::path& folder,
                              const std::filesystem::path& report,
                              const std::filesystem::path& dump,
                              const std::vector<NamedPath>& inputs) {
  std::vector<NamedPath> outputs{{"--report", report}, {"--dump", dump}};
  if (!folder.empty()) {
    io::check_parent(folder);
    for (const char* name : {"samples.jsonl", "figures.json"}) {
      outputs.push_back({"--out", folder / name});
    }
  }
  check_outputs(outputs, inputs);
  check_ending(outputs[0], kReportEndings);
  check_ending(outputs[1], kDumpEndings);
}

}  // namespace crossfix::pipeline

/// Files and folders that hold what is not complete yet. Each has a name that nobody had before,
/// beside the name that it gets when it is complete. Those that are left when the program ends by
/// an exception or a signal are removed; no other file or folder ever is.
#pragma once

#include <filesystem>
#include <string>

namespace crossfix::io {

/// A new empty file beside `target`, with a name that begins like its name, open for writing.
/// `descriptor` is below 0, and errno says why, if there can be none.
struct TemporaryFile {
  std::filesystem::path path;
  int descriptor = -1;
};
TemporaryFile make_temporary_file(const std::filesystem::path& target);

/// A new empty folder beside `target`. Empty, and errno says why, if there can be none.
std::filesystem::path make_temporary_folder(const std::filesystem::path& target);

/// Renames a temporary file or folder to `target`; it is no temporary one from then on. An existing
/// file or empty folder of that name is replaced. False, and errno says why, if that fails.
bool rename_temporary(const std::filesystem::path& temporary, const std::filesystem::path& target);

/// Moves what is in a temporary folder into the folder that it lies in, which holds nothing else;
/// what is named `last` comes last. The temporary folder is gone then. False, and errno says why,
/// if that fails: all is in the temporary folder again.
bool move_into_folder(const std::filesystem::path& temporary, const std::filesystem::path& folder,
                      const std::string& last);

/// Removes a temporary file, or a temporary folder with all that is in it.
void remove_temporary(const std::filesystem::path& temporary) noexcept;

/// From now on the signals that end a program from outside, unless they are ignored, remove what is
/// temporary before they do so as ever. A file that grows beyond its limit is an error of the write
/// (EFBIG), and no signal. For a program, which calls it before it starts a thread; a library
/// leaves signals alone.
void remove_temporaries_on_signals();

}  // namespace crossfix::io

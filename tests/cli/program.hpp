#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "crossfix/io/image.hpp"
#include "io/files.hpp"
#include "support/counter_generator.hpp"
#include "support/model_files.hpp"

namespace crossfix::test {

/// What a run of the program left behind.
struct Run {
  int code = -1;
  std::string out;
  std::string err;

  /// The last line of standard error: for a failed run, its message.
  std::string message() const {
    const std::string text = err.ends_with('\n') ? err.substr(0, err.size() - 1) : err;
    return text.substr(text.find_last_of('\n') + 1);
  }

  /// Whether the run exited with `wanted` and one line "crossfix: error: ..." that contains `part`,
  /// with nothing on standard output.
  bool failed_with(int wanted, const std::string& part) const {
    return code == wanted && message().starts_with("crossfix: error: ") &&
           message().find(part) != std::string::npos && err.ends_with('\n') && out.empty();
  }
};

/// A small network on 8 x 8 cells, trained at tiles of 64 m.
inline model::Configuration program_configuration() {
  model::Configuration configuration = tiny_configuration();
  configuration.metres_per_network_pixel = 0.5;
  configuration.trained_on = "nothing: a test's random numbers";
  configuration.decoding.temperature = 0.25;
  return configuration;
}

/// A folder with tiny weights and a pair of images, in which the program is run.
class Workspace {
 public:
  Workspace() {
    write_weights("weights.safetensors");
    io::write_png(folder / "ground.png", panorama("ground", 32, 64));
    io::write_jpeg(folder / "tile.jpg", image("tile", 64, 64));
  }

  void write_weights(const std::string& name) const {
    model.write(folder / name, program_configuration());
  }

  /// Runs "crossfix ARGUMENTS" in the folder, with standard output going to `out`, after a command
  /// of the shell such as "ulimit -v 300000".
  Run run(const std::string& arguments, const std::string& out = "",
          const std::string& before = "true") const {
    const std::string out_file = out.empty() ? (logs / "out").string() : out;
    const std::string err_file = (logs / "err").string();
    const std::string command = "cd '" + folder.path().string() + "' && " + before +
                                " && OMP_WAIT_POLICY=passive " CROSSFIX_PROGRAM " " + arguments +
                                " >'" + out_file + "' 2>'" + err_file + "'";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            out.empty() ? read_text(out_file) : std::string(), read_text(err_file)};
  }

  /// The same for "locate" on the folder's pair and weights.
  Run locate(const std::string& arguments) const {
    return run("locate --model weights.safetensors --ground ground.png --satellite tile.jpg " +
               arguments);
  }

  ScratchFolder folder;
  ScratchFolder logs;
  GeneratedModel model{program_configuration()};
};

}  // namespace crossfix::test

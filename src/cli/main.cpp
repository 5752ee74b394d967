#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "crossfix/core/error.hpp"
#include "io/temporary.hpp"
#include "messages.hpp"
#include "model_options.hpp"
#include "pipeline/camera_choice.hpp"
#include "pipeline/fix_report.hpp"

namespace {

enum ExitCode { kUsage = 2, kInput = 3, kDevice = 4 };

void say_error(const std::string& message) { crossfix::cli::say("error: " + message); }

/// Prints the error once, for any number of ranks.
int fail(crossfix::ranks::Ranks& ranks, int code, std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  if (!ranks.first()) ranks.send_failure(code, message);
  std::cout.flush();
  say_error(message);
  ranks.end(code);
  return code;
}

/// Files that are opened must not get the numbers of the standard streams, or what is printed would
/// go into them. A stream that was closed stays without use: these have the other direction.
bool reserve_standard_descriptors() {
  for (const int wanted : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(wanted, F_GETFD) >= 0) continue;
    if (::open("/dev/null", wanted == STDIN_FILENO ? O_WRONLY : O_RDONLY) != wanted) return false;
  }
  return true;
}

/// An option without its value is most often a variable of a shell that is not set. The parser
/// would take some of them as absent.
void refuse_empty_values(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* option : command->get_options()) {
      if (option->get_items_expected_max() == 0) continue;  // a flag
      option->check([](const std::string& value) {
        return value.empty() ? std::string("has no value") : std::string();
      });
    }
  }
}

std::string help_hint() { return " (crossfix COMMAND --help tells more)"; }

/// Single letters to insert, delete or replace until two words are the same.
std::size_t letters_apart(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

/// What to say where no command was given, or `words` begins with none.
std::string about_commands(const CLI::App& app, const std::vector<std::string>& words) {
  std::string names;
  std::string close;
  for (const CLI::App* command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
    if (!words.empty() && letters_apart(words[0], command->get_name()) <= 2) {
      close = " (did you mean '" + command->get_name() + "'?)";
    }
  }
  const std::string what =
      words.empty() ? "a command is expected" : "no command named '" + words[0] + "'" + close;
  return what + ": " + names + help_hint();
}

int run(crossfix::ranks::Ranks& ranks, int argc, char** argv) {
  CLI::App app{"Finds where a street-view photo was taken inside a satellite tile.", "crossfix"};
  app.set_version_flag("-v,-V,--version", "crossfix " CROSSFIX_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 an input or output that does not work, or too little "
      "memory, 4 a device that does not work.\nExample: crossfix locate --ground street.jpg "
      "--satellite tile.png --overlay fix.png");
  crossfix::cli::add_locate_command(app, ranks);
  crossfix::cli::add_evaluate_command(app, ranks);
  crossfix::cli::add_info_command(app);
  crossfix::cli::add_world_command(app);
  app.add_subcommand("version", "Print the version")->callback([] {
    std::cout << "crossfix " CROSSFIX_VERSION "\n";
  });
  refuse_empty_values(app);
  for (const char* name : {"info", "world", "version"}) {
    app.get_subcommand(name)->preparse_callback(
        [&ranks, name](std::size_t) { crossfix::cli::need_one_rank(ranks, name); });
  }
  try {
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& request) {
      if (ranks.first()) app.exit(request);  // help or version
    }
    crossfix::pipeline::flush_output(std::cout);
  } catch (const CLI::RequiredError& error) {
    // The parser treats an unknown command as no command.
    const bool in_command = !app.get_subcommands().empty();
    return fail(ranks, kUsage, in_command ? error.what() : about_commands(app, app.remaining()));
  } catch (const CLI::ParseError& error) {
    return fail(ranks, kUsage, error.what() + help_hint());
  } catch (const crossfix::pipeline::ChoiceError& error) {  // of the command line
    return fail(ranks, kUsage, error.name() + ": " + error.message() + help_hint());
  } catch (const crossfix::ranks::RankError& error) {
    return fail(ranks, error.code(), error.what());
  } catch (const crossfix::DeviceError& error) {
    return fail(ranks, kDevice, error.what());
  } catch (const std::bad_alloc&) {
    return fail(
        ranks, kInput,
        "there is not enough memory: increase the limit (ulimit -v), or use smaller images or a "
        "smaller --batch or --threads");
  } catch (const std::exception& error) {
    return fail(ranks, kInput, error.what());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (!reserve_standard_descriptors()) return kInput;
  std::ios::sync_with_stdio(false);  // a line that is flushed is one write
  crossfix::io::remove_temporaries_on_signals();
  std::unique_ptr<crossfix::ranks::Ranks> ranks;
  try {
    ranks = crossfix::ranks::start(argc, argv);
  } catch (const std::exception& error) {
    say_error(error.what());
    return kUsage;
  }
  return run(*ranks, argc, argv);
}

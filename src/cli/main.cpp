#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string>

#include "commands.hpp"
#include "crossfix/core/error.hpp"
#include "model_options.hpp"

namespace {

enum ExitCode { kUsage = 2, kInput = 3, kDevice = 4 };

/// Prints one line on standard error, in one write, so that no output of mpirun comes in between.
void say_error(const std::string& message) { std::cerr << "crossfix: error: " + message + '\n'; }

/// Prints the error once, on one line whatever a path or a parser put into `message`, and for any
/// number of ranks.
int fail(crossfix::ranks::Ranks& ranks, int code, std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  if (!ranks.first()) ranks.send_failure(code, message);
  std::cout.flush();
  say_error(message);
  ranks.end(code);
  return code;
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

int run(crossfix::ranks::Ranks& ranks, int argc, char** argv) {
  CLI::App app{"Finds where a street-view photo was taken inside a satellite tile.", "crossfix"};
  app.set_version_flag("--version", "crossfix " CROSSFIX_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 an input or output that does not work, or too little "
      "memory, 4 a device that does not work.\nExample: crossfix locate --ground street.jpg "
      "--satellite tile.png --overlay fix.png");
  crossfix::cli::add_locate_command(app, ranks);
  crossfix::cli::add_evaluate_command(app, ranks);
  crossfix::cli::add_info_command(app);
  crossfix::cli::add_world_command(app);
  refuse_empty_values(app);
  for (const char* name : {"info", "world"}) {
    app.get_subcommand(name)->preparse_callback(
        [&ranks, name](std::size_t) { crossfix::cli::need_one_rank(ranks, name); });
  }
  try {
    app.parse(argc, argv);
    std::cout.flush();
    if (!std::cout) throw crossfix::DataError("standard output: cannot be written");
  } catch (const CLI::Success& request) {
    return ranks.first() ? app.exit(request) : 0;
  } catch (const CLI::RequiredError& error) {
    // The parser treats an unknown command as no command.
    const auto unknown = app.remaining();
    return fail(ranks, kUsage,
                unknown.empty() ? error.what() : "no command named '" + unknown[0] + "'");
  } catch (const CLI::ParseError& error) {
    return fail(ranks, kUsage, std::string(error.what()) + " (crossfix COMMAND --help tells more)");
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
  std::unique_ptr<crossfix::ranks::Ranks> ranks;
  try {
    ranks = crossfix::ranks::start(argc, argv);
  } catch (const std::exception& error) {
    say_error(error.what());
    return kUsage;
  }
  return run(*ranks, argc, argv);
}

#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "commands.hpp"
#include "crossfix/core/error.hpp"

namespace {

enum ExitCode { kUsage = 2, kInput = 3, kDevice = 4 };

/// One line on standard error, whatever a path or a parser put into `message`.
int fail(ExitCode code, std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  std::cout.flush();
  std::cerr << "crossfix: error: " << message << '\n';
  return code;
}

int run(int argc, char** argv) {
  CLI::App app{"Finds where a street-view photo was taken inside a satellite tile.", "crossfix"};
  app.set_version_flag("--version", "crossfix " CROSSFIX_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 an input or output that does not work, 4 a device that does "
      "not.\nExample: crossfix locate --ground street.jpg --satellite tile.png --overlay fix.png");
  crossfix::cli::add_locate_command(app);
  crossfix::cli::add_evaluate_command(app);
  crossfix::cli::add_info_command(app);
  crossfix::cli::add_world_command(app);
  try {
    app.parse(argc, argv);
    std::cout.flush();
    if (!std::cout) throw crossfix::DataError("standard output: cannot be written");
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::RequiredError& error) {
    // A command that does not exist reads to the parser as no command.
    const auto unknown = app.remaining();
    return fail(kUsage, unknown.empty() ? error.what() : "no command named '" + unknown[0] + "'");
  } catch (const CLI::ParseError& error) {
    return fail(kUsage, std::string(error.what()) + " (crossfix COMMAND --help tells more)");
  } catch (const crossfix::DeviceError& error) {
    return fail(kDevice, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kInput, "not enough memory");
  } catch (const std::exception& error) {
    return fail(kInput, error.what());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }

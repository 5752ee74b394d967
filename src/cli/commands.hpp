#pragma once

#include <CLI/CLI.hpp>

#include "ranks/ranks.hpp"

namespace crossfix::cli {

/// Each adds one subcommand. Its action runs as a callback while `app` parses. An action throws
/// CLI::ValidationError for arguments that do not fit together, and whatever the library throws.
/// `ranks` share the work if the command has any to share; only rank 0 prints.
void add_locate_command(CLI::App& app, ranks::Ranks& ranks);
void add_evaluate_command(CLI::App& app, ranks::Ranks& ranks);
void add_info_command(CLI::App& app);
void add_world_command(CLI::App& app);

}  // namespace crossfix::cli

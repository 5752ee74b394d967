#include <memory>

#include "commands.hpp"
#include "evaluate_options.hpp"

namespace crossfix::cli {

namespace {

void evaluate(const EvaluateOptions& options) {
  if (!options.list) throw CLI::ValidationError("evaluate", "--list is needed");
  list_dataset(options.data);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Measure weights on a data set by its published protocol");
  options->data.add_to(*command);
  command->add_flag("--list", options->list,
                    "Print counts and label statistics of every split; no image is touched");
  command->footer(
      "Example: crossfix evaluate --dataset vigor --root VIGOR --labels corrected --list");
  command->callback([options] { evaluate(*options); });
}

}  // namespace crossfix::cli

#include <memory>

#include "commands.hpp"
#include "evaluate_options.hpp"

namespace crossfix::cli {

namespace {

void evaluate(const EvaluateOptions& options, ranks::Ranks& ranks) {
  if (options.resume && options.out.empty()) {
    throw CLI::ValidationError("--resume", "needs --out, the folder of the results to go on with");
  }
  if (options.resume && !options.dump.empty()) {
    throw CLI::ValidationError("--dump", "goes without --resume: it needs every sample's outputs");
  }
  if (!options.list) return run_evaluation(options, ranks);
  need_one_rank(ranks, "--list");
  list_dataset(options.data);
}

}  // namespace

void add_evaluate_command(CLI::App& app, ranks::Ranks& ranks) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Measure weights on a data set by its published protocol");
  options->data.add_to(*command);
  command->add_flag("--list", options->list,
                    "Print counts and label statistics of every split; no image is touched");
  command
      ->add_option("--mode", options->mode,
                   "What the reference's scripts compute, what is right, or both")
      ->check(CLI::IsMember({"reference", "true", "both"}))
      ->capture_default_str();
  command->add_option("--model", options->model.model, "Weights; the bundled ones where absent");
  command->add_option("--out", options->out,
                      "Folder to write: samples.jsonl as results come, figures.json at the end");
  command->add_flag("--resume", options->resume, "Go on with the results in --out");
  command->add_flag("--strict", options->strict, "End the run where an image cannot be used");
  command->add_flag("--json", options->json, "Print JSON instead of tables (docs/evaluate.md)");
  command->add_option("--dump", options->dump,
                      "Raw network outputs to write (safetensors), in the data set's order");
  command->add_option("--report", options->report,
                      "HTML file to write: figures, charts, maps, the best and worst pairs");
  command->add_option("--limit", options->limit, "Take so many samples, spread evenly")
      ->check(CLI::PositiveNumber);
  command->add_option("--batch", options->batch, "Pairs that go through the network together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--decoders", options->decoders, "Threads that read and resize images")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  options->model.add_to(*command);
  command->footer(
      "Example: crossfix evaluate --dataset vigor --root VIGOR --area same --pairs all --out run");
  command->callback([options, &ranks] { evaluate(*options, ranks); });
}

}  // namespace crossfix::cli

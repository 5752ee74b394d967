#include <iostream>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "crossfix/detail/printable.hpp"
#include "crossfix/io/atomic_file.hpp"
#include "crossfix/io/folder.hpp"
#include "evaluate_options.hpp"
#include "messages.hpp"
#include "pipeline/fix_report.hpp"
#include "pipeline/outputs.hpp"
#include "report/evaluation_html.hpp"
#include "report/print_figures.hpp"
#include "terminal_observer.hpp"

namespace crossfix::cli {

namespace {

using Json = nlohmann::ordered_json;

void write_report(const EvaluateOptions& options, const pipeline::EvaluationResult& result,
                  const std::vector<eval::ModeFigures>& figures, Localizer& localizer) {
  const model::Configuration& configuration = localizer.configuration();
  Json settings = result.settings;
  settings["model"] = options.model.model_path().string();
  settings["trained on"] = configuration.trained_on;
  settings["temperature"] = configuration.decoding.temperature;
  const data::DatasetChoice& choice = options.evaluation.data;
  auto report = report::html_report(choice, result.dataset, result.outcomes, figures, settings);
  const eval::Mode mode = report::charted_mode(figures);
  const report::Extremes extremes = report::extremes_of(result.dataset, result.outcomes, mode);
  const data::ImageSource images = choice.images(result.dataset);
  const auto drawn = [&](const std::vector<std::size_t>& numbers) {
    return report::draw_pairs(result.dataset, result.outcomes, mode, numbers, images, localizer);
  };
  report.pairs_note = report::pairs_note();
  report.best = drawn(extremes.best);
  report.worst = drawn(extremes.worst);
  report::write(options.report, report);
}

void print_result(const EvaluateOptions& options, const pipeline::EvaluationResult& result,
                  Localizer& localizer) {
  std::vector<eval::ModeFigures> figures;
  Json json{{"settings", result.settings}, {"trained_on", localizer.configuration().trained_on}};
  for (const eval::Mode mode : options.evaluation.modes()) {
    figures.push_back(eval::figures_of(result.dataset, result.outcomes, mode));
    json["modes"][eval::name_of(mode)] = eval::to_json(figures.back());
  }
  const std::string text = io::json_text(json, 2) + '\n';
  const auto print = [&] {
    const data::DatasetChoice& choice = options.evaluation.data;
    if (options.json) {
      std::cout << text;
    } else {
      std::cout << io::printable(choice.description() + ", " + choice.root.string()) << "\n\n";
      report::print_figures(std::cout, figures, choice.kind == data::DatasetKind::robotcar);
    }
    pipeline::flush_output(std::cout);
  };
  const auto write_figures = [&] {
    if (options.evaluation.out.empty()) return;
    io::AtomicFile file(options.evaluation.out / "figures.json");
    file.write(text);
    file.commit();
  };
  const auto report = [&] {
    if (!options.report.empty()) write_report(options, result, figures, localizer);
  };
  const auto dump = [&] {
    if (result.dump) result.dump->commit();
  };
  make_outputs({print, write_figures, report, dump});
  for (const eval::ModeFigures& mode : figures) {
    if (mode.all.errors.count > 0) continue;
    throw DataError(options.evaluation.data.root.string() + ": nothing was scored in mode " +
                    name_of(mode.all.mode) + "; the warnings and counts say why");
  }
}

void evaluate(EvaluateOptions& options, ranks::Ranks& ranks) {
  pipeline::EvaluationOptions& evaluation = options.evaluation;
  if (evaluation.resume && evaluation.out.empty()) {
    throw CLI::ValidationError("--resume", "needs --out, the folder of the results to go on with");
  }
  if (evaluation.resume && !evaluation.dump.empty()) {
    throw CLI::ValidationError("--dump", "goes without --resume: it needs every sample's outputs");
  }
  if (evaluation.data.wrong_pairs && evaluation.data.control != data::Control::none) {
    throw CLI::ValidationError("--wrong-pairs",
                               "goes without --control, which leaves no right pairs to compare");
  }
  if (options.list) {
    need_one_rank(ranks, "--list");
    return list_dataset(evaluation.data);
  }
  options.model.bundled = "crossfix-s.safetensors";
  pipeline::check_evaluation_outputs(
      evaluation.out, options.report, evaluation.dump,
      {{"--model", options.model.model_path()}, {"--camera", options.camera_file}});
  std::optional<io::Safetensors> weights(options.model.read());
  evaluation.weights = pipeline::fingerprint_of(*weights);
  Localizer localizer = options.model.load(
      *weights, ranks.topology(),
      {.batch = evaluation.batch, .match_blank = evaluation.data.control == data::Control::blank});
  weights.reset();
  if (!options.report.empty() && ranks.first()) {
    const std::filesystem::path folder = options.report.parent_path();
    if (!evaluation.out.empty() && pipeline::is_within(folder, evaluation.out) &&
        pipeline::is_within(evaluation.out, folder)) {
      io::make_folder(evaluation.out);
    }
    const io::AtomicFile probe(options.report);  // fails now, not at the end of long work
  }
  TerminalObserver observer(ranks.topology().terminal);
  if (ranks.first()) observer.note("weights trained on: " + localizer.configuration().trained_on);
  const auto result = pipeline::evaluate(evaluation, localizer, ranks, observer);
  if (result) print_result(options, *result, localizer);
  ranks.barrier();
}

}  // namespace

void add_evaluate_command(CLI::App& app, ranks::Ranks& ranks) {
  const auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Measure weights on a data set by its published protocol");
  options->add_to(*command);
  command->footer(
      "Example: crossfix evaluate --dataset vigor --root VIGOR --area same --pairs all --out run");
  command->callback([options, &ranks] { evaluate(*options, ranks); });
}

}  // namespace crossfix::cli

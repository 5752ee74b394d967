#include "evaluate_options.hpp"

#include <string>

#include "crossfix/core/number_text.hpp"

namespace crossfix::cli {
namespace {

/// An option that takes the name of one of a field's values.
template <class T>
CLI::Option* add_choice(CLI::App& command, const std::string& name, T& target,
                        const std::string& text) {
  const auto& values = data::names_of<T>();
  std::string names;
  for (const auto& [key, value] : values) names += (names.empty() ? "" : "|") + key;
  return command
      .add_option_function<std::string>(
          name, [&target, &values](const std::string& key) { target = values.at(key); }, text)
      ->check(CLI::IsMember(&values))
      ->type_name(names);
}

void add_choices(CLI::App& command, data::DatasetChoice& choice, std::string& camera_file) {
  add_choice(command, "--dataset", choice.kind, "What lies under --root")->required();
  command.add_option("--root", choice.root, "Folder of the data set")
      ->required()
      ->check(CLI::ExistingDirectory);
  add_choice(command, "--area", choice.area,
             "VIGOR, world: same cities as trained on, or others; same where absent");
  command
      .add_option("--cities", choice.cities,
                  "VIGOR, world: these of the area's cities alone, as NewYork,Seattle; all where "
                  "absent")
      ->delimiter(',')
      ->transform([](const std::string& city) { return std::string(without_blanks(city)); });
  add_choice(command, "--pairs", choice.pairs,
             "VIGOR, world: positive tiles alone, or semi-positives too; positives where absent");
  add_choice(command, "--labels", choice.labels,
             "VIGOR: as published, corrected, or by the coordinates in the names; original where "
             "absent");
  add_choice(command, "--split", choice.split, "test where absent");
  add_choice(
      command, "--control", choice.control,
      "Ground images of other panoramas (shuffled) or grey ones (blank): what is left of the "
      "error then owes nothing to them; none where absent");
  command.add_flag("--wrong-pairs", choice.wrong_pairs,
                   "Also locate every pair with the ground image of another camera, to see whether "
                   "the weights notice");
  CLI::Option* noise =
      command
          .add_option("--heading-noise", choice.heading_noise.degrees,
                      "Roll panoramas, each up to so many degrees off north; 180: anywhere")
          ->transform(plain_number)
          ->check(CLI::Range(0.0, 180.0));
  command.add_option("--heading-seed", choice.heading_noise.seed, "Of all draws; 0 where absent")
      ->check(taken_by(parse_seed))
      ->needs(noise);
  CLI::Option* camera = command.add_option_function<std::string>(
      "--camera",
      [&choice, &camera_file](const std::string& file) {
        camera_file = file;
        choice.view.read_camera(file);
      },
      "Draw views of this camera from the panoramas (file: docs/cameras.md)");
  command
      .add_option("--tilt", choice.view.tilt_degrees,
                  "Standard deviation of the views' pitch and roll, degrees; 0 where absent")
      ->transform(plain_number)
      ->check(CLI::Range(0.0, data::kLargestTilt))
      ->needs(camera);
  add_choice(command, "--tilt-told", choice.view.told,
             "What the weights know of each tilt; its standard deviation where absent")
      ->needs(camera);
}

}  // namespace

void EvaluateOptions::add_to(CLI::App& command) {
  add_choices(command, evaluation.data, camera_file);
  command.add_flag("--list", list,
                   "Print counts and label statistics of every split; no image is touched");
  command
      .add_option("--mode", evaluation.mode,
                  "What the reference's scripts compute, what is right, or both")
      ->check(CLI::IsMember({"reference", "true", "both"}))
      ->capture_default_str();
  command.add_option("--model", model.model, "Weights; the bundled ones where absent");
  command.add_option("--out", evaluation.out,
                     "Folder to write: samples.jsonl as results come, figures.json at the end");
  command.add_flag("--resume", evaluation.resume, "Go on with the results in --out");
  command.add_flag("--strict", evaluation.strict, "End the run where an image cannot be used");
  command.add_flag("--json", json, "Print JSON instead of tables (docs/evaluate.md)");
  command.add_option("--dump", evaluation.dump,
                     "Raw network outputs to write (safetensors), in the data set's order");
  command.add_option("--report", report,
                     "HTML file to write: figures, charts, maps, the best and worst pairs");
  command.add_option("--limit", evaluation.limit, "Take so many samples, evenly chosen")
      ->check(CLI::Range(1, 1'000'000'000));
  command.add_option("--batch", evaluation.batch, "Pairs that go through the network together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command.add_option("--decoders", evaluation.readers, "Threads that read images")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  model.add_to(command);
}

}  // namespace crossfix::cli

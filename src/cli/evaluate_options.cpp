#include "evaluate_options.hpp"

#include <map>

#include "robotcar.hpp"
#include "vigor.hpp"

namespace crossfix::cli {

namespace {

using data::Area;
using data::Control;
using data::LabelSet;
using data::Pairs;
using data::Split;

const std::map<std::string, DatasetKind> kKinds{{"vigor", DatasetKind::vigor},
                                                {"robotcar", DatasetKind::robotcar},
                                                {"world", DatasetKind::world}};
const std::map<std::string, Area> kAreas{{"same", Area::same}, {"cross", Area::cross}};
const std::map<std::string, Pairs> kPairs{{"positives", Pairs::positives}, {"all", Pairs::all}};
const std::map<std::string, LabelSet> kLabels{{"original", LabelSet::original},
                                              {"corrected", LabelSet::corrected},
                                              {"mercator", LabelSet::mercator}};
const std::map<std::string, Split> kSplits{
    {"train", Split::train}, {"validation", Split::validation}, {"test", Split::test}};
const std::map<std::string, Control> kControls{
    {"none", Control::none}, {"shuffled", Control::shuffled}, {"blank", Control::blank}};

/// An option that takes one of the names of `values`.
template <class T>
CLI::Option* add_choice(CLI::App& command, const std::string& name, T& target,
                        const std::map<std::string, T>& values, const std::string& text) {
  std::string names;
  for (const auto& [key, value] : values) {
    names += (names.empty() ? "" : "|") + key;
    (void)value;
  }
  return command
      .add_option_function<std::string>(
          name, [&target, &values](const std::string& key) { target = values.at(key); }, text)
      ->check(CLI::IsMember(&values))
      ->type_name(names);
}

template <class T>
std::string name_of(T wanted, const std::map<std::string, T>& values) {
  for (const auto& [key, value] : values) {
    if (value == wanted) return key;
  }
  return {};
}

}  // namespace

void DatasetChoice::add_to(CLI::App& command) {
  add_choice(command, "--dataset", kind, kKinds, "What lies under --root")->required();
  command.add_option("--root", root, "Folder of the data set")
      ->required()
      ->check(CLI::ExistingDirectory);
  add_choice(command, "--area", area, kAreas,
             "VIGOR, world: same cities as trained on, or others; same where absent");
  add_choice(command, "--pairs", pairs, kPairs,
             "VIGOR, world: positive tiles alone, or semi-positives too; positives where absent");
  add_choice(command, "--labels", labels, kLabels,
             "VIGOR: as published, corrected, or by the coordinates in the names; original where "
             "absent");
  add_choice(command, "--split", split, kSplits, "test where absent");
  add_choice(command, "--control", control, kControls,
             "Ground images of other places (shuffled) or grey ones (blank): what is left of the "
             "error then owes nothing to them; none where absent");
}

nlohmann::ordered_json DatasetChoice::settings() const {
  nlohmann::ordered_json json{{"dataset", name_of(kind, kKinds)}};
  if (kind != DatasetKind::robotcar) {
    json["area"] = name_of(area, kAreas);
    json["pairs"] = name_of(pairs, kPairs);
    json["labels"] = name_of(labels, kLabels);
  }
  json["split"] = name_of(split, kSplits);
  json["control"] = name_of(control, kControls);
  return json;
}

std::string DatasetChoice::description() const {
  constexpr const char* kSaid[] = {"", ", ground images shuffled", ", ground images blank"};
  const std::string said = kSaid[static_cast<std::size_t>(control)];
  if (kind == DatasetKind::robotcar) return "Oxford RobotCar" + said;
  return std::string(kind == DatasetKind::world ? "world" : "VIGOR") + ", " +
         name_of(area, kAreas) + "-area, " + name_of(labels, kLabels) + " labels" + said;
}

data::Dataset DatasetChoice::read(bool absent) const {
  data::Dataset dataset;
  if (kind == DatasetKind::robotcar) {
    dataset = data::read_robotcar({root, split, absent});
  } else {
    data::VigorOptions options;
    options.root = root;
    options.world = kind == DatasetKind::world;
    options.area = area;
    options.split = split;
    options.pairs = pairs;
    options.labels = labels;
    options.absent_cities = absent;
    dataset = data::read_vigor(options);
  }
  if (control == Control::shuffled) data::shuffle_grounds(dataset);
  return dataset;
}

std::vector<eval::Mode> EvaluateOptions::modes() const {
  if (mode == "reference") return {eval::Mode::reference};
  if (mode == "true") return {eval::Mode::exact};
  return {eval::Mode::reference, eval::Mode::exact};
}

}  // namespace crossfix::cli

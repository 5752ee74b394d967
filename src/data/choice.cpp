#include "choice.hpp"

#include <algorithm>

#include "crossfix/core/error.hpp"
#include "crossfix/core/number_text.hpp"
#include "robotcar.hpp"
#include "vigor.hpp"

namespace crossfix::data {
namespace {

template <class T>
std::string name_of(T wanted) {
  for (const auto& [name, value] : names_of<T>()) {
    if (value == wanted) return name;
  }
  return {};
}

std::string degrees_text(double degrees) { return general_text(degrees, 6); }

/// In the order of their names, so that the same cities have one text.
std::string text_of(std::vector<std::string> cities) {
  std::sort(cities.begin(), cities.end());
  cities.erase(std::unique(cities.begin(), cities.end()), cities.end());
  std::string text;
  for (const std::string& city : cities) text += (text.empty() ? "" : ", ") + city;
  return text;
}

void check(const DatasetChoice& choice) {
  const HeadingNoise& noise = choice.heading_noise;
  if (!(noise.degrees >= 0 && noise.degrees <= 180)) {
    throw DataError("--heading-noise " + degrees_text(noise.degrees) +
                    ": 0 to 180 degrees to either side are expected");
  }
  const double tilt = choice.view.tilt_degrees;
  if (!(tilt >= 0 && tilt <= kLargestTilt)) {
    throw DataError("--tilt " + degrees_text(tilt) + ": a standard deviation of 0 to " +
                    degrees_text(kLargestTilt) + " degrees is expected");
  }
  if (!choice.cities.empty() && choice.kind == DatasetKind::robotcar) {
    throw DataError("--cities: Oxford RobotCar has runs, and no cities");
  }
  if ((noise.rolls() || choice.view.draws()) && choice.kind == DatasetKind::robotcar) {
    throw DataError(
        std::string(choice.view.draws() ? "--camera draws views of" : "--heading-noise rolls") +
        " panoramas, and the ground images of " + choice.description() +
        " are pinhole images; take --dataset vigor or world");
  }
}

}  // namespace

#define CROSSFIX_NAMES(T, ...)                                \
  template <>                                                 \
  const std::map<std::string, T>& names_of() {                \
    static const std::map<std::string, T> names{__VA_ARGS__}; \
    return names;                                             \
  }
CROSSFIX_NAMES(DatasetKind, {"vigor", DatasetKind::vigor}, {"robotcar", DatasetKind::robotcar},
               {"world", DatasetKind::world})
CROSSFIX_NAMES(Area, {"same", Area::same}, {"cross", Area::cross})
CROSSFIX_NAMES(Pairs, {"positives", Pairs::positives}, {"all", Pairs::all})
CROSSFIX_NAMES(LabelSet, {"original", LabelSet::original}, {"corrected", LabelSet::corrected},
               {"mercator", LabelSet::mercator})
CROSSFIX_NAMES(Split, {"train", Split::train}, {"validation", Split::validation},
               {"test", Split::test})
CROSSFIX_NAMES(Control, {"none", Control::none}, {"shuffled", Control::shuffled},
               {"blank", Control::blank})
CROSSFIX_NAMES(TiltTold, {"truth", TiltTold::truth}, {"deviation", TiltTold::deviation},
               {"none", TiltTold::none})
#undef CROSSFIX_NAMES

nlohmann::ordered_json DatasetChoice::settings() const {
  nlohmann::ordered_json json{{"dataset", name_of(kind)}};
  if (kind != DatasetKind::robotcar) {
    json["area"] = name_of(area);
    json["pairs"] = name_of(pairs);
    json["labels"] = name_of(labels);
    if (!cities.empty()) json["cities"] = text_of(cities);
  }
  json["split"] = name_of(split);
  json["control"] = name_of(control);
  if (wrong_pairs) json["wrong_pairs"] = true;
  if (heading_noise.rolls()) json["heading_noise"] = heading_noise.degrees;
  if (heading_noise.rolls() || (view.draws() && view.tilt_degrees > 0)) {
    json["heading_seed"] = heading_noise.seed;
  }
  if (view.draws()) {
    json["camera"] = view.description() + ", " + view.fingerprint;
    json["tilt"] = view.tilt_degrees;
    json["tilt_told"] = name_of(view.told);
  }
  return json;
}

std::string DatasetChoice::description() const {
  constexpr const char* kSaid[] = {"", ", ground images shuffled", ", ground images blank"};
  std::string said = kSaid[static_cast<std::size_t>(control)];
  if (kind == DatasetKind::robotcar) return "Oxford RobotCar" + said;
  if (!cities.empty()) said = ", " + text_of(cities) + " alone" + said;
  if (heading_noise.rolls()) {
    said += ", headings within " + degrees_text(heading_noise.degrees) + " degrees of north";
  }
  if (view.draws()) {
    said += ", views (" + view.description() + ")";
    if (view.tilt_degrees > 0) {
      said += " tilted by " + degrees_text(view.tilt_degrees) +
              " degrees (told: " + name_of(view.told) + ")";
    }
  }
  return std::string(kind == DatasetKind::world ? "world" : "VIGOR") + ", " + name_of(area) +
         "-area, " + name_of(labels) + " labels" + said;
}

Dataset DatasetChoice::read(bool absent) const {
  check(*this);
  Dataset dataset;
  if (kind == DatasetKind::robotcar) {
    dataset = read_robotcar({root, split, absent});
  } else {
    VigorOptions options;
    options.root = root;
    options.world = kind == DatasetKind::world;
    options.area = area;
    options.split = split;
    options.pairs = pairs;
    options.labels = labels;
    options.cities = cities;
    options.absent_cities = absent;
    dataset = read_vigor(options);
  }
  if (control == Control::shuffled) shuffle_grounds(dataset);
  return dataset;
}

ImageSource DatasetChoice::images(const Dataset& dataset) const {
  ImageSource source = kind == DatasetKind::robotcar ? ImageSource::of_robotcar(root)
                                                     : ImageSource::of_vigor(root, dataset);
  if (control == Control::blank) source.blank_grounds();
  source.roll_grounds(heading_noise);
  source.draw_views(view);
  return source;
}

}  // namespace crossfix::data

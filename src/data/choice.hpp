#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control.hpp"
#include "heading_noise.hpp"
#include "image_source.hpp"
#include "sample.hpp"
#include "view_choice.hpp"

namespace crossfix::data {

enum class DatasetKind { vigor, robotcar, world };

/// The data that an evaluation runs on.
struct DatasetChoice {
  DatasetKind kind = DatasetKind::vigor;
  std::filesystem::path root;
  Area area = Area::same;
  Pairs pairs = Pairs::positives;
  LabelSet labels = LabelSet::original;
  std::vector<std::string> cities;  ///< of VIGOR or a world, these alone; empty: all
  Split split = Split::test;
  Control control = Control::none;
  /// Locate wrong pairs too. They are made of the samples that an evaluation takes
  /// (add_wrong_pairs), and `read` has none.
  bool wrong_pairs = false;
  HeadingNoise heading_noise;  ///< of panoramas alone
  ViewChoice view;             ///< of panoramas alone; its draws have the seed of the noise

  /// What the choice is by the names of `names_of`, for comparing runs: {"dataset": "vigor", ...}.
  /// Chosen cities, wrong pairs, noise of headings and views are in it where there are some.
  nlohmann::ordered_json settings() const;

  /// For example "VIGOR, same-area, original labels".
  std::string description() const;

  /// Reads the labels of `split`. `absent`: cities and runs that are not there are left out with a
  /// warning. Throws DataError, also for noise of headings that is not from 0 to 180 degrees, for
  /// tilts beyond kLargestTilt, for noise and views that are not of panoramas, and for cities of
  /// RobotCar.
  Dataset read(bool absent = false) const;

  /// The images of the data set that was read.
  ImageSource images(const Dataset& dataset) const;
};

/// The values of a field of DatasetChoice by their names.
template <class T>
const std::map<std::string, T>& names_of();

template <>
const std::map<std::string, DatasetKind>& names_of();
template <>
const std::map<std::string, Area>& names_of();
template <>
const std::map<std::string, Pairs>& names_of();
template <>
const std::map<std::string, LabelSet>& names_of();
template <>
const std::map<std::string, Split>& names_of();
template <>
const std::map<std::string, Control>& names_of();
template <>
const std::map<std::string, TiltTold>& names_of();

}  // namespace crossfix::data

#include <iostream>
#include <set>
#include <utility>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/printable.hpp"
#include "data/statistics.hpp"
#include "evaluate_options.hpp"
#include "messages.hpp"
#include "report/text_table.hpp"

namespace crossfix::cli {

namespace {

std::vector<std::string> row_of(const std::string& group, const std::string& split,
                                const data::LabelStatistics& numbers, std::size_t satellites) {
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? "-" : report::thousands(part) + " = " + report::percent(part, whole);
  };
  return {
      group,
      split,
      report::thousands(numbers.ground_images),
      satellites == 0 ? "-" : report::thousands(satellites),
      share(numbers.positives_outside, numbers.positives),
      numbers.semi_positives == 0 ? "-" : report::thousands(numbers.semi_positives),
      share(numbers.semi_positives_outside, numbers.semi_positives),
      report::decimals(numbers.centre_mean, 2) + " / " + report::decimals(numbers.centre_median, 2),
      numbers.names_mean ? report::decimals(*numbers.names_mean, 2) : "-"};
}

}  // namespace

void list_dataset(const data::DatasetChoice& choice) {
  std::vector<std::vector<std::string>> rows{
      {choice.kind == data::DatasetKind::robotcar ? "run" : "city", "split", "ground images",
       "tiles", "positives outside", "semi-positives", "outside", "centre", "names"}};
  std::set<std::string> warned;
  const std::pair<data::Split, const char*> splits[] = {{data::Split::train, "train"},
                                                        {data::Split::validation, "validation"},
                                                        {data::Split::test, "test"}};
  for (const auto& [split, name] : splits) {
    data::DatasetChoice part = choice;
    part.split = split;
    part.pairs = data::Pairs::all;
    const data::Dataset set = part.read(true);
    for (const std::string& warning : set.warnings) {
      if (warned.insert(warning).second) warn(warning);
    }
    // VIGOR's validation split is a fifth of its whole training list, over all cities.
    const bool pooled =
        split == data::Split::validation && choice.kind != data::DatasetKind::robotcar;
    for (std::size_t i = 0; i < set.groups.size() && !pooled; ++i) {
      rows.push_back(
          row_of(set.groups[i].name, name, data::statistics_of(set, i), set.groups[i].satellites));
    }
    if (set.groups.size() > 1 || (pooled && !set.groups.empty())) {
      std::size_t satellites = 0;
      for (const data::Group& group : set.groups) satellites += group.satellites;
      rows.push_back(row_of("all", name, data::statistics_of(set), satellites));
    }
  }
  if (rows.size() == 1) {
    throw DataError(choice.root.string() + ": no label files of " + choice.description());
  }
  std::cout << io::printable(choice.description() + ", " + choice.root.string()) << "\n\n";
  report::print_table(std::cout, rows, 2);
  std::cout << "\noutside: the camera does not stand in the tile. centre: error of guessing the "
               "tile's centre, on\npositives, mean / median, m.";
  if (choice.kind != data::DatasetKind::robotcar) {
    std::cout << " names: mean distance of the positives' labels from the\ncoordinates in the "
                 "names, m. validation: the fifth of train that the reference takes.";
  }
  std::cout << '\n';
}

}  // namespace crossfix::cli

#include "control.hpp"

#include <map>

#include "crossfix/core/error.hpp"

namespace crossfix::data {

void shuffle_grounds(Dataset& dataset) {
  std::vector<std::vector<std::string>> grounds(dataset.groups.size());
  std::vector<std::map<std::string, std::size_t>> numbers(dataset.groups.size());
  for (const Sample& sample : dataset.samples) {
    std::vector<std::string>& of_group = grounds[sample.group];
    if (numbers[sample.group].emplace(sample.ground, of_group.size()).second) {
      of_group.push_back(sample.ground);
    }
  }
  for (Sample& sample : dataset.samples) {
    const std::vector<std::string>& of_group = grounds[sample.group];
    if (of_group.size() < 2) {
      throw DataError(dataset.groups[sample.group].name + " has one ground image alone: there is " +
                      "nothing to shuffle it with");
    }
    const std::size_t number = numbers[sample.group].at(sample.ground);
    sample.ground = of_group[(number + of_group.size() / 2) % of_group.size()];
  }
}

}  // namespace crossfix::data

#include "data/control.hpp"

#include <map>
#include <set>

#include "crossfix/core/error.hpp"
#include "data/vigor.hpp"
#include "fixtures.hpp"

using namespace crossfix;

TEST_CASE("shuffled ground images are those of another panorama of the same city") {
  data::VigorOptions options;
  options.root = test::vigor_fixture();
  options.pairs = data::Pairs::all;
  const data::Dataset before = data::read_vigor(options);
  data::Dataset after = before;
  data::shuffle_grounds(after);
  REQUIRE(after.samples.size() == before.samples.size());
  std::map<std::string, std::string> moved;
  std::map<std::string, std::size_t> group_of;
  for (std::size_t i = 0; i < before.samples.size(); ++i) {
    const data::Sample& old = before.samples[i];
    const data::Sample& now = after.samples[i];
    CHECK(now.satellite == old.satellite);
    CHECK(now.true_.pixel.row == old.true_.pixel.row);
    CHECK(now.ground != old.ground);
    CHECK(std::get<GeoPoint>(now.location).latitude == std::get<GeoPoint>(old.location).latitude);
    CHECK(moved.emplace(old.ground, now.ground).first->second == now.ground);  // for all its tiles
    group_of[old.ground] = old.group;
  }
  std::set<std::string> taken;
  for (const auto& [from, to] : moved) {
    CHECK(group_of.at(from) == group_of.at(to));
    taken.insert(to);
  }
  CHECK(taken.size() == moved.size());
}

TEST_CASE("a city of one ground image cannot be shuffled") {
  data::Dataset dataset;
  dataset.groups.emplace_back().name = "Alone";
  dataset.samples.resize(2);
  CHECK(test::message_of<DataError>([&] { data::shuffle_grounds(dataset); }) ==
        "Alone has one ground image alone: there is nothing to shuffle it with");
}

#include "data/control.hpp"

#include <cmath>
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

namespace {

double metres_between(const data::Location& a, const data::Location& b) {
  const GeoPoint from = std::get<GeoPoint>(a);
  const GeoPoint to = std::get<GeoPoint>(b);
  constexpr double kDegree = 111320;  // of latitude, metres
  return std::hypot(from.latitude - to.latitude,
                    (from.longitude - to.longitude) * std::cos(from.latitude * 0.0174533)) *
         kDegree;
}

/// `count` samples of a run, one ground image each, `step` metres apart in a row.
data::Dataset run_of(std::size_t count, double step) {
  data::Dataset run;
  run.groups.emplace_back().name = "run";
  for (std::size_t i = 0; i < count; ++i) {
    data::Sample sample;
    sample.number = i;
    sample.ground = std::to_string(i);
    sample.location = data::PlanePoint{step * static_cast<double>(i), 100};
    sample.true_ = {{100, 100}, 200, 0.5};  // a diagonal of 141 m
    run.samples.push_back(sample);
  }
  return run;
}

}  // namespace

TEST_CASE("wrong pairs have the ground image of a camera outside their tile") {
  data::VigorOptions options;
  options.root = test::vigor_fixture();
  options.area = data::Area::cross;
  options.pairs = data::Pairs::all;
  const data::Dataset before = data::read_vigor(options);
  data::Dataset shuffled = before;
  data::shuffle_grounds(shuffled);
  data::Dataset set = before;
  const std::size_t count = data::add_wrong_pairs(set);
  REQUIRE(set.samples.size() == before.samples.size() + count);
  std::map<std::string, data::Location> locations;
  for (const data::Sample& sample : before.samples) locations[sample.ground] = sample.location;
  std::size_t at = before.samples.size();
  std::size_t near = 0;
  for (std::size_t i = 0; i < before.samples.size(); ++i) {
    const data::Sample& right = before.samples[i];
    CAPTURE(i);
    CHECK(set.samples[i].ground == right.ground);
    CHECK_FALSE(set.samples[i].wrong);
    const std::string& other = shuffled.samples[i].ground;
    const double metres = metres_between(right.location, locations.at(other));
    const double diagonal = 640 * std::sqrt(2.0) * right.true_.metres_per_pixel;
    REQUIRE(std::abs(metres - diagonal) > 0.005 * diagonal);  // degrees differ a little
    near += metres < diagonal ? 1 : 0;
    if (!right.inside || metres < diagonal) continue;
    const data::Sample& wrong = set.samples.at(at);
    CHECK(wrong.number == at);
    CHECK(wrong.wrong);
    CHECK(wrong.ground == other);
    CHECK(wrong.satellite == right.satellite);
    CHECK(wrong.choice == right.choice);
    CHECK(wrong.group == right.group);
    ++at;
  }
  CHECK(at == set.samples.size());
  CHECK(near > 0);
  CHECK(count > 0);
}

TEST_CASE("a camera that may stand in the tile makes no wrong pair, one of unknown location does") {
  data::Dataset run = run_of(4, 70);  // the other camera is 140 m away
  CHECK(data::add_wrong_pairs(run) == 0);
  run = run_of(4, 71);
  run.samples[1].inside = false;
  CHECK(data::add_wrong_pairs(run) == 3);
  CHECK(run.samples[4].ground == "2");
  CHECK(run.samples[5].ground == "0");
  CHECK(run.samples[6].ground == "1");
  run = run_of(4, 0);
  run.samples[2].location = {};
  CHECK(data::add_wrong_pairs(run) == 2);  // 0 with 2, 2 with 0
  run = run_of(1, 0);
  CHECK(data::add_wrong_pairs(run) == 0);
}

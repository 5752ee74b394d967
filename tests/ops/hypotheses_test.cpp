#include "crossfix/ops/hypotheses.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "crossfix/ops/pose_sums.hpp"
#include "support/counter_generator.hpp"

using namespace crossfix;
using ops::GridHypotheses;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A posterior over a grid whose cells give their middles, out of the cells with mass.
struct Map {
  struct Cell {
    Index row;
    Index col;
    double mass;
  };
  Map(Index side, const std::vector<Cell>& cells)
      : grid(side),
        probability(static_cast<std::size_t>(side * side), 0.0F),
        offsets(static_cast<std::size_t>(2 * side * side), 0.5F) {
    for (const auto& [row, col, mass] : cells) {
      probability[static_cast<std::size_t>(row * side + col)] = static_cast<float>(mass);
    }
  }
  ops::Posterior posterior() const { return {probability, offsets, grid}; }

  Index grid;
  std::vector<float> probability;
  std::vector<float> offsets;
};

}  // namespace

TEST_CASE("a hypothesis has the mass about its peak and lies at its mean", "[hypotheses]") {
  const Map map(12, {{3, 3, 0.25}, {3, 4, 0.125}, {2, 3, 0.125}, {9, 8, 0.375}, {9, 10, 0.125}});
  const GridHypotheses hypotheses(map.posterior(), 1.5);
  const auto found = hypotheses.found();
  REQUIRE(found.size() == 3);
  CHECK(found[0].peak == 9 * 12 + 8);  // the cell two columns on is beyond the radius
  CHECK(found[0].share == Approx(0.375));
  CHECK(found[0].row == Approx(9.5));
  CHECK(found[0].col == Approx(8.5));
  CHECK(found[1].share == Approx(0.5));  // a lower peak may have more mass about it
  CHECK(found[1].row == Approx(3.25));
  CHECK(found[1].col == Approx(3.75));
  CHECK(found[2].share == Approx(0.125));

  const GridHypotheses wider(map.posterior(), 2);
  REQUIRE(wider.found().size() == 2);
  CHECK(wider.found()[0].share == Approx(0.5));
  CHECK(wider.found()[0].col == Approx(9));
  CHECK(GridHypotheses(map.posterior(), 1e9).found().size() == 1);
}

TEST_CASE("no cell belongs to two hypotheses", "[hypotheses]") {
  // The radii about columns 2 and 4 overlap in column 3.
  const Map map(7, {{3, 2, 0.5}, {3, 3, 0.125}, {3, 4, 0.25}, {3, 5, 0.125}});
  const GridHypotheses hypotheses(map.posterior(), 1.5);
  const auto found = hypotheses.found();
  REQUIRE(found.size() == 2);
  CHECK(found[0].share == Approx(0.625));
  CHECK(found[1].share == Approx(0.375));
  std::vector<Index> cells;
  hypotheses.for_each_cell(1, [&](Index cell) { cells.push_back(cell); });
  CHECK(cells == std::vector<Index>{3 * 7 + 4, 3 * 7 + 5});
}

TEST_CASE("of equal peaks the first comes first; borders cut hypotheses off", "[hypotheses]") {
  const Map map(5, {{0, 0, 0.25}, {0, 4, 0.25}, {4, 0, 0.25}, {4, 4, 0.125}, {4, 3, 0.125}});
  const GridHypotheses hypotheses(map.posterior(), 1.5);
  const auto found = hypotheses.found();
  REQUIRE(found.size() == 4);
  CHECK(found[0].peak == 0);
  CHECK(found[1].peak == 4);
  CHECK(found[2].peak == 20);
  CHECK(found[3].peak == 23);
  CHECK(found[3].col == Approx(4));
  for (const auto& each : found) CHECK(each.share == Approx(0.25));
}

TEST_CASE("positions, not cells, are near each other", "[hypotheses]") {
  Map map(6, {{2, 2, 0.625}, {2, 4, 0.375}});
  REQUIRE(GridHypotheses(map.posterior(), 1.5).found().size() == 2);
  map.offsets[2 * (2 * 6 + 2) + 1] = 1;  // both give about column 3.5
  map.offsets[2 * (2 * 6 + 4) + 1] = 0;
  const GridHypotheses hypotheses(map.posterior(), 1.5);
  REQUIRE(hypotheses.found().size() == 1);
  CHECK(hypotheses.found()[0].share == Approx(1));
  CHECK(hypotheses.found()[0].col == Approx(0.625 * 3 + 0.375 * 4));
}

TEST_CASE("hypotheses end at five, and below the least share but for the first", "[hypotheses]") {
  std::vector<Map::Cell> cells;
  for (Index i = 0; i < 9; ++i) cells.push_back({3 * (i / 3), 3 * (i % 3), 0.1});
  CHECK(GridHypotheses(Map(8, cells).posterior(), 1.5).found().size() == 5);
  CHECK(GridHypotheses(Map(8, {{0, 0, 0.97}, {5, 5, 0.021}, {0, 5, 0.009}}).posterior(), 1.5)
            .found()
            .size() == 2);
  Map flat(100, {});
  std::fill(flat.probability.begin(), flat.probability.end(), 1e-4F);
  const GridHypotheses one(flat.posterior(), 4);
  REQUIRE(one.found().size() == 1);
  CHECK(one.found()[0].peak == 0);
}

TEST_CASE("NaN belongs to no hypothesis; one cell is one", "[hypotheses]") {
  Map map(5, {{1, 1, 0.5}, {1, 2, kNaN}, {3, 3, 0.25}});
  const GridHypotheses some(map.posterior(), 1.5);
  REQUIRE(some.found().size() == 2);
  CHECK(some.found()[0].share == Approx(0.5));
  std::fill(map.probability.begin(), map.probability.end(), static_cast<float>(kNaN));
  CHECK(GridHypotheses(map.posterior(), 1.5).found().empty());
  // As a network that is NaN has it: the softmax of a logit that is.
  std::vector<float> logits(25, 1.0F);
  logits[7] = static_cast<float>(kNaN);
  ops::softmax(logits, 1, map.probability);
  CHECK(GridHypotheses(map.posterior(), 1.5).found().empty());
  // Positions of NaN end, too.
  Map lost(3, {{0, 0, 0.5}, {2, 2, 0.5}});
  std::fill(lost.offsets.begin(), lost.offsets.end(), static_cast<float>(kNaN));
  CHECK(GridHypotheses(lost.posterior(), 1.5).found().size() == 2);

  Map single(1, {{0, 0, 1}});
  single.offsets = {0.25F, 0.75F};
  const GridHypotheses only(single.posterior(), 1.5);
  REQUIRE(only.found().size() == 1);
  CHECK(only.found()[0].share == 1);
  CHECK(only.found()[0].row == 0.25);
  CHECK(only.found()[0].col == 0.75);
  CHECK(GridHypotheses().found().empty());
}

TEST_CASE("the radius of a hypothesis: metres, else a part of the grid, at least the neighbours") {
  CHECK(ops::hypothesis_radius(92, 0.8) == Approx(3.75));
  CHECK(ops::hypothesis_radius(16, 4.5) == 1.5);
  CHECK(ops::hypothesis_radius(512, std::nullopt) == Approx(20.48));
  CHECK(ops::hypothesis_radius(1, std::nullopt) == 1.5);
}

TEST_CASE("sums over poses are the covariance and the headings of hypotheses", "[hypotheses]") {
  constexpr Index kBins = 12;
  constexpr Index kGrid = 6;
  constexpr std::size_t kCells = kGrid * kGrid;
  const std::uint64_t s = test::stream("poses");
  // Arcs of three bins and of one, as a search has them, and two maps of one arc.
  struct Arc {
    Index middle;
    Index width;
  };
  const std::vector<Arc> arcs{{0, 3}, {3, 3}, {5, 1}, {6, 1}, {7, 1}, {9, 3}, {9, 3}};
  std::vector<std::vector<float>> maps;
  std::vector<std::vector<double>> poses(kBins, std::vector<double>(kCells, 0.0));
  Map positions(kGrid, {});
  double total = 0;
  for (std::size_t i = 0; i < arcs.size(); ++i) {
    maps.emplace_back();
    for (std::size_t cell = 0; cell < kCells; ++cell) {
      maps[i].push_back(static_cast<float>(std::exp(4 * test::value(s, i * kCells + cell))));
    }
    ops::for_each_bin(arcs[i].middle, arcs[i].width, kBins, [&](Index bin) {
      for (std::size_t cell = 0; cell < kCells; ++cell) {
        poses[static_cast<std::size_t>(bin)][cell] += static_cast<double>(maps[i][cell]);
        total += static_cast<double>(maps[i][cell]);
      }
    });
  }
  for (auto& map : maps) {
    for (float& p : map) p = static_cast<float>(static_cast<double>(p) / total);
  }
  for (auto& bin : poses) {
    for (std::size_t cell = 0; cell < kCells; ++cell) {
      bin[cell] /= total;
      positions.probability[cell] += static_cast<float>(bin[cell]);
    }
  }
  const GridHypotheses hypotheses(positions.posterior(), 1.5);
  REQUIRE(hypotheses.found().size() >= 2);
  ops::PoseSums sums;
  for (int again = 0; again < 2; ++again) {
    sums.start(positions.posterior(), hypotheses, kBins);
    for (std::size_t i = 0; i < arcs.size(); ++i) {
      sums.add(arcs[i].middle, arcs[i].width, maps[i]);
    }
    for (const double about : {0.0, 359.0, 100.0}) {
      double mean[3]{};
      double product[2]{};
      for (Index bin = 0; bin < kBins; ++bin) {
        const double off = std::remainder(30.0 * static_cast<double>(bin) - about, 360.0);
        for (std::size_t cell = 0; cell < kCells; ++cell) {
          const double p = poses[static_cast<std::size_t>(bin)][cell];
          const double at[3] = {static_cast<double>(cell / kGrid) + 0.5,
                                static_cast<double>(cell % kGrid) + 0.5, off};
          for (int i = 0; i < 3; ++i) mean[i] += p * at[i];
          for (int i = 0; i < 2; ++i) product[i] += p * at[i] * off;
        }
      }
      const auto covariance = sums.covariance(about);
      for (std::size_t i = 0; i < 2; ++i) {
        CAPTURE(about, i);
        // Masses are floats: 2^-24 of degrees up to 180 and of cells up to 6.
        CHECK(std::abs(covariance[i] - (product[i] - mean[i] * mean[2])) <= 2e-4);
      }
    }
    for (std::size_t i = 0; i < hypotheses.found().size(); ++i) {
      std::vector<float> marginal(kBins, 0.0F);
      for (std::size_t bin = 0; bin < kBins; ++bin) {
        hypotheses.for_each_cell(i, [&](Index cell) {
          marginal[bin] += static_cast<float>(poses[bin][static_cast<std::size_t>(cell)]);
        });
      }
      const double expected = ops::circular_mean(marginal).degrees;
      CHECK(std::abs(std::remainder(sums.heading(i) - expected, 360)) <= 1e-3);
    }
  }
}

#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/evaluation.hpp"

namespace crossfix::report {

/// The figures of one mode. Where semi-positives were run, those of the positives alone too.
struct ModeFigures {
  eval::Evaluation all;
  std::optional<eval::Evaluation> positives;
};

/// Computes the figures of a mode from what became of the samples.
ModeFigures figures_of(const data::Dataset& dataset, const std::vector<eval::Outcome>& outcomes,
                       eval::Mode mode);

/// All figures as JSON; docs/evaluate.md documents the keys.
nlohmann::ordered_json to_json(const ModeFigures& figures);

/// The same for people, in the shape of the published tables. `runs`: the groups are runs, which are
/// averaged, and errors are told along and across the vehicle.
void print_figures(std::ostream& out, const std::vector<ModeFigures>& modes, bool runs);

}  // namespace crossfix::report

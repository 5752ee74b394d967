#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "evaluation.hpp"

namespace crossfix::eval {

/// The figures of one mode. If semi-positives were run, also those of the positives alone.
struct ModeFigures {
  Evaluation all;
  std::optional<Evaluation> positives;
};

/// Computes the figures of a mode from the outcomes of the samples.
ModeFigures figures_of(const data::Dataset& dataset, const std::vector<Outcome>& outcomes,
                       Mode mode);

/// All figures as JSON; docs/evaluate.md documents the keys.
nlohmann::ordered_json to_json(const ModeFigures& figures);

}  // namespace crossfix::eval

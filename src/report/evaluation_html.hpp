#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "crossfix/localizer.hpp"
#include "data/choice.hpp"
#include "data/image_source.hpp"
#include "eval/mode_figures.hpp"
#include "report.hpp"

namespace crossfix::report {

/// How many of the best pairs, and of the worst, a report shows.
inline constexpr std::size_t kShownPairs = 10;

/// The mode that a report's charts and pairs show: the true one, if it was evaluated.
eval::Mode charted_mode(const std::vector<eval::ModeFigures>& figures);

/// Errors along and across the camera's heading, and of the headings that were searched for: a row
/// for each mode that has samples, and one of its positives where semi-positives were run too.
Table heading_table(const std::vector<eval::ModeFigures>& modes);

/// How well wrong pairs are told from right ones: a row for each mode, as above. No rows without
/// wrong pairs.
Table nowhere_table(const std::vector<eval::ModeFigures>& modes);

/// The HTML report but for its pairs: tables of all modes, charts and maps of the charted one.
/// `settings` is what the run was made with, an object of numbers and texts.
Report html_report(const data::DatasetChoice& choice, const data::Dataset& dataset,
                   const std::vector<eval::Outcome>& outcomes,
                   const std::vector<eval::ModeFigures>& figures,
                   const nlohmann::ordered_json& settings);

/// Numbers of scored samples, by error. Equal errors stay in the order of the data set.
struct Extremes {
  std::vector<std::size_t> best;   ///< the best first
  std::vector<std::size_t> worst;  ///< the worst first
};
Extremes extremes_of(const data::Dataset& dataset, const std::vector<eval::Outcome>& outcomes,
                     eval::Mode mode, std::size_t count = kShownPairs);

/// Locates samples once more, to get their posteriors, and draws them. A pair that cannot be read
/// any more has no pictures, and a fact that says why.
std::vector<ShownPair> draw_pairs(const data::Dataset& dataset,
                                  const std::vector<eval::Outcome>& outcomes, eval::Mode mode,
                                  std::span<const std::size_t> numbers,
                                  const data::ImageSource& source, Localizer& localizer);

/// The legend of the colours and marks of `draw_pairs`.
const char* pairs_note();

}  // namespace crossfix::report

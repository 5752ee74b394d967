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

/// The HTML report without its pairs: tables of all modes, charts and maps of the charted mode.
/// `settings` are the settings of the run, an object of numbers and texts.
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

#pragma once

#include <span>
#include <string>
#include <vector>

#include "crossfix/core/error.hpp"
#include "crossfix/localizer.hpp"

namespace crossfix::pipeline {

/// Locates checked pairs; returns why the network failed at each, or empty texts. `fixes` has one
/// for each pair, without meaning where it failed.
inline std::vector<std::string> locate_together(Localizer& localizer, std::span<const Pair> pairs,
                                                std::vector<Fix>& fixes) {
  std::vector<std::string> errors(pairs.size());
  try {
    localizer.locate(pairs, fixes);
  } catch (const NumberError&) {  // which does not say at which pair
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      try {
        localizer.locate(pairs[i], fixes[i]);
      } catch (const NumberError& error) {
        errors[i] = error.what();
      }
    }
  }
  return errors;
}

}  // namespace crossfix::pipeline

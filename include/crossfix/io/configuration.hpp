#pragma once

#include <string>

#include "crossfix/io/safetensors.hpp"
#include "crossfix/model/configuration.hpp"

namespace crossfix::io {

/// The metadata entry that holds a network's configuration, a JSON object (docs/weights.md).
inline constexpr const char* kConfigurationKey = "crossfix";

/// The configuration in a file's metadata. Without one, the reference network at VIGOR size.
/// Missing fields have their defaults; unknown fields are ignored. Throws WeightsError with the
/// file, the field, its value and what would be right.
model::Configuration read_configuration(const Safetensors& file);

/// The same from JSON text. Messages do not name a file.
model::Configuration parse_configuration(const std::string& json);

/// One line of JSON that `parse_configuration` reads back unchanged.
std::string to_json(const model::Configuration& configuration);

}  // namespace crossfix::io

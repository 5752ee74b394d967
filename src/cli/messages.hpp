#pragma once

#include <functional>
#include <initializer_list>
#include <string>

namespace crossfix::cli {

/// Prints "crossfix: TEXT" on standard error: one printable line whatever `text` holds, in one
/// write, so that no output of mpirun comes in between.
void say(const std::string& text);

/// Says "warning: MESSAGE".
void warn(const std::string& message);

/// Makes all outputs, in this order, also where one of them cannot be written. Then throws the
/// first error; the others are warnings.
void make_outputs(std::initializer_list<std::function<void()>> outputs);

}  // namespace crossfix::cli

#pragma once

#include <string_view>

namespace crossfix::report {

/// The document's style sheet: light, dark where the reader's system is, and light on paper. It
/// holds no character that HTML or XML would read as mark-up, and names no file.
std::string_view style_sheet();

}  // namespace crossfix::report

#pragma once

#include <string_view>

namespace crossfix::report {

/// The style sheet of the document: light, or dark if the reader's system is dark, and light on
/// paper. It has no character that HTML or XML would read as mark-up, and names no file.
std::string_view style_sheet();

}  // namespace crossfix::report

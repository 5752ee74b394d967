/// HTML and SVG that a strict XML parser accepts too.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace crossfix::report {

/// `text` for use between tags and within quoted attributes. Bytes that are not UTF-8, and control
/// characters that XML cannot represent, become U+FFFD.
std::string escaped(std::string_view text);

/// `value` with at most `decimals` decimals and no trailing zeros: for coordinates. Throws
/// ShapeError if it is not finite.
std::string coordinate(double value, int decimals = 1);

/// `value` with `decimals` decimals, for people to read; "NaN", "∞" and "−∞" if it is not finite.
/// The minus is U+2212, and a narrow space separates thousands.
std::string readable(double value, int decimals);

struct Attribute {
  std::string_view name;
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

/// Appends elements to a text, and closes them in order.
class Markup {
 public:
  /// An element that stays open until its `close`.
  Markup& open(std::string_view tag, Attributes attributes = {});
  /// Ends the innermost open element. Throws ShapeError if none is open.
  Markup& close();

  /// An element without content: an SVG one, or one that HTML never closes (`meta`, `img`, `br`).
  Markup& leaf(std::string_view tag, Attributes attributes = {});
  /// An element that holds only text.
  Markup& element(std::string_view tag, std::string_view content, Attributes attributes = {});
  /// Text of the innermost open element, escaped here.
  Markup& text(std::string_view content);
  /// Complete elements that another Markup wrote.
  Markup& nested(std::string_view markup);
  Markup& line_break();

  /// The text that was written. Throws ShapeError if an element is still open.
  std::string take();

 private:
  void begin(std::string_view tag, Attributes attributes);

  std::string text_;
  std::vector<std::string> open_;
};

}  // namespace crossfix::report

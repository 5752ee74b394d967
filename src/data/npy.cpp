#include "npy.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "crossfix/core/error.hpp"
#include "io/file_text.hpp"

namespace crossfix::data {

namespace {

static_assert(std::endian::native == std::endian::little);

/// Reads the dictionary in the header, a Python literal that NumPy always writes in the same form.
class Header {
 public:
  Header(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  /// The text after `'key':`, up to the comma that ends it.
  std::string_view value(std::string_view key, std::string_view end) const {
    const std::string quoted = "'" + std::string(key) + "':";
    const std::size_t at = text_.find(quoted);
    if (at == std::string_view::npos) fail("its header lacks '" + std::string(key) + "'");
    std::string_view rest = text_.substr(at + quoted.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return rest.substr(0, rest.find(end));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_ + ": " + what + "; a NumPy array of float64 with one axis is expected");
  }

 private:
  std::string_view text_;
  const std::string& file_;
};

}  // namespace

std::vector<double> read_npy(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::string bytes = io::read_text(path, "a NumPy array (.npy)");
  const Header none({}, file);
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) none.fail("not a NumPy file");
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) none.fail("NumPy format " + std::to_string(version));
  std::size_t length = byte(8) | byte(9) << 8U;
  std::size_t begin = 10;
  if (version > 1) {
    length |= byte(10) << 16U | byte(11) << 24U;
    begin = 12;
  }
  if (length > bytes.size() - begin) none.fail("cut short in its header");
  const Header header(std::string_view(bytes).substr(begin, length), file);
  const std::string_view type = header.value("descr", ",");
  if (type != "'<f8'") header.fail("elements of type " + std::string(type));
  const std::string_view shape = header.value("shape", ")");
  std::size_t count = 0;
  const char* end = shape.data() + shape.size();
  const auto [rest, error] =
      shape.starts_with('(') ? std::from_chars(shape.data() + 1, end, count)
                             : std::from_chars_result{shape.data(), std::errc::invalid_argument};
  if (error != std::errc() || std::string_view(rest, end) != ",") {
    header.fail("shape " + std::string(shape) + ")");
  }
  const std::size_t held = bytes.size() - begin - length;
  if (held % sizeof(double) != 0 || held / sizeof(double) != count) {
    header.fail(std::to_string(held) + " bytes of data where its header says " +
                std::to_string(count) + " numbers");
  }
  std::vector<double> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data() + begin + length, held);
  return values;
}

}  // namespace crossfix::data

/// Photo Sphere's XMP: https://developers.google.com/streetview/spherical-metadata
#include <expat.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs.hpp"
#include "crossfix/core/number_text.hpp"

namespace crossfix::io {

namespace {

/// The properties of packets in the name spaces of panoramas and of TIFF, which are attributes or
/// elements. Where packets differ, the first holds.
class Properties {
 public:
  explicit Properties(const std::vector<std::string>& packets) {
    for (const std::string& packet : packets) {
      // Old programs leave texts in Latin-1 in packets that are said to be UTF-8.
      if (!read(packet, nullptr)) read(packet, "ISO-8859-1");
    }
  }

  /// Empty if there is none.
  std::string_view text(std::string_view name) const {
    const auto found = properties_.find(name);
    return found == properties_.end() ? std::string_view{} : found->second;
  }

  bool has(std::string_view name) const { return properties_.contains(name); }

  /// A number, also with a comma for its point, or as a fraction, as TIFF's are.
  std::optional<double> number(std::string_view name) const {
    std::string value(text(name));
    if (const std::size_t slash = value.find('/'); slash != value.npos) {
      const auto above = parse_number(std::string_view(value).substr(0, slash));
      const auto below = parse_number(std::string_view(value).substr(slash + 1));
      if (!above || !below || *below == 0) return {};
      return *above / *below;
    }
    if (const std::size_t comma = value.find(','); comma != value.npos) value[comma] = '.';
    return parse_number(value);
  }

  std::optional<double> number(std::string_view name, double least, double most) const {
    const auto value = number(name);
    return value && *value >= least && *value <= most ? value : std::nullopt;
  }

 private:
  static constexpr char kSeparator = ' ';
  static constexpr std::string_view kValue = "http://www.w3.org/1999/02/22-rdf-syntax-ns# value";

  /// The name of a property in a name space that is looked at, else empty.
  static std::string_view name_of(std::string_view key) {
    constexpr std::string_view kSpaces[] = {"http://ns.google.com/photos/1.0/panorama/ ",
                                            "http://ns.adobe.com/tiff/1.0/ "};
    for (const std::string_view space : kSpaces) {
      if (key.starts_with(space)) return key.substr(space.size());
    }
    return {};
  }

  /// False if it is damaged; what stands before the damage is read.
  bool read(const std::string& packet, const char* encoding) {
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
        XML_ParserCreateNS(encoding, kSeparator), XML_ParserFree);
    if (!parser) return false;
    parser_ = parser.get();
    open_.clear();
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), on_begin, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    // Packets have no document type; entities of one could grow without bounds.
    XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
    return XML_Parse(parser.get(), packet.data(), static_cast<int>(packet.size()), XML_TRUE) ==
           XML_STATUS_OK;
  }

  static void on_begin(void* user, const char* name, const char** attributes) {
    auto& self = *static_cast<Properties*>(user);
    for (const char** at = attributes; *at != nullptr; at += 2) {
      if (const auto property = name_of(at[0]); !property.empty()) {
        self.properties_.emplace(property, at[1]);
      }
    }
    const std::string_view property = name_of(name);
    if (!property.empty()) self.open_ = property;
    if (!property.empty() || name == kValue) self.text_.clear();
  }
  static void on_text(void* user, const char* text, int length) {
    auto& self = *static_cast<Properties*>(user);
    if (!self.open_.empty()) self.text_.append(text, static_cast<std::size_t>(length));
  }
  static void on_end(void* user, const char* name) {
    auto& self = *static_cast<Properties*>(user);
    if (self.open_.empty() || (name != kValue && name_of(name) != self.open_)) return;
    self.properties_.emplace(self.open_, self.text_);
    self.open_.clear();
  }
  static void on_document_type(void* user, const char*, const char*, const char*, int) {
    XML_StopParser(static_cast<Properties*>(user)->parser_, XML_FALSE);
  }

  XML_Parser parser_ = nullptr;
  std::string open_;  ///< the property whose text is being read
  std::string text_;
  std::map<std::string, std::string, std::less<>> properties_;
};

/// Whether a packet of any encoding has this word, of ASCII, in it.
bool mentions(const std::vector<std::string>& packets, std::string_view word) {
  return std::any_of(packets.begin(), packets.end(), [&](std::string packet) {
    std::erase(packet, '\0');  // of UTF-16
    return packet.find(word) != packet.npos;
  });
}

/// The share [begin, end] of a whole, which `full` pixels make, that a picture shows along an axis.
struct Share {
  double begin = 0;
  double end = 1;
};

struct Axis {
  const char* full;
  const char* begin;
  const char* size;
  bool goes_around;  ///< what is beyond the end is at the beginning
};
constexpr Axis kAcross{"FullPanoWidthPixels", "CroppedAreaLeftPixels",
                       "CroppedAreaImageWidthPixels", true};
constexpr Axis kDown{"FullPanoHeightPixels", "CroppedAreaTopPixels", "CroppedAreaImageHeightPixels",
                     false};

/// Empty if the packets do not say, or contradict themselves.
std::optional<Share> share_of(const Properties& packets, const Axis& axis) {
  const auto all = packets.number(axis.full);
  const auto shown = packets.number(axis.size);
  if (!all || !shown || !(*shown > 0 && *shown <= *all)) return {};
  const double first = packets.number(axis.begin).value_or((*all - *shown) / 2);
  if (!(first >= 0 && first <= *all)) return {};
  if (!axis.goes_around && first + *shown > *all) return {};
  return Share{first / *all, (first + *shown) / *all};
}

}  // namespace

std::optional<int> xmp_orientation(const std::vector<std::string>& packets) {
  const auto value = Properties(packets).number("Orientation", 1, 8);
  return value && *value == std::floor(*value) ? std::optional(static_cast<int>(*value))
                                               : std::nullopt;
}

PanoramaTags panorama_tags(const std::vector<std::string>& packets) {
  constexpr double kTurn = 360;
  constexpr const char* kHeading = "PoseHeadingDegrees";
  PanoramaTags tags;
  if (packets.empty()) return tags;
  const Properties properties(packets);
  // Programs add up turns; yet what is far beyond is no angle in degrees.
  if (const auto heading = properties.number(kHeading, -2 * kTurn, 2 * kTurn)) {
    tags.heading = std::fmod(*heading + 2 * kTurn, kTurn);
  } else {
    tags.has_unread_heading = mentions(packets, kHeading);
  }
  tags.pitch = properties.number("PosePitchDegrees", -90, 90);
  tags.roll = properties.number("PoseRollDegrees", -180, 180);
  tags.projection = without_blanks(properties.text("ProjectionType"));
  const auto across = share_of(properties, kAcross);
  const auto down = share_of(properties, kDown);
  for (const auto& [share, axis] : {std::pair{across, kAcross}, {down, kDown}}) {
    if (!share && properties.has(axis.full) && properties.has(axis.size)) {
      tags.has_contradictory_part = true;
    }
  }
  if (tags.has_contradictory_part || (!across && !down)) return tags;
  Share columns = across.value_or(Share{});
  const Share rows = down.value_or(Share{});
  constexpr double kWhole = 0.99;  // sizes are rounded to pixels
  const bool begins_elsewhere = columns.end > 1 + (1 - kWhole);
  if (!begins_elsewhere && columns.end - columns.begin >= kWhole &&
      rows.end - rows.begin >= kWhole) {
    return tags;
  }
  if (columns.end > 1.5) columns = {columns.begin - 1, columns.end - 1};  // azimuths up to 360
  tags.part = {(columns.begin - 0.5) * 360, (columns.end - 0.5) * 360, (0.5 - rows.end) * 180,
               (0.5 - rows.begin) * 180};
  return tags;
}

}  // namespace crossfix::io

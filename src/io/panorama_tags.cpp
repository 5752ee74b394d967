/// Photo Sphere's XMP: https://developers.google.com/streetview/spherical-metadata
#include <expat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "codecs.hpp"
#include "crossfix/core/number_text.hpp"

namespace crossfix::io {

namespace {

/// A packet of a JPEG segment has 64 KB; no panorama's needs more.
constexpr std::size_t kMaximumPacketBytes = std::size_t{1} << 20;

/// The properties of a packet in the name space of panoramas, which are attributes or elements.
class Packet {
 public:
  explicit Packet(Bytes xmp) {
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
        XML_ParserCreateNS(nullptr, kSeparator), XML_ParserFree);
    if (!parser || xmp.size() > kMaximumPacketBytes) return;
    parser_ = parser.get();
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), on_begin, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    // Packets have no document type; entities of one could grow without bounds.
    XML_SetStartDoctypeDeclHandler(parser.get(), on_document_type);
    const auto status = XML_Parse(parser.get(), reinterpret_cast<const char*>(xmp.data()),
                                  static_cast<int>(xmp.size()), XML_TRUE);
    if (status != XML_STATUS_OK) properties_.clear();
  }

  std::optional<double> number(std::string_view name) const {
    const auto found = properties_.find(name);
    if (found == properties_.end()) return {};
    return parse_number(found->second);
  }

  std::optional<double> number(std::string_view name, double least, double most) const {
    const auto value = number(name);
    return value && *value >= least && *value <= most ? value : std::nullopt;
  }

 private:
  static constexpr char kSeparator = ' ';
  static constexpr std::string_view kSpace = "http://ns.google.com/photos/1.0/panorama/ ";

  static void on_begin(void* user, const char* name, const char** attributes) {
    auto& self = *static_cast<Packet*>(user);
    for (const char** at = attributes; *at != nullptr; at += 2) {
      const std::string_view key = *at;
      if (key.starts_with(kSpace)) self.properties_[std::string(key.substr(kSpace.size()))] = at[1];
    }
    const std::string_view element = name;
    self.open_ = element.starts_with(kSpace) ? element.substr(kSpace.size()) : "";
    if (!self.open_.empty()) self.properties_[self.open_].clear();
  }
  static void on_text(void* user, const char* text, int length) {
    auto& self = *static_cast<Packet*>(user);
    if (!self.open_.empty()) {
      self.properties_[self.open_].append(text, static_cast<std::size_t>(length));
    }
  }
  static void on_end(void* user, const char*) { static_cast<Packet*>(user)->open_.clear(); }
  static void on_document_type(void* user, const char*, const char*, const char*, int) {
    XML_StopParser(static_cast<Packet*>(user)->parser_, XML_FALSE);
  }

  XML_Parser parser_ = nullptr;
  std::string open_;  ///< the property whose text is being read
  std::map<std::string, std::string, std::less<>> properties_;
};

/// The share [begin, end] of a whole, which `full` pixels make, that a picture shows along an axis.
struct Share {
  double begin = 0;
  double end = 1;
};

/// Empty if the packet does not say, or contradicts itself.
std::optional<Share> share_of(const Packet& packet, std::string_view full, std::string_view begin,
                              std::string_view size) {
  const auto all = packet.number(full);
  const auto shown = packet.number(size);
  if (!all || !shown || !(*shown > 0 && *shown <= *all)) return {};
  const double first = packet.number(begin).value_or((*all - *shown) / 2);
  if (!(first >= 0 && first + *shown <= *all)) return {};
  return Share{first / *all, (first + *shown) / *all};
}

}  // namespace

PanoramaTags panorama_tags(Bytes xmp) {
  constexpr double kTurn = 360;
  PanoramaTags tags;
  if (xmp.empty()) return tags;
  const Packet packet(xmp);
  if (const auto heading = packet.number("PoseHeadingDegrees", -kTurn, kTurn)) {
    tags.heading = std::fmod(*heading + kTurn, kTurn);
  }
  tags.pitch = packet.number("PosePitchDegrees", -90, 90);
  tags.roll = packet.number("PoseRollDegrees", -180, 180);
  const auto across = share_of(packet, "FullPanoWidthPixels", "CroppedAreaLeftPixels",
                               "CroppedAreaImageWidthPixels");
  const auto down = share_of(packet, "FullPanoHeightPixels", "CroppedAreaTopPixels",
                             "CroppedAreaImageHeightPixels");
  if (!across && !down) return tags;
  const Share columns = across.value_or(Share{});
  const Share rows = down.value_or(Share{});
  constexpr double kWhole = 0.99;  // sizes are rounded to pixels
  if (columns.end - columns.begin >= kWhole && rows.end - rows.begin >= kWhole) return tags;
  tags.part = {(columns.begin - 0.5) * 360, (columns.end - 0.5) * 360, (0.5 - rows.end) * 180,
               (0.5 - rows.begin) * 180};
  return tags;
}

}  // namespace crossfix::io

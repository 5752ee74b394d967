#include "crossfix/io/photo.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "io/files.hpp"
#include "io/jpeg_builder.hpp"
#include "io/png_builder.hpp"

using namespace crossfix;
using io::PanoramaTags;

namespace {

/// A packet, with these attributes and elements of Photo Sphere's name space.
std::string packet(const std::string& attributes, const std::string& elements = "") {
  return R"(<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x="adobe:ns:meta/">)"
         R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description )"
         R"(xmlns:G="http://ns.google.com/photos/1.0/panorama/" )" +
         attributes + ">" + elements +
         "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>";
}

PanoramaTags tags_of(const std::string& xmp) {
  const test::ScratchFolder folder;
  const std::string mark("http://ns.adobe.com/xap/1.0/\0", 29);
  test::write_text(folder / "a.jpg", test::with_segment(test::made_jpeg(false), mark + xmp));
  test::PngBuilder png(2, 1, 8, 0, false);
  const std::string keyword("XML:com.adobe.xmp\0\0\0\0\0", 22);
  test::write_text(folder / "a.png",
                   png.chunk("iTXt", keyword + xmp).data(std::string(3, '\0')).finish());
  const PanoramaTags tags = io::read_photo(folder / "a.jpg").tags;
  const PanoramaTags of_png = io::read_photo(folder / "a.png").tags;
  CHECK(tags.heading == of_png.heading);
  CHECK(tags.part.has_value() == of_png.part.has_value());
  return tags;
}

}  // namespace

TEST_CASE("a panorama's heading and tilt, as attributes or elements") {
  const PanoramaTags attributes = tags_of(
      packet(R"(G:PoseHeadingDegrees="350.5" G:PosePitchDegrees="-3" G:PoseRollDegrees="+1.25")"));
  CHECK(attributes.heading == 350.5);
  CHECK(attributes.pitch == -3.0);
  CHECK(attributes.roll == 1.25);
  CHECK_FALSE(attributes.part);
  CHECK(tags_of(packet("", "<G:PoseHeadingDegrees>\n 90.0 </G:PoseHeadingDegrees>")).heading ==
        90.0);
  CHECK(tags_of(packet(R"(G:PoseHeadingDegrees="-90")")).heading == 270.0);
  CHECK(tags_of(packet(R"(G:PoseHeadingDegrees="360")")).heading == 0.0);
}

TEST_CASE("the part of a panorama that a picture shows") {
  const PanoramaTags tags = tags_of(packet(
      R"(G:FullPanoWidthPixels="8000" G:FullPanoHeightPixels="4000" G:CroppedAreaLeftPixels="1000" )"
      R"(G:CroppedAreaTopPixels="500" G:CroppedAreaImageWidthPixels="6000" )"
      R"(G:CroppedAreaImageHeightPixels="3000")"));
  REQUIRE(tags.part);
  CHECK(tags.part->azimuth_begin == Approx(-135));
  CHECK(tags.part->azimuth_end == Approx(135));
  CHECK(tags.part->elevation_begin == Approx(-67.5));
  CHECK(tags.part->elevation_end == Approx(67.5));
  CHECK_FALSE(
      tags_of(packet(R"(G:FullPanoWidthPixels="8000" G:CroppedAreaImageWidthPixels="8000")")).part);
  CHECK_FALSE(tags.has_contradictory_part);
  // Too wide or high, nothing, or beside the whole: the packet contradicts itself.
  for (const char* wrong : {R"(G:FullPanoWidthPixels="800" G:CroppedAreaImageWidthPixels="8000")",
                            R"(G:FullPanoWidthPixels="8000" G:CroppedAreaImageWidthPixels="6000" )"
                            R"(G:CroppedAreaLeftPixels="-30")",
                            R"(G:FullPanoWidthPixels="8000" G:CroppedAreaImageWidthPixels="0")",
                            R"(G:FullPanoWidthPixels="-8" G:CroppedAreaImageWidthPixels="-8")",
                            R"(G:FullPanoHeightPixels="400" G:CroppedAreaImageHeightPixels="300" )"
                            R"(G:CroppedAreaTopPixels="200")"}) {
    CAPTURE(wrong);
    CHECK_FALSE(tags_of(packet(wrong)).part);
    CHECK(tags_of(packet(wrong)).has_contradictory_part);
  }
}

TEST_CASE("a part of a panorama may go on behind its right edge") {
  const auto check = [&](const std::string& left, const std::string& width, double begin,
                         double end) {
    const auto part = tags_of(packet("G:FullPanoWidthPixels='3600' G:CroppedAreaLeftPixels='" +
                                     left + "' G:CroppedAreaImageWidthPixels='" + width + "'"))
                          .part.value();
    CHECK(part.azimuth_begin == Approx(begin).margin(1e-9));
    CHECK(part.azimuth_end == Approx(end));
  };
  check("2700", "2700", 90, 360);
  check("1800", "1900", 0, 190);
  check("3500", "3000", -190, 110);  // cameras' azimuths end at 360
}

TEST_CASE("a heading is read before, between and behind what is damaged") {
  const std::string good = packet(R"(G:PoseHeadingDegrees="90")");
  for (const std::string& text :
       {good + '\0', good + std::string(9, '\0'), good + " garbage <", good.substr(0, 250),
        packet("G:StitchingSoftware='caf\xe9' G:PoseHeadingDegrees='90'"),
        packet("",
               "<G:StitchingSoftware>caf\xe9</G:StitchingSoftware>"
               "<G:PoseHeadingDegrees>90</G:PoseHeadingDegrees>"),
        packet(R"(G:PoseHeadingDegrees="90/1")"), packet(R"(G:PoseHeadingDegrees="900/10")"),
        packet(R"(G:PoseHeadingDegrees="90,0")"), packet(R"(G:PoseHeadingDegrees="450")"),
        packet("",
               "<G:PoseHeadingDegrees rdf:parseType='Resource'>\n <rdf:value>90</rdf:value>"
               "<G:Unit>degrees</G:Unit></G:PoseHeadingDegrees>")}) {
    CAPTURE(text);
    const PanoramaTags tags = tags_of(text);
    CHECK(tags.heading == 90.0);
    CHECK_FALSE(tags.has_unread_heading);
  }
}

TEST_CASE("a heading that is mentioned and cannot be read is told of") {
  std::string wide;
  for (const char c : packet(R"(G:PoseHeadingDegrees="90")")) wide += {c, '\0'};
  for (const std::string& text :
       {packet(R"(G:PoseHeadingDegrees="north")"), packet(R"(G:PoseHeadingDegrees="9000")"),
        packet(R"(G:PoseHeadingDegrees="90/0")"), "<broken " + packet("G:PoseHeadingDegrees='9'"),
        "<!DOCTYPE a>" + packet(R"(G:PoseHeadingDegrees="90")"), "<" + wide}) {
    CAPTURE(text);
    CHECK(tags_of(text).has_unread_heading);
  }
  CHECK_FALSE(tags_of(packet("")).has_unread_heading);
  CHECK(tags_of(packet("G:ProjectionType=' cylindrical'")).projection == "cylindrical");
}

TEST_CASE("all packets of a JPEG are looked at, also one in portions") {
  const test::ScratchFolder folder;
  const std::string mark("http://ns.adobe.com/xap/1.0/\0", 29);
  const std::string more = std::string("http://ns.adobe.com/xmp/extension/\0", 35);
  const std::string heading = packet(R"(G:PoseHeadingDegrees="90")");
  const auto heading_of = [&](const std::string& jpeg) {
    test::write_text(folder / "a.jpg", jpeg);
    return io::read_photo(folder / "a.jpg").tags.heading;
  };
  const std::string jpeg = test::made_jpeg(false);
  const std::string first = mark + packet("G:PosePitchDegrees='2'");
  CHECK(heading_of(test::with_segment(test::with_segment(jpeg, mark + heading), first)) == 90.0);
  CHECK(heading_of(test::with_segment(
            test::with_segment(jpeg, mark + packet("G:PoseHeadingDegrees='8'")), mark + heading)) ==
        90.0);
  const auto portion = [&](const std::string& text) { return more + std::string(40, 'A') + text; };
  const std::string split = test::with_segment(
      test::with_segment(jpeg, portion(heading.substr(200))), portion(heading.substr(0, 200)));
  CHECK(heading_of(test::with_segment(split, first)) == 90.0);
}

TEST_CASE("a packet of a PNG in every kind of text") {
  const test::ScratchFolder folder;
  const auto heading_of = [&](const std::string& type, const std::string& body) {
    test::PngBuilder png(2, 1, 8, 0, false);
    test::write_text(folder / "a.png", png.data(std::string(3, '\0')).chunk(type, body).finish());
    return io::read_photo(folder / "a.png").tags.heading;
  };
  const std::string xmp = packet(R"(G:PoseHeadingDegrees="90")");
  const std::string packed = test::packed(xmp);
  const std::string zero(1, '\0');
  const std::string keyword = "XML:com.adobe.xmp" + zero;
  CHECK(heading_of("tEXt", keyword + xmp) == 90.0);
  CHECK(heading_of("zTXt", keyword + zero + packed) == 90.0);
  CHECK(heading_of("iTXt", keyword + zero + zero + "x-default" + zero + zero + xmp) == 90.0);
  CHECK(heading_of("iTXt", keyword + "\1" + zero + "en" + zero + "XMP" + zero + packed) == 90.0);
  std::string raw = "\nxmp\n     " + std::to_string(xmp.size());
  for (std::size_t i = 0; i < xmp.size(); ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    if (i % 36 == 0) raw += '\n';
    raw += {kDigits[xmp[i] / 16], kDigits[xmp[i] % 16]};
  }
  const std::string profile = "Raw profile type xmp" + zero;
  CHECK(heading_of("tEXt", profile + raw) == 90.0);
  CHECK(heading_of("zTXt", profile + zero + test::packed(raw)) == 90.0);
  for (const std::string& damaged :
       {std::string(), keyword, keyword + "\1", keyword + "\1" + zero + zero + zero + "no zlib",
        keyword + "\1" + zero + zero + zero + packed.substr(0, packed.size() - 9),
        keyword + "\1" + zero + zero + zero + test::packed(std::string(2 << 20, ' ') + xmp)}) {
    CHECK_FALSE(heading_of("iTXt", damaged));
  }
}

TEST_CASE("what is no packet says nothing of a panorama") {
  for (const std::string& text :
       {std::string("no XML"), packet(R"(G:PoseHeadingDegrees="north")"),
        packet(R"(G:PoseHeadingDegrees="nan")"), packet(R"(G:PoseHeadingDegrees="1e9")"),
        packet(R"(G:PoseHeadingDegrees="90")").substr(0, 240),
        packet("", "<G:PoseHeadingDegrees>90").substr(0, 249),
        R"(<!DOCTYPE a [<!ENTITY b "90">]>)" +
            packet("", "<G:PoseHeadingDegrees>&b;</G:PoseHeadingDegrees>"),
        packet("", std::string(20000, 'x')),
        packet(R"(Other:PoseHeadingDegrees="90" xmlns:Other="http://other/")")}) {
    const PanoramaTags tags = tags_of(text);
    CHECK_FALSE(tags.heading);
    CHECK_FALSE(tags.part);
  }
  std::string deep;
  for (int i = 0; i < 9000; ++i) deep += "<a>";
  CHECK_FALSE(tags_of(deep).heading);
}

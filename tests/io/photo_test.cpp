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
  // Too wide, or beyond the whole: the packet contradicts itself.
  for (const char* wrong : {R"(G:FullPanoWidthPixels="800" G:CroppedAreaImageWidthPixels="8000")",
                            R"(G:FullPanoWidthPixels="8000" G:CroppedAreaImageWidthPixels="6000" )"
                            R"(G:CroppedAreaLeftPixels="3000")"}) {
    CHECK_FALSE(tags_of(packet(wrong)).part);
  }
}

TEST_CASE("what is no packet says nothing of a panorama") {
  for (const std::string& text :
       {std::string("no XML"), packet(R"(G:PoseHeadingDegrees="north")"),
        packet(R"(G:PoseHeadingDegrees="nan")"), packet(R"(G:PoseHeadingDegrees="1e9")"),
        packet(R"(G:PoseHeadingDegrees="90")").substr(0, 250),
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

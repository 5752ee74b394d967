#include "pipeline/camera_choice.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "io/files.hpp"

using namespace crossfix;
using Catch::Contains;
using pipeline::CameraChoice;
using pipeline::CheckedCamera;
using pipeline::ChoiceError;
using pipeline::Words;

namespace {

/// A photo's camera in a file, of an image of 640 x 480 pixels.
std::filesystem::path camera_file(const test::ScratchFolder& folder, const std::string& more) {
  const auto file = folder / ("camera" + std::to_string(more.size()) + ".yaml");
  test::write_text(file,
                   "model: pinhole\nwidth: 640\nheight: 480\nhfov_deg: 80\nheight_m: 1.6\n" + more);
  return file;
}

/// What a row's camera is beside what the options say.
GroundInfo known(const CameraChoice& row, const CameraChoice& options) {
  pipeline::CameraFiles files;
  return CheckedCamera(row, options, files).ground_info({480, 640, 3});
}

constexpr std::optional<double> kUnknown;

}  // namespace

TEST_CASE("without options a camera is a whole level panorama that looks north") {
  const GroundInfo info = CheckedCamera(CameraChoice{}).ground_info({256, 512, 3});
  CHECK_FALSE(info.mounted);
  CHECK(info.heading_degrees == 0.0);
  CHECK(info.heading_sigma_degrees == 0.0);
}

TEST_CASE("a photo's camera by the angle of its width") {
  const CameraChoice choice{.horizontal_fov_degrees = 90,
                            .height = 1.6,
                            .pitch_degrees = -3,
                            .pitch_sigma_degrees = 2,
                            .heading_degrees = std::optional<double>(),
                            .heading_sigma_degrees = {}};
  const GroundInfo info = CheckedCamera(choice).ground_info({480, 640, 3});
  REQUIRE(info.mounted);
  CHECK(info.mounted->camera.model() == camera::Model::kPinhole);
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(90));
  CHECK(info.mounted->mount.height == 1.6);
  CHECK(info.mounted->mount.pitch_degrees == -3);
  CHECK(info.mounted->mount.pitch_sigma_degrees == 2);
  CHECK_FALSE(info.heading_degrees);
}

TEST_CASE("a panorama may stand higher than the weights assume") {
  const GroundInfo info = CheckedCamera(CameraChoice{.height = 3.1}).ground_info({256, 512, 3});
  REQUIRE(info.mounted);
  CHECK(info.mounted->camera.model() == camera::Model::kEquirectangular);
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.height = 3.1}).ground_info({480, 640, 3})),
                    Contains("twice as wide"));
}

TEST_CASE("a heading that nobody gave is the file's") {
  const io::PanoramaTags tags{.heading = 90.0};
  const Shape<3> shape{256, 512, 3};
  const CheckedCamera silent{CameraChoice{}};
  CHECK(silent.ground_info(shape, tags).heading_degrees == 90.0);
  CHECK(silent.takes_heading_of(tags));
  const CheckedCamera north(CameraChoice{.heading_degrees = 0.0});
  CHECK(north.ground_info(shape, tags).heading_degrees == 0.0);
  CHECK_FALSE(north.takes_heading_of(tags));
  const CheckedCamera unknown(CameraChoice{.heading_degrees = kUnknown});
  CHECK_FALSE(unknown.ground_info(shape, tags).heading_degrees);
}

TEST_CASE("a part of a panorama needs its camera") {
  io::PanoramaTags tags;
  tags.part = {-135, 135, -67.5, 67.5};
  CHECK_THROWS_WITH(CheckedCamera(CameraChoice{}).ground_info({256, 512, 3}, tags),
                    Contains("270 x 135 of 360 x 180 degrees") && Contains("[-135, 135]"));
  const test::ScratchFolder folder;
  const CameraChoice choice{.file = camera_file(folder, "")};
  CHECK_NOTHROW(CheckedCamera(choice).ground_info({480, 640, 3}, tags));
}

TEST_CASE("what a file says against what is given is a warning") {
  io::Photo photo{io::Image({256, 512, 3}), {}};
  photo.tags.heading = 90;
  CHECK(CheckedCamera(CameraChoice{}).warnings(photo, "a.jpg").empty());
  CHECK(CheckedCamera(CameraChoice{.heading_degrees = 91.0}).warnings(photo, "a.jpg").empty());
  const auto warnings =
      CheckedCamera(CameraChoice{.heading_degrees = 10.0}).warnings(photo, "a.jpg");
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].kind == pipeline::WarningKind::tags);
  CHECK(warnings[0].text ==
        "a.jpg: its file says that it looks at 90 degrees, not at 10 degrees as given; what is "
        "given holds");
  photo.tags = {.pitch = -8.5};
  CHECK(CheckedCamera(CameraChoice{}).warnings(photo, "a.jpg").size() == 1);
  CHECK(CheckedCamera(CameraChoice{.height = 2.0}).warnings(photo, "a.jpg").empty());
}

TEST_CASE("what a file says and nobody can use is a warning, unless something else is given") {
  io::Photo photo{io::Image({256, 512, 3}), {}};
  const auto texts = [&](const CameraChoice& choice) {
    std::string all;
    for (const auto& warning : CheckedCamera(choice).warnings(photo, "a.jpg")) all += warning.text;
    return all;
  };
  photo.tags.has_unread_heading = true;
  CHECK_THAT(texts({}), Contains("PoseHeadingDegrees") && Contains("--heading"));
  CHECK(texts({.heading_degrees = 91.0}).empty());
  photo.tags = {};
  photo.tags.has_contradictory_part = true;
  CHECK_THAT(texts({}), Contains("contradict each other"));
  photo.tags = {};
  photo.tags.projection = "cylindrical";
  CHECK_THAT(texts({}), Contains("its projection is 'cylindrical'"));
  CHECK_THAT(texts({.horizontal_fov_degrees = 90, .height = 2}), !Contains("projection"));
  photo.tags.projection = "Equirectangular";
  CHECK(texts({}).empty());
  for (Index row = 0; row < 256; ++row) photo.image(row, 300, 0) = static_cast<std::uint8_t>(row);
  CHECK_THAT(texts({}), Contains("a bar of one colour"));
}

TEST_CASE("the camera that is advised for a part keeps the file's heading, if none is given") {
  io::PanoramaTags tags;
  tags.part = {90, 360, -67.5, 67.5};
  const auto advice = [&](const CameraChoice& choice) {
    return test::message_of<ImageError>([&] {
      CheckedCamera(choice).ground_info({384, 768, 3}, tags);
    });
  };
  CHECK_THAT(advice({}), Contains("azimuth_deg: [90, 360]") && !Contains("heading_deg"));
  tags.heading = 12.25;
  CHECK_THAT(advice({}), Contains("heading_deg: 12.25,"));
  CHECK_THAT(advice({.heading_degrees = 91.0}), !Contains("heading_deg"));
}

TEST_CASE("a camera file, and the heading in it") {
  const test::ScratchFolder folder;
  const auto file = folder / "camera.yaml";
  test::write_text(file,
                   "model: pinhole\nwidth: 640\nheight: 480\nhfov_deg: 80\nheight_m: 1.6\n"
                   "heading_deg: 30\nheading_sigma_deg: 5\n");
  const GroundInfo info = CheckedCamera(CameraChoice{.file = file}).ground_info({480, 640, 3});
  REQUIRE(info.mounted);
  CHECK(info.heading_degrees == 30.0);
  CHECK(info.heading_sigma_degrees == 5.0);
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.file = file, .height = 2})),
                    Contains("--height is said by --camera too"));
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.file = file, .heading_degrees = 4.0})),
                    Contains("--heading is said by --camera too"));
}

TEST_CASE("a heading that is unknown has no standard deviation") {
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.heading_degrees = std::optional<double>(),
                                                .heading_sigma_degrees = 5})),
                    Contains("--heading is unknown"));
}

TEST_CASE("a mount without its height is refused in one line") {
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 90})),
                    Contains("--hfov needs --height"));
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.pitch_degrees = 3}).ground_info({256, 512, 3})),
                    Contains("--pitch needs --height"));
  CHECK_THROWS_AS((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 190, .height = 1.6})
                       .ground_info({480, 640, 3})),
                  DataError);
  CHECK_THROWS_AS((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 90, .height = -1})
                       .ground_info({480, 640, 3})),
                  DataError);
}

TEST_CASE("a fact out of range is refused in the words of where it stands") {
  const std::pair<CameraChoice, std::string> wrong[] = {
      {{.horizontal_fov_degrees = 400, .height = 1}, "hfov is 400; an angle"},
      {{.height = -1}, "height is -1; a height"},
      {{.height = 2, .pitch_degrees = 86}, "pitch is 86; an angle"},
      {{.heading_degrees = 1e300}, "heading is 1e+300; an angle from -360 to 360"},
      {{.heading_degrees = 361.0}, "heading is 361; an angle from -360 to 360"},
      {{.heading_sigma_degrees = 181}, "sigma is 181; a standard deviation"}};
  for (const auto& [choice, message] : wrong) {
    INFO(message);
    CHECK_THROWS_WITH(pipeline::check(choice, Words::options), Contains(message));
    CHECK_THROWS_WITH(pipeline::check(choice, Words::columns), Contains(message));
  }
  CHECK_THROWS_WITH(pipeline::check({.heading_sigma_degrees = -1}, Words::options),
                    Contains("--heading-sigma is -1"));
  CHECK_THROWS_WITH(pipeline::check({.heading_sigma_degrees = -1}, Words::columns),
                    Catch::StartsWith("heading_sigma is -1"));
  CHECK_NOTHROW(pipeline::check({.heading_degrees = -360.0}, Words::options));
}

TEST_CASE("a row holds against the options, and they where it says nothing") {
  const CameraChoice photo{.horizontal_fov_degrees = 90,
                           .height = 2,
                           .pitch_degrees = -3,
                           .heading_degrees = 10.0,
                           .heading_sigma_degrees = 5};
  GroundInfo info = known({}, photo);
  CHECK(info.mounted->mount.pitch_degrees == -3);
  CHECK(info.heading_degrees == 10.0);
  CHECK(info.heading_sigma_degrees == 5);

  info = known({.horizontal_fov_degrees = 60, .pitch_degrees = 1, .heading_degrees = 20.0}, photo);
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(60));
  CHECK(info.mounted->mount.height == 2);
  CHECK(info.mounted->mount.pitch_degrees == 1);
  CHECK(info.heading_degrees == 20.0);
  CHECK(info.heading_sigma_degrees == 5);

  info = known({.heading_degrees = kUnknown}, photo);
  CHECK_FALSE(info.heading_degrees);
  CHECK(info.heading_sigma_degrees == 0);

  // What the options leave open, a row may say.
  CHECK(known({.height = 3}, {.horizontal_fov_degrees = 90}).mounted->mount.height == 3);
}

TEST_CASE("a row's camera file says it all, and a row's mount holds against the options' file") {
  const test::ScratchFolder folder;
  const auto with_heading = camera_file(folder, "heading_deg: 30\nheading_sigma_deg: 4\n");
  const auto without = camera_file(folder, "");
  const CameraChoice photo{.horizontal_fov_degrees = 90,
                           .height = 2,
                           .pitch_degrees = -3,
                           .heading_degrees = 10.0,
                           .heading_sigma_degrees = 5};
  GroundInfo info = known({.file = with_heading}, photo);
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(80));
  CHECK(info.mounted->mount.height == 1.6);
  CHECK(info.mounted->mount.pitch_degrees == 0);
  CHECK(info.heading_degrees == 30.0);
  CHECK(info.heading_sigma_degrees == 4);
  info = known({.file = without}, photo);
  CHECK(info.heading_degrees == 10.0);

  info = known({.pitch_degrees = 7, .heading_degrees = 50.0}, {.file = with_heading});
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(80));
  CHECK(info.mounted->mount.height == 1.6);
  CHECK(info.mounted->mount.pitch_degrees == 7);
  CHECK(info.heading_degrees == 50.0);
  CHECK(info.heading_sigma_degrees == 0);

  info = known({.horizontal_fov_degrees = 50, .height = 3}, {.file = with_heading});
  CHECK(info.mounted->camera.field_of_view().horizontal == Approx(50));
  CHECK(info.heading_degrees == 0.0);
  CHECK(known({.heading_degrees = 50.0}, {.file = without, .heading_sigma_degrees = 5})
            .heading_sigma_degrees == 5);
}

TEST_CASE("a row that cannot be is refused in its words, options in theirs") {
  const test::ScratchFolder folder;
  const auto with_heading = camera_file(folder, "heading_deg: 30\n");
  const auto without = camera_file(folder, "");
  const auto message = [](const CameraChoice& row, const CameraChoice& options) {
    try {
      known(row, options);
    } catch (const ChoiceError& error) {
      return std::string(error.what()) + (error.words() == Words::options ? " (options)" : "");
    }
    return std::string("nothing");
  };
  CHECK(message({.file = without, .height = 2}, {}) ==
        "height is said by camera too: give one of them");
  CHECK(message({.file = with_heading, .heading_degrees = 3.0}, {}) ==
        "heading is said by camera too: give one of them");
  CHECK(message({}, {.file = with_heading, .heading_degrees = 3.0}) ==
        "--heading is said by --camera too: give one of them (options)");
  CHECK_THAT(message({.horizontal_fov_degrees = 50}, {.file = without}),
             Catch::StartsWith("hfov needs height too"));
  CHECK_THAT(message({.heading_degrees = 3.0}, {.horizontal_fov_degrees = 50}),
             Catch::StartsWith("--hfov needs --height too"));
  CHECK_THAT(message({.heading_sigma_degrees = 3}, {.heading_degrees = kUnknown}),
             Catch::StartsWith("heading_sigma is of a heading that is given"));
  CHECK_THAT(message({}, {.file = without, .heading_sigma_degrees = 3}),
             Catch::StartsWith("--heading-sigma is of a heading that is given"));
}

TEST_CASE("a panorama given as a photo is warned about") {
  const auto of = [](const CameraChoice& choice, Index height, Index width) {
    return CheckedCamera(choice).warnings({io::Image({height, width, 3}), {}}, "a.jpg");
  };
  const CameraChoice photo{.horizontal_fov_degrees = 90, .height = 2};
  for (Index width : {512, 513}) {
    REQUIRE(of(photo, 256, width).size() == 1);
    CHECK_THAT(of(photo, 256, width)[0].text, Catch::StartsWith("a.jpg is twice as wide"));
  }
  CHECK(of(photo, 480, 640).empty());
  CHECK(of(CameraChoice{.height = 2}, 256, 512).empty());
}

TEST_CASE("a part of a panorama is refused with the way to give it") {
  model::Configuration weights;
  weights.family = model::Family::ground_match;
  CHECK_THROWS_WITH(pipeline::need_camera(weights, {}, {200, 640, 3}),
                    Contains("azimuth_deg") && Contains("--camera FILE") && Contains("640x200"));
  CHECK_NOTHROW(pipeline::need_camera(weights, {}, {320, 640, 3}));
  const GroundInfo photo = CheckedCamera(CameraChoice{.horizontal_fov_degrees = 90, .height = 2})
                               .ground_info({200, 640, 3});
  CHECK_NOTHROW(pipeline::need_camera(weights, photo, {200, 640, 3}));
  weights.family = model::Family::crossfix;
  CHECK_NOTHROW(pipeline::need_camera(weights, {}, {200, 640, 3}));
}

TEST_CASE("the camera file that a refusal of a cropped panorama advises works as it stands") {
  const Shape<3> image{300, 800, 3};
  io::PanoramaTags tags;
  tags.part = io::PanoramaTags::Part{-123.4567891, 56.125, -40.5, 27};
  const std::string message =
      test::message_of<ImageError>([&] { CheckedCamera(CameraChoice{}).ground_info(image, tags); });
  const std::size_t line = message.find('{');
  REQUIRE(line != message.npos);
  const test::ScratchFolder folder;
  test::write_text(folder / "camera.yaml", message.substr(line) + "\n");
  const GroundInfo info =
      CheckedCamera(CameraChoice{.file = folder / "camera.yaml"}).ground_info(image, tags);
  REQUIRE(info.mounted);
  const camera::Camera expected =
      camera::Equirectangular({image[0], image[1], tags.part->azimuth_begin, tags.part->azimuth_end,
                               tags.part->elevation_begin, tags.part->elevation_end});
  const camera::Camera& found = info.mounted->camera;
  CHECK(found.height() == image[0]);
  CHECK(found.width() == image[1]);
  for (const auto& [row, col] :
       {std::pair(0.5, 0.5), std::pair(299.0, 10.0), std::pair(7.0, 799.0)}) {
    const camera::Ray a = expected.unproject(row, col).ray;
    const camera::Ray b = found.unproject(row, col).ray;
    CHECK(a.x == Approx(b.x).margin(1e-9));
    CHECK(a.y == Approx(b.y).margin(1e-9));
    CHECK(a.z == Approx(b.z).margin(1e-9));
  }
}

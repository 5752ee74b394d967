#include "pipeline/camera_choice.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "io/files.hpp"

using namespace crossfix;
using Catch::Contains;
using pipeline::CameraChoice;
using pipeline::CheckedCamera;

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
                    Contains("--height both"));
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.file = file, .heading_degrees = 4.0})),
                    Contains("--heading both"));
}

TEST_CASE("a heading that is unknown has no standard deviation") {
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.heading_degrees = std::optional<double>(),
                                                .heading_sigma_degrees = 5})),
                    Contains("--heading is unknown"));
}

TEST_CASE("a mount without its height is refused in one line") {
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 90})),
                    Contains("--height METRES"));
  CHECK_THROWS_WITH((CheckedCamera(CameraChoice{.pitch_degrees = 3}).ground_info({256, 512, 3})),
                    Contains("--height METRES"));
  CHECK_THROWS_AS((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 190, .height = 1.6})
                       .ground_info({480, 640, 3})),
                  DataError);
  CHECK_THROWS_AS((CheckedCamera(CameraChoice{.horizontal_fov_degrees = 90, .height = -1})
                       .ground_info({480, 640, 3})),
                  DataError);
}

#include "crossfix/io/camera_file.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "camera/cameras.hpp"
#include "io/files.hpp"
#include "support/source_folder.hpp"

using namespace crossfix;
using namespace crossfix::camera;
using test::message_of;

namespace {

const std::string kPinhole =
    "model: pinhole\n"
    "width: 1920\n"
    "height: 1080\n"
    "fx: 1150\n"
    "fy: 1155.5\n"
    "cx: 958\n"
    "cy: 541\n"
    "height_m: 1.6\n";

MountedCamera parse(const std::string& text) { return io::parse_camera(text, "c.yaml"); }

void refuses(const std::string& text, const std::string& message) {
  CHECK(message_of<DataError>([&] { parse(text); }) == "c.yaml" + message);
}

/// The pinhole's text with one line replaced.
std::string with(const std::string& key, const std::string& line) {
  const std::size_t begin = kPinhole.find("\n" + key + ":") + 1;
  std::string text = kPinhole;
  return text.replace(begin, text.find('\n', begin) - begin, line);
}

void same(const Camera& a, const Camera& b) {
  CHECK(a.model() == b.model());
  CHECK(a.height() == b.height());
  CHECK(a.width() == b.width());
  int inside = 0;
  for (double azimuth = -170; azimuth <= 180; azimuth += 7) {
    for (double elevation = -80; elevation <= 80; elevation += 7) {
      const Projection p = a.project(test::ray_at(azimuth, elevation));
      const Projection q = b.project(test::ray_at(azimuth, elevation));
      CHECK(p.inside == q.inside);
      if (!p.inside) continue;
      ++inside;
      CHECK(p.row == q.row);
      CHECK(p.col == q.col);
    }
  }
  CHECK(inside > 10);
}

}  // namespace

TEST_CASE("a pinhole's file") {
  const MountedCamera plain = parse(kPinhole);
  same(plain.camera, Pinhole({1080, 1920, 1150, 1155.5, 958, 541}));
  CHECK(plain.mount.height == 1.6);
  CHECK(plain.mount.height_sigma == 0);
  CHECK(plain.mount.roll_degrees == 0);
  CHECK(plain.mount.pitch_degrees == 0);
  CHECK_FALSE(plain.mount.heading.known);
  const MountedCamera full = parse(kPinhole +
                                   "# what was measured\n"
                                   "distortion: [-0.26, 0.077, 0.0006, -3e-4]\n"
                                   "height_sigma_m: 0.2\n"
                                   "roll_deg: -1.5\n"
                                   "roll_sigma_deg: 1\n"
                                   "pitch_deg: +4\n"
                                   "pitch_sigma_deg: 2\n"
                                   "heading_deg: 271.5\n"
                                   "heading_sigma_deg: 15\n");
  same(full.camera, Pinhole({1080, 1920, 1150, 1155.5, 958, 541, {-0.26, 0.077, 0.0006, -3e-4}}));
  CHECK(full.mount.height_sigma == 0.2);
  CHECK(full.mount.roll_degrees == -1.5);
  CHECK(full.mount.roll_sigma_degrees == 1);
  CHECK(full.mount.pitch_degrees == 4);
  CHECK(full.mount.pitch_sigma_degrees == 2);
  CHECK(full.mount.heading.known);
  CHECK(full.mount.heading.degrees == 271.5);
  CHECK(full.mount.heading.sigma_degrees == 15);
  const std::string eight = "distortion: [0.5, -2.6, 9e-4, -2e-4, 1.5, 0.4, -2.5, 1.4]\n";
  same(
      parse(kPinhole + eight).camera,
      Pinhole({1080, 1920, 1150, 1155.5, 958, 541, {0.5, -2.6, 9e-4, -2e-4, 1.5, 0.4, -2.5, 1.4}}));
  CHECK_FALSE(parse(kPinhole + "heading_deg: unknown\n").mount.heading.known);
}

TEST_CASE("the documentation's file") {
  const std::string page = test::read_text(test::source_folder() / "docs/cameras.md");
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  REQUIRE(begin > fence.size());
  const MountedCamera read = parse(page.substr(begin, page.find("```", begin) - begin));
  same(read.camera,
       Pinhole({1080, 1920, 1150, 1155.5, 958.5, 541.5, {-0.26, 0.077, 0.0006, -0.0003}}));
  CHECK(read.mount.height_sigma == 0.1);
  CHECK(read.mount.pitch_degrees == -4);
  CHECK(read.mount.heading.sigma_degrees == 15);
}

TEST_CASE("the other models' files") {
  same(parse("model: fisheye\nwidth: 848\nheight: 800\nfx: 285\nfy: 286\ncx: 425\ncy: 398\n"
             "distortion: [-0.007, 0.04, -0.039, 0.007]\nheight_m: 2\n")
           .camera,
       Fisheye({800, 848, 285, 286, 425, 398, {-0.007, 0.04, -0.039, 0.007}}));
  same(parse("{model: equirectangular, width: 1024, height: 512, height_m: 2.5}").camera,
       Equirectangular({512, 1024}));
  same(parse("model: equirectangular\nwidth: 1232\nheight: 224\nelevation_deg: [-33, 30]\n"
             "height_m: 2.5\n")
           .camera,
       Equirectangular({224, 1232, -180, 180, -33, 30}));
  same(parse("model: equirectangular\nwidth: 600\nheight: 400\nazimuth_deg: [100, 220]\n"
             "elevation_deg: [-60, 20]\nheight_m: 2.5\n")
           .camera,
       Equirectangular({400, 600, 100, 220, -60, 20}));
  same(parse("model: cylindrical\nwidth: 2000\nheight: 400\nheight_m: 2.5\n").camera,
       Cylindrical(square_cylinder(400, 2000, -180, 180)));
  same(parse("model: cylindrical\nwidth: 2000\nheight: 400\nhfov_deg: 200\nfy: 600\ncy: 150\n"
             "height_m: 2.5\n")
           .camera,
       Cylindrical({400, 2000, -100, 100, 600, 150}));
  for (const auto& [name, model] :
       {std::pair{"pinhole", Model::kPinhole}, {"fisheye", Model::kFisheye}}) {
    same(parse(std::string("model: ") + name +
               "\nwidth: 640\nheight: 480\nhfov_deg: 70\nheight_m: 1.6\n")
             .camera,
         camera_of_field_of_view(model, 480, 640, 70));
  }
}

TEST_CASE("text that is no camera file") {
  refuses("", ": holds no camera; one YAML mapping, 'key: value' a line, is expected");
  refuses("- 1\n", ": holds no camera; one YAML mapping, 'key: value' a line, is expected");
  refuses(kPinhole + "---\nmodel: pinhole\n",
          ": holds no camera; one YAML mapping, 'key: value' a line, is expected");
  refuses("model: pinhole\nwidth: [1\n", ":3: no valid YAML 'end of sequence flow not found'");
  refuses("model: pinhole\n? [a]\n: 1\n", ":2: a key is no word");
  refuses("model: \xff\xfe: [\n", ":1: no valid YAML 'illegal map value'");
}

TEST_CASE("keys that are unknown, missing, given twice or contradictory") {
  const std::string keys =
      " is no key of a camera that is pinhole; those are model, width, height, fx, fy, cx, cy, "
      "distortion, hfov_deg, height_m, height_sigma_m, roll_deg, roll_sigma_deg, pitch_deg, "
      "pitch_sigma_deg, heading_deg, heading_sigma_deg";
  refuses(kPinhole + "heigth_m: 2\n", ":9: 'heigth_m'" + keys);
  refuses(kPinhole + "azimuth_deg: [0, 1]\n", ":9: 'azimuth_deg'" + keys);
  refuses(kPinhole + "'fx, fy': 1\n", ":9: 'fx, fy'" + keys);
  refuses(kPinhole + "fx: 1150\n", ":9: 'fx' is given twice, on line 4 too");
  refuses("width: 3\n",
          ": model is missing; equirectangular, cylindrical, pinhole or fisheye is expected");
  refuses(with("width", ""), ": width is missing; the size in pixels of the image is expected");
  refuses(with("height_m", ""),
          ": height_m is missing; the camera's height above the ground in metres is expected");
  refuses(with("cx", ""), ": cx is missing; fx, fy, cx and cy, or hfov_deg, are expected");
  refuses(kPinhole + "hfov_deg: 70\n",
          ":9: hfov_deg contradicts fx on line 4; one of them is expected");
  refuses(
      "model: pinhole\nwidth: 9\nheight: 9\nhfov_deg: 70\ndistortion: [0, 0, 0, 0]\n"
      "height_m: 2\n",
      ":4: hfov_deg contradicts distortion on line 5; one of them is expected");
  refuses(
      "model: cylindrical\nwidth: 9\nheight: 9\nhfov_deg: 70\nazimuth_deg: [0, 1]\n"
      "height_m: 2\n",
      ":4: hfov_deg contradicts azimuth_deg on line 5; one of them is expected");
  refuses("model: equirectangular\nwidth: 1232\nheight: 224\nheight_m: 2\n",
          ": elevation_deg is missing; the elevations of the lower and the upper edge are "
          "expected, unless the panorama is whole and twice as wide as high");
  refuses(kPinhole + "heading_deg: unknown\nheading_sigma_deg: 3\n",
          ":10: heading_sigma_deg without a heading; heading_deg as a number is expected beside "
          "it");
}

TEST_CASE("values of another type") {
  refuses("model: [1]\n",
          ":1: model is no single value; equirectangular, cylindrical, pinhole or fisheye is "
          "expected");
  refuses("model: plenoptic\n",
          ":1: model is 'plenoptic'; equirectangular, cylindrical, pinhole or fisheye is expected");
  refuses(with("fx", "fx: wide"), ":4: fx is 'wide'; a number is expected");
  refuses(with("fx", "fx: '1150'"),
          ":4: fx is '1150' in quotes, which make it a text; a number is expected");
  refuses(kPinhole + "heading_deg: \"45\"\n",
          ":9: heading_deg is '45' in quotes, which make it a text; a number is expected");
  refuses(with("fx", "fx: 1150 px"), ":4: fx is '1150 px'; a number is expected");
  refuses(with("fx", "fx: +-3"), ":4: fx is '+-3'; a number is expected");
  refuses(with("fx", "fx:"), ":4: fx is empty; a number is expected");
  refuses(with("fx", "fx: [1, 2]"), ":4: fx is no single value; a number is expected");
  refuses(with("fx", "fx: .nan"), ":4: fx is '.nan'; a number is expected");
  refuses(with("fx", "fx: nan"), ":4: fx is 'nan', which is not finite; a number is expected");
  refuses(with("fx", "fx: -inf"), ":4: fx is '-inf', which is not finite; a number is expected");
  refuses(with("fx", "fx: 1e999"), ":4: fx is '1e999'; a number is expected");
  refuses(with("width", "width: 1920.5"),
          ":2: width is 1920.5; a whole number of pixels is expected");
  refuses(with("width", "width: 1e30"), ":2: width is 1e30; a whole number of pixels is expected");
  refuses(kPinhole + "distortion: 0.1\n",
          ":9: distortion is no list; 4, 5 or 8 numbers, k1, k2, p1, p2, k3, k4, k5, k6 in this "
          "order, are expected, as [1, 2]");
  refuses(kPinhole + "distortion: [0.1, 0, 0]\n",
          ":9: distortion holds 3 values; 4, 5 or 8 numbers, k1, k2, p1, p2, k3, k4, k5, k6 in "
          "this order, are expected");
  refuses(kPinhole + "distortion: [0.1, 0, x, 0]\n",
          ":9: a value of distortion is 'x'; a number is expected");
  refuses(kPinhole + "heading_deg: north\n", ":9: heading_deg is 'north'; a number is expected");
  refuses(kPinhole + "heading_deg: {a: 1}\n",
          ":9: heading_deg is no single value; a number or unknown is expected");
}

TEST_CASE("values out of range, with their lines") {
  refuses(with("fx", "fx: -3"), ":4: fx is -3; a focal length in pixels above 0 is expected");
  refuses(with("width", "width: 0"),
          ":2: width is 0; a number of pixels from 1 to 65536 is expected");
  refuses(
      with("cx", "cx: 9999"),
      ":6: cx is 9999; a coordinate in pixels in the image or beside it, from -1920 to 3840, is "
      "expected");
  refuses(with("height_m", "height_m: 0"),
          ":8: height_m is 0; a height above the ground in metres, from 0.1 to 200, is "
          "expected");
  refuses(kPinhole + "pitch_deg: 90\n",
          ":9: pitch_deg is 90; an angle from -85 (down) to 85 (up) degrees is expected");
  refuses(kPinhole + "roll_sigma_deg: -1\n",
          ":9: roll_sigma_deg is -1; a standard deviation from 0 to 30 degrees is expected");
  refuses("model: pinhole\nwidth: 9\nheight: 9\nhfov_deg: 180\nheight_m: 2\n",
          ":4: hfov_deg is 180; an angle from 1 to below 170 degrees is expected");
  refuses("model: cylindrical\nwidth: 9\nheight: 9\nhfov_deg: 0\nheight_m: 2\n",
          ":4: hfov_deg is 0; an angle from 1 to 360 degrees is expected");
  refuses("model: equirectangular\nwidth: 9\nheight: 9\nelevation_deg: [20, -20]\nheight_m: 2\n",
          ":4: elevation_deg is [20, -20]; two angles within [-90, 90] degrees, the lower one "
          "first, at most 180 apart, are expected");
  const std::string folds =
      message_of<DataError>([] { parse(kPinhole + "distortion: [-5, 0, 0, 0]\n"); });
  CHECK(folds.starts_with("c.yaml:9: distortion folds the image over 197.9"));
}

TEST_CASE("files that cannot be read") {
  const test::ScratchFolder folder;
  const auto message = [&](const std::string& name) {
    return message_of<DataError>([&] { io::read_camera(folder / name); });
  };
  const std::string path = (folder / "camera.yaml").string();
  CHECK(message("camera.yaml") == path + ": it cannot be opened; a camera file is expected");
  CHECK(message("") == (folder / "").string() + ": it is a folder; a camera file is expected");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);  // is not waited for
  CHECK_THAT(message("pipe"), Catch::Contains("it is a pipe or a device"));
  test::write_text(path, std::string(70000, '#'));
  CHECK(message("camera.yaml") == path + ": it is larger than 64 KiB; a camera file is expected");
  test::write_text(path, kPinhole);
  CHECK(io::read_camera(path).camera.width() == 1920);
  std::string old = kPinhole;
  std::replace(old.begin(), old.end(), '\n', '\r');
  test::write_text(path, "\xEF\xBB\xBF" + old);
  CHECK(io::read_camera(path).camera.width() == 1920);
  test::write_text(path, "\xFF\xFEm");
  CHECK_THAT(message("camera.yaml"), Catch::Contains("UTF-16"));
  test::write_text(path, with("fx", "fx: 0"));
  CHECK(message("camera.yaml") ==
        path + ":4: fx is 0; a focal length in pixels above 0 is expected");
}

TEST_CASE("damaged files give one line or a camera") {
  // Each byte replaced by each of some, and each prefix: nothing but a DataError comes out.
  const std::string text = kPinhole + "distortion: [-0.26, 0.077, 0.0006, -3e-4]\nheading_deg: 3\n";
  const auto survives = [](const std::string& damaged) {
    const std::string message = message_of<DataError>([&] { parse(damaged); });
    CHECK(message.find('\n') == std::string::npos);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    survives(text.substr(0, i));
    for (const char c : {'\0', '\n', ':', '[', '&', '*', '"', '\xff', '-', '{'}) {
      std::string damaged = text;
      damaged[i] = c;
      survives(damaged);
    }
  }
  survives(std::string(30000, '['));
  survives(std::string(30000, '{'));
}

/// crossfix-view PANORAMA CAMERA.yaml OUT.png [--heading H] [--pitch P] [--roll R]: draws the view
/// of a camera from a panorama, as `crossfix evaluate --camera` does, to compare it with
/// training/crossfix_training/views.py. The angles that are not given are those of the camera's
/// file.
#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

#include "crossfix/io/camera_file.hpp"
#include "crossfix/io/image.hpp"
#include "data/view.hpp"

namespace {

using crossfix::camera::Mount;

/// Reads an option's value; whether it is one.
bool read(std::string_view option, std::string_view text, Mount& mount) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (option == "--heading") {
    mount.heading = {.known = true, .degrees = value};
  } else if (option == "--pitch") {
    mount.pitch_degrees = value;
  } else if (option == "--roll") {
    mount.roll_degrees = value;
  } else {
    return false;
  }
  return true;
}

int usage() {
  std::fputs(
      "usage: crossfix-view PANORAMA CAMERA.yaml OUT.png [--heading H] [--pitch P] [--roll R]\n"
      "example: crossfix-view panorama.jpg phone.yaml view.png --heading 90 --pitch -5\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) return usage();
  try {
    crossfix::camera::MountedCamera mounted = crossfix::io::read_camera(argv[2]);
    for (int i = 4; i < argc; i += 2) {
      if (!read(argv[i], argv[i + 1], mounted.mount)) return usage();
    }
    const crossfix::io::Image panorama = crossfix::io::read_image(argv[1]);
    crossfix::io::write_png(argv[3],
                            crossfix::data::draw_view(panorama, mounted.camera, mounted.mount));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crossfix-view: error: %s\n", error.what());
    return 3;
  }
  return 0;
}

// A robot's loop. It locates the newest panorama in its map tile, again and again, in memory that
// is allocated once. Fixes that the network itself is unsure of are skipped.
//
// track_route WEIGHTS TILE METRES_PER_PIXEL HEADING_DEGREES PANORAMA...
#include <chrono>
#include <crossfix/crossfix.hpp>
#include <cstdio>
#include <cstdlib>

namespace {

/// A fix with a larger 68 % radius is of no use to this robot, metres.
constexpr double kLargestRadius = 8.0;

int track(int argc, char** argv) {
  auto localizer = crossfix::Localizer::load(argv[1]);
  const auto tile = crossfix::io::read_image(argv[2]);
  const crossfix::TileInfo info{.metres_per_pixel = std::atof(argv[3])};
  const crossfix::GroundInfo camera{.heading_degrees = std::atof(argv[4])};

  crossfix::Fix fix;  // used again for each frame: after the first, `locate` allocates nothing
  for (int frame = 5; frame < argc; ++frame) {
    const auto panorama = crossfix::io::read_image(argv[frame]);
    const auto start = std::chrono::steady_clock::now();
    localizer.locate(
        {crossfix::GroundImage(panorama), crossfix::SatelliteImage(tile), info, camera}, fix);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    const bool useful = *fix.radius68_m <= kLargestRadius;
    std::printf("%7.1f ms  row %6.1f  column %6.1f  radius %5.1f m  %s\n", took.count(),
                fix.pixel.row, fix.pixel.col, *fix.radius68_m, useful ? "" : "passed over");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr,
                 "usage: track_route WEIGHTS TILE METRES_PER_PIXEL HEADING_DEGREES PANORAMA...\n");
    return 2;
  }
  try {
    return track(argc, argv);
  } catch (const crossfix::Error& error) {
    std::fprintf(stderr, "track_route: %s\n", error.what());
    return 1;
  }
}

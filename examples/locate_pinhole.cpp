// Locates a photo of a pinhole camera: locate_pinhole WEIGHTS PHOTO SATELLITE METRES_PER_PIXEL
// FIELD_OF_VIEW HEIGHT [HEADING]. The angle of the photo's width is in degrees, the camera's height
// above the ground in metres. Without a heading it is searched for.
#include <crossfix/crossfix.hpp>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 7 || argc > 8) return 2;
  try {
    auto localizer = crossfix::Localizer::load(argv[1]);
    const auto photo = crossfix::io::read_image(argv[2]);
    const auto satellite = crossfix::io::read_image(argv[3]);
    crossfix::GroundInfo info;
    info.heading_degrees.reset();
    if (argc == 8) info.heading_degrees = std::atof(argv[7]);
    info.mounted =
        crossfix::camera::MountedCamera{crossfix::camera::camera_of_field_of_view(
                                            crossfix::camera::Model::kPinhole, photo.extent(0),
                                            photo.extent(1), std::atof(argv[5])),
                                        {.height = std::atof(argv[6]), .pitch_sigma_degrees = 1.5}};
    const crossfix::Fix fix =
        localizer.locate(crossfix::GroundImage(photo), crossfix::SatelliteImage(satellite),
                         {.metres_per_pixel = std::atof(argv[4])}, info);
    std::printf("row %.1f, column %.1f, within %.1f m (68 %%), heading %.0f +- %.0f degrees\n",
                fix.pixel.row, fix.pixel.col, *fix.radius68_m, *fix.heading_degrees,
                *fix.heading_sigma_degrees);
  } catch (const crossfix::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

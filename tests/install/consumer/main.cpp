#include <crossfix/crossfix.hpp>
#include <cstdio>
#include <string>

// consumer WEIGHTS: loads installed weights and locates a blank pair.
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    auto localizer = crossfix::Localizer::load(argv[1]);
    const crossfix::Tensor<std::uint8_t, 3> ground({64, 128, 3});
    const crossfix::Tensor<std::uint8_t, 3> satellite({64, 64, 3});
    const crossfix::Fix fix =
        localizer.locate(crossfix::GroundImage(ground), crossfix::SatelliteImage(satellite));
    double sum = 0;
    for (const float p : fix.probability) sum += p;
    std::printf("row %.2f col %.2f, probabilities sum to %.6f\n", fix.pixel.row, fix.pixel.col,
                sum);
    const bool inside = fix.pixel.row >= 0 && fix.pixel.row <= 64 && fix.pixel.col >= 0 &&
                        fix.pixel.col <= 64 && sum > 0.999 && sum < 1.001;
    return inside ? 0 : 1;
  } catch (const crossfix::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

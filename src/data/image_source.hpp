#pragma once

#include <filesystem>

#include "crossfix/io/image.hpp"
#include "heading_noise.hpp"
#include "sample.hpp"
#include "view_choice.hpp"

namespace crossfix::data {

/// Reads the images of a data set's samples. Several threads may use one source at once.
class ImageSource {
 public:
  /// Each tile is a file of its own (VIGOR, worlds). Throws DataError if a city of the data set has
  /// no folder of images.
  static ImageSource of_vigor(const std::filesystem::path& root, const Dataset& dataset);

  /// Tiles are cut from the map, which is read here and stays in memory (1 GB). Throws ImageError
  /// if it cannot be read.
  static ImageSource of_robotcar(const std::filesystem::path& root);

  /// Makes every ground image grey, keeping its size.
  void blank_grounds() { blank_ = true; }

  /// Rolls every ground image, a panorama, by its draw.
  void roll_grounds(const HeadingNoise& noise) { noise_ = noise; }
  const HeadingNoise& heading_noise() const { return noise_; }

  /// Draws a view of every ground image, a panorama, instead of rolling it.
  void draw_views(const ViewChoice& choice) { view_ = choice; }
  const ViewChoice& view() const { return view_; }

  /// Throw ImageError. A file that is not there under its label's name is looked for as .png, .jpg
  /// and .jpeg, and those in capitals.
  io::Image ground(const Sample& sample) const;
  io::Image tile(const Sample& sample) const;

 private:
  explicit ImageSource(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;
  io::Image map_;  ///< empty if tiles are files
  bool blank_ = false;
  HeadingNoise noise_;
  ViewChoice view_;
};

}  // namespace crossfix::data

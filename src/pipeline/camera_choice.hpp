#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crossfix/core/error.hpp"
#include "crossfix/detail/model/heading_search.hpp"
#include "crossfix/io/photo.hpp"
#include "crossfix/localizer.hpp"
#include "warning.hpp"

namespace crossfix::pipeline {

/// What is said of the camera of a ground image, on the command line or in a row of a list: a file,
/// the angle of a photo's width, or a whole panorama; and how it stands.
struct CameraChoice {
  std::filesystem::path file = {};                    ///< docs/cameras.md; or empty
  std::optional<double> horizontal_fov_degrees = {};  ///< of a photo without distortion
  std::optional<double> height = {};                  ///< metres above the ground
  std::optional<double> roll_degrees = {};            ///< clockwise as seen from behind is positive
  std::optional<double> pitch_degrees = {};           ///< up is positive
  std::optional<double> pitch_sigma_degrees = {};     ///< standard deviation
  /// Degrees clockwise from north; the inner one is empty where it is unknown. Empty: as the file
  /// says, else north.
  std::optional<std::optional<double>> heading_degrees = {};
  std::optional<double> heading_sigma_degrees = {};
};

/// The facts of a choice that are one number each. Messages and lists use the same names: see
/// `name_of`.
struct CameraOption {
  const char* name;  ///< as an option
  std::optional<double> CameraChoice::*field;
  const char* key;              ///< in a camera file
  double camera::Mount::*part;  ///< what it sets of the mount, or null
  const char* help;
};
inline constexpr CameraOption kCameraOptions[] = {
    {"--hfov", &CameraChoice::horizontal_fov_degrees, "hfov_deg", nullptr,
     "Angle of a photo's width, degrees"},
    {"--height", &CameraChoice::height, "height_m", &camera::Mount::height,
     "Height of the camera above the ground, metres"},
    {"--roll", &CameraChoice::roll_degrees, "roll_deg", &camera::Mount::roll_degrees,
     "Roll, degrees, clockwise from behind is positive"},
    {"--pitch", &CameraChoice::pitch_degrees, "pitch_deg", &camera::Mount::pitch_degrees,
     "Pitch, degrees, up is positive"},
    {"--pitch-sigma", &CameraChoice::pitch_sigma_degrees, "pitch_sigma_deg",
     &camera::Mount::pitch_sigma_degrees, "Standard deviation of the pitch, degrees"},
    {"--heading-sigma", &CameraChoice::heading_sigma_degrees, "heading_sigma_deg", nullptr,
     "Standard deviation of the heading, degrees: it is searched for about --heading"}};
inline constexpr const char* kHeadingOption = "--heading";
inline constexpr const char* kCameraFileOption = "--camera";

/// Where a choice stands: on the command line, or in the columns of a list.
enum class Words { options, columns };

/// What a fact is called there: "--heading-sigma", or "heading_sigma".
std::string name_of(std::string_view option, Words words);

/// A fact that cannot be, or not with the others.
class ChoiceError : public DataError {
 public:
  /// `message` goes on after the name of the fact: "is 400; ...".
  ChoiceError(std::string_view option, Words words, const std::string& message)
      : DataError(name_of(option, words) + " " + message),
        name_(name_of(option, words)),
        message_(message),
        words_(words) {}

  const std::string& name() const { return name_; }
  const std::string& message() const { return message_; }
  Words words() const { return words_; }

 private:
  std::string name_;
  std::string message_;
  Words words_;
};

/// Throws ChoiceError for a fact out of range, and for two that contradict each other. What needs
/// another fact is left to CheckedCamera: that may stand elsewhere.
void check(const CameraChoice& choice, Words words);

/// Camera files, each of which is read once.
class CameraFiles {
 public:
  /// Throws DataError for a file that is no camera's.
  std::shared_ptr<const camera::MountedCamera> read(const std::filesystem::path& path);

 private:
  std::map<std::filesystem::path, std::shared_ptr<const camera::MountedCamera>> cameras_;
};

/// A camera that was chosen and checked, its file read.
class CheckedCamera {
 public:
  /// A whole level panorama that looks north.
  CheckedCamera() = default;

  /// Of the command line. Throws ChoiceError, one line, and DataError for a file that is no
  /// camera's.
  explicit CheckedCamera(const CameraChoice& options);

  /// Of a row of a list. What it leaves out is as `options` say. Where both say a thing, the row
  /// holds; so it does where they name the camera in different ways. A height or a tilt of the row
  /// holds against the file that the options name. Throws as above, in the words of whichever is
  /// wrong.
  CheckedCamera(const CameraChoice& row, const CameraChoice& options, CameraFiles& files);

  /// For an image of shape [height, width, 3]. A heading that nobody gave is as its file says, else
  /// north. Throws ImageError if it is of another camera, and if its file says that it is a part of
  /// a panorama and nobody gave its camera.
  GroundInfo ground_info(const Shape<3>& image, const io::PanoramaTags& tags = {}) const;

  /// Whether the heading is what the image's file says.
  bool takes_heading_of(const io::PanoramaTags& tags) const {
    return !is_heading_given_ && tags.heading.has_value();
  }

  /// Whether the heading is to be searched for.
  bool searches_heading() const {
    return model::HeadingSearch::searches(heading_degrees_, heading_sigma_degrees_);
  }

  /// What about the photo, called `name`, does not fit the camera.
  Warnings warnings(const io::Photo& photo, const std::string& name) const;

 private:
  void choose_heading(const CameraChoice& row, const CameraChoice& options);

  std::shared_ptr<const camera::MountedCamera> file_;
  std::optional<double> horizontal_fov_degrees_;
  std::optional<camera::Mount> mount_;  ///< empty: as the weights assume
  std::optional<double> heading_degrees_ = 0.0;
  double heading_sigma_degrees_ = 0;
  bool is_heading_given_ = false;
};

/// Degrees clockwise from north, or nothing for "unknown". Throws DataError for anything else.
std::optional<double> parse_heading(const std::string& text);

/// Throws ImageError for a ground image that is no whole panorama, and whose camera weights that
/// take any camera would have to know. The message says how to give it.
void need_camera(const model::Configuration& weights, const GroundInfo& camera,
                 const Shape<3>& image);

}  // namespace crossfix::pipeline

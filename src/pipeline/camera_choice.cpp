#include "camera_choice.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "crossfix/core/number_text.hpp"
#include "crossfix/io/camera_file.hpp"
#include "panorama_check.hpp"

namespace crossfix::pipeline {
namespace {

/// How far from twice as wide as high an image may be to be taken for a whole panorama.
constexpr double kAspectTolerance = 0.01;

bool looks_whole(const Shape<3>& image) {
  const auto width = static_cast<double>(image[1]);
  return std::abs(width - 2 * static_cast<double>(image[0])) <= kAspectTolerance * width;
}

/// "640x480".
std::string size_text(const Shape<3>& image) {
  return std::to_string(image[1]) + "x" + std::to_string(image[0]);
}

/// What a flaw of a camera lies in, as an option.
const char* option_of(const std::string& key) {
  const auto* const found = std::find_if(std::begin(kCameraOptions), std::end(kCameraOptions),
                                         [&](const auto& option) { return key == option.key; });
  return found == std::end(kCameraOptions) ? kHeadingOption : found->name;
}

/// A flaw begins with its key, which is of a camera file.
void refuse(const std::optional<camera::Flaw>& flaw, Words words) {
  if (!flaw) return;
  throw ChoiceError(option_of(flaw->key), words, flaw->message.substr(flaw->key.size() + 1));
}

[[noreturn]] void contradict(const char* option, Words words) {
  throw ChoiceError(option, words,
                    "is said by " + name_of(kCameraFileOption, words) + " too: give one of them");
}

/// Whichever gives a fact.
Words giver(const CameraChoice& row, std::optional<double> CameraChoice::*field) {
  return row.*field ? Words::columns : Words::options;
}

/// "12.5 degrees".
std::string degrees(double value) {
  return general_text(std::round(value * 100) / 100, 6) + " degrees";
}

/// `heading` of the file, if that is to be used.
[[noreturn]] void refuse_part(const io::PanoramaTags::Part& part,
                              const std::optional<double>& heading, const Shape<3>& image) {
  const auto range = [](double begin, double end) {
    return "[" + general_text(begin, 12) + ", " + general_text(end, 12) + "]";
  };
  throw ImageError(
      "the ground image is a part of a panorama, " +
      fixed_text(part.azimuth_end - part.azimuth_begin, 0) + " x " +
      fixed_text(part.elevation_end - part.elevation_begin, 0) +
      " of 360 x 180 degrees, as its file says: weights that match on the ground plane take it "
      "with a camera file (--camera) of this line, with the camera's own height_m: "
      "{model: equirectangular, width: " +
      std::to_string(image[1]) + ", height: " + std::to_string(image[0]) +
      ", azimuth_deg: " + range(part.azimuth_begin, part.azimuth_end) +
      ", elevation_deg: " + range(part.elevation_begin, part.elevation_end) +
      (heading ? ", heading_deg: " + general_text(*heading, 12) : "") + ", height_m: 2.6}");
}

[[noreturn]] void need_height(const char* option, Words words) {
  throw ChoiceError(
      option, words,
      "needs " + name_of("--height", words) + " too, the metres from the ground to the camera");
}

}  // namespace

std::string name_of(std::string_view option, Words words) {
  if (words == Words::options) return std::string(option);
  std::string name(option.substr(2));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

void check(const CameraChoice& choice, Words words) {
  if (choice.horizontal_fov_degrees) {
    refuse(camera::flaw_of_field_of_view(camera::Model::kPinhole, 1, 1,
                                         *choice.horizontal_fov_degrees),
           words);
  }
  camera::Mount mount{.height = 1};
  for (const CameraOption& option : kCameraOptions) {
    if (option.part != nullptr)
      mount.*option.part = (choice.*option.field).value_or(mount.*option.part);
  }
  const auto heading = choice.heading_degrees.value_or(0.0);
  mount.heading = {true, heading.value_or(0.0), choice.heading_sigma_degrees.value_or(0.0)};
  refuse(camera::flaw_of(mount), words);
  if (!heading && choice.heading_sigma_degrees) {
    throw ChoiceError(
        "--heading-sigma", words,
        "is of a heading that is given, and " + name_of(kHeadingOption, words) + " is unknown");
  }
  if (choice.file.empty()) return;
  if (choice.horizontal_fov_degrees) contradict("--hfov", words);
  for (const CameraOption& option : kCameraOptions) {
    if (option.part != nullptr && choice.*option.field) contradict(option.name, words);
  }
}

std::shared_ptr<const camera::MountedCamera> CameraFiles::read(const std::filesystem::path& path) {
  auto& camera = cameras_[path];
  if (!camera) camera = std::make_shared<const camera::MountedCamera>(io::read_camera(path));
  return camera;
}

CheckedCamera::CheckedCamera(const CameraChoice& options) {
  CameraFiles files;
  *this = CheckedCamera({}, options, files);
}

CheckedCamera::CheckedCamera(const CameraChoice& row, const CameraChoice& options,
                             CameraFiles& files) {
  check(options, Words::options);
  check(row, Words::columns);
  const bool own = !row.file.empty() || row.horizontal_fov_degrees;
  const CameraChoice& lens = own ? row : options;
  if (!lens.file.empty()) file_ = files.read(lens.file);
  horizontal_fov_degrees_ = lens.horizontal_fov_degrees;
  // A row's file says it all, whatever the options say.
  const CameraChoice nothing;
  const CameraChoice& otherwise = row.file.empty() ? options : nothing;
  if (file_) {
    mount_ = file_->mount;
  } else if (row.height || otherwise.height) {
    mount_.emplace();
  } else if (horizontal_fov_degrees_) {
    need_height("--hfov", giver(row, &CameraChoice::horizontal_fov_degrees));
  }
  for (const CameraOption& option : kCameraOptions) {
    const auto value = row.*option.field ? row.*option.field : otherwise.*option.field;
    if (option.part == nullptr || !value) continue;
    if (!mount_) need_height(option.name, giver(row, option.field));
    *mount_.*option.part = *value;
  }
  choose_heading(row, options);
}

void CheckedCamera::choose_heading(const CameraChoice& row, const CameraChoice& options) {
  const bool files_own = !row.file.empty();  // the file is the row's
  const bool written = file_ && file_->mount.heading.known;
  const CameraChoice& beside = files_own ? row : options;  // what names the file
  const Words words = files_own ? Words::columns : Words::options;
  if (written && beside.heading_degrees) contradict(kHeadingOption, words);
  if (written && beside.heading_sigma_degrees) contradict("--heading-sigma", words);
  bool from_file = false;
  is_heading_given_ = row.heading_degrees || options.heading_degrees || file_;
  if (row.heading_degrees) {
    heading_degrees_ = *row.heading_degrees;
  } else if (options.heading_degrees && !written) {
    heading_degrees_ = *options.heading_degrees;
  } else if (file_) {
    from_file = true;
    heading_degrees_ = written ? std::optional(file_->mount.heading.degrees) : std::nullopt;
  }
  auto sigma = row.heading_sigma_degrees;
  if (!sigma && !(from_file && files_own)) sigma = options.heading_sigma_degrees;
  if (!sigma && from_file && written) sigma = file_->mount.heading.sigma_degrees;
  if (!heading_degrees_ && sigma && !row.heading_degrees) {
    throw ChoiceError("--heading-sigma", giver(row, &CameraChoice::heading_sigma_degrees),
                      "is of a heading that is given, and this one is unknown");
  }
  heading_sigma_degrees_ = heading_degrees_ ? sigma.value_or(0.0) : 0.0;
}

GroundInfo CheckedCamera::ground_info(const Shape<3>& image, const io::PanoramaTags& tags) const {
  GroundInfo info{
      takes_heading_of(tags) ? tags.heading : heading_degrees_, heading_sigma_degrees_, {}};
  if (tags.part && !file_ && !horizontal_fov_degrees_) {
    refuse_part(*tags.part, takes_heading_of(tags) ? tags.heading : std::nullopt, image);
  }
  if (!mount_) return info;  // a whole level panorama
  if (file_) {
    info.mounted = camera::MountedCamera{file_->camera, *mount_};
    return info;
  }
  if (!horizontal_fov_degrees_ && image[1] != 2 * image[0]) {
    throw ImageError("the ground image is " + size_text(image) +
                     " pixels, and of a camera whose height alone is given a whole panorama is "
                     "expected, twice as wide as high: give --hfov of a photo, or --camera");
  }
  const auto model =
      horizontal_fov_degrees_ ? camera::Model::kPinhole : camera::Model::kEquirectangular;
  try {
    info.mounted = camera::MountedCamera{
        camera::camera_of_field_of_view(model, image[0], image[1],
                                        horizontal_fov_degrees_.value_or(360.0)),
        *mount_};
  } catch (const DataError& error) {
    throw ImageError(error.what());
  }
  return info;
}

Warnings CheckedCamera::warnings(const io::Photo& photo, const std::string& name) const {
  constexpr double kLevel = 2;     // degrees of a camera that counts as level
  constexpr double kAgreeing = 5;  // degrees between two statements of a heading
  Warnings found;
  const auto warn = [&](WarningKind kind, const std::string& text) {
    found.push_back({kind, name + text});
  };
  const bool whole = looks_whole(photo.image.shape());
  if (whole && horizontal_fov_degrees_) {
    warn(WarningKind::lens,
         " is twice as wide as high, as a whole panorama is, and --hfov says that it is a photo "
         "without distortion: if it is a panorama, leave out --hfov");
  }
  if (whole && !horizontal_fov_degrees_ && !file_) {
    const bool framed = has_border(photo.image);
    if (framed || is_open_panorama(photo.image)) {
      warn(WarningKind::panorama,
           std::string(" is taken for a whole panorama, 360 degrees wide, but ") +
               (framed ? "its left or right edge is a bar of one colour"
                       : "its left and right edges do not meet") +
               ": if it shows less, or has a border, the fix is wrong; give its camera (--camera)");
    }
  }
  const io::PanoramaTags& tags = photo.tags;
  if (!horizontal_fov_degrees_ && !file_) {
    if (!tags.projection.empty() && lower_case(tags.projection) != "equirectangular") {
      warn(WarningKind::tags,
           ": its file says that its projection is '" + tags.projection.substr(0, 40) +
               "', and it is taken for an equirectangular panorama; give its camera (--camera)");
    }
    if (tags.has_contradictory_part) {
      warn(WarningKind::tags,
           ": its file says which part of a panorama it shows, in sizes that contradict each "
           "other; it is taken for the whole: if it is none, give its camera (--camera)");
    }
  }
  if (tags.has_unread_heading && !is_heading_given_) {
    warn(WarningKind::tags,
         ": its file mentions a heading (PoseHeadingDegrees) that cannot be read; it is taken to "
         "look north: give --heading");
  }
  if (is_heading_given_ && heading_degrees_ && tags.heading) {
    const double apart = std::remainder(*heading_degrees_ - *tags.heading, 360.0);
    if (std::abs(apart) > kAgreeing) {
      warn(WarningKind::tags, ": its file says that it looks at " + degrees(*tags.heading) +
                                  ", not at " + degrees(*heading_degrees_) +
                                  " as given; what is given holds");
    }
  }
  const bool tilted =
      std::abs(tags.pitch.value_or(0)) > kLevel || std::abs(tags.roll.value_or(0)) > kLevel;
  if (tilted && !file_ && !mount_) {
    warn(WarningKind::tags, ": its file says that the camera was tilted, pitch " +
                                degrees(tags.pitch.value_or(0)) + " and roll " +
                                degrees(tags.roll.value_or(0)) +
                                "; it is taken for level: give --height, --pitch and --roll");
  }
  return found;
}

std::optional<double> parse_heading(const std::string& text) {
  if (without_blanks(text) == "unknown") return {};
  const auto degrees = parse_number(text);
  if (!degrees) throw DataError("degrees clockwise from north, or 'unknown'");
  return degrees;
}

void need_camera(const model::Configuration& weights, const GroundInfo& camera,
                 const Shape<3>& image) {
  if (weights.family != model::Family::ground_match || camera.mounted || looks_whole(image)) return;
  throw ImageError(
      "the ground image is " + size_text(image) +
      " pixels, and no whole panorama, which is twice as wide as high: say which camera took it, "
      "with --hfov and --height of a photo, or with --camera FILE, where azimuth_deg and "
      "elevation_deg say which part of a panorama it shows");
}

}  // namespace crossfix::pipeline

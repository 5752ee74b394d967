#pragma once

#include <cstdint>
#include <string>

#include "crossfix/camera/cylindrical.hpp"
#include "crossfix/camera/fisheye.hpp"
#include "crossfix/camera/mount.hpp"
#include "crossfix/camera/pinhole.hpp"

namespace crossfix::camera {

/// How a camera maps directions to pixels.
enum class Model : std::uint8_t { kEquirectangular, kCylindrical, kPinhole, kFisheye };

/// A camera of any model. It copies as bytes and has no virtual functions, so that a kernel takes
/// it by value; Camera is for geometry on the host, BasicCamera<float> for sampling images. A
/// camera that exists is free of flaws: the models' constructors throw DataError for parameters
/// that are not.
template <class Real>
class BasicCamera {
 public:
  BasicCamera(const BasicEquirectangular<Real>& model)
      : model_(Model::kEquirectangular), equirectangular_(model) {}
  BasicCamera(const BasicCylindrical<Real>& model)
      : model_(Model::kCylindrical), cylindrical_(model) {}
  BasicCamera(const BasicPinhole<Real>& model) : model_(Model::kPinhole), pinhole_(model) {}
  BasicCamera(const BasicFisheye<Real>& model) : model_(Model::kFisheye), fisheye_(model) {}
  /// The same camera with other numbers. Host.
  template <class Other>
  explicit BasicCamera(const BasicCamera<Other>& other)
      : BasicCamera(
            other.visit_on_host([](const auto& model) { return BasicCamera(same_model(model)); })) {
  }

  CROSSFIX_HOST_DEVICE Model model() const { return model_; }

  /// Where the image shows a direction of the camera frame.
  CROSSFIX_HOST_DEVICE BasicProjection<Real> project(const BasicRay<Real>& ray) const {
    return visit([&](const auto& model) { return model.project(ray); });
  }
  /// The direction, in the camera frame, that a continuous pixel shows. The pixel may lie outside
  /// of the image.
  CROSSFIX_HOST_DEVICE BasicUnprojection<Real> unproject(Real row, Real col) const {
    return visit([&](const auto& model) { return model.unproject(row, col); });
  }

  /// Pixels of the image.
  CROSSFIX_HOST_DEVICE Index height() const {
    return visit([](const auto& model) { return model.height(); });
  }
  CROSSFIX_HOST_DEVICE Index width() const {
    return visit([](const auto& model) { return model.width(); });
  }
  /// Whether the left edge continues at the right one: a panorama of a whole turn. Host.
  bool wraps() const {
    return (model_ == Model::kEquirectangular || model_ == Model::kCylindrical) &&
           field_of_view().horizontal >= 360;
  }
  /// Host.
  FieldOfView field_of_view() const {
    return visit_on_host([](const auto& model) { return model.field_of_view(); });
  }

 private:
  template <class>
  friend class BasicCamera;

  template <template <class> class Of, class Other>
  static Of<Real> same_model(const Of<Other>& model) {
    return Of<Real>(model);
  }
  template <class Call>
  CROSSFIX_HOST_DEVICE auto visit(Call call) const {
    switch (model_) {
      case Model::kEquirectangular:
        return call(equirectangular_);
      case Model::kCylindrical:
        return call(cylindrical_);
      case Model::kPinhole:
        return call(pinhole_);
      case Model::kFisheye:
        break;
    }
    return call(fisheye_);
  }
  /// For calls that are the host's alone.
  template <class Call>
  auto visit_on_host(Call call) const {
    switch (model_) {
      case Model::kEquirectangular:
        return call(equirectangular_);
      case Model::kCylindrical:
        return call(cylindrical_);
      case Model::kPinhole:
        return call(pinhole_);
      case Model::kFisheye:
        break;
    }
    return call(fisheye_);
  }

  Model model_;
  union {
    BasicEquirectangular<Real> equirectangular_;
    BasicCylindrical<Real> cylindrical_;
    BasicPinhole<Real> pinhole_;
    BasicFisheye<Real> fisheye_;
  };
};
using Camera = BasicCamera<double>;

/// A camera and how it stands.
struct MountedCamera {
  Camera camera;
  Mount mount = {};
};

/// Why no camera has an image that wide, degrees, if so: see camera_of_field_of_view.
inline constexpr double kNarrowestView = 1;  ///< degrees; less is in radians, or of a telescope

inline std::optional<Flaw> flaw_of_field_of_view(Model model, Index height, Index width,
                                                 double degrees) {
  if (model == Model::kEquirectangular) {
    if (degrees != 360) {
      return detail::flaw_of_value("hfov_deg", degrees, "360 degrees, a whole panorama,");
    }
    if (width == 2 * height) return {};
    return Flaw{"height", "height is " + std::to_string(height) + " and width " +
                              std::to_string(width) +
                              "; a whole panorama, twice as wide as high, or the elevations of its "
                              "edges are expected"};
  }
  const bool flat = model == Model::kPinhole;
  if (degrees >= kNarrowestView && (flat ? degrees < kWidestPinhole : degrees <= 360)) {
    return {};
  }
  return detail::flaw_of_value(
      "hfov_deg", degrees,
      "an angle from " + detail::shown(kNarrowestView) +
          (flat ? " to below " + detail::shown(kWidestPinhole) : " to 360") + " degrees");
}

/// A camera without distortion of whose image only the width's angle is known, degrees: a pinhole,
/// an equidistant fisheye, a panorama on a cylinder with its horizon in the middle, or (360
/// degrees, twice as wide as high) a whole equirectangular panorama. Throws DataError for anything
/// else.
inline Camera camera_of_field_of_view(Model model, Index height, Index width, double degrees) {
  refuse(flaw_of_field_of_view(model, height, width, degrees));
  switch (model) {
    case Model::kPinhole:
      return Pinhole(pinhole_of_field_of_view(height, width, degrees));
    case Model::kFisheye:
      return Fisheye(fisheye_of_field_of_view(height, width, degrees));
    case Model::kCylindrical:
      return Cylindrical(square_cylinder(height, width, -degrees / 2, degrees / 2));
    case Model::kEquirectangular:
      break;
  }
  return Equirectangular({height, width});
}

/// Throws DataError unless the image has the size that the camera's parameters were given for.
inline void check_image_size(const Camera& camera, Index height, Index width) {
  if (camera.height() == height && camera.width() == width) return;
  throw DataError("camera: its parameters are for an image of " + std::to_string(camera.width()) +
                  " x " + std::to_string(camera.height()) + " pixels and the image has " +
                  std::to_string(width) + " x " + std::to_string(height) +
                  "; parameters of this size are expected (lengths in pixels grow with the image)");
}

}  // namespace crossfix::camera

#pragma once

namespace crossfix {

template <class T>
struct Satellite;

/// A value of the street view: an image, its tokens. It is a T wherever one is asked for; a T
/// becomes one only where that is written out, so that the two views cannot be mixed up unnoticed.
/// The ground comes before the satellite in every list of arguments.
template <class T>
struct Ground : T {
  Ground() = default;
  explicit constexpr Ground(const T& value) : T(value) {}
  explicit Ground(const Satellite<T>&) = delete;
};

/// A value of the satellite view, likewise.
template <class T>
struct Satellite : T {
  Satellite() = default;
  explicit constexpr Satellite(const T& value) : T(value) {}
  explicit Satellite(const Ground<T>&) = delete;
};

}  // namespace crossfix

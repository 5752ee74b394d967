#pragma once

namespace crossfix {

template <class T>
struct Satellite;

/// A value that belongs to the ground view, such as an image or its tokens. It converts to T
/// implicitly. A T converts to it only explicitly, so that the two views cannot be swapped by
/// mistake. The ground comes before the satellite in every argument list.
template <class T>
struct Ground : T {
  Ground() = default;
  explicit constexpr Ground(const T& value) : T(value) {}
  explicit Ground(const Satellite<T>&) = delete;
};

/// A value that belongs to the satellite view. It converts like Ground.
template <class T>
struct Satellite : T {
  Satellite() = default;
  explicit constexpr Satellite(const T& value) : T(value) {}
  explicit Satellite(const Ground<T>&) = delete;
};

}  // namespace crossfix

#pragma once

#include <stdexcept>
#include <string>

namespace crossfix {

/// Base class of all errors that crossfix throws. A message says in one line what is wrong, where,
/// and what would be right.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Extents, strides or options that do not match: a mistake in the calling code.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A weights file that is damaged, or that does not hold the requested network.
class WeightsError : public Error {
 public:
  using Error::Error;
};

/// An image that cannot be read, written, or used as the intended view.
class ImageError : public Error {
 public:
  using Error::Error;
};

/// A data set, list or other input file that does not have the content that its format requires.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A device or instruction set that is missing or does not support the request.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// Numbers in a network that are not finite, or far too large: weights that no training gives. The
/// message names the stage.
class NumberError : public Error {
 public:
  using Error::Error;
};

}  // namespace crossfix

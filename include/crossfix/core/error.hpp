#pragma once

#include <stdexcept>
#include <string>

namespace crossfix {

/// Root of everything crossfix throws. A message says what is wrong, where, and what would be
/// right, in one line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Extents, strides or options that do not fit together: a mistake in the calling code.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A weights file that is damaged, or that does not hold the network asked of it.
class WeightsError : public Error {
 public:
  using Error::Error;
};

/// An image that cannot be read, written, or used as the view it is given for.
class ImageError : public Error {
 public:
  using Error::Error;
};

/// A data set, list or other input file that does not hold what its format promises.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A device or instruction set that is absent or does not do what is asked.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace crossfix

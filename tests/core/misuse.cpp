/// Mistakes that the types must refuse, one for each macro. Without any macro the file compiles,
/// because the code around the mistakes is correct. CMakeLists.txt says which message each must
/// give.
#include "crossfix/core/image_view.hpp"
#include "crossfix/core/tensor.hpp"

namespace crossfix {

void on_device(TensorView<const float, 2, DeviceSpace> view);
void write_host(TensorView<float, 2> view);
void locate(GroundImage ground, SatelliteImage satellite);

inline void sound(Tensor<float, 2>& tensor, TensorView<float, 2, DeviceSpace> device,
                  TensorView<const float, 2> constant, const Tensor<std::uint8_t, 3>& image) {
  on_device(device);
  write_host(tensor);
  tensor.view()(0, 0) = constant(0, 0);
  Tensor<float, 2> moved = std::move(tensor);
  const GroundImage ground(image);
  const SatelliteImage satellite(image);
  locate(ground, satellite);
#if defined(HOST_VIEW_FOR_DEVICE)
  on_device(constant);
#elif defined(HOST_TENSOR_FOR_DEVICE)
  on_device(moved);
#elif defined(DEVICE_VIEW_FOR_HOST)
  write_host(device);
#elif defined(DEVICE_ELEMENT)
  device(0, 0) = 1.0F;
#elif defined(CONST_VIEW_FOR_WRITING)
  write_host(constant);
#elif defined(WRONG_RANK)
  write_host(moved.view()[0]);
#elif defined(TENSOR_COPY)
  Tensor<float, 2> copy = moved;
#elif defined(SWAPPED_IMAGES)
  locate(satellite, ground);
#elif defined(IMAGE_OF_NEITHER_VIEW)
  locate(image, satellite);
#elif defined(SATELLITE_MADE_OF_GROUND)
  locate(ground, SatelliteImage(ground));
#endif
}

}  // namespace crossfix

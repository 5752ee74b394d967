#include <array>
#include <map>
#include <utility>

#include "cudnn_descriptors.hpp"
#include "numbers.hpp"

namespace crossfix::fake {
namespace {

/// A tensor of a graph: elements in memory or, if it is virtual, in a vector of floats.
struct Tensor4 {
  std::array<std::int64_t, 4> extents{};  // n, c, h, w
  std::array<std::int64_t, 4> strides{};
  Dtype type = Dtype::f32;
  void* memory = nullptr;
  std::vector<float> own;

  std::int64_t offset(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
    return n * strides[0] + c * strides[1] + h * strides[2] + w * strides[3];
  }
  float get(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
    const auto at = offset(n, c, h, w);
    return memory == nullptr ? own.at(static_cast<std::size_t>(at)) : load(memory, type, at);
  }
  /// The same with axes of extent 1 broadcast.
  float get_broadcast(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
    return get(extents[0] == 1 ? 0 : n, extents[1] == 1 ? 0 : c, extents[2] == 1 ? 0 : h,
               extents[3] == 1 ? 0 : w);
  }
  void set(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, float value) {
    const auto at = offset(n, c, h, w);
    if (memory == nullptr) {
      own.at(static_cast<std::size_t>(at)) = value;
    } else {
      store(memory, type, at, value);
    }
  }
};

Dtype type_of(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
      return Dtype::f32;
    case CUDNN_DATA_BFLOAT16:
      return Dtype::bf16;
    case CUDNN_DATA_HALF:
      return Dtype::f16;
    default:
      throw std::logic_error("a tensor's type that the stand-in does not know");
  }
}

/// The tensors of one execution, by their unique ids.
class Tensors {
 public:
  explicit Tensors(const DescriptorState& pack) {
    const auto ids = pack.all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto pointers = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    if (ids.size() != pointers.size()) throw std::logic_error("as many ids as pointers expected");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!pointers_.emplace(ids[i], pointers[i]).second) {
        throw std::logic_error("a tensor is given twice");
      }
    }
  }

  Tensor4& get(const DescriptorState& descriptor) {
    const auto id = descriptor.one<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
    const auto known = tensors_.find(id);
    if (known != tensors_.end()) {
      if (known->second.first != &descriptor) throw std::logic_error("two tensors of one id");
      return known->second.second;
    }
    Tensor4 tensor;
    const auto extents = descriptor.all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    const auto strides = descriptor.all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
    std::int64_t elements = 1;
    for (std::size_t i = 0; i < 4; ++i) {
      tensor.extents[i] = extents[i];
      tensor.strides[i] = strides[i];
      elements += (extents[i] - 1) * strides[i];
    }
    tensor.type = type_of(descriptor.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE));
    const bool is_virtual = descriptor.has(CUDNN_ATTR_TENSOR_IS_VIRTUAL) &&
                            descriptor.one<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL);
    if (is_virtual) {
      if (tensor.type != Dtype::f32) throw std::logic_error("a virtual tensor that rounds");
      tensor.own.resize(static_cast<std::size_t>(elements));
    } else {
      const auto pointer = pointers_.find(id);
      if (pointer == pointers_.end()) throw std::logic_error("a tensor without a pointer");
      tensor.memory = pointer->second;
      const auto alignment = descriptor.one<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
      if (reinterpret_cast<std::uintptr_t>(tensor.memory) %
              static_cast<std::uintptr_t>(alignment) !=
          0) {
        throw std::logic_error("a tensor that is not aligned as promised");
      }
      expect_device_memory("a convolution's tensor", tensor.memory,
                           static_cast<std::size_t>(elements) * size_of(tensor.type));
    }
    return tensors_.emplace(id, std::pair(&descriptor, std::move(tensor))).first->second.second;
  }

 private:
  std::map<std::int64_t, void*> pointers_;
  std::map<std::int64_t, std::pair<const DescriptorState*, Tensor4>> tensors_;
};

void convolve(Tensors& tensors, const DescriptorState& operation) {
  const DescriptorState& what =
      operation.descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
  if (what.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT ||
      what.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) !=
          CUDNN_CROSS_CORRELATION ||
      operation.one<float>(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA) != 1.0F ||
      operation.one<float>(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA) != 0.0F) {
    throw std::logic_error("a convolution of another kind");
  }
  const auto stride = what.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  const auto dilation = what.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  const auto before = what.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  const auto after = what.all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  const Tensor4& x = tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X));
  const Tensor4& w = tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W));
  Tensor4& y = tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto span = dilation[axis] * (w.extents[2 + axis] - 1) + 1;
    const auto extent =
        (x.extents[2 + axis] + before[axis] + after[axis] - span) / stride[axis] + 1;
    if (y.extents[2 + axis] != extent) throw std::logic_error("a convolution's output extent");
  }
  if (y.extents[0] != x.extents[0] || y.extents[1] != w.extents[0] ||
      x.extents[1] != w.extents[1]) {
    throw std::logic_error("a convolution's channels");
  }
  for (std::int64_t n = 0; n < y.extents[0]; ++n) {
    for (std::int64_t h = 0; h < y.extents[2]; ++h) {
      for (std::int64_t v = 0; v < y.extents[3]; ++v) {
        for (std::int64_t o = 0; o < y.extents[1]; ++o) {
          float sum = 0;
          for (std::int64_t r = 0; r < w.extents[2]; ++r) {
            const auto row = h * stride[0] + r * dilation[0] - before[0];
            if (row < 0 || row >= x.extents[2]) continue;
            for (std::int64_t s = 0; s < w.extents[3]; ++s) {
              const auto column = v * stride[1] + s * dilation[1] - before[1];
              if (column < 0 || column >= x.extents[3]) continue;
              for (std::int64_t c = 0; c < x.extents[1]; ++c) {
                sum += x.get(n, c, row, column) * w.get(o, c, r, s);
              }
            }
          }
          y.set(n, o, h, v, sum);
        }
      }
    }
  }
}

void apply(Tensors& tensors, const DescriptorState& operation) {
  const DescriptorState& what = operation.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  if (what.one<cudnnDataType_t>(CUDNN_ATTR_POINTWISE_MATH_PREC) != CUDNN_DATA_FLOAT) {
    throw std::logic_error("pointwise arithmetic that is not in float");
  }
  const auto mode = what.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  const Tensor4& x = tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  Tensor4& y = tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
  if (x.extents != y.extents) throw std::logic_error("a pointwise operation that changes shape");
  const bool adds = mode == CUDNN_POINTWISE_ADD;
  if (!adds && mode != CUDNN_POINTWISE_RELU_FWD) throw std::logic_error("a pointwise mode");
  if (adds != operation.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) {
    throw std::logic_error("a pointwise operation's second input");
  }
  const Tensor4* b =
      adds ? &tensors.get(operation.descriptor(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)) : nullptr;
  for (std::int64_t n = 0; n < y.extents[0]; ++n) {
    for (std::int64_t c = 0; c < y.extents[1]; ++c) {
      for (std::int64_t h = 0; h < y.extents[2]; ++h) {
        for (std::int64_t w = 0; w < y.extents[3]; ++w) {
          const float value = x.get(n, c, h, w);
          y.set(n, c, h, w, adds ? value + b->get_broadcast(n, c, h, w) : value < 0 ? 0.0F : value);
        }
      }
    }
  }
}

}  // namespace

void execute(const DescriptorState& graph, const DescriptorState& pack) {
  Tensors tensors(pack);
  for (void* raw : graph.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    const auto& operation = *static_cast<const DescriptorState*>(raw);
    switch (operation.type) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        convolve(tensors, operation);
        break;
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
        apply(tensors, operation);
        break;
      default:
        throw std::logic_error("an operation that the stand-in does not know");
    }
  }
}

}  // namespace crossfix::fake

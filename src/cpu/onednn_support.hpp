#pragma once

#include <dnnl_debug.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <new>
#include <string>
#include <type_traits>

#include "crossfix/core/dtype.hpp"
#include "crossfix/core/error.hpp"
#include "crossfix/ops/specification.hpp"

namespace crossfix::cpu::onednn {

template <class Element>
inline constexpr dnnl::memory::data_type kDataType =
    std::is_same_v<Element, bfloat16> ? dnnl::memory::data_type::bf16
                                      : dnnl::memory::data_type::f32;

/// The only CPU engine: immutable, shared by every operator.
inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

/// Throws std::bad_alloc if oneDNN lacks memory, DeviceError with any other status but success.
inline void check(dnnl_status_t status, const char* what) {
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  if (status != dnnl_success) {
    throw DeviceError(std::string("oneDNN: ") + what + ": " + dnnl_status2str(status));
  }
}

/// Throws std::bad_alloc if memory is short. oneDNN does not look whether it got memory for the
/// code that it writes.
inline void expect_room() {
  constexpr std::size_t kRoom = std::size_t{32} << 20;
  void* room =
      ::mmap(nullptr, kRoom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  ::munmap(room, kRoom);
}

/// Runs `make`, and converts oneDNN's exception as `check` does.
template <class Make>
auto guarded(const std::string& what, Make&& make) {
  expect_room();
  try {
    return make();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw DeviceError("oneDNN cannot prepare " + what + ": " + error.what());
  }
}

/// Appends an activation to the operations after a sum.
inline void append(dnnl::post_ops& after, ops::Activation activation) {
  switch (activation) {
    case ops::Activation::relu:
      after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      break;
    case ops::Activation::relu6: {
      const ops::ActivationLimits limits = ops::limits_of(activation);
      after.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, limits.least, limits.most);
      break;
    }
    default:
      break;
  }
}

/// Copies float values in host memory, described by `source`, to new memory with layout `target`.
inline dnnl::memory packed(const float* values, const dnnl::memory::desc& source,
                           const dnnl::memory::desc& target) {
  // oneDNN takes a mutable pointer for every memory; a reorder only reads its source.
  dnnl::memory from(source, engine(), const_cast<float*>(values));
  dnnl::memory to(target, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return to;
}

/// The layouts that each run of a primitive needs. They are stored because oneDNN's C++ interface
/// builds a vector for each query of a layout.
struct Layouts {
  dnnl::memory::desc source;
  dnnl::memory::desc target;
  dnnl::memory::desc scratch;
  std::size_t scratch_bytes;

  template <class Description>
  explicit Layouts(const Description& description)
      : source(description.src_desc()),
        target(description.dst_desc()),
        scratch(description.scratchpad_desc()),
        scratch_bytes(scratch.get_size()) {}
};

/// One run of a primitive, with its arguments bound to the caller's memory during the run. The C
/// interface is used because the C++ one builds a hash map for each run.
class Run {
 public:
  Run() {
    check(dnnl_stream_create(&stream_, engine().get(), dnnl_stream_default_flags), "stream");
  }
  ~Run() {
    for (int i = 0; i < owned_; ++i) dnnl_memory_destroy(memories_[static_cast<std::size_t>(i)]);
    dnnl_stream_destroy(stream_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Binds the caller's memory, which is written only if the argument is an output.
  void bind(int argument, const dnnl::memory::desc& layout, const void* data) {
    dnnl_memory_t memory = nullptr;
    check(dnnl_memory_create(&memory, &layout.data, engine().get(), const_cast<void*>(data)),
          "memory");
    memories_[static_cast<std::size_t>(owned_++)] = memory;
    bind(argument, memory);
  }
  void bind(int argument, const dnnl::memory& memory) { bind(argument, memory.get()); }

  void execute(const dnnl::primitive& primitive) {
    check(dnnl_primitive_execute(primitive.get(), stream_, count_, arguments_.data()), "execute");
    check(dnnl_stream_wait(stream_), "wait");
  }

 private:
  static constexpr std::size_t kMaxArguments = 8;

  void bind(int argument, dnnl_memory_t memory) {
    arguments_[static_cast<std::size_t>(count_++)] = {argument, memory};
  }

  dnnl_stream_t stream_ = nullptr;
  std::array<dnnl_exec_arg_t, kMaxArguments> arguments_{};
  std::array<dnnl_memory_t, kMaxArguments> memories_{};
  int count_ = 0;
  int owned_ = 0;
};

}  // namespace crossfix::cpu::onednn

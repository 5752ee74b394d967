#pragma once

#include <functional>

struct CUstream_st;

namespace crossfix::emulator {

/// A function that executes a launch on a stream.
using Submit = void (*)(CUstream_st* stream, std::function<void()> work);

/// Sets what executes launches from now on, for all threads; null: they run at once.
void set_submit(Submit submit);

/// Passes a launch to the function that `set_submit` set.
void submit(CUstream_st* stream, std::function<void()> work);

}  // namespace crossfix::emulator

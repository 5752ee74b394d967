#pragma once

#include <functional>

struct CUstream_st;

namespace crossfix::emulator {

/// What is done with a launch on a stream.
using Submit = void (*)(CUstream_st* stream, std::function<void()> work);

/// Sets what is done with launches from now on, by any thread; null: they run at once.
void set_submit(Submit submit);

/// Hands a launch to whoever `set_submit` named.
void submit(CUstream_st* stream, std::function<void()> work);

}  // namespace crossfix::emulator

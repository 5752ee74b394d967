#pragma once

namespace crossfix::cpu {

/// The library that computes convolutions and matrix products of the CPU backend. `automatic`:
/// oneDNN if the build has it, otherwise Eigen.
enum class MathLibrary { automatic, onednn, eigen };

/// The library that `automatic` selects in this build.
MathLibrary best_math_library();

/// "oneDNN" or "Eigen". For `automatic`, the name of the library that it selects.
const char* name_of(MathLibrary library);

}  // namespace crossfix::cpu

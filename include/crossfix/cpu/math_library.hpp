#pragma once

namespace crossfix::cpu {

/// Whose convolutions and matrix products the CPU backend runs. `automatic`: oneDNN where the build
/// has it, else Eigen.
enum class MathLibrary { automatic, onednn, eigen };

/// What `automatic` stands for in this build.
MathLibrary best_math_library();

/// "oneDNN" or "Eigen"; of `automatic` the name of what it stands for.
const char* name_of(MathLibrary library);

}  // namespace crossfix::cpu

#include "crossfix/cpu/math_library.hpp"

namespace crossfix::cpu {

MathLibrary best_math_library() {
  return CROSSFIX_HAS_ONEDNN ? MathLibrary::onednn : MathLibrary::eigen;
}

const char* name_of(MathLibrary library) {
  if (library == MathLibrary::automatic) library = best_math_library();
  return library == MathLibrary::onednn ? "oneDNN" : "Eigen";
}

}  // namespace crossfix::cpu

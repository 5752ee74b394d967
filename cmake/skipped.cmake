# What this build leaves out, for `./dev test` to say at its end: one line "skipped: WHAT: WHY"
# each.
set(skipped "")
if(NOT CROSSFIX_HAS_ONEDNN)
  string(APPEND skipped "skipped: oneDNN: not found or not wanted; Eigen takes its place\n")
endif()
if(NOT CROSSFIX_HAS_CUDA)
  string(APPEND skipped "skipped: CUDA kernels and backend: no CUDA compiler found or wanted\n")
elseif(NOT CROSSFIX_HAS_CUDA_BACKEND)
  string(APPEND skipped "skipped: CUDA backend: cuDNN's headers are not found\n")
endif()
file(WRITE ${PROJECT_BINARY_DIR}/skipped.txt "${skipped}")

# What this build leaves out, for `./dev test` to say at its end: one line "skipped: WHAT: WHY" each.
set(skipped "")
get_target_property(definitions crossfix_cpu INTERFACE_COMPILE_DEFINITIONS)
if(NOT "CROSSFIX_HAS_ONEDNN=1" IN_LIST definitions)
  string(APPEND skipped "skipped: oneDNN: not found or not wanted; Eigen takes its place\n")
endif()
file(WRITE ${PROJECT_BINARY_DIR}/skipped.txt "${skipped}")

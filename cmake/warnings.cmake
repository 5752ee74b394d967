# The warnings every target of ours is built with: target_link_libraries(X PRIVATE crossfix_warnings).
add_library(crossfix_warnings INTERFACE)
target_compile_options(
  crossfix_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow>
            $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${CROSSFIX_WARNINGS_AS_ERRORS}>>:-Werror>)

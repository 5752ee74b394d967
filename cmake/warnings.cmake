# The warnings every target of ours is built with: target_link_libraries(X PRIVATE
# crossfix_warnings). Fields left out of a designated initializer have their defaults, and that is
# meant. GCC 12 warns of overlapping copies inside std::string's operator+ where there are none (its
# bug 105651).
add_library(crossfix_warnings INTERFACE)
target_compile_options(
  crossfix_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                      -Wno-missing-field-initializers>
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
            $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${CROSSFIX_WARNINGS_AS_ERRORS}>>:-Werror>)

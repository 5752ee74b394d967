# The warnings every target of ours is built with: target_link_libraries(X PRIVATE
# crossfix_warnings), or, for libraries that others may link, crossfix_compile_with. GCC 12 warns of
# overlapping copies inside std::string's operator+ where there are none (its bug 105651), and of
# the members of empty vectors in temporary aggregates as if nothing had set them.
add_library(crossfix_warnings INTERFACE)
target_compile_options(
  crossfix_warnings
  INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow>
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>
            $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${CROSSFIX_WARNINGS_AS_ERRORS}>>:-Werror>)

# crossfix_compile_with(TARGET LIBRARY...): compiles a target with the options and headers of
# libraries without linking them, so that whoever links the target needs none of them.
function(crossfix_compile_with target)
  foreach(library IN LISTS ARGN)
    target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_COMPILE_OPTIONS>)
    target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_COMPILE_DEFINITIONS>)
    target_include_directories(${target} SYSTEM PRIVATE $<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>)
  endforeach()
endfunction()

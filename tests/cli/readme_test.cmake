# The C++ example in the README is the one that is compiled, and a user may compile it, and the
# others, with the warnings that people treat as errors.
file(READ ${SOURCE_DIR}/README.md readme)
file(READ ${SOURCE_DIR}/examples/locate_one.cpp example)
string(FIND "${readme}" "```cpp\n${example}```\n" found)
if(found EQUAL -1)
  message(FATAL_ERROR "README.md does not quote examples/locate_one.cpp as it is")
endif()

foreach(name g++ clang++)
  find_program(compiler_${name} ${name})
  if(NOT compiler_${name})
    message(STATUS "skipped: the examples under ${name}: not installed")
    continue()
  endif()
  foreach(example locate_one locate_pinhole track_route)
    execute_process(
      COMMAND ${compiler_${name}} -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only
              -I${SOURCE_DIR}/include -isystem ${EIGEN} ${SOURCE_DIR}/examples/${example}.cpp
      RESULT_VARIABLE status ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "${name} does not take examples/${example}.cpp:\n${errors}")
    endif()
  endforeach()
endforeach()

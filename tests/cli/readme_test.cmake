# The C++ example in the README is the one that is compiled.
file(READ ${SOURCE_DIR}/README.md readme)
file(READ ${SOURCE_DIR}/examples/locate_one.cpp example)
string(FIND "${readme}" "```cpp\n${example}```\n" found)
if(found EQUAL -1)
  message(FATAL_ERROR "README.md does not quote examples/locate_one.cpp as it is")
endif()

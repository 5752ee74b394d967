# What a machine with a GPU runs: the tests labelled gpu, and the benchmarks. `device_programs`
# builds all of them and nothing else; device_programs.txt names them, and device_tests.txt the
# tests, a line "NAME PROGRAM [ARGUMENT]" each, so that they run where there is neither CMake nor
# the build folder. Libraries are looked for in lib/ beside the programs' folder first, in which
# ./dev gpu --pack puts them.
add_custom_target(device_programs)

function(crossfix_device_program target)
  add_dependencies(device_programs ${target})
  set_target_properties(${target} PROPERTIES BUILD_RPATH "$ORIGIN/../lib")
  target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)  # serves the libraries' own libraries too
  set_property(GLOBAL APPEND PROPERTY CROSSFIX_DEVICE_PROGRAMS
               $<PATH:RELATIVE_PATH,$<TARGET_FILE:${target}>,${PROJECT_BINARY_DIR}>)
endfunction()

# crossfix_add_device_test(NAME TARGET [ARGUMENT]): a test that is skipped where there is no GPU.
function(crossfix_add_device_test name target)
  add_test(NAME ${name} COMMAND ${target} ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS gpu TIMEOUT 460 SKIP_REGULAR_EXPRESSION "skipped, no GPU")
  string(JOIN " " line ${name} $<PATH:RELATIVE_PATH,$<TARGET_FILE:${target}>,${PROJECT_BINARY_DIR}> ${ARGN})
  set_property(GLOBAL APPEND PROPERTY CROSSFIX_DEVICE_TESTS "${line}\n")
endfunction()

# Called when all of them are known.
function(crossfix_write_device_lists)
  get_property(tests GLOBAL PROPERTY CROSSFIX_DEVICE_TESTS)
  get_property(programs GLOBAL PROPERTY CROSSFIX_DEVICE_PROGRAMS)
  list(JOIN tests "" tests)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/device_tests.txt CONTENT "${tests}")
  list(JOIN programs "\n" programs)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/device_programs.txt CONTENT "${programs}\n")
endfunction()

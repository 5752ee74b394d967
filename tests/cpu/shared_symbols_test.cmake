# Fails where a kernel file of a wide instruction set defines a function that the linker may also
# use elsewhere: a weak symbol not named by a type of that set. Such a copy would run, on any
# machine, with instructions the machine may lack.
#
# cmake -DNM=... -DLIBRARY=libcrossfix_cpu.a -P shared_symbols_test.cmake
execute_process(COMMAND ${NM} -C --defined-only ${LIBRARY} OUTPUT_VARIABLE listing
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "[][;]" "_" listing "${listing}")
string(REPLACE "\n" ";" lines "${listing}")
set(member "")
set(checked 0)
set(shared "")
foreach(line IN LISTS lines)
  if(line MATCHES "^(.*\\.o):$")
    set(member "${CMAKE_MATCH_1}")
  elseif(member MATCHES "^avx" AND line MATCHES "^[0-9a-f]+ ([A-Za-z]) (.*)$")
    math(EXPR checked "${checked} + 1")
    set(kind "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    if(kind STREQUAL "W" AND NOT name MATCHES "Avx2Simd|Avx512Simd|Bfloat16")
      list(APPEND shared "${member}: ${name}")
    endif()
  endif()
endforeach()
if(checked EQUAL 0)
  message(FATAL_ERROR "no kernel file of a wide instruction set in ${LIBRARY}")
endif()
if(shared)
  list(JOIN shared "\n  " shared)
  message(FATAL_ERROR "functions compiled for a wide instruction set that others may share:\n  ${shared}")
endif()
message(STATUS "${checked} symbols, none shared")

# A release build of the program is position-independent, its loader's tables are read-only, and its
# stack and buffers are guarded.
function(expect what pattern)
  execute_process(COMMAND readelf ${ARGN} ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE output)
  if(NOT status EQUAL 0 OR NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "${PROGRAM} lacks ${what}")
  endif()
endfunction()

expect("a position-independent layout" "Type: +DYN" --file-header)
expect("a read-only part after relocation" "GNU_RELRO" --program-headers --wide)
expect("symbols that are bound at the start" "BIND_NOW" --dynamic)
expect("guards of the stack" "__stack_chk_fail" --dyn-syms --wide)
expect("checked copies" "__[a-z]+_chk" --dyn-syms --wide)

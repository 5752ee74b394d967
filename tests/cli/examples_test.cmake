# The examples run on the demo's first pair with the bundled weights, and agree with each other.
file(STRINGS ${SOURCE_DIR}/examples/data/pairs.csv lines LIMIT_COUNT 2)
list(GET lines 1 line)
string(REPLACE "," ";" fields "${line}")
list(GET fields 0 ground)
list(GET fields 1 satellite)
list(GET fields 4 gsd)
set(data ${SOURCE_DIR}/examples/data)
set(model ${SOURCE_DIR}/models/crossfix-s.safetensors)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${EXAMPLES}/locate_one ${model} ${data}/${ground} ${data}/${satellite} ${gsd})
if(NOT output MATCHES "^row ([0-9.]+), column ([0-9.]+), within [0-9.]+ m")
  message(FATAL_ERROR "locate_one printed: ${output}")
endif()
set(fix "row +${CMAKE_MATCH_1}  column +${CMAKE_MATCH_2} ")

run(${EXAMPLES}/track_route ${model} ${data}/${satellite} ${gsd} 0 ${data}/${ground} ${data}/${ground})
if(NOT output MATCHES "${fix}.*\n.*${fix}")
  message(FATAL_ERROR "track_route disagrees with locate_one: ${output}")
endif()

# The bundled photo of 90 degrees, whose camera stood at row 422.6, column 442.2 and looked towards 225 degrees.
run(${EXAMPLES}/locate_pinhole ${SOURCE_DIR}/models/crossfix-ground.safetensors ${data}/milldale03-photo.jpg
    ${data}/milldale03-tile.png 0.1123 90 2.5)
if(NOT output MATCHES "^row 42[0-9.]+, column 44[0-9.]+, within [0-9.]+ m .68 %., heading 22[0-9] [+]- [0-9]+ degrees")
  message(FATAL_ERROR "locate_pinhole printed: ${output}")
endif()

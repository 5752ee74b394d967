# Run by ctest; see CMakeLists.txt.
set(work ${BUILD_DIR}/install-test)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# build(PROJECT [ARGUMENT...]): configures and builds tests/install/PROJECT against the prefix
# alone.
function(build project)
  run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/install/${project} -B ${work}/${project}
      -G ${GENERATOR} -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_CXX_COMPILER=${CXX}
      -D CMAKE_BUILD_TYPE=${BUILD_TYPE} -D CROSSFIX_VERSION=${VERSION}
      -D CROSSFIX_INCLUDE_DIR=${prefix}/include ${ARGN})
  run(${CMAKE_COMMAND} --build ${work}/${project})
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})

build(core_consumer)
run(${work}/core_consumer/core_consumer)
run(readelf -d ${work}/core_consumer/core_consumer)
if(output MATCHES "dnnl|png|jpeg|gomp")
  message(FATAL_ERROR "a program that links crossfix::core alone depends on more:\n${output}")
endif()

if(EXISTS ${prefix}/include/crossfix/detail)
  message(FATAL_ERROR "crossfix/detail is installed")
endif()

build(model_consumer)
run(${work}/model_consumer/model_consumer ${prefix}/share/crossfix/models/crossfix-s.safetensors)
message(STATUS "${output}")

build(consumer)
run(${work}/consumer/consumer ${prefix}/share/crossfix/models/crossfix-s.safetensors)
message(STATUS "${output}")

if(NVCC)
  build(kernel_consumer -D CMAKE_CUDA_COMPILER=${NVCC})
  run(${work}/kernel_consumer/kernel_consumer)
  message(STATUS "${output}")
else()
  message(STATUS "skipped: device code out of an installed prefix: no nvcc")
endif()

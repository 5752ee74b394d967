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

# fails_to_configure(EXPECTED PROJECT [ARGUMENT...]): so that the message matches.
function(fails_to_configure expected project)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/install/${project} -B ${work}/fails -G ${GENERATOR}
            -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_CXX_COMPILER=${CXX} ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(status EQUAL 0 OR NOT output MATCHES "${expected}")
    message(FATAL_ERROR "${project} ${ARGN} should fail with \"${expected}\":\n${output}")
  endif()
  file(REMOVE_RECURSE ${work}/fails)
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

# What the other components need is not there.
set(no_images -D CMAKE_DISABLE_FIND_PACKAGE_PNG=ON -D CMAKE_DISABLE_FIND_PACKAGE_JPEG=ON
              -D CMAKE_DISABLE_FIND_PACKAGE_EXPAT=ON -D CMAKE_DISABLE_FIND_PACKAGE_yaml-cpp=ON
              -D CMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON -D CMAKE_DISABLE_FIND_PACKAGE_dnnl=ON)
build(core_consumer ${no_images})
run(${work}/core_consumer/core_consumer)
run(readelf -d ${work}/core_consumer/core_consumer)
if(output MATCHES "dnnl|png|jpeg|gomp")
  message(FATAL_ERROR "a program that links crossfix::core alone depends on more:\n${output}")
endif()

fails_to_configure("component 'crossfix' needs PNG, which is not found" consumer -D PARTS=crossfix ${no_images})
fails_to_configure("no component 'tracks'; this build has core, ops" consumer -D PARTS=tracks)

# Each package whose targets the exported ones name is one that the configuration looks for.
file(GLOB_RECURSE exported ${prefix}/*crossfix-targets.cmake)
file(GLOB_RECURSE configuration ${prefix}/*crossfix-config.cmake)
file(READ ${exported} exported)
file(READ ${configuration} configuration)
string(TOLOWER "${configuration}" configuration)
string(REGEX MATCHALL "[A-Za-z0-9_]+::" packages "${exported}")
list(REMOVE_DUPLICATES packages)
list(REMOVE_ITEM packages crossfix::)
if(NOT packages)
  message(FATAL_ERROR "the exported targets name no package")
endif()
foreach(package IN LISTS packages)
  string(REGEX REPLACE "::" "" package "${package}")
  string(TOLOWER "${package}" lower)
  if(NOT configuration MATCHES "_packages[^\n]*[ (\"]${lower}")
    message(FATAL_ERROR "crossfix-config.cmake does not look for ${package}, which the targets name")
  endif()
endforeach()

if(EXISTS ${prefix}/include/crossfix/detail)
  message(FATAL_ERROR "crossfix/detail is installed")
endif()

build(model_consumer)
run(${work}/model_consumer/model_consumer ${prefix}/share/crossfix/models/crossfix-s.safetensors)
message(STATUS "${output}")

build(consumer)
run(${work}/consumer/consumer ${prefix}/share/crossfix/models/crossfix-s.safetensors)
message(STATUS "${output}")

run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/install/subproject -B ${work}/subproject -G ${GENERATOR}
    -D CMAKE_CXX_COMPILER=${CXX} -D CROSSFIX_SOURCE_DIR=${SOURCE_DIR})
run(${CMAKE_COMMAND} --build ${work}/subproject)
run(${work}/subproject/core)

# The build folder serves as an installed prefix does.
set(installed ${prefix})
set(prefix ${BUILD_DIR})
file(REMOVE_RECURSE ${work}/consumer)
build(consumer -D PARTS=crossfix)
run(${work}/consumer/consumer ${SOURCE_DIR}/models/crossfix-s.safetensors)
set(prefix ${installed})

# Another compiler links the run time of OpenMP that the library was built for, not its own.
if(COMPILER STREQUAL "GNU")
  set(CXX clang++)
  set(run_time libgomp)
else()
  set(CXX g++)
  set(run_time libomp)
endif()
find_program(other ${CXX})
if(other)
  file(REMOVE_RECURSE ${work}/consumer)
  build(consumer)
  run(${work}/consumer/consumer ${prefix}/share/crossfix/models/crossfix-s.safetensors)
  run(readelf -d ${work}/consumer/consumer)
  if(NOT output MATCHES "NEEDED[^\n]*${run_time}")
    message(FATAL_ERROR "not linked to ${run_time}:\n${output}")
  endif()
else()
  message(STATUS "skipped: a consumer's other compiler: no ${CXX}")
endif()

# Where that run time is not, both compilers are named.
file(GLOB_RECURSE configuration_file ${prefix}/crossfix-config.cmake)
file(READ ${configuration_file} configuration)
string(REGEX REPLACE "/[^\n )]*/lib[a-z]*omp[^\n )]*" "/nowhere/libnone.so" configuration "${configuration}")
file(WRITE ${configuration_file} "${configuration}")
fails_to_configure("built by ${COMPILER} .*run time, /nowhere/libnone.so.* is not here; .*as this project"
                   consumer)

if(NVCC)
  build(kernel_consumer -D CMAKE_CUDA_COMPILER=${NVCC})
  run(${work}/kernel_consumer/kernel_consumer)
  message(STATUS "${output}")
else()
  message(STATUS "skipped: device code out of an installed prefix: no nvcc")
endif()

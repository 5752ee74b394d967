# What every build needs, and oneDNN where it is wanted and found: CROSSFIX_HAS_ONEDNN.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Threads REQUIRED)
find_package(PNG REQUIRED)
find_package(EXPAT REQUIRED)
find_package(JPEG REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

# OpenMP's run time alone, without the options that make a compiler use it: what our objects are
# linked to, and what the package's configuration names.
set(openmp_libraries ${OpenMP_CXX_LIBRARIES})
list(FILTER openmp_libraries EXCLUDE REGEX pthread)
add_library(crossfix::openmp INTERFACE IMPORTED)
target_link_libraries(crossfix::openmp INTERFACE ${openmp_libraries})

set(CROSSFIX_HAS_ONEDNN OFF)
if(CROSSFIX_WITH_ONEDNN)
  find_package(dnnl QUIET)
  if(dnnl_FOUND)
    set(CROSSFIX_HAS_ONEDNN ON)
  endif()
endif()

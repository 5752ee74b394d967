# Headers, libraries, the program, the bundled weights, and what find_package(crossfix) reads.
include(CMakePackageConfigHelpers)

set(libraries crossfix_core crossfix_ops crossfix_model crossfix_cpu crossfix_io crossfix)
foreach(library crossfix_kernels crossfix_cuda)
  if(TARGET ${library})
    list(APPEND libraries ${library})
  endif()
endforeach()
foreach(library IN LISTS libraries)
  string(REGEX REPLACE "^crossfix_" "" exported ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${exported})
  list(APPEND components ${exported})
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/crossfix)
install(TARGETS ${libraries} EXPORT crossfix-targets)
install(EXPORT crossfix-targets NAMESPACE crossfix:: DESTINATION ${package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/crossfix DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        PATTERN detail EXCLUDE)
if(TARGET crossfix_kernels)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/kernels DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/crossfix
          FILES_MATCHING PATTERN *.hpp PATTERN *.cuh)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/crossfix/models
        FILES_MATCHING PATTERN *.safetensors PATTERN *.md PATTERN *.LICENSE)
if(TARGET crossfix_program)
  install(TARGETS crossfix_program)
endif()

# The configuration names what this build found. It serves the build folder too.
export(EXPORT crossfix-targets NAMESPACE crossfix:: FILE ${PROJECT_BINARY_DIR}/crossfix-targets.cmake)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/crossfix-config.cmake.in ${PROJECT_BINARY_DIR}/crossfix-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/crossfix-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/crossfix-config.cmake
              ${PROJECT_BINARY_DIR}/crossfix-config-version.cmake DESTINATION ${package_dir})

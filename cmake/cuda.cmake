# CUDA, where it is wanted and found: enables the language and sets CROSSFIX_HAS_CUDA; where cuDNN's
# headers are found as well, CROSSFIX_HAS_CUDA_BACKEND.
set(CROSSFIX_HAS_CUDA OFF)
set(CROSSFIX_HAS_CUDA_BACKEND OFF)
if(CROSSFIX_WITH_CUDA)
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(CROSSFIX_NVCC nvcc HINTS /usr/local/cuda/bin)
    mark_as_advanced(CROSSFIX_NVCC)
    if(CROSSFIX_NVCC)
      set(CMAKE_CUDA_COMPILER ${CROSSFIX_NVCC})
    endif()
  endif()
  if(CMAKE_CUDA_COMPILER OR DEFINED ENV{CUDACXX})
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES OFF)  # every target says for what it is built
    endif()
    enable_language(CUDA)
    if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 has not heard of it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
    find_package(CUDAToolkit REQUIRED)
    # Machine code for Ampere and Hopper (whose wgmma exists in sm_90a alone), PTX for everything
    # newer.
    set(CROSSFIX_CUDA_CODE -gencode=arch=compute_80,code=[sm_80,compute_80]
                           -gencode=arch=compute_90a,code=sm_90a)
    set(CROSSFIX_HAS_CUDA ON)
    # Of the toolkit, of the system, or where CUDNN_ROOT says: Python's package has no libcudnn.so.
    set(cudnn_roots ${CUDNN_ROOT} $ENV{CUDNN_ROOT})
    find_path(CROSSFIX_CUDNN_INCLUDE cudnn_graph.h
              HINTS ${cudnn_roots} ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
    find_library(CROSSFIX_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR
                 HINTS ${cudnn_roots} ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
    mark_as_advanced(CROSSFIX_CUDNN_INCLUDE CROSSFIX_CUDNN_LIBRARY)
    if(CROSSFIX_CUDNN_INCLUDE)
      set(CROSSFIX_HAS_CUDA_BACKEND ON)
    endif()
  endif()
endif()

# Compiles a target's CUDA sources for the GPUs above, and keeps what ptxas says of each beside its
# object.
function(crossfix_compile_for_gpus target)
  set_target_properties(
    ${target} PROPERTIES CUDA_ARCHITECTURES OFF LINKER_LANGUAGE CXX
                         CUDA_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/kernels/keep_report)
  target_compile_options(
    ${target}
    PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:${CROSSFIX_CUDA_CODE} --expt-relaxed-constexpr -Xptxas=-v
            -Xcompiler=-Wall,-Wextra,-Wno-unused-parameter>)
endfunction()

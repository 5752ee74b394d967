# Release builds check what is written to the stack and through the C library's functions, and lock
# what the loader resolved, where the compiler and the linker know how. Position-independent
# programs make addresses hard to guess.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

# FORTIFY_SOURCE 3 needs glibc 2.34; older ones take it for 2. Without optimisation it warns.
set(release $<CONFIG:Release,RelWithDebInfo,MinSizeRel>)
check_cxx_compiler_flag(-fstack-protector-strong CROSSFIX_HAS_STACK_PROTECTOR)
if(CROSSFIX_HAS_STACK_PROTECTOR)
  add_compile_options($<$<AND:${release},$<COMPILE_LANGUAGE:CXX>>:-fstack-protector-strong>)
endif()
check_cxx_compiler_flag("-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3" CROSSFIX_HAS_FORTIFY_SOURCE)
if(CROSSFIX_HAS_FORTIFY_SOURCE)
  add_compile_options($<$<AND:${release},$<COMPILE_LANGUAGE:CXX>>:-U_FORTIFY_SOURCE>
                      $<$<AND:${release},$<COMPILE_LANGUAGE:CXX>>:-D_FORTIFY_SOURCE=3>)
endif()
check_linker_flag(CXX -Wl,-z,relro,-z,now CROSSFIX_HAS_FULL_RELRO)
if(CROSSFIX_HAS_FULL_RELRO)
  add_link_options($<${release}:-Wl,-z,relro,-z,now>)
endif()
check_pie_supported(LANGUAGES CXX)

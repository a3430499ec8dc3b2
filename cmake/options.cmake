# Flags for our own targets; third-party headers are SYSTEM includes.
add_library(wsi_options INTERFACE)
target_compile_options(wsi_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror
  # Fused multiply-adds would make results depend on the compiler's mood.
  -ffp-contract=off
  # False alarms inside std::string with g++ 12 (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(WSI_ARCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(wsi_options INTERFACE -march=${WSI_ARCH} -mtune=generic)
endif()
if(WSI_SANITIZE)
  # vptr misfires inside oneTBB's headers.
  target_compile_options(wsi_options INTERFACE -fsanitize=${WSI_SANITIZE} -fno-omit-frame-pointer -g)
  if(WSI_SANITIZE MATCHES undefined)
    target_compile_options(wsi_options INTERFACE -fno-sanitize=vptr -fno-sanitize-recover=undefined)
  endif()
  target_link_options(wsi_options INTERFACE -fsanitize=${WSI_SANITIZE})
endif()
if(WSI_FUZZ)
  target_compile_options(wsi_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_include_directories(wsi_options INTERFACE ${CMAKE_SOURCE_DIR})

# One library per folder: every .cpp beside the CMakeLists.txt, so adding a file needs no edit.
function(wsi_library name)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC wsi_options ${ARGN})
endfunction()

# LibTorch: a given one (Torch_ROOT or -DTorch_DIR), else the one the wheel `torch` carries.
option(WSI_NETWORKS "Build the networks and training (needs LibTorch >= 2.11)" ON)
if(NOT WSI_NETWORKS)
  return()
endif()
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  file(GLOB WSI_TORCH_WHEEL ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch/share/cmake/Torch)
  find_package(Torch REQUIRED PATHS ${WSI_TORCH_WHEEL} NO_DEFAULT_PATH)
endif()
# One target with SYSTEM includes; the flags of TORCH_LIBRARIES' own targets would reach our files.
add_library(wsi_torch INTERFACE)
target_include_directories(wsi_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
# libtorch.so of CUDA wheels exports a part of std::filesystem that crashes: the system's must be found before it.
target_link_libraries(wsi_torch INTERFACE stdc++ ${TORCH_LIBRARIES})
message(STATUS "LibTorch: ${Torch_VERSION} ${TORCH_INSTALL_PREFIX}")

# Beside ours after installing; what they need of each other they find by their own $ORIGIN.
file(GLOB torch_libraries ${TORCH_INSTALL_PREFIX}/lib/libtorch.so ${TORCH_INSTALL_PREFIX}/lib/libtorch_c*.so
     ${TORCH_INSTALL_PREFIX}/lib/libc10*.so ${TORCH_INSTALL_PREFIX}/lib/libgomp*.so*)
list(APPEND WSI_BUNDLED_LIBRARIES ${torch_libraries})
file(GLOB torch_licences ${TORCH_INSTALL_PREFIX}/../torch-*.dist-info/licenses)
list(APPEND WSI_BUNDLED_LICENCES ${torch_licences})

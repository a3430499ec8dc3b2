# What every build needs; it comes from Debian, or from a folder that scripts/pack_libraries made. Paths found here can be overridden
# with -D. Shared libraries found outside the system's folders, and folders with their licences: installed too.
set(WSI_BUNDLED_LIBRARIES)
set(WSI_BUNDLED_LICENCES)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(TBB REQUIRED)
find_package(ZLIB REQUIRED)
if(WSI_TESTS)
  find_package(GTest REQUIRED)
endif()

# HDF5's C library without MPI. CMake's own module asks the system's h5cc, which knows of no packed folder.
find_path(HDF5_INCLUDE_DIR hdf5.h PATH_SUFFIXES hdf5/serial REQUIRED)
find_library(HDF5_LIBRARY NAMES hdf5_serial hdf5 PATH_SUFFIXES hdf5/serial REQUIRED)
add_library(wsi_hdf5 INTERFACE)
target_include_directories(wsi_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIR})
target_link_libraries(wsi_hdf5 INTERFACE ${HDF5_LIBRARY})

# Debian's OpenCVConfig.cmake is in a package that pulls in all of OpenCV; core and imgproc suffice.
find_path(OPENCV_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE opencv_core REQUIRED)
find_library(OPENCV_IMGPROC opencv_imgproc REQUIRED)
add_library(wsi_opencv INTERFACE)
target_include_directories(wsi_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(wsi_opencv INTERFACE ${OPENCV_IMGPROC} ${OPENCV_CORE})

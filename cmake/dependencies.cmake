# Everything comes from Debian but OpenSlide 4, which the wheel `openslide-bin` carries; a system
# OpenSlide >= 3.4.1 is used when the wheel is absent. Paths found here can be overridden with -D.
# Shared libraries found outside the system's folders, and folders with their licences: installed too.
set(WSI_BUNDLED_LIBRARIES)
set(WSI_BUNDLED_LICENCES)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(TBB REQUIRED)
find_package(GDAL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)
pkg_check_modules(VIPS REQUIRED IMPORTED_TARGET vips-cpp)
if(WSI_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
  find_package(TIFF REQUIRED)
endif()

find_path(OPENSLIDE_INCLUDE_DIR openslide.h PATH_SUFFIXES openslide REQUIRED)
file(GLOB WSI_OPENSLIDE_WHEEL ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/openslide_bin/libopenslide.so.1)
find_library(OPENSLIDE_LIBRARY NAMES openslide REQUIRED)
if(WSI_OPENSLIDE_WHEEL)
  set(OPENSLIDE_LIBRARY ${WSI_OPENSLIDE_WHEEL})
  list(APPEND WSI_BUNDLED_LIBRARIES ${WSI_OPENSLIDE_WHEEL})
  file(GLOB licences ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/openslide_bin-*.dist-info/licenses/licenses)
  list(APPEND WSI_BUNDLED_LICENCES ${licences})
endif()
add_library(OpenSlide::openslide SHARED IMPORTED)
set_target_properties(OpenSlide::openslide PROPERTIES
  IMPORTED_LOCATION ${OPENSLIDE_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${OPENSLIDE_INCLUDE_DIR})

# Arrow and Parquet come with the wheel `pyarrow`; an installed Arrow is used when the wheel is absent.
file(GLOB WSI_PYARROW ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow)
file(GLOB WSI_ARROW_LIBRARIES ${WSI_PYARROW}/libarrow.so.*00 ${WSI_PYARROW}/libparquet.so.*00)
add_library(wsi_parquet INTERFACE)
if(WSI_ARROW_LIBRARIES)
  target_include_directories(wsi_parquet SYSTEM INTERFACE ${WSI_PYARROW}/include)
  target_link_libraries(wsi_parquet INTERFACE ${WSI_ARROW_LIBRARIES})
  list(APPEND WSI_BUNDLED_LIBRARIES ${WSI_ARROW_LIBRARIES})
  file(GLOB licences ${WSI_PYARROW}-*.dist-info/licenses)
  list(APPEND WSI_BUNDLED_LICENCES ${licences})
else()
  find_package(Parquet REQUIRED)
  target_link_libraries(wsi_parquet INTERFACE Parquet::parquet_shared)
endif()

# HDF5's C library as a target with SYSTEM includes.
add_library(wsi_hdf5 INTERFACE)
target_include_directories(wsi_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(wsi_hdf5 INTERFACE ${HDF5_C_LIBRARIES})

# Debian's OpenCVConfig.cmake is in a package that pulls in all of OpenCV; core and imgproc suffice.
find_path(OPENCV_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE opencv_core REQUIRED)
find_library(OPENCV_IMGPROC opencv_imgproc REQUIRED)
add_library(wsi_opencv INTERFACE)
target_include_directories(wsi_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
target_link_libraries(wsi_opencv INTERFACE ${OPENCV_IMGPROC} ${OPENCV_CORE})

message(STATUS "OpenSlide: ${OPENSLIDE_LIBRARY}")

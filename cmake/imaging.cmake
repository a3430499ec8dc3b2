# What reads slides and pictures and writes other programs' formats. Without it (WSI_IMAGING=OFF) the networks, their tests and
# training on patch files are left, for a machine that has LibTorch and little else.
option(WSI_IMAGING "Read slides and pictures, write GeoTIFF, GeoPackage, Parquet, ... (needs OpenSlide, libvips, GDAL, Arrow, SQLite)" ON)
add_library(wsi_imaging INTERFACE)
if(NOT WSI_IMAGING)
  return()
endif()
find_package(PkgConfig REQUIRED)
find_package(GDAL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(TIFF 4.5 REQUIRED)
pkg_check_modules(VIPS REQUIRED IMPORTED_TARGET vips-cpp)
if(WSI_TESTS)
  find_package(benchmark REQUIRED)  # benchmarks of slides and results
endif()

# OpenSlide 4 comes with the wheel `openslide-bin`; a system OpenSlide >= 3.4.1 is used when the wheel is absent.
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
target_link_libraries(wsi_imaging INTERFACE OpenSlide::openslide PkgConfig::VIPS GDAL::GDAL TIFF::TIFF wsi_parquet SQLite::SQLite3)

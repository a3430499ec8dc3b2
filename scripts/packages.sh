# Debian packages, read by scripts/setup and scripts/Containerfile.
BUILD_PACKAGES=(
  build-essential cmake ninja-build ccache pkg-config git python3-venv
  libopenslide-dev libvips-dev libtbb-dev libhdf5-dev libgdal-dev libsqlite3-dev libtiff-dev
  libopencv-core-dev libopencv-imgproc-dev zlib1g-dev
  libspdlog-dev libfmt-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev)
TEST_PACKAGES=(
  libgtest-dev libgmock-dev libbenchmark-dev gdal-bin hdf5-tools
  default-jdk-headless libjts-java libgoogle-gson-java
  clang-14 libclang-rt-14-dev clang-format-14 clang-tidy-14 patch)

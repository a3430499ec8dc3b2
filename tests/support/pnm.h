#pragma once

#include <fstream>
#include <string>

#include "io/types/image.h"

namespace wsi::test {

/// Binary PGM (one channel) or PPM (three): what benchmarks exchange with reference programs.
template <int Channels>
Image<uint8_t, Channels> read_pnm(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    int64_t width = 0, height = 0, most = 0;
    file >> magic >> width >> height >> most;
    WSI_CHECK(file && most == 255 && magic == (Channels == 1 ? "P5" : "P6"), path);
    file.ignore(1);
    Image<uint8_t, Channels> image(width, height);
    const int64_t size = width * height * Channels;
    // Pixels are bytes; the stream wants the same bytes as char.
    file.read(static_cast<char*>(static_cast<void*>(image.data())), size);
    WSI_CHECK(file.gcount() == size, path);
    return image;
}

template <int Channels>
void write_pnm(const std::string& path, const Image<uint8_t, Channels>& image) {
    std::ofstream file(path, std::ios::binary);
    file << (Channels == 1 ? "P5 " : "P6 ") << image.width() << " " << image.height() << " 255\n";
    file.write(static_cast<const char*>(static_cast<const void*>(image.data())),
               image.width() * image.height() * Channels);
    WSI_CHECK(file.flush(), path);
}

}  // namespace wsi::test

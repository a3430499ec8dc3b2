#include <cmath>

#include "io/result_store.h"
#include "io/sha.h"

namespace wsi {

std::string nucleus_uuid(const std::string& slide_hash, double x_px, double y_px) {
    // The namespace of this program's nuclei, itself a random (version 4) UUID.
    static constexpr uint8_t kNamespace[16] = {0x5b, 0x0f, 0x8d, 0x6e, 0x1c, 0x2a, 0x4f, 0x93,
                                               0x9a, 0x77, 0x3e, 0xd4, 0x60, 0xb1, 0xc8, 0x25};
    const std::string name = slide_hash + ":" + std::to_string(std::llround(x_px * 100)) + "," +
                             std::to_string(std::llround(y_px * 100));
    auto digest = sha1(std::string(reinterpret_cast<const char*>(kNamespace), 16) + name);
    digest[6] = static_cast<uint8_t>((digest[6] & 0x0F) | 0x50);
    digest[8] = static_cast<uint8_t>((digest[8] & 0x3F) | 0x80);
    std::string text = hex(std::span(digest).first(16));
    for (const size_t at : {8u, 13u, 18u, 23u}) text.insert(at, "-");
    return text;
}

}  // namespace wsi

#include "pipeline/patch_cutter.h"

#include <map>

namespace wsi {

std::vector<int64_t> patch_starts(int64_t length, int64_t side, int64_t stride) {
    std::vector<int64_t> starts;
    for (int64_t at = 0; at + side <= length; at += stride) starts.push_back(at);
    if (starts.empty())
        starts.push_back(0);
    else if (starts.back() + side < length)
        starts.push_back(length - side);
    return starts;
}

LabelledImage cut_patch(const LabelledImage& image, PixelPoint at, int64_t side) {
    LabelledImage out;
    out.entry = image.entry;
    out.rgb = RgbImage(side, side, 255);
    out.labels = Image<uint32_t>(side, side, 0);
    out.vague = GrayImage(side, side, 1);
    if (!image.classes.empty()) out.classes = GrayImage(side, side, 0);
    std::map<uint32_t, uint32_t> id_of{{0, 0}};
    const PixelRect part =
        intersection({at.x, at.y, side, side}, {0, 0, image.rgb.width(), image.rgb.height()});
    for (int64_t y = part.y; y < part.bottom(); ++y)
        for (int64_t x = part.x; x < part.right(); ++x) {
            const int64_t u = x - at.x, v = y - at.y;
            for (int c = 0; c < 3; ++c) out.rgb(u, v, c) = image.rgb(x, y, c);
            const auto next = static_cast<uint32_t>(id_of.size());
            out.labels(u, v) = id_of.try_emplace(image.labels(x, y), next).first->second;
            out.vague(u, v) = image.vague.empty() ? uint8_t{0} : image.vague(x, y);
            if (!image.classes.empty()) out.classes(u, v) = image.classes(x, y);
        }
    return out;
}

std::string split_of(const ImageEntry& entry, double val_fraction, uint64_t seed) {
    if (!entry.split.empty()) return entry.split;
    uint64_t hash = 0xcbf29ce484222325u ^ seed;  // FNV-1a, then mixed so that all bits count
    for (const char c : entry.dataset + "/" + entry.source)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    const double place = static_cast<double>((hash ^ hash >> 33) >> 11) * 0x1p-53;
    return place < val_fraction ? "val" : "train";
}

}  // namespace wsi

#include "io/nuclei_import.h"

#include <algorithm>
#include <filesystem>

#include "io/types/suffix.h"

namespace wsi {

namespace {

/// Colours of classes that come without one: told apart also by the colour-blind (Okabe and Ito).
constexpr uint8_t kColours[][3] = {{213, 94, 0},  {0, 114, 178},  {0, 158, 115}, {204, 121, 167},
                                   {230, 159, 0}, {86, 180, 233}, {240, 228, 66}};

bool ends_with_any(const std::string& path, std::initializer_list<const char*> suffixes) {
    const std::string lower = lower_case(path);
    return std::ranges::any_of(suffixes, [&](const char* s) { return lower.ends_with(s); });
}

}  // namespace

uint8_t ForeignClasses::id_of(const std::string& key, std::optional<std::array<uint8_t, 3>> rgb) {
    const auto found = std::ranges::find(keys_, key);
    if (found != keys_.end()) return classes_[static_cast<size_t>(found - keys_.begin())].id;
    if (keys_.size() == 255)
        fail(ErrorKind::Config, "more than 255 classes of nuclei; the 256th is ", key);
    NucleusClass c;
    c.id = static_cast<uint8_t>(keys_.size() + 1);
    c.name = key;
    const auto& colour = kColours[keys_.size() % std::size(kColours)];
    if (key != NucleusClass{}.name) std::copy_n(colour, 3, c.rgb);
    if (rgb) std::copy_n(rgb->begin(), 3, c.rgb);
    keys_.push_back(key);
    classes_.push_back(c);
    return c.id;
}

void ForeignClasses::rename(const std::string& key, const std::string& name) {
    for (size_t i = 0; i < keys_.size(); ++i)
        if (keys_[i] == key) classes_[i].name = name;
}

std::vector<NucleusClass> ForeignClasses::all() const {
    return classes_.empty() ? std::vector<NucleusClass>{NucleusClass{}} : classes_;
}

void read_foreign_nuclei(const std::string& path, const ForeignFrame& frame,
                         ForeignClasses& classes, const NucleiSink& sink) {
    if (!std::filesystem::exists(path)) fail(ErrorKind::Config, path, ": no such file");
    if (ends_with_any(path, {".tif", ".tiff", ".png"}))
        return read_nuclei_labels(path, frame, classes, sink);
    if (ends_with_any(path, {".geojson", ".json", ".geojson.gz", ".json.gz"}))
        return read_nuclei_json(path, frame, classes, sink);
    if (ends_with_any(path, {".db"})) return read_nuclei_store(path, frame, classes, sink);
    fail(ErrorKind::Config, path,
         ": nuclei are read from .tif, .tiff and .png (labels), .geojson and .json (.gz), and .db "
         "(AnnotationStore); of a result .h5 export .labels.tif first");
}

}  // namespace wsi

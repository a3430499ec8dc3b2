#include "io/datasets/folder_files.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "config/error.h"
#include "io/types/suffix.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

bool is_picture(const std::string& suffix) {
    static const std::set<std::string> suffixes{".png",  ".tif", ".tiff", ".jpg",
                                                ".jpeg", ".bmp", ".jp2"};
    return suffixes.contains(suffix);
}

/// "3 of 20 files in A have no partner in B, e.g. x.png".
void check_side(const std::map<std::string, std::string>& from,
                const std::map<std::string, std::string>& to, const fs::path& from_folder,
                const fs::path& to_folder) {
    size_t alone = 0;
    std::string first;
    for (const auto& [stem, file] : from) {
        if (to.contains(stem)) continue;
        if (alone++ == 0) first = fs::path(file).filename().string();
    }
    if (alone > 0)
        fail(ErrorKind::Config, alone, " of ", from.size(), " files in ", from_folder.string(),
             " have no partner of the same name in ", to_folder.string(), ", the first is ", first);
}

}  // namespace

void add_by_stem(std::map<std::string, std::string>& files, const std::string& stem,
                 const fs::path& path) {
    const auto [at, fresh] = files.emplace(stem, path.string());
    if (!fresh)
        fail(ErrorKind::Config, at->second, " and ", path.string(),
             " have the same name up to the suffix; which one counts?");
}

std::map<std::string, std::string> files_by_stem(const fs::path& folder,
                                                 const std::string& suffix) {
    std::map<std::string, std::string> files;
    if (!fs::is_directory(folder)) return files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const std::string ending = lower_suffix(entry.path());
        if (!entry.is_regular_file() || name.starts_with('.')) continue;
        if (suffix.empty() ? !is_picture(ending) : ending != suffix) continue;
        add_by_stem(files, entry.path().stem().string(), entry.path());
    }
    return files;
}

void check_pairs(const std::map<std::string, std::string>& images,
                 const std::map<std::string, std::string>& labels, const fs::path& images_folder,
                 const fs::path& labels_folder) {
    check_side(images, labels, images_folder, labels_folder);
    check_side(labels, images, labels_folder, images_folder);
}

}  // namespace wsi

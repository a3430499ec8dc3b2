#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace wsi {

/// Files of a folder by stem, pictures or the given suffix only (lower case, with dot), hidden ones
/// and those of other systems (.DS_Store, ._x) left out. Empty when there is no such folder. Throws
/// Error{Config} when two files share a stem.
std::map<std::string, std::string> files_by_stem(const std::filesystem::path& folder,
                                                 const std::string& suffix = "");

/// Throws Error{Config} when another file has that stem.
void add_by_stem(std::map<std::string, std::string>& files, const std::string& stem,
                 const std::filesystem::path& path);

/// Throws Error{Config} that counts and names the first of the stems which only one side has.
void check_pairs(const std::map<std::string, std::string>& images,
                 const std::map<std::string, std::string>& labels,
                 const std::filesystem::path& images_folder,
                 const std::filesystem::path& labels_folder);

}  // namespace wsi

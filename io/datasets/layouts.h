#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/datasets/dataset.h"

namespace wsi {

/// One opener per layout. Each returns nothing when the folder does not look like its layout, and
/// throws Error{Config} when it does but is damaged.
std::unique_ptr<Dataset> open_plain_dataset(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_nuinsseg(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_cryonuseg(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_conic(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_consep(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_monuseg(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_pannuke(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_tnbc(const std::filesystem::path& folder);
std::unique_ptr<Dataset> open_dsb2018(const std::filesystem::path& folder);
/// Slides with GeoJSON files of the same stems. Entries are level-0 fields of at most 2048 px:
/// pieces of the areas that are outlined (outlines longer than 128 µm; what lies outside is vague),
/// or without areas squares of a grid that hold nuclei.
std::unique_ptr<Dataset> open_slides(const std::filesystem::path& folder);

/// Ids of up to 255 as bytes. Throws Error{Config} naming the file for greater ones.
GrayImage narrow_labels(const Image<uint32_t>& labels, const std::string& path);

}  // namespace wsi

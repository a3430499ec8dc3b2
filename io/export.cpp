#include "io/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "io/column_choice.h"
#include "io/export_formats.h"

namespace wsi {

namespace {

enum class Holds {
    Result,      ///< everything: the result file itself
    Raster,      ///< one raster
    Table,       ///< rows with every column by default
    FewColumns,  ///< rows with ten measurements by default
    Outlines,    ///< rows without measurements
};

struct Format {
    const char* suffix;
    Holds holds;
    void (*write)(const ExportSource&, const std::string& path);
};

// Longer ones before those they end in, so that .labels.tif is not taken for .tif.
constexpr Format kFormats[] = {
    {".labels.ome.tif", Holds::Raster, &export_labels_ometiff},
    {".hovernet.json", Holds::Outlines, &export_hovernet},
    {".mask.ome.tif", Holds::Raster, &export_mask_ometiff},
    {".cellvit.json", Holds::Outlines, &export_cellvit},
    {".geojson.gz", Holds::FewColumns, &export_geojson},
    {".labels.tif", Holds::Raster, &export_labels_tiff},
    {".mask.tif", Holds::Raster, &export_mask_tiff},
    {".prob.tif", Holds::Raster, &export_probability_tiff},
    {".geojson", Holds::FewColumns, &export_geojson},
    {".parquet", Holds::Table, &export_parquet},
    {".csv.gz", Holds::Table, &export_csv},
    {".html", Holds::FewColumns, &export_html},
    {".h5ad", Holds::Table, &export_anndata},
    {".gpkg", Holds::Table, &export_geopackage},
    {".csv", Holds::Table, &export_csv},
    {".fgb", Holds::Table, &export_flatgeobuf},
    {".tif", Holds::Raster, &export_mask_tiff},
    {".db", Holds::FewColumns, &export_annotation_store},
    {".h5", Holds::Result, nullptr},
};

const Format& format_of(const std::string& path) {
    for (const Format& format : kFormats)
        if (path.ends_with(format.suffix) &&
            !std::filesystem::path(path).filename().string().starts_with(format.suffix))
            return format;
    std::string known;
    for (const Format& format : kFormats)
        known += (known.empty() ? "" : ", ") + std::string(format.suffix);
    fail(ErrorKind::Config, path, ": the suffix decides the format; known are ", known);
}

std::vector<size_t> columns_for(const Format& format, const ResultHeader& header,
                                const ExportOptions& options) {
    if (format.holds == Holds::Outlines) return {};
    if (!options.columns.empty()) return choose_columns(header.schema, options.columns);
    if (format.holds == Holds::FewColumns) return few_columns(header);
    std::vector<size_t> all(header.schema.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
}

/// Columns that every file has under our names and that another tool's are asked for.
std::vector<std::string> identity_for(const Format& format, const ExportOptions& options) {
    std::vector<std::string> names{"id", "centroid_x_px", "centroid_y_px", "detection_probability"};
    if (options.columns.empty() && format.holds == Holds::Table) return names;
    std::erase_if(names, [&](const std::string& name) {
        return std::ranges::none_of(options.columns, [&](const std::string& pattern) {
            return fits_pattern(name, pattern);
        });
    });
    return names;
}

std::string part_prefix(const std::string& path, const std::string& suffix) {
    return path.substr(0, path.size() - suffix.size()) + ".part-";
}

/// Removes `path` and its parts but for `written`: a folder must not hold nuclei twice.
void remove_others(const std::string& path, const std::string& suffix,
                   const std::vector<std::string>& written) {
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::path(path).parent_path().empty() ? fs::path(".") : fs::path(path).parent_path();
    const std::string prefix = fs::path(part_prefix(path, suffix)).filename().string();
    std::vector<fs::path> others;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const bool part = name.starts_with(prefix) && name.ends_with(suffix) &&
                          name.size() > prefix.size() + suffix.size() &&
                          std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()),
                                      name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                                      [](char c) { return c >= '0' && c <= '9'; });
        if (part || name == fs::path(path).filename()) others.push_back(entry.path());
    }
    const auto same = [](const fs::path& other, const std::string& name) {
        return other.filename() == fs::path(name).filename();
    };
    for (const fs::path& other : others)
        if (std::none_of(written.begin(), written.end(),
                         [&](const std::string& name) { return same(other, name); }))
            fs::remove(other);
}

}  // namespace

const std::vector<std::string>& export_suffixes() {
    static const std::vector<std::string> suffixes = [] {
        std::vector<std::string> out;
        for (const Format& format : kFormats) out.emplace_back(format.suffix);
        return out;
    }();
    return suffixes;
}

std::vector<std::string> split_names(const std::string& path, uint64_t rows, uint64_t split_rows) {
    if (split_rows == 0 || rows <= split_rows) return {path};
    std::vector<std::string> names;
    for (uint64_t k = 0; k * split_rows < rows; ++k)
        names.push_back(part_prefix(path, export_suffix(path)) + fmt::format("{:04}", k + 1) +
                        export_suffix(path));
    return names;
}

std::string export_suffix(const std::string& path) { return format_of(path).suffix; }

void export_result(const ResultReader& result, const std::string& path,
                   const ExportOptions& options) {
    const Format& format = format_of(path);
    if (format.holds == Holds::Result)
        fail(ErrorKind::Config, path, ": a result file cannot be exported to .h5 again; copy it");
    const std::vector<size_t> columns = columns_for(format, result.header(), options);
    const uint64_t split = format.holds == Holds::Raster ? 0 : options.split_rows;
    const std::vector<std::string> names = split_names(path, result.count(), split);
    const uint64_t most = split == 0 ? result.count() : split;
    ExportOptions part = options;
    for (size_t k = 0; k < names.size(); ++k) {
        part.progress = [&](double fraction) {
            if (options.progress)
                options.progress((static_cast<double>(k) + fraction) /
                                 static_cast<double>(names.size()));
        };
        const uint64_t first = k * most;
        format.write({result, part, columns, identity_for(format, options), first,
                      std::min(most, result.count() - first)},
                     names[k]);
    }
    remove_others(path, format.suffix, names);
}

}  // namespace wsi

#include "io/export.h"

#include <algorithm>
#include <filesystem>

#include "io/export_formats.h"

namespace wsi {

namespace {

using Exporter = void (*)(const ResultReader&, const std::string&, const ExportOptions&);

struct Format {
    const char* suffix;
    Exporter write;  // null: the result file itself
};

// Longest first, so that .labels.tif is not taken for .tif.
constexpr Format kFormats[] = {
    {".geojson.gz", &export_geojson}, {".labels.tif", &export_labels_tiff},
    {".mask.tif", &export_mask_tiff}, {".geojson", &export_geojson},
    {".csv.gz", &export_csv},         {".csv", &export_csv},
    {".tif", &export_mask_tiff},      {".h5", nullptr},
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

}  // namespace

const std::vector<std::string>& export_suffixes() {
    static const std::vector<std::string> suffixes = [] {
        std::vector<std::string> out;
        for (const Format& format : kFormats) out.emplace_back(format.suffix);
        return out;
    }();
    return suffixes;
}

std::string export_suffix(const std::string& path) { return format_of(path).suffix; }

void export_result(const ResultReader& result, const std::string& path,
                   const ExportOptions& options) {
    const Format& format = format_of(path);
    if (format.write == nullptr)
        fail(ErrorKind::Config, path, ": a result file cannot be exported to .h5 again; copy it");
    format.write(result, path, options);
}

void for_each_block(const ResultReader& result, const ExportOptions& options,
                    const std::function<void(const NucleiBatch&, uint64_t first)>& use) {
    constexpr uint64_t kBlock = 16384;
    for (uint64_t first = 0; first < result.count(); first += kBlock) {
        use(result.rows(first, std::min(kBlock, result.count() - first)), first);
        if (options.progress)
            options.progress(static_cast<double>(first) / static_cast<double>(result.count()));
    }
}

}  // namespace wsi

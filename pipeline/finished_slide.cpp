#include "pipeline/finished_slide.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/output_file.h"
#include "io/result_aggregates.h"

namespace wsi {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

std::string exports_text(const SlideJob& job) {
    const ExportOptions& o = job.exports;
    return fmt::format("columns={} naming={} loose={} simplify={} split={} frame={}",
                       fmt::join(o.columns, ","), static_cast<int>(o.naming),
                       static_cast<int>(o.loose_names), o.simplify_px, o.split_rows,
                       static_cast<int>(o.frame)) +
           (job.paths == ProvenancePaths::LeftOut ? " paths=left out" : "");
}

fs::path whole_path(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

fs::path folder_of_record(const SlideJob& job) {
    return whole_path(kept_file(job.outputs)).parent_path();
}

/// Bytes of a file; of a missing one a number that no file has.
uint64_t size_of(const fs::path& file) {
    std::error_code missing;
    return fs::file_size(file, missing);
}

/// Files that the outputs consist of, and their bytes.
std::map<std::string, uint64_t> files_of(const SlideJob& job, uint64_t nuclei) {
    const fs::path folder = folder_of_record(job);
    std::map<std::string, uint64_t> files;
    for (const std::string& output : job.outputs) {
        const bool whole = fs::exists(output);  // pictures are never split
        const uint64_t split = whole ? 0 : job.exports.split_rows;
        for (const std::string& name : split_names(output, nuclei, split))
            files[whole_path(name).lexically_relative(folder).string()] = size_of(name);
    }
    return files;
}

}  // namespace

std::string kept_file(const std::vector<std::string>& outputs) {
    for (const std::string& output : outputs)
        if (export_suffix(output) == ".h5") return output;
    const std::string& first = outputs.front();
    return first.substr(0, first.size() - export_suffix(first).size()) + ".finished.json";
}

FinishedSlide finished_slide(const SlideJob& job, const std::string& identity_hash,
                             const std::string& result,
                             const std::optional<FinishedSlide>& earlier) {
    const ResultReader reader(result);
    FinishedSlide record;
    record.identity_hash = identity_hash;
    record.exports = exports_text(job);
    record.nuclei = reader.count();
    record.failed_blocks = reader.header().failed_tiles.size();
    record.tissue_mm2 = reader.header().tissue_mm2;
    record.files = files_of(job, record.nuclei);
    if (earlier)
        for (const auto& [name, bytes] : earlier->files)
            if (size_of(folder_of_record(job) / name) == bytes) record.files.emplace(name, bytes);
    record.aggregates = read_aggregates(result);
    return record;
}

bool is_same_run(const FinishedSlide& record, const SlideJob& job,
                 const std::string& identity_hash) {
    return record.identity_hash == identity_hash && record.exports == exports_text(job);
}

bool has_all_files(const FinishedSlide& record, const SlideJob& job) {
    return std::ranges::includes(record.files, files_of(job, record.nuclei));
}

void write_finished(const std::string& path, const FinishedSlide& record) {
    ordered_json json{{"what", "a slide that wsi-segment finished, its .h5 not kept"},
                      {"identity", record.identity_hash},
                      {"exports", record.exports},
                      {"files", record.files},
                      {"nuclei", record.nuclei},
                      {"failed_blocks", record.failed_blocks},
                      {"tissue_mm2", record.tissue_mm2},
                      {"aggregates", ordered_json::object()}};
    for (const SummaryValue& value : record.aggregates)
        json["aggregates"].push_back({value.name, value.value});  // NaN becomes null
    const std::string text = json.dump(1, ' ', false, ordered_json::error_handler_t::replace);
    OutputFile file(path);
    file.write(text.data(), std::ssize(text));
    file.commit();
}

std::optional<FinishedSlide> read_finished(const std::string& path) {
    std::ifstream in(path);
    if (!in) return std::nullopt;
    try {
        const auto json = ordered_json::parse(in);
        FinishedSlide record;
        json.at("identity").get_to(record.identity_hash);
        json.at("exports").get_to(record.exports);
        json.at("files").get_to(record.files);
        json.at("nuclei").get_to(record.nuclei);
        json.at("failed_blocks").get_to(record.failed_blocks);
        json.at("tissue_mm2").get_to(record.tissue_mm2);
        for (const auto& [name, value] : json.at("aggregates").items())
            record.aggregates.push_back({name, value.is_null() ? NAN : value.get<double>()});
        return record;
    } catch (const ordered_json::exception&) {
        return std::nullopt;  // the slide is done anew, and the record with it
    }
}

}  // namespace wsi

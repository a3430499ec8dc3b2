#include "pipeline/resegment.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "config/config_io.h"
#include "config/version.h"

namespace wsi {

using nlohmann::json;

namespace {

using Fields = std::map<std::string, std::string>;

/// The identity of the run that made a result, and its slide-wide parameters.
struct Recorded {
    Fields fields;
    std::vector<double> slide_params;
};

Recorded recorded_in(const ResultReader& reader, const std::string& path) {
    try {
        const json model = json::parse(reader.provenance("model"));
        return {model.at("identity").get<Fields>(),
                model.at("slide_params").get<std::vector<double>>()};
    } catch (const json::exception&) {
        fail(ErrorKind::Config, path,
             " does not say how it was made (/provenance/model); run the slide again");
    }
}

/// Settings of the recorded run; keys of other versions are left at their defaults.
Config config_of(const Fields& fields) {
    Config config;
    for (const auto& [key, unused] : result_fields(config))
        if (const auto field = fields.find(key); field != fields.end())
            apply_set(config, key + "=" + field->second);
    return config;
}

void check_change(const std::string& change) {
    for (const char* section : {"separate.", "features.", "run.threads=", "run.memory_mib=",
                                "tiling.region_px=", "slide.max_failed_fraction="})
        if (change.starts_with(section)) return;
    fail(ErrorKind::Config, "--set ", change,
         ": the kept maps fix everything but separate.* and features.*; run the slide again");
}

/// "512+32/16": tile, halo, feather.
void parse_tile(const std::string& text, const std::string& path, EarlierRun& out) {
    const char* const end = text.data() + text.size();
    const auto [plus, bad] = std::from_chars(text.data(), end, out.tile_px);
    if (bad == std::errc() && plus != end && *plus == '+' &&
        std::from_chars(plus + 1, end, out.halo_px).ec == std::errc() && out.tile_px > 0 &&
        out.halo_px >= 0)
        return;
    fail(ErrorKind::Config, path, " does not say how its tiles were cut; run the slide again");
}

/// The identity that a whole run with these settings would have.
RunIdentity identity_with(const Fields& fields, const Config& config) {
    RunIdentity identity;
    for (const char* name : {"results version", "slide", "slide size", "slide resolution", "model",
                             "model hash", "tile", "region of interest"}) {
        const auto field = fields.find(name);
        identity.fields.emplace_back(name, field == fields.end() ? "unknown" : field->second);
    }
    // Maps of another version are not what this version would have made.
    std::string& version = identity.fields.front().second;
    if (version != kResultsVersion)
        version = fmt::format("{} on maps of {}", kResultsVersion, version);
    for (auto& field : result_fields(config)) identity.fields.push_back(std::move(field));
    return identity;
}

SlideFit fit_of(const ResultHeader& header, const Recorded& recorded, const StainConfig& config) {
    SlideFit fit;
    fit.stain.method = config.method;
    fit.stain.matrix = header.stain_matrix;
    fit.stain.max_concentration = header.stain_max_concentration;
    fit.stain.fitted = header.stain_fitted;
    fit.stain.reason = header.stain_reason;
    fit.slide_params = recorded.slide_params;
    return fit;
}

std::string find_slide(const std::string& recorded, const std::string& result) {
    namespace fs = std::filesystem;
    if (fs::exists(recorded)) return recorded;
    const fs::path beside = fs::path(result).parent_path() / fs::path(recorded).filename();
    return fs::exists(beside) ? beside.string() : recorded;
}

}  // namespace

EarlierRun read_earlier_run(const std::string& result, const std::vector<std::string>& changes) {
    const ResultReader reader(result);
    const ResultHeader& header = reader.header();
    const Recorded recorded = recorded_in(reader, result);
    EarlierRun out;
    out.config = config_of(recorded.fields);
    if (header.slide.mpp_source == MppSource::Override) out.config.slide.mpp = header.slide.mpp_x;
    for (const std::string& change : changes) {
        check_change(change);
        apply_set(out.config, change);
    }
    const auto tile = recorded.fields.find("tile");
    parse_tile(tile == recorded.fields.end() ? "" : tile->second, result, out);
    out.known.slide_hash = header.slide.hash;
    out.known.frame = header.frame;
    out.known.tissue = {header.tissue, header.tissue_cell_work_px, header.tissue_mpp};
    out.known.fit = fit_of(header, recorded, out.config.stain);
    out.known.identity = identity_with(recorded.fields, out.config);
    out.slide = find_slide(header.slide.path, result);
    return out;
}

}  // namespace wsi

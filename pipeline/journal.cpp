#include "pipeline/journal.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/config_io.h"
#include "config/version.h"
#include "io/block_file.h"
#include "io/sha.h"

namespace wsi {

using nlohmann::json;

std::string RunIdentity::hash() const {
    std::string text;
    for (const auto& [name, value] : fields) text += name + "=" + value + "\n";
    return sha256_hex(text);
}

std::optional<std::string> RunIdentity::difference(const RunIdentity& other) const {
    for (size_t i = 0; i < std::max(fields.size(), other.fields.size()); ++i) {
        const auto* mine = i < fields.size() ? &fields[i] : nullptr;
        const auto* theirs = i < other.fields.size() ? &other.fields[i] : nullptr;
        if (mine && theirs && *mine == *theirs) continue;
        const std::string& name = mine ? mine->first : theirs->first;
        return fmt::format("{} ({}, now {})", name, mine ? mine->second : "absent",
                           theirs ? theirs->second : "absent");
    }
    return std::nullopt;
}

RunIdentity make_identity(const SlideInfo& slide, const Config& config, const InputSpec& spec,
                          const std::string& roi_hash) {
    RunIdentity identity;
    auto& f = identity.fields;
    f.emplace_back("results version", kResultsVersion);
    f.emplace_back("slide", slide.hash);
    f.emplace_back("slide size", fmt::format("{}x{}", slide.size().width, slide.size().height));
    f.emplace_back("slide resolution", fmt::format("{}x{}", slide.mpp_x, slide.mpp_y));
    f.emplace_back("model", spec.name);
    f.emplace_back("model hash", spec.hash);
    f.emplace_back("tile", fmt::format("{}+{}/{}", spec.core_px, spec.halo_px, spec.feather_px));
    f.emplace_back("region of interest", roi_hash);
    for (const auto& [key, value] : result_fields(config)) f.emplace_back(key, value);
    return identity;
}

namespace {
json to_json(const StainFit& fit) {
    return {{"method", static_cast<int>(fit.method)},
            {"matrix", fit.matrix},
            {"max_concentration", fit.max_concentration},
            {"lab_mean", fit.lab_mean},
            {"lab_sd", fit.lab_sd},
            {"fitted", fit.fitted},
            {"reason", fit.reason}};
}

StainFit stain_from(const json& j) {
    StainFit fit;
    fit.method = static_cast<StainMethod>(j.at("method").get<int>());
    fit.matrix = j.at("matrix").get<StainMatrix>();
    fit.max_concentration = j.at("max_concentration").get<std::array<double, 2>>();
    fit.lab_mean = j.at("lab_mean").get<std::array<double, 3>>();
    fit.lab_sd = j.at("lab_sd").get<std::array<double, 3>>();
    fit.fitted = j.at("fitted");
    fit.reason = j.at("reason");
    return fit;
}

/// Raised when the same region_px cuts a slide into other regions.
constexpr int kCut = 2;
}  // namespace

void write_journal(const PartStore& parts, const Journal& journal) {
    const json text{{"identity", journal.identity.fields},
                    {"cut", kCut},
                    {"region_px", journal.region_px},
                    {"stain", to_json(journal.fit.stain)},
                    {"slide_params", journal.fit.slide_params}};
    BlockFileWriter file(parts.journal());
    file.commit(text.dump(2), Durability::Sync);
}

std::optional<Journal> read_journal(const PartStore& parts) {
    if (!std::filesystem::exists(parts.journal())) return std::nullopt;
    Journal journal;
    int cut = 0;
    try {
        const json j = json::parse(BlockFileReader(parts.journal(), Verify::All).header());
        cut = j.value("cut", 1);
        journal.identity.fields =
            j.at("identity").get<std::vector<std::pair<std::string, std::string>>>();
        journal.region_px = j.at("region_px");
        journal.fit.stain = stain_from(j.at("stain"));
        journal.fit.slide_params = j.at("slide_params").get<std::vector<double>>();
    } catch (const std::exception& error) {
        fail(ErrorKind::Config, parts.journal(), " is unreadable (", error.what(),
             "); use --restart to discard the unfinished run");
    }
    if (cut != kCut)
        fail(ErrorKind::Config, parts.journal(),
             " is of a version that cut slides into other regions; use --restart to discard the "
             "unfinished run");
    return journal;
}

}  // namespace wsi

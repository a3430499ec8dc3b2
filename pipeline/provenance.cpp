#include "pipeline/provenance.h"

#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "config/config_io.h"

namespace wsi {

using nlohmann::json;

namespace {
std::string host(ProvenancePaths paths) {
    utsname name{};
    uname(&name);
    json out{{"system", name.sysname}, {"release", name.release}, {"machine", name.machine}};
    if (paths == ProvenancePaths::Written) out["node"] = name.nodename;
    return out.dump(2);
}

/// The last component of a path; other texts, I/N of --shard among them, as they are.
std::string without_folder(const std::string& text) {
    const bool ratio = text.find_first_not_of("0123456789/") == std::string::npos &&
                       text.find('/') != 0 && std::ranges::count(text, '/') == 1;
    const size_t end = text.find_last_not_of('/');
    if (ratio || text.find('/') == std::string::npos || end == std::string::npos) return text;
    return std::filesystem::path(text.substr(0, end + 1)).filename().string();
}

std::string argument_text(const std::string& argument, ProvenancePaths paths) {
    if (paths == ProvenancePaths::Written) return argument;
    const size_t equals = argument.find('=');
    // A path may hold an equals sign itself: only what stands before the first slash is a key.
    if (equals == std::string::npos || argument.find('/') < equals) return without_folder(argument);
    return argument.substr(0, equals + 1) + without_folder(argument.substr(equals + 1));
}
}  // namespace

int64_t peak_rss_mib() {
    std::ifstream in("/proc/self/status");
    for (std::string key; in >> key;) {
        int64_t kib = 0;
        if (key == "VmHWM:" && in >> kib) return kib / 1024;
    }
    return 0;
}

std::string command_text(std::span<char* const> arguments, ProvenancePaths paths) {
    std::string line;
    for (const char* argument : arguments)
        line += (line.empty() ? "" : " ") + argument_text(argument, paths);
    return line;
}

void leave_out_folder(ResultHeader& header) {
    const std::string whole = header.slide.path, name = without_folder(whole);
    header.slide.path = name;
    for (FailedTile& tile : header.failed_tiles)
        for (size_t at = 0; (at = tile.message.find(whole, at)) != std::string::npos;
             at += name.size())
            tile.message.replace(at, whole.size(), name);
}

std::vector<std::pair<std::string, std::string>> provenance(const std::string& command,
                                                            const Config& config,
                                                            const RunIdentity& identity,
                                                            const SlideFit& fit,
                                                            ProvenancePaths paths) {
    Config shown = config;
    shown.model.name = argument_text(config.model.name, paths);
    shown.model.encoder_weights = argument_text(config.model.encoder_weights, paths);
    json fields = json::object();
    for (const auto& [name, value] : identity.fields)
        fields[name] = name == "model.name" ? shown.model.name : value;
    const json model{{"identity", fields}, {"slide_params", fit.slide_params}};
    return {{"command", command},
            {"config", config_yaml(shown)},
            {"model", model.dump(2)},
            {"host", host(paths)},
            {"device", config.run.device}};
}

std::string timings(const RunStatus& status) {
    json cpu = json::object();
    for (size_t i = 0; i < status.cpu.size(); ++i)
        cpu[kStageNames[i]] = static_cast<double>(status.cpu[i].load()) * 1e-9;
    return json{{"cpu_seconds", cpu}, {"peak_rss_mib", peak_rss_mib()}}.dump(2);
}

}  // namespace wsi

#include "pipeline/provenance.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "config/config_io.h"

namespace wsi {

using nlohmann::json;

namespace {
std::string timings(const RunStatus& status) {
    json cpu = json::object();
    for (size_t i = 0; i < status.cpu.size(); ++i)
        cpu[kStageNames[i]] = static_cast<double>(status.cpu[i].load()) * 1e-9;
    return json{{"cpu_seconds", cpu}, {"peak_rss_mib", peak_rss_mib()}}.dump(2);
}

std::string host() {
    utsname name{};
    uname(&name);
    return json{{"node", name.nodename},
                {"system", name.sysname},
                {"release", name.release},
                {"machine", name.machine}}
        .dump(2);
}
}  // namespace

int64_t peak_rss_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

std::vector<std::pair<std::string, std::string>> provenance(const std::string& command,
                                                            const Config& config,
                                                            const RunIdentity& identity,
                                                            const SlideFit& fit,
                                                            const RunStatus& status) {
    json fields = json::object();
    for (const auto& [name, value] : identity.fields) fields[name] = value;
    const json model{{"identity", fields}, {"slide_params", fit.slide_params}};
    return {{"command", command}, {"config", config_yaml(config)}, {"model", model.dump(2)},
            {"host", host()},     {"device", config.run.device},   {"timings", timings(status)}};
}

}  // namespace wsi

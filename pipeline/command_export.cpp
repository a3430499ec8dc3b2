#include <spdlog/spdlog.h>

#include <filesystem>

#include "pipeline/commands.h"
#include "pipeline/output_check.h"
#include "pipeline/runtime.h"

namespace wsi {

int export_command(const ExportCommandOptions& what, const CommonOptions& options) {
    check_outputs(what.outputs);
    const Runtime runtime(available_cores());
    const ResultReader reader(what.result);
    RunStatus status;
    status.enter("export");
    const Progress progress(std::filesystem::path(what.result).filename().string(), status,
                            progress_mode(options));
    ExportOptions exports = export_options(options);
    exports.progress = [&](double fraction) { status.phase_fraction = fraction; };
    for (const std::string& output : what.outputs) {
        if (std::filesystem::exists(output) && std::filesystem::equivalent(output, what.result))
            fail(ErrorKind::Config, output, " is the result itself; name another file");
        export_result(reader, output, exports);
        spdlog::info("{} written", output);
    }
    return 0;
}

}  // namespace wsi

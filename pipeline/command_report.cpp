#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "io/batch_page.h"
#include "pipeline/commands.h"
#include "pipeline/output_check.h"
#include "pipeline/runtime.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// Result files below `folder` in a fixed order; not those of runs that go on.
std::vector<fs::path> results_below(const std::string& folder) {
    std::vector<fs::path> found;
    std::error_code gone;  // a folder may vanish meanwhile
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                             gone);
         !gone && at != fs::recursive_directory_iterator(); at.increment(gone)) {
        if (at->path().extension() == ".parts") at.disable_recursion_pending();
        if (at->path().extension() == ".h5" && at->is_regular_file(gone))
            found.push_back(at->path());
    }
    if (found.empty())
        fail(ErrorKind::Config, folder,
             " holds no .h5 of a finished run; name a result, or the folder that `wsi-segment "
             "batch ... -o FOLDER` wrote");
    std::sort(found.begin(), found.end());
    return found;
}

/// The slide's own page when there is one, else its result, as seen from the page's folder.
std::string link_to(const fs::path& result, const std::string& page) {
    const fs::path own = fs::path(result).replace_extension(".html");
    const bool page_of_slide = fs::exists(own) && !(fs::exists(page) && fs::equivalent(own, page));
    const fs::path from = fs::absolute(page).parent_path();
    return fs::relative(page_of_slide ? own : result, from).string();
}

/// A page with a row per result. A file that cannot be read costs its row.
int report_folder(const ReportOptions& what, RunStatus& status) {
    const std::vector<fs::path> results = results_below(what.input);
    const fs::path folder = fs::canonical(what.input);
    BatchPage page(what.output, folder.filename().string());
    size_t failed = 0;
    for (size_t i = 0; i < results.size(); ++i) {
        const std::string name = fs::relative(fs::canonical(results[i]), folder).string();
        try {
            page.add(ResultReader(results[i].string()), name, link_to(results[i], what.output),
                     [&](double fraction) {
                         status.phase_fraction = (static_cast<double>(i) + fraction) /
                                                 static_cast<double>(results.size());
                     });
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::Slide) throw;
            if (++failed == results.size()) throw;
            spdlog::error("{}", error.what());
            page.add_failure(name, error.what());
        }
    }
    page.finish();
    return failed == 0 ? 0 : 2;
}

}  // namespace

int report_command(const ReportOptions& what, const CommonOptions& options) {
    check_outputs({what.output});
    if (export_suffix(what.output) != ".html")
        fail(ErrorKind::Config, what.output,
             ": a report is written as .html; for other formats "
             "see `wsi-segment export --help`");
    const Runtime runtime(available_cores());
    RunStatus status;
    status.enter("report");
    const Progress progress(fs::path(what.input).filename().string(), status,
                            progress_mode(options));
    int code = 0;
    if (fs::is_directory(what.input)) {
        code = report_folder(what, status);
    } else {
        ExportOptions exports = export_options(options);
        exports.progress = [&](double fraction) { status.phase_fraction = fraction; };
        export_result(ResultReader(what.input), what.output, exports);
    }
    spdlog::info("{} written", what.output);
    return code;
}

}  // namespace wsi

#include "pipeline/output_check.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "io/export.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {
void check_one(const std::string& output) {
    export_suffix(output);
    const fs::path path(output);
    const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
    if (!fs::is_directory(folder))
        fail(ErrorKind::Output, "cannot write ", output, ": the folder ", folder.string(),
             " does not exist; create it first");
    if (fs::is_directory(path))
        fail(ErrorKind::Output, "cannot write ", output, ": it is a folder");
    // A probe file tells what access() cannot: read-only mounts, quotas, root.
    const std::string probe = (folder / ".wsi-segment-probe-XXXXXX").string();
    std::string name = probe;
    const int fd = mkstemp(name.data());
    if (fd < 0)
        fail(ErrorKind::Output, "cannot write into ", folder.string(), ": ", std::strerror(errno),
             "; choose an output path in a writable folder");
    ::close(fd);
    ::unlink(name.c_str());
    if (fs::exists(path) && ::access(output.c_str(), W_OK) != 0)
        fail(ErrorKind::Output, "cannot replace ", output, ": ", std::strerror(errno));
}
}  // namespace

void check_outputs(const std::vector<std::string>& outputs) {
    std::set<std::string> seen;
    for (const std::string& output : outputs) {
        check_one(output);
        if (!seen.insert(fs::weakly_canonical(output).string()).second)
            fail(ErrorKind::Config, output, " is given twice");
    }
}

}  // namespace wsi

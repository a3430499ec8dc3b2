#include "tests/pipeline/run_harness.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "pipeline/runtime.h"
#include "tests/support/result_digest.h"

namespace wsi::test {

namespace {

/// Memory that parent and child share.
struct Shared {
    static constexpr size_t kPoints = 8;
    static constexpr const char* kNames[kPoints] = {"fit",    "tile",   "commit",     "assembly",
                                                    "export", "import", "neighbours", "unpack"};
    std::atomic<int> passed[kPoints];
    char message[2000];
};

Shared* shared_memory() {
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    WSI_CHECK(memory != MAP_FAILED);
    return static_cast<Shared*>(memory);
}

size_t index_of(const char* point) {
    for (size_t i = 0; i < Shared::kPoints; ++i)
        if (std::strcmp(point, Shared::kNames[i]) == 0) return i;
    fail(ErrorKind::Internal, "unknown point ", point);
}

ChildEnd wait_for(pid_t child) {
    int status = 0;
    WSI_CHECK(waitpid(child, &status, 0) == child);
    ChildEnd end;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    return end;
}

ChildEnd fork_with(Shared* shared, const std::function<void()>& body) {
    const pid_t child = fork();
    WSI_CHECK(child >= 0);
    if (child == 0) {
        try {
            body();
            _exit(0);
        } catch (const Error& error) {
            std::strncpy(shared->message, error.what(), sizeof shared->message - 1);
            _exit(exit_code(error.kind()));
        }
    }
    ChildEnd end = wait_for(child);
    end.message = shared->message;
    return end;
}

ChildEnd run_shared(const SlideTrial& run, Shared* shared) {
    return fork_with(shared, [&] {
        const Runtime runtime(run.threads);
        RunStatus status;
        status.probe = [&](const char* point) {
            const int now = ++shared->passed[index_of(point)];
            if (run.kill_point != point || now != run.kill_at) return;
            if (!run.thrown.empty()) fail(ErrorKind::Device, run.thrown);
            ::kill(getpid(), SIGKILL);
        };
        Config config = run.config;
        config.run.threads = run.threads;
        config.tiling.region_px = run.region_px;
        SlideJob job;
        job.slide = run.slide;
        job.outputs = run.outputs;
        job.shuffle_seed = run.shuffle_seed;
        job.known = run.known;
        job.nuclei = run.nuclei;
        job.roi.roi_geojson = run.roi;
        job.exports.frame = run.frame;
        job.exports.columns = run.columns;
        const SlideReport report = run_slide(job, config, status, run.segmenter);
        if (report.outcome != run.expected)
            fail(ErrorKind::Internal, "outcome ", static_cast<int>(report.outcome));
    });
}

}  // namespace

ChildEnd run_in_child(const std::function<void()>& body) {
    Shared* shared = shared_memory();
    const ChildEnd end = fork_with(shared, body);
    munmap(shared, sizeof(Shared));
    return end;
}

ChildEnd run_child(const SlideTrial& run) {
    Shared* shared = shared_memory();
    const ChildEnd end = run_shared(run, shared);
    munmap(shared, sizeof(Shared));
    return end;
}

std::map<std::string, int> count_points(const SlideTrial& run) {
    Shared* shared = shared_memory();
    const ChildEnd end = run_shared(run, shared);
    WSI_CHECK(end.exit_code == 0, end.message);
    std::map<std::string, int> counts;
    for (size_t i = 0; i < Shared::kPoints; ++i) counts[Shared::kNames[i]] = shared->passed[i];
    munmap(shared, sizeof(Shared));
    return counts;
}

std::map<std::string, std::string> digests(const std::vector<std::string>& outputs) {
    std::map<std::string, std::string> out;
    for (const std::string& path : outputs) {
        const std::string name = std::filesystem::path(path).filename().string();
        if (!path.ends_with(".h5")) {
            out[name] = file_digest(path);
            continue;
        }
        for (const auto& [item, digest] : result_digest(path)) out[name + item] = digest;
    }
    return out;
}

std::string first_difference(const std::map<std::string, std::string>& a,
                             const std::map<std::string, std::string>& b) {
    for (const auto& [name, digest] : a) {
        const auto other = b.find(name);
        if (other == b.end()) return name + " is missing";
        if (other->second != digest) return name + ": " + digest + " / " + other->second;
    }
    for (const auto& [name, digest] : b)
        if (!a.contains(name)) return name + " is new";
    return "";
}

}  // namespace wsi::test

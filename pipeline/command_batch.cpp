#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "pipeline/batch_summary.h"
#include "pipeline/finished_slide.h"
#include "pipeline/output_check.h"
#include "pipeline/runtime.h"
#include "pipeline/stop_signals.h"
#include "pipeline/unused_settings.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

class Batch {
public:
    Batch(const BatchOptions& batch, const CommonOptions& options)
        : batch_(batch),
          options_(options),
          config_(effective_config(options)),
          shard_(parse_shard(batch.shard)) {}

    int run() {
        const auto all = find_batch_slides(batch_.inputs);
        const auto slides = select_shard(all, shard_);
        for (const std::string& format : batch_.formats) export_suffix("x." + format);
        if (all.empty()) fail(ErrorKind::Config, "no slide found in the given inputs");
        check_names(all);
        if (!batch_.mask_dir.empty() && !fs::is_directory(batch_.mask_dir))
            fail(ErrorKind::Config, "--mask-dir ", batch_.mask_dir, ": no such folder");
        if (batch_.dry_run) return list(slides);
        if (slides.empty()) {
            spdlog::info("no slide falls to shard {}: nothing to do", batch_.shard);
            return 0;
        }
        const Runtime runtime(config_.run.threads);
        std::atomic<StopRequest>& stop = install_stop_signals();
        for (size_t i = 0; i < slides.size() && stop == StopRequest::None; ++i) {
            spdlog::info("[{}/{}] {}", i + 1, slides.size(), slides[i].path);
            results_.push_back(run_one(slides[i], stop));
            write_summaries(batch_.output_dir, shard_.tag(), results_);
            if (fails_them_all(results_.back())) break;
        }
        const int code = finish(slides.size(), stop != StopRequest::None);
        write_slides_table(batch_.output_dir, shard_.tag(), results_);
        return code;
    }

private:
    /// A full disk or a missing device would fail every slide after this one, too; that this slide
    /// has gone says nothing about them.
    static bool fails_them_all(const SlideResult& r) {
        std::error_code unreachable;
        return r.status == "failed" && exit_code(r.kind) == 4 &&
               fs::exists(r.slide.path, unreachable);
    }

    std::vector<std::string> outputs_of(const BatchSlide& slide) const {
        const fs::path base =
            fs::path(batch_.output_dir) / fs::path(slide.relative).replace_extension();
        std::vector<std::string> outputs;
        for (const std::string& format : batch_.formats)
            outputs.push_back(base.string() + (format.starts_with('.') ? "" : ".") + format);
        return outputs;
    }

    /// Two slides must not write the same files: a.svs and a.ndpi of one folder would.
    void check_names(const std::vector<BatchSlide>& slides) const {
        std::map<std::string, std::string> owner;
        for (const BatchSlide& slide : slides) {
            const auto [at, fresh] = owner.try_emplace(outputs_of(slide).front(), slide.path);
            if (!fresh)
                fail(ErrorKind::Config, slide.path, " and ", at->second,
                     " would both be written to ", at->first, "; rename one or run them apart");
        }
    }

    int list(const std::vector<BatchSlide>& slides) const {
        for (const BatchSlide& slide : slides)
            fmt::print("{} -> {}\n", slide.path, fmt::join(outputs_of(slide), ", "));
        return 0;
    }

    SlideJob job_of(const BatchSlide& slide) const {
        SlideJob job = make_job(slide.path, options_);
        job.outputs = outputs_of(slide);
        if (!slide.roi.empty()) job.roi.roi_geojson = slide.roi;
        job.roi.mask_png = slide.mask;
        if (slide.mask.empty() && !batch_.mask_dir.empty()) job.roi.mask_png = mask_of(slide);
        return job;
    }

    /// By the slide's place below the input folder, else by its name alone.
    std::string mask_of(const BatchSlide& slide) const {
        const fs::path name = fs::path(slide.relative).replace_extension(".png");
        const fs::path places[] = {fs::path(batch_.mask_dir) / name,
                                   fs::path(batch_.mask_dir) / name.filename()};
        for (const fs::path& mask : places)
            if (fs::exists(mask)) return mask.string();
        fail(ErrorKind::Config, "no mask for ", slide.path, " in --mask-dir: expected ",
             places[0].string(), "; paint one, or run this slide apart");
    }

    SlideResult run_one(const BatchSlide& slide, std::atomic<StopRequest>& stop) {
        SlideResult result{slide, "failed", {}, "", "", ErrorKind::Internal};
        try {
            const SlideJob job = job_of(slide);
            result.kept = kept_file(job.outputs);
            std::error_code ignored;  // check_outputs says what is wrong with the folder
            fs::create_directories(fs::path(job.outputs.front()).parent_path(), ignored);
            check_outputs(job.outputs);
            Config config = config_;
            if (slide.slide_mpp > 0) config.slide.mpp = slide.slide_mpp;
            if (!slide.model.empty()) config.model.name = slide.model;
            RunStatus status;
            status.stop = &stop;
            const Progress progress(slide.relative, status, progress_mode(options_));
            result.report = run_slide(job, config, status, [&] { return segmenter_of(config); });
            static constexpr const char* kNames[] = {"complete", "complete_with_failures",
                                                     "already_complete", "interrupted"};
            result.status = kNames[static_cast<size_t>(result.report.outcome)];
        } catch (const Error& error) {
            result.message = error.what();
            result.kind = error.kind();
            if (error.kind() == ErrorKind::Cancelled) result.status = "interrupted";
            spdlog::error("{}", error.what());
        } catch (const std::exception& error) {  // ours or a library's mistake, on this slide
            result.message = error.what();
            spdlog::error("{}: {}", slide.path, error.what());
        }
        return result;
    }

    /// Says once per model what it does not look at.
    std::unique_ptr<Segmenter> segmenter_of(const Config& config) {
        const bool fresh = models_.insert(config.model.name).second;
        return fresh ? segmenter_for(config, options_)
                     : make_segmenter(config.model, config.run.device);
    }

    int finish(size_t total, bool interrupted) const {
        const auto count = [&](auto&& test) {
            return std::count_if(results_.begin(), results_.end(), test);
        };
        const auto failed = count([](const SlideResult& r) { return r.status == "failed"; });
        const auto partial = count([](const SlideResult& r) { return r.report.failed_blocks > 0; });
        spdlog::info("{} of {} slides done, {} failed, {} with unreadable blocks",
                     std::ssize(results_) - failed, total, failed, partial);
        if (interrupted) return exit_code(ErrorKind::Cancelled);
        if (!results_.empty() && fails_them_all(results_.back())) return 4;
        if (failed == std::ssize(results_)) return 3;
        return failed > 0 || partial > 0 ? 2 : 0;
    }

    const BatchOptions& batch_;
    const CommonOptions& options_;
    const Config config_;
    const Shard shard_;
    std::vector<SlideResult> results_;
    std::set<std::string> models_;  // that were opened
};

}  // namespace

int batch_command(const BatchOptions& batch, const CommonOptions& options) {
    refuse_training_settings(options);
    return Batch(batch, options).run();
}

}  // namespace wsi

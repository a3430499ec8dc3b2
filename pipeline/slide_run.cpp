#include "pipeline/slide_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "config/config_io.h"
#include "config/version.h"
#include "io/column_choice.h"
#include "io/slide_checks.h"
#include "io/work_reader.h"
#include "pipeline/assemble.h"
#include "pipeline/finish_region.h"
#include "pipeline/finished_slide.h"
#include "pipeline/flow.h"
#include "pipeline/journal.h"
#include "pipeline/measure_regions.h"
#include "pipeline/provenance.h"
#include "pipeline/region_buffer.h"
#include "pipeline/runtime.h"
#include "pipeline/texture_pixels.h"
#include "stages/table_schema.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// The result file of a job: its .h5 output, or one inside the parts folder that goes with it.
struct Paths {
    std::string parts, result;
    std::string record;  ///< of a run without .h5 (finished_slide.h), else empty
    bool result_is_output = true;
};

Paths paths_of(const SlideJob& job) {
    const std::string kept = kept_file(job.outputs);
    if (kept.ends_with(".h5")) return {kept + ".parts", kept, "", true};
    const std::string parts = job.outputs.front() + ".parts";
    return {parts, parts + "/result.h5", kept, false};
}

class SlideRun {
public:
    SlideRun(const SlideJob& job, const Config& config, RunStatus& status,
             std::unique_ptr<Segmenter> segmenter)
        : job_(job),
          config_(config),
          status_(status),
          segmenter_(std::move(segmenter)),
          paths_(paths_of(job)),
          parts_(paths_.parts),
          threads_(config.run.threads) {}

    SlideReport run();

private:
    int segmenter_workers() const;
    int64_t segmenter_bytes() const;
    void identify();
    RunIdentity parts_identity() const;
    bool already_complete();
    bool recorded_complete();
    void read_unfinished();
    void make_slide_ready();
    void prepare();
    void find_or_restore_fit();
    void take();
    bool measure();
    KeepMaps keep_maps() const { return config_.run.keep_maps ? KeepMaps::Yes : KeepMaps::No; }
    bool map_and_finish();
    bool has_roi() const { return !roi_.mask_png.empty() || !roi_.roi_geojson.empty(); }
    void check_slide() const;
    void check_failures();
    ResultHeader result_header() const;
    void export_all(Restart rewrite);
    SlideReport report(SlideOutcome outcome) const;

    const SlideJob& job_;
    const Config& config_;
    RunStatus& status_;
    std::unique_ptr<Segmenter> segmenter_;
    Paths paths_;
    PartStore parts_;
    int threads_;
    std::unique_ptr<Slide> slide_;
    WorkFrame frame_;
    std::optional<WorkFrame> texture_frame_;
    RoiOptions roi_;
    GrayImage mask_;  // the user's, until it is applied
    TissueMask tissue_;
    RunIdentity identity_;
    SeparateParams separation_;
    std::optional<SlidePlan> plan_;
    std::optional<Journal> journal_;  // of an unfinished run that goes on
    SlideFit fit_;
    TakenSummary taken_;                        // of foreign nuclei
    std::vector<FailedBlock> tissue_failures_;  // of the overview that tissue is found on
    std::vector<FailedBlock> failures_;
    std::optional<FinishedSlide> finished_;  // the same results, by a run that kept no .h5
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int SlideRun::segmenter_workers() const {
    return std::min(threads_, segmenter_->max_concurrency());
}

int64_t SlideRun::segmenter_bytes() const {
    return segmenter_workers() * segmenter_->working_bytes() + segmenter_->shared_bytes();
}

/// Frame and identity: by the model, the slide and the settings, or those of the earlier run.
void SlideRun::identify() {
    const SlideInfo& info = slide_->info();
    if (job_.known) {
        if (info.hash != job_.known->slide_hash)
            fail(ErrorKind::Config, job_.slide, " is another slide than the result's: its hash is ",
                 info.hash, ", expected ", job_.known->slide_hash,
                 "; name the right one with --slide");
        frame_ = job_.known->frame;
        identity_ = job_.known->identity;
    } else {
        roi_ = job_.roi;
        if (job_.exports.frame == Frame::Qupath)
            roi_.geojson_origin = {info.bounds.x, info.bounds.y};
        const InputSpec& spec = segmenter_->input_spec();
        frame_ = make_work_frame(
            info, Mpp{config_.model.work_mpp > 0 ? config_.model.work_mpp : spec.mpp.value});
        mask_ = read_mask(roi_, info);
        identity_ = make_identity(info, config_, spec, roi_hash(roi_));
    }
    texture_frame_ = texture_frame(info, config_.features, frame_);
    separation_ = SeparateParams::from(
        config_.separate, frame_, segmenter_->input_spec().distance ? Depth::OfMap : Depth::OfMask);
}

/// Parts on disk made from kept maps have no feathers: they do not go together with others.
RunIdentity SlideRun::parts_identity() const {
    RunIdentity identity = identity_;
    if (job_.known) identity.fields.emplace_back("source of maps", "an earlier result");
    return identity;
}

bool SlideRun::already_complete() {
    if (job_.restart == Restart::Yes) return false;
    if (!paths_.result_is_output) return recorded_complete();
    if (!fs::exists(paths_.result)) return false;
    try {
        const ResultReader reader(paths_.result);
        const ResultHeader& header = reader.header();
        // A result that names folders is not what was asked for with --no-provenance-paths.
        if (job_.paths == ProvenancePaths::LeftOut &&
            header.slide.path.find('/') != std::string::npos)
            return false;
        if (config_.run.keep_maps && !header.keep_maps) return false;
        return header.identity_hash == identity_.hash() && reader.complete();
    } catch (const Error&) {
        return false;  // foreign or broken: it is made anew
    }
}

bool SlideRun::recorded_complete() {
    finished_ = read_finished(paths_.record);
    if (finished_ && !is_same_run(*finished_, job_, identity_.hash())) finished_.reset();
    return finished_ && has_all_files(*finished_, job_);
}

/// Settings of an unfinished run must be ours: told before anything takes long.
void SlideRun::read_unfinished() {
    if (job_.restart == Restart::No) journal_ = read_journal(parts_);
    if (!journal_) return;
    if (const auto difference = journal_->identity.difference(parts_identity()))
        fail(ErrorKind::Config, parts_.folder(), " holds an unfinished run with another ",
             *difference, "; use the same settings to resume it, or --restart to discard it");
    if (journal_->region_px != config_.tiling.region_px)
        fail(ErrorKind::Config, parts_.folder(),
             " was cut with tiling.region_px = ", journal_->region_px, ", now ",
             config_.tiling.region_px,
             "; use the same value to resume it, or --restart to discard it");
}

/// Unpacks a large flat image, into the folder of the parts.
void SlideRun::make_slide_ready() {
    status_.enter("unpack");
    try {
        slide_->make_ready([this](double fraction) {
            status_.phase_fraction = fraction;
            status_.at("unpack");
            if (status_.stopping())
                fail(ErrorKind::Cancelled, "interrupted; run the same command again");
        });
    } catch (...) {
        std::error_code not_empty;  // then it holds an unfinished run
        fs::remove(parts_.folder(), not_empty);
        throw;
    }
}

void SlideRun::prepare() {
    read_unfinished();
    parts_.create();
    make_slide_ready();
    if (job_.known) {
        tissue_ = job_.known->tissue;
    } else {
        tissue_ = find_slide_tissue(*slide_, frame_, config_.tissue, status_, tissue_failures_);
        if (!tissue_failures_.empty()) check_slide();
        if (has_roi()) tissue_failures_.clear();  // the user's tissue holds, whatever is unreadable
        apply_roi(roi_, std::move(mask_), frame_, tissue_);
    }
    plan_.emplace(make_plan(frame_, segmenter_->input_spec(), config_.tiling.region_px, tissue_,
                            window_halo_px(separation_, config_.features, frame_)));
    if (job_.restart == Restart::Yes) {
        parts_.remove_all();
        parts_.create();
    }
    find_or_restore_fit();
    if (job_.nuclei) take();
}

void SlideRun::find_or_restore_fit() {
    if (journal_) {
        fit_ = journal_->fit;
        return;
    }
    fit_ = job_.known ? job_.known->fit
                      : fit_slide(*slide_, *plan_, tissue_, *segmenter_, config_, status_);
    status_.at("fit");
    write_journal(parts_, {parts_identity(), config_.tiling.region_px, fit_});
}

/// Nuclei of another tool into the part folder; from then on the plan is about where they are.
void SlideRun::take() {
    try {
        taken_ =
            take_nuclei(*job_.nuclei, slide_->info(), roi_.geojson_origin, *plan_, parts_, status_);
    } catch (const Error& error) {
        // Another file may follow at once: nothing of this one is kept.
        if (error.kind() == ErrorKind::Config) parts_.remove_all();
        throw;
    }
    if (taken_.skipped() > 0)
        spdlog::warn("{}: {} of {} nuclei left out ({})", job_.nuclei->path, taken_.skipped(),
                     taken_.taken + taken_.skipped(), taken_.text());
    if (taken_.repaired > 0)
        spdlog::warn("{}: {} nuclei crossed themselves or lay in pieces: their largest piece stays",
                     job_.nuclei->path, taken_.repaired);
    activate_regions_with_nuclei(taken_, parts_, *plan_);
}

bool SlideRun::measure() {
    const bool all = !has_roi();
    RunConfig run = config_.run;
    run.threads = threads_;
    const auto texture = texture_reader(*slide_, texture_frame_);
    if (!measure_regions({*plan_, *slide_, parts_, tissue_, fit_.stain.matrix, config_.features,
                          texture.get(), run, taken_,
                          all ? OffTissue::Measured : OffTissue::LeftOut, status_}))
        return false;
    const uint64_t measured = count_nuclei(*plan_, parts_);
    if (measured < taken_.taken)
        spdlog::warn("{}: {} nuclei lie {}and are left out", job_.nuclei->path,
                     taken_.taken - measured,
                     all ? "wholly under smaller ones " : "outside of --roi or --mask ");
    return true;
}

/// False when a stop was asked for before everything was finished.
bool SlideRun::map_and_finish() {
    const MemoryPlan memory =
        plan_memory(config_.run, *plan_, threads_, config_.model.batch,
                    window_halo_px(separation_, config_.features, frame_),
                    segmenter_bytes() + (texture_frame_ ? kTextureCacheBytes : 0));
    if (segmenter_->working_bytes() > 0) keep_freed_memory();
    status_.enter("tiles");
    RegionBoard board(*plan_, parts_.restore(*plan_, keep_maps()));
    status_.tiles_total = plan_->tile_count();
    const double core_px = plan_->spec.core_px;
    status_.mm2_per_tile = core_px * core_px * frame_.px_area_um2() * 1e-6;
    int64_t to_run = 0;
    for (const RegionIndex region : board.to_map())
        to_run += std::ssize(plan_->active[static_cast<size_t>(plan_->regions.rank(region))]);
    status_.tiles_restored = status_.tiles_total - to_run;
    status_.tiles_done = status_.tiles_restored.load();
    const WorkReader reader(*slide_, frame_, memory.cache_bytes);
    const StainNormaliser normaliser(fit_.stain, config_.stain.stains);
    const auto texture = texture_reader(*slide_, texture_frame_);
    RegionFinisher finish(*plan_, parts_, tissue_, separation_, fit_.stain.matrix, config_.features,
                          texture.get(), keep_maps(), status_);
    run_flow({.plan = *plan_,
              .reader = reader,
              .normaliser = normaliser,
              .segmenter = *segmenter_,
              .slide_params = fit_.slide_params,
              .parts = parts_,
              .memory = memory,
              .board = board,
              .status = status_,
              .threads = threads_,
              .batch = config_.model.batch,
              .shuffle_seed = job_.shuffle_seed,
              .finish_region = [&](RegionIndex region) { finish(region); },
              .check_slide = [this] { check_slide(); }});
    move_cpu(status_.cpu, Stage::Read, Stage::Resample, reader.resample_cpu_ns());
    return board.all_finished();
}

void SlideRun::check_slide() const {
    std::error_code unreachable;
    if (!fs::exists(job_.slide, unreachable))
        fail(ErrorKind::Device, job_.slide,
             ": the slide has gone while it was being read; bring it back and run the same command "
             "again to resume");
}

void SlideRun::check_failures() {
    failures_ = collect_failures(*plan_, parts_);
    failures_.insert(failures_.end(), tissue_failures_.begin(), tissue_failures_.end());
    sort_failures(failures_);
    double failed_mm2 = 0;
    const SlideInfo& info = slide_->info();
    for (const FailedBlock& block : failures_) {
        const double side = info.levels[static_cast<size_t>(block.level)].downsample;
        failed_mm2 += static_cast<double>(block.rect_lvl.area()) * side * side * info.mpp_x *
                      info.mpp_y * 1e-6;
    }
    const double tissue_mm2 = tissue_.area_mm2();
    const double limit = config_.slide.max_failed_fraction;
    if (failures_.size() > 1 && failed_mm2 > limit * tissue_mm2)
        fail(ErrorKind::Slide, job_.slide, ": ", failures_.size(), " blocks could not be decoded (",
             fmt::format("{:.3f}", failed_mm2), " of ", fmt::format("{:.3f}", tissue_mm2),
             " mm² of tissue; at most ", limit * 100,
             " % are allowed); first: ", failures_.front().message,
             "; raise slide.max_failed_fraction to keep the rest");
}

ResultHeader SlideRun::result_header() const {
    ResultHeader header;
    header.slide = slide_->info();
    header.frame = frame_;
    header.schema = table_schema(config_.features, config_.stain.stains);
    header.stain_matrix = fit_.stain.matrix;
    header.stain_max_concentration = fit_.stain.max_concentration;
    header.stain_fitted = fit_.stain.fitted;
    header.stain_reason = fit_.stain.reason;
    header.tissue = tissue_.cells;
    header.tissue_mpp = tissue_.mpp;
    header.tissue_cell_work_px = tissue_.cell_work_px;
    header.tissue_mm2 = tissue_.area_mm2();
    for (const FailedBlock& block : failures_)
        header.failed_tiles.push_back(
            {block.rect_lvl.y, block.rect_lvl.x, block.level, "decode", block.message});
    header.identity_hash = identity_.hash();
    header.results_version = kResultsVersion;
    header.program_version = program_version();
    header.keep_maps = config_.run.keep_maps;
    header.has_distance = plan_->spec.distance;
    header.has_class_maps = !plan_->spec.classes.empty();
    if (header.has_class_maps) header.classes = plan_->spec.classes;
    header.foreign = job_.nuclei.has_value();
    if (job_.nuclei) header.classes = taken_.classes;
    header.provenance = provenance(job_.command, config_, identity_, fit_, job_.paths);
    if (job_.paths == ProvenancePaths::LeftOut) leave_out_folder(header);
    return header;
}

/// Whether a file that is there may be another one than asked for: nothing in it says how it was
/// written.
bool asks_for_more(const ExportOptions& o) {
    return !o.columns.empty() || o.naming != Naming::Ours || o.simplify_px > 0 ||
           o.split_rows > 0 || o.frame != ExportOptions{}.frame;
}

void SlideRun::export_all(Restart rewrite) {
    const ResultReader reader(paths_.result);
    if (asks_for_more(job_.exports)) rewrite = Restart::Yes;
    for (const std::string& output : job_.outputs) {
        if (output == paths_.result) continue;
        if (rewrite == Restart::No && fs::exists(output) &&
            fs::last_write_time(output) >= fs::last_write_time(paths_.result))
            continue;
        status_.enter("export");
        ExportOptions options = job_.exports;
        options.progress = [this](double fraction) {
            status_.phase_fraction = fraction;
            status_.at("export");
        };
        export_result(reader, output, options);
        status_.at("export");
    }
}

SlideReport SlideRun::report(SlideOutcome outcome) const {
    SlideReport out{outcome, 0, 0, failures_.size(), 0};
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (outcome == SlideOutcome::Interrupted) return out;
    if (finished_ && outcome == SlideOutcome::AlreadyComplete) {
        out.nuclei = finished_->nuclei;
        out.tissue_mm2 = finished_->tissue_mm2;
        out.failed_blocks = finished_->failed_blocks;
        return out;
    }
    const ResultReader reader(paths_.result);
    out.nuclei = reader.count();
    out.tissue_mm2 = reader.header().tissue_mm2;
    out.failed_blocks = reader.header().failed_tiles.size();
    return out;
}

SlideReport SlideRun::run() {
    choose_columns(table_schema(config_.features, config_.stain.stains),
                   job_.exports.columns);  // refused before work
    check_batch_memory(config_.run, segmenter_->input_spec(), segmenter_workers(),
                       config_.model.batch, segmenter_bytes());
    status_.enter("open");
    slide_ = open_slide(job_.slide, config_.slide, paths_.parts);
    for (const std::string& warning : slide_->info().warnings)
        spdlog::warn("{}: {}", job_.slide, warning);
    check_brightfield(*slide_);
    identify();
    if (already_complete()) {
        if (paths_.result_is_output) export_all(Restart::No);
        parts_.remove_all();  // left by a run that ended after its last step
        return report(SlideOutcome::AlreadyComplete);
    }
    prepare();
    if (!(job_.nuclei ? measure() : map_and_finish())) return report(SlideOutcome::Interrupted);
    check_failures();
    if (config_.features.neighbours_measured())
        check_neighbour_memory(config_.run, count_nuclei(*plan_, parts_));
    assemble(*plan_, parts_, result_header(), paths_.result, config_, status_);
    // It speaks of the files that are about to be replaced.
    if (!paths_.record.empty()) fs::remove(paths_.record);
    export_all(Restart::Yes);
    const SlideReport done =
        report(failures_.empty() ? SlideOutcome::Complete : SlideOutcome::CompleteWithFailures);
    slide_.reset();
    if (!paths_.record.empty())
        write_finished(paths_.record,
                       finished_slide(job_, identity_.hash(), paths_.result, finished_));
    parts_.remove_all();
    return done;
}

}  // namespace

SlideReport run_slide(const SlideJob& job, const Config& config, RunStatus& status,
                      const std::function<std::unique_ptr<Segmenter>()>& make) {
    WSI_CHECK(!job.outputs.empty() && config.run.threads > 0);
    Config used = config;
    if (std::any_of(job.outputs.begin(), job.outputs.end(),
                    [](const std::string& name) { return export_suffix(name) == ".prob.tif"; }))
        used.run.keep_maps = true;
    return SlideRun(job, used, status, make()).run();
}

}  // namespace wsi

#include "pipeline/cli.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>

#include "config/version.h"
#include "pipeline/cli_examples.h"
#include "pipeline/commands.h"

namespace wsi {

namespace {

void add_config_options(CLI::App& app, CommonOptions& o) {
    app.add_option("--config", o.config_file, "YAML file with settings (see: wsi-segment config)");
    app.add_option("--preset", o.preset, "named settings that ship with the program");
    app.add_option("--set", o.set, "one setting, e.g. --set stain.method=reinhard; repeats")
        ->allow_extra_args(false)
        ->default_str("");
}

void add_feature_options(CLI::App& app, CommonOptions& o) {
    app.add_option("--feature-mpp", o.feature_mpp,
                   "read texture from finer pixels than nuclei are looked for on, e.g. 0.25 µm");
}

void add_slide_options(CLI::App& app, CommonOptions& o) {
    app.add_option("--slide-mpp", o.slide_mpp,
                   "the slide's resolution in µm per pixel, when it is missing or wrong");
    app.add_option("--stains", o.stains, "he or hdab")->check(CLI::IsMember({"he", "hdab"}));
}

void add_model_options(CLI::App& app, CommonOptions& o) {
    app.add_option("--model", o.model,
                   "eunet3plus (default, a network), classical (no network), or a weights file");
    app.add_option("--work-mpp", o.work_mpp, "work at another resolution than the model's own");
    app.add_option("--stain", o.stain, "stain normalisation")
        ->check(CLI::IsMember({"macenko", "reinhard", "vahadane", "none"}));
    app.add_option("--device", o.device, "auto, cpu or cuda");
    app.add_option("--threads", o.threads, "default: all cores")->check(CLI::PositiveNumber);
    app.add_option("--memory", o.memory, "bound on memory, e.g. 1400MiB or 2GiB");
}

void add_result_options(CLI::App& app, CommonOptions& o) {
    app.add_flag("--keep-maps", o.keep_maps, "keep the probability and distance maps in the .h5");
    app.add_flag("--restart", o.restart, "discard what an earlier run left");
    app.add_flag("--no-provenance-paths", o.no_provenance_paths,
                 "leave folders and the host's name out of the .h5; file names stay");
}

void add_run_options(CLI::App& app, CommonOptions& o) {
    add_config_options(app, o);
    add_slide_options(app, o);
    add_model_options(app, o);
    add_feature_options(app, o);
    app.add_option("--roi", o.roi, "GeoJSON polygons: look for nuclei only there");
    add_result_options(app, o);
}

void add_log_options(CLI::App& app, CommonOptions& o) {
    app.add_flag("-q,--quiet", o.quiet, "no progress, warnings and errors only");
    app.add_flag("-v,--verbose", o.verbose, "more log lines");
    app.add_option("--log", o.log_file, "write the log to this file too");
}

void add_output_options(CLI::App& app, CommonOptions& o) {
    app.add_option(
           "--frame", o.frame,
           "origin of GeoJSON read and written: qupath (shifted by the slide's bounds) or level0")
        ->check(CLI::IsMember({"qupath", "level0"}));
    app.add_option("--columns", o.columns,
                   "measurements in the exports, e.g. shape_area_um2,nucleus_H_*; default: all, in "
                   "files for viewers ten")
        ->delimiter(',')
        ->default_str("");
    app.add_option("--naming", o.naming,
                   "names and units of measurements in the exports; what the tool lacks or defines "
                   "otherwise is left out")
        ->check(CLI::IsMember({"ours", "histomicstk", "qupath", "cellprofiler"}));
    app.add_flag("--loose-names", o.loose_names,
                 "with --naming: what the tool defines otherwise, too (docs/naming.md)");
    app.add_option("--simplify", o.simplify_px,
                   "let outlines in the exports move by so many level-0 pixels, e.g. 0.5")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--split", o.split_rows,
                   "at most so many nuclei per exported file (out.part-0001.geojson.gz, ...); 0 = "
                   "all in one");
    add_log_options(app, o);
}

void set_up_log(const CommonOptions& o) {
    auto logger = spdlog::stderr_color_mt("wsi-segment");
    if (!o.log_file.empty()) {
        try {
            logger->sinks().push_back(
                std::make_shared<spdlog::sinks::basic_file_sink_mt>(o.log_file));
        } catch (const spdlog::spdlog_ex& error) {
            fail(ErrorKind::Output, "cannot write the log ", o.log_file, ": ", error.what());
        }
    }
    logger->set_pattern("%H:%M:%S %^%l%$ %v");
    logger->set_level(o.quiet     ? spdlog::level::warn
                      : o.verbose ? spdlog::level::debug
                                  : spdlog::level::info);
    spdlog::set_default_logger(logger);
}

/// Runs the command that was chosen.
class CommandLine {
public:
    CommandLine() {
        app_.footer(examples::kSegment +
                    fmt::format("\n\nOutputs by suffix: {}.", fmt::join(export_suffixes(), " ")));
        app_.set_version_flag("--version", std::string(program_version()));
        app_.option_defaults()->always_capture_default();
        add_segment();
        add_batch();
        add_export();
        add_evaluate();
        add_patches();
        add_info();
        add_train();
        add_experiments();
        add_model();
        add_resegment();
        add_measure();
        add_compare();
        add_report();
    }

    int run(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            const int code = app_.exit(error);
            return code == 0 ? 0 : exit_code(ErrorKind::Config);
        }
        options_.command_line =
            command_text({argv, static_cast<size_t>(argc)}, provenance_paths(options_));
        set_up_log(options_);
        if (batch_->parsed()) return batch_command(batch_options_, options_);
        if (export_->parsed()) return export_command(export_options_, options_);
        if (compare_->parsed()) return compare_command(compare_options_, options_);
        if (report_->parsed()) return report_command(report_options_, options_);
        if (measure_->parsed()) return measure_command(measure_options_, options_);
        if (resegment_->parsed()) return resegment_command(resegment_options_, options_);
        if (evaluate_->parsed()) return evaluate_command(evaluate_options_, options_);
        if (patches_->parsed()) return patches_command(patches_options_, options_);
        if (info_->parsed()) return info_command(info_slide_, info_format_, options_);
        if (doctor_->parsed()) return doctor_command(options_);
        if (experiments_->parsed()) return experiments_command(experiments_options_, options_);
        if (train_->parsed()) return train_command(train_job_, options_);
        if (model_list_->parsed()) return model_list_command(options_);
        if (model_info_->parsed()) return model_info_command(model_info_options_, options_);
        if (model_convert_->parsed())
            return model_convert_command(model_convert_options_, options_);
        if (model_average_->parsed())
            return model_average_command(model_average_options_, options_);
        if (config_->parsed()) return config_command(config_format_, options_);
        if (segment_.slide.empty())
            fail(ErrorKind::Config, "no slide given: wsi-segment SLIDE -o FILE, or see --help");
        return segment_command(segment_, options_);
    }

private:
    void add_segment() {
        app_.add_option("slide", segment_.slide, "slide, flat image or DICOM folder");
        app_.add_option("-o,--output", segment_.outputs,
                        "result file; the suffix decides the format; repeats (default: <slide>.h5)")
            ->allow_extra_args(false)
            ->default_str("");
        app_.add_option("--mask", options_.mask, "image in the place of the tissue mask");
        add_run_options(app_, options_);
        add_output_options(app_, options_);
    }
    void add_batch() {
        batch_ = app_.add_subcommand("batch", "many slides: folders, globs, lists");
        batch_
            ->add_option(
                "inputs", batch_options_.inputs,
                "slides, folders (searched recursively), globs, or a CSV with a column `slide` "
                "and, as you like, slide_mpp, mask, roi, model")
            ->required()
            ->default_str("");
        batch_->add_option("-o,--output", batch_options_.output_dir, "folder for the results")
            ->required();
        batch_->add_option("--format", batch_options_.formats, "suffixes, e.g. h5,geojson.gz")
            ->delimiter(',');
        batch_->add_option("--shard", batch_options_.shard,
                           "I/N: only every N-th slide, from I = 0");
        batch_->add_option("--mask-dir", batch_options_.mask_dir,
                           "folder with <slide name>.png in the place of tissue masks");
        batch_->add_flag("--dry-run", batch_options_.dry_run, "say what would be done");
        add_run_options(*batch_, options_);
        add_output_options(*batch_, options_);
        batch_->footer(examples::kBatch);
    }
    void add_export() {
        export_ = app_.add_subcommand("export", "other formats from a finished .h5");
        export_->add_option("result", export_options_.result, "result .h5")->required();
        export_->add_option("-o,--output", export_options_.outputs, "file to write; repeats")
            ->required()
            ->allow_extra_args(false)
            ->default_str("");
        add_output_options(*export_, options_);
        export_->footer(examples::kExport);
    }
    void add_resegment() {
        resegment_ = app_.add_subcommand("resegment", "nuclei again from kept maps, no network");
        ResegmentOptions& o = resegment_options_;
        resegment_->add_option("result", o.result, "result .h5 made with --keep-maps")->required();
        resegment_->add_option("-o,--output", o.outputs, "file to write; repeats")
            ->required()
            ->allow_extra_args(false)
            ->default_str("");
        resegment_->add_option("--slide", o.slide, "where the slide is, when it was moved");
        resegment_
            ->add_option("--set", options_.set, "separate.* and features.* to change; repeats")
            ->allow_extra_args(false)
            ->default_str("");
        resegment_->add_option("--threads", options_.threads, "default: all cores")
            ->check(CLI::PositiveNumber);
        resegment_->add_option("--memory", options_.memory, "bound on memory, e.g. 2GiB");
        add_result_options(*resegment_, options_);
        add_output_options(*resegment_, options_);
        resegment_->footer(examples::kResegment);
    }
    void add_measure() {
        measure_ = app_.add_subcommand("measure", "the table for nuclei that another tool found");
        MeasureOptions& o = measure_options_;
        measure_->add_option("slide", o.slide, "slide, flat image or DICOM folder")->required();
        measure_
            ->add_option("--nuclei", o.nuclei.path,
                         "label image (.tif, .png), GeoJSON, CellViT's or HoVer-Net's JSON, or "
                         "TIAToolbox's AnnotationStore (.db)")
            ->required();
        measure_->add_option("-o,--output", o.outputs, "file to write; repeats")
            ->required()
            ->allow_extra_args(false)
            ->default_str("");
        measure_
            ->add_option("--max-skipped", o.nuclei.max_skipped,
                         "share of the nuclei that may be unusable, e.g. off the slide")
            ->check(CLI::Range(0.0, 1.0));
        measure_->add_option("--work-mpp", options_.work_mpp,
                             "resolution to measure at in µm per pixel (default 0.5)");
        measure_->add_option("--roi", options_.roi, "GeoJSON polygons: measure only there");
        measure_->add_option("--mask", options_.mask, "image: measure only where it is bright");
        measure_->add_option("--threads", options_.threads, "default: all cores")
            ->check(CLI::PositiveNumber);
        measure_->add_option("--memory", options_.memory, "bound on memory, e.g. 2GiB");
        add_config_options(*measure_, options_);
        add_slide_options(*measure_, options_);
        add_feature_options(*measure_, options_);
        measure_->add_flag("--restart", options_.restart, "discard what an earlier run left");
        measure_->add_flag("--no-provenance-paths", options_.no_provenance_paths,
                           "leave folders and the host's name out of the .h5; file names stay");
        add_output_options(*measure_, options_);
        measure_->footer(examples::kMeasure);
    }
    void add_compare() {
        compare_ = app_.add_subcommand("compare", "two results of one slide: what differs");
        CompareOptions& o = compare_options_;
        compare_->add_option("a", o.a, "result .h5")->required();
        compare_->add_option("b", o.b, "another result .h5 of the same slide")->required();
        compare_
            ->add_option("-o,--output", o.outputs,
                         "difference.geojson[.gz] for QuPath, .csv or .md; repeats (default: "
                         "Markdown on the terminal)")
            ->allow_extra_args(false)
            ->default_str("");
        add_output_options(*compare_, options_);
        compare_->footer(examples::kCompare);
    }
    void add_report() {
        report_ = app_.add_subcommand("report", "a page to look at, of a result or a whole batch");
        ReportOptions& o = report_options_;
        report_->add_option("input", o.input, "result .h5, or a folder of results")->required();
        report_->add_option("-o,--output", o.output, "page to write, .html")->required();
        report_
            ->add_option("--columns", options_.columns,
                         "histograms on a result's page, e.g. shape_area_um2,nucleus_H_*")
            ->delimiter(',')
            ->allow_extra_args(false)
            ->default_str("");
        add_log_options(*report_, options_);
        report_->footer(examples::kReport);
    }
    void add_evaluate() {
        evaluate_ = app_.add_subcommand("evaluate", "scores against outlines drawn by people");
        EvaluateOptions& o = evaluate_options_;
        evaluate_
            ->add_option(
                "--data", o.data,
                "data set: a folder with images/ and labels/, or an official layout; repeats")
            ->required();
        evaluate_->add_option("--split", o.split, "only images of this split, e.g. val");
        evaluate_->add_option("--every", o.every, "only every N-th image")
            ->check(CLI::PositiveNumber);
        evaluate_->add_option("--predictions", o.predictions,
                              "folder with label images made elsewhere, or an array as CoNIC's "
                              "(.npy: id, class), in the model's place");
        evaluate_->add_flag("--oracle", o.oracle,
                            "score separation on perfect maps, too: what no model can exceed");
        evaluate_->add_flag("--keep-vague", o.keep_vague,
                            "score vague areas too, which are masked otherwise");
        evaluate_->add_option("--compat", o.compat, "whose rules for images without nuclei")
            ->check(CLI::IsMember({"ours", "hovernet", "conic", "paper"}));
        evaluate_
            ->add_option("-o,--output", o.output,
                         "report .csv, with tables beside it as .md; or a folder, which also gets "
                         "pictures of the best, median and worst image")
            ->required();
        evaluate_->add_option("--save-labels", o.save_labels,
                              "folder for the labels found, 16-bit PNG");
        add_config_options(*evaluate_, options_);
        add_slide_options(*evaluate_, options_);
        add_model_options(*evaluate_, options_);
        add_log_options(*evaluate_, options_);
        evaluate_->footer(examples::kEvaluate);
    }
    void add_patches() {
        patches_ = app_.add_subcommand("patches", "cuts data sets into squares for training");
        PatchesOptions& o = patches_options_;
        patches_
            ->add_option("data", o.sources,
                         "data sets: folders with images/ and labels/, official layouts, or slides "
                         "each with its .geojson")
            ->required();
        patches_->add_option("-o,--output", o.output, "patch file .h5")->required();
        patches_->add_option("--patch-px", o.patch_px, "side at the model's resolution")
            ->check(CLI::Range(16, 4096));
        patches_->add_option("--stride-px", o.stride_px, "step from patch to patch; 0 = its side")
            ->check(CLI::NonNegativeNumber);
        patches_
            ->add_option("--val-fraction", o.val_fraction,
                         "part of the source images that goes to val, where there is no split")
            ->check(CLI::Range(0.0, 1.0));
        add_config_options(*patches_, options_);
        add_slide_options(*patches_, options_);
        add_model_options(*patches_, options_);
        add_log_options(*patches_, options_);
        patches_->footer(examples::kPatches);
    }
    void add_info() {
        info_ = app_.add_subcommand("info", "what a slide is: size, levels, resolution, stain");
        info_->add_option("slide", info_slide_, "slide, flat image or DICOM folder")->required();
        info_->add_flag_callback(
            "--json", [this] { info_format_ = "json"; }, "as JSON");
        add_slide_options(*info_, options_);
        doctor_ = app_.add_subcommand("doctor", "checks the installation; exit code 0 = healthy");
        config_ = app_.add_subcommand("config", "the settings in force, every key explained");
        config_->add_flag_callback(
            "--markdown", [this] { config_format_ = "markdown"; },
            "as the table in docs/config.md");
        add_config_options(*config_, options_);
        info_->footer(examples::kInfo);
        doctor_->footer(examples::kDoctor);
        config_->footer(examples::kConfig);
    }

    void add_model() {
        CLI::App* model = app_.add_subcommand("model", "weights files and networks");
        model->require_subcommand(1);
        model_list_ = model->add_subcommand("list", "models, networks and encoders known");
        model_info_ = model->add_subcommand("info", "what a weights file or a network is");
        ModelInfoOptions& info = model_info_options_;
        model_info_
            ->add_option("model", info.model,
                         "weights file, shipped model, or a network or encoder of `model list` in "
                         "the shape that --set network.* gives")
            ->required();
        model_info_->add_flag("--layers", info.layers,
                              "every layer: output, parameters, floating-point operations");
        model_info_->add_option("--px", info.px, "side of the image; 0 = 256, an encoder's own")
            ->check(CLI::Range(0, 4096));
        add_config_options(*model_info_, options_);
        model_convert_ = model->add_subcommand("convert", "torch.save files to safetensors");
        ModelConvertOptions& convert = model_convert_options_;
        model_convert_->add_option("input", convert.input, ".pth, .pt or .safetensors")->required();
        model_convert_->add_option("output", convert.output, ".safetensors")->required();
        model_convert_->add_flag("--network", convert.network,
                                 "the tensors are of the network that --set network.* and train.* "
                                 "describe: checked, and written along, so that --model runs it");
        add_config_options(*model_convert_, options_);
        model_average_ =
            model->add_subcommand("average", "the mean of weights of several epochs or runs");
        ModelAverageOptions& average = model_average_options_;
        model_average_
            ->add_option("inputs", average.inputs, "two .safetensors or more of one network")
            ->required();
        model_average_->add_option("-o,--output", average.output, ".safetensors")->required();
        add_config_options(*model_average_, options_);
        model->footer(examples::kModel);
        model_list_->footer(examples::kModelList);
        model_info_->footer(examples::kModelInfo);
        model_convert_->footer(examples::kModelConvert);
        model_average_->footer(examples::kModelAverage);
    }
    void add_train() {
        train_ = app_.add_subcommand("train", "trains a network on labelled images");
        train_
            ->add_option("--data", train_job_.folders,
                         "data set folder with images/ and labels/; repeats")
            ->required();
        train_->add_option("-o,--output", train_job_.output, "folder of the run; resumes")
            ->required();
        train_->add_option("--from", train_job_.from, "weights to start from");
        train_->add_option("--fold", options_.fold, "which of train.folds parts is kept out")
            ->check(CLI::NonNegativeNumber);
        train_->add_option("--max-steps", train_job_.max_steps, "stop after so many steps");
        train_->add_option("--threads", options_.threads, "default: all cores")
            ->check(CLI::PositiveNumber);
        add_config_options(*train_, options_);
        train_->add_flag("-q,--quiet", options_.quiet, "warnings and errors only");
        train_->add_flag("-v,--verbose", options_.verbose, "every step");
        train_->footer(examples::kTrain);
    }

    void add_experiments() {
        experiments_ = app_.add_subcommand(
            "experiments", "trains every row of a table over seeds and folds; resumes");
        ExperimentsOptions& o = experiments_options_;
        experiments_->add_option("table", o.file, "YAML file, e.g. config/experiments/table1.yaml")
            ->required();
        experiments_->add_option("--data", o.data, "data set folder; repeats")->required();
        experiments_
            ->add_option("-o,--output", o.output, "folder for the runs, table.md and table.csv")
            ->required();
        experiments_
            ->add_option("--seeds", o.seeds, "runs of each row and fold; 0 = as the table says")
            ->check(CLI::NonNegativeNumber);
        experiments_->add_option("--threads", options_.threads, "default: all cores")
            ->check(CLI::PositiveNumber);
        add_config_options(*experiments_, options_);
        add_log_options(*experiments_, options_);
        experiments_->footer(examples::kExperiments);
    }

    CLI::App app_{"Finds every nucleus on a whole slide and measures it."};
    CommonOptions options_;
    SegmentOptions segment_;
    BatchOptions batch_options_;
    ExportCommandOptions export_options_;
    ResegmentOptions resegment_options_;
    MeasureOptions measure_options_;
    CompareOptions compare_options_;
    ReportOptions report_options_;
    ModelInfoOptions model_info_options_;
    ModelConvertOptions model_convert_options_;
    ModelAverageOptions model_average_options_;
    EvaluateOptions evaluate_options_;
    PatchesOptions patches_options_;
    TrainJob train_job_;
    ExperimentsOptions experiments_options_;
    std::string info_slide_, info_format_ = "text", config_format_ = "yaml";
    CLI::App *batch_ = nullptr, *export_ = nullptr, *info_ = nullptr, *doctor_ = nullptr,
             *config_ = nullptr, *evaluate_ = nullptr, *train_ = nullptr, *experiments_ = nullptr,
             *patches_ = nullptr, *resegment_ = nullptr, *measure_ = nullptr, *compare_ = nullptr,
             *report_ = nullptr, *model_list_ = nullptr, *model_info_ = nullptr,
             *model_convert_ = nullptr, *model_average_ = nullptr;
};

}  // namespace

int run_cli(int argc, char** argv) {
    try {
        return CommandLine().run(argc, argv);
    } catch (const Error& error) {
        fmt::print(stderr, "wsi-segment: {}\n", error.what());
        return exit_code(error.kind());
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "wsi-segment: out of memory; lower --memory or --threads\n");
        return exit_code(ErrorKind::Device);
    } catch (const std::exception& error) {
        fmt::print(stderr, "wsi-segment: unexpected error: {}\n", error.what());
        return exit_code(ErrorKind::Internal);
    }
}

}  // namespace wsi

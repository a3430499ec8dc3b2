#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/config_io.h"
#include "io/work_reader.h"
#include "pipeline/commands.h"
#include "pipeline/runtime.h"
#include "stages/separate.h"

namespace wsi {

using nlohmann::json;

namespace {

json slide_json(const SlideInfo& info) {
    json levels = json::array();
    for (const SlideLevel& level : info.levels)
        levels.push_back({{"width_px", level.size.width},
                          {"height_px", level.size.height},
                          {"downsample", level.downsample}});
    json out{{"path", info.path},
             {"vendor", info.vendor},
             {"levels", levels},
             {"mpp_x", info.mpp_x},
             {"mpp_y", info.mpp_y},
             {"mpp_source", to_string(info.mpp_source)},
             {"bounds_px", {info.bounds.x, info.bounds.y, info.bounds.width, info.bounds.height}},
             {"hash", info.hash},
             {"warnings", info.warnings}};
    if (info.objective_power) out["objective_power"] = *info.objective_power;
    return out;
}

json stain_json(const StainFit& fit) {
    return {{"haematoxylin", fit.matrix[0]},
            {"second_stain", fit.matrix[1]},
            {"max_concentration", fit.max_concentration},
            {"source", fit.fitted ? "fit" : "reference"},
            {"reason", fit.reason}};
}

void print_stain(const json& stain) {
    for (const char* name : {"haematoxylin", "second_stain"}) {
        const auto od = stain.at(name).get<std::array<double, 3>>();
        fmt::print("  {:12}optical densities of R, G, B: {:.3f} {:.3f} {:.3f}\n",
                   name == std::string("second_stain") ? "2nd stain" : "haematox.", od[0], od[1],
                   od[2]);
    }
    if (stain.at("source") != "fit")
        fmt::print("              (reference values: {})\n", stain.at("reason").get<std::string>());
}

void print_text(const SlideInfo& info, const json& all) {
    fmt::print(
        "{}\n  vendor      {}\n  size        {} x {} px\n  resolution  {:.4g} x {:.4g} µm/px "
        "(from {})\n",
        info.path, info.vendor, info.size().width, info.size().height, info.mpp_x, info.mpp_y,
        to_string(info.mpp_source));
    for (size_t i = 0; i < info.levels.size(); ++i)
        fmt::print("  level {}     {} x {}, 1:{:.4g}\n", i, info.levels[i].size.width,
                   info.levels[i].size.height, info.levels[i].downsample);
    if (info.bounds.size() != info.size())
        fmt::print("  bounds      {} x {} px at {}, {}\n", info.bounds.width, info.bounds.height,
                   info.bounds.x, info.bounds.y);
    fmt::print("  tissue      {:.2f} mm²\n", all.at("tissue_mm2").get<double>());
    print_stain(all.at("stain"));
    for (const std::string& warning : info.warnings) fmt::print("  warning     {}\n", warning);
}

}  // namespace

int info_command(const std::string& path, const std::string& format, const CommonOptions& options) {
    const Config config = effective_config(options);
    const Runtime runtime(config.run.threads);
    const auto slide = open_slide(path, config.slide);
    const auto segmenter = make_segmenter(config.model);
    RunStatus status;
    const WorkFrame frame = make_work_frame(slide->info(), segmenter->input_spec().mpp);
    std::vector<FailedBlock> unreadable;  // a run lists them
    const TissueMask tissue = find_slide_tissue(*slide, frame, config.tissue, status, unreadable);
    const SlidePlan plan = make_plan(
        frame, segmenter->input_spec(), config.tiling.region_px, tissue,
        window_halo_px(SeparateParams::from(config.separate, frame), config.features, frame));
    json all = slide_json(slide->info());
    all["tissue_mm2"] = tissue.area_mm2();
    all["stain"] = stain_json(fit_slide(*slide, plan, tissue, *segmenter, config, status).stain);
    if (format == "json")
        fmt::print("{}\n", all.dump(2));
    else
        print_text(slide->info(), all);
    return 0;
}

int config_command(const std::string& format, const CommonOptions& options) {
    Config config;
    if (!options.preset.empty()) load_preset(config, options.preset);
    if (!options.config_file.empty()) load_config_file(config, options.config_file);
    for (const std::string& setting : options.set) apply_set(config, setting);
    fmt::print("{}", format == "markdown" ? config_markdown() : config_yaml(config));
    return 0;
}

}  // namespace wsi

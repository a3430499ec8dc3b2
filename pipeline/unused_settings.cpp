#include "pipeline/unused_settings.h"

#include <spdlog/spdlog.h>

namespace wsi {

namespace {

/// The method of normalisation that the command line names; empty when it names none.
std::string stain_method(const CommonOptions& options) {
    static constexpr std::string_view kKey = "stain.method=";
    std::string method;
    for (const std::string& setting : options.set)
        if (setting.starts_with(kKey)) method = setting.substr(kKey.size());
    return options.stain.value_or(method);
}

}  // namespace

void refuse_training_settings(const CommonOptions& options) {
    for (const std::string& setting : options.set)
        if (setting.starts_with("network.") || setting.starts_with("train."))
            fail(ErrorKind::Config, "--set ", setting,
                 " has no effect here: network.* and train.* shape weights while they are trained, "
                 "and a weights file brings its own; leave it out, or train with it");
}

std::unique_ptr<Segmenter> segmenter_for(const Config& config, const CommonOptions& options) {
    auto segmenter = make_segmenter(config.model, config.run.device);
    const std::string method = stain_method(options);
    if (!segmenter->input_spec().normalised && !method.empty() && method != "none")
        spdlog::warn(
            "--stain {} does not change what is found: model {} looks at the slide's own colours, "
            "not at normalised ones; leave it out{}",
            method, segmenter->input_spec().name,
            method == "vahadane" ? " (the stain vectors that densities are measured with are its)"
                                 : "");
    return segmenter;
}

}  // namespace wsi

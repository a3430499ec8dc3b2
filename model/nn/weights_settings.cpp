#include "model/nn/weights_settings.h"

#include "config/config_io.h"
#include "config/error.h"

namespace wsi::nn {

Config settings_of(const Notes& notes, const std::string& path) {
    if (!notes.contains("network.architecture"))
        fail(ErrorKind::Checkpoint, path,
             " does not say what network it is for (no network.architecture in its metadata); "
             "expected a file written by `wsi-segment train` or `wsi-segment model convert "
             "--network`");
    Config config;
    for (const auto& [key, value] : notes)
        if (key.starts_with("network.") || key.starts_with("train."))
            with_context([&] { apply_set(config, key + "=" + value); }, path);
    return config;
}

}  // namespace wsi::nn

#include "pipeline/texture_pixels.h"

#include <cmath>

namespace wsi {

std::optional<WorkFrame> texture_frame(const SlideInfo& info, const FeatureConfig& features,
                                       const WorkFrame& work) {
    const double wanted = features.texture_mpp;
    if (wanted == 0 || !features.texture) return std::nullopt;
    const double finest = std::sqrt(info.mpp_x * info.mpp_y);
    if (wanted < finest * (1 - kLevelTolerance))
        fail(ErrorKind::Slide, info.path, ": texture is to be read at ", wanted,
             " µm/px, but the slide's finest pixels are ", finest,
             " µm; raise --feature-mpp (features.texture_mpp), or leave it out to measure texture "
             "at the working resolution");
    const WorkFrame frame = make_work_frame(info, Mpp{wanted});
    if (frame.downsample >= work.downsample)
        fail(ErrorKind::Config, "--feature-mpp ", wanted,
             " (features.texture_mpp) is not finer than ", work.mpp(), " µm/px, at which ",
             info.path, " is worked on; leave it out");
    return frame;
}

std::unique_ptr<WorkReader> texture_reader(const Slide& slide,
                                           const std::optional<WorkFrame>& frame) {
    if (!frame) return nullptr;
    return std::make_unique<WorkReader>(slide, *frame, static_cast<size_t>(kTextureCacheBytes));
}

}  // namespace wsi

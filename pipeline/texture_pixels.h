#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "config/config.h"
#include "io/work_reader.h"

namespace wsi {

/// Decoded blocks of these pixels that are kept; `--memory` holds them.
inline constexpr int64_t kTextureCacheBytes = int64_t{64} << 20;

/// The frame of features.texture_mpp; none where texture is read from work pixels. Throws when the
/// slide has no such pixels (Error{Slide}) or they are no finer than work pixels (Error{Config}).
std::optional<WorkFrame> texture_frame(const SlideInfo& info, const FeatureConfig& features,
                                       const WorkFrame& work);

/// What these pixels are read with; null without a frame.
std::unique_ptr<WorkReader> texture_reader(const Slide& slide,
                                           const std::optional<WorkFrame>& frame);

}  // namespace wsi

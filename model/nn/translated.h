#pragma once

#include <string_view>

#include "config/error.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Runs what calls LibTorch. c10::Error becomes Error{Device}: outside model/ nobody knows the
/// type.
template <class Function>
decltype(auto) translated(Function&& function) {
    try {
        return std::forward<Function>(function)();
    } catch (const c10::OutOfMemoryError& error) {
        const std::string_view what = error.what_without_backtrace();
        fail(ErrorKind::Device,
             "not enough memory for the batch: ", what.substr(0, what.find('\n')),
             "; lower model.batch or model.tile_px");
    } catch (const c10::Error& error) {
        fail(ErrorKind::Device, "LibTorch: ", error.what_without_backtrace());
    }
}

}  // namespace wsi::nn

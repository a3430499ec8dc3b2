#pragma once

#include "config/error.h"
#include "model/nn/torch.h"

namespace wsi::nn {

/// Runs what calls LibTorch. c10::Error becomes Error{Device}: outside model/ nobody knows the
/// type.
template <class Function>
decltype(auto) translated(Function&& function) {
    try {
        return std::forward<Function>(function)();
    } catch (const c10::Error& error) {
        fail(ErrorKind::Device, "LibTorch: ", error.what_without_backtrace());
    }
}

}  // namespace wsi::nn

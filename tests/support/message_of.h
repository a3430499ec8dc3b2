#pragma once

#include <functional>
#include <string>

#include "config/error.h"

namespace wsi::test {

/// What an action's Error says.
inline std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing thrown";
}

}  // namespace wsi::test

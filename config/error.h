#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace wsi {

/// What is to blame. Each kind maps to one exit code (exit_code()).
enum class ErrorKind {
    Config,      ///< usage or configuration: 1
    Slide,       ///< this slide cannot be processed: 2 or 3, by how many others succeeded
    Checkpoint,  ///< a weights file is unusable: 1
    Output,      ///< disk full, unwritable folder: 4
    Device,      ///< missing device, out of memory: 4
    Cancelled,   ///< interrupted by the user: 130
    Internal     ///< a broken invariant of ours: 70
};

/// The only exception type that leaves a module. `what()` is the line the user reads:
/// what failed, on which file, value got, value expected, remedy.
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

private:
    ErrorKind kind_;
};

namespace detail {
template <class... Parts>
std::string concat(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}
[[noreturn]] inline void check_failed(const char* expression, const char* file, int line,
                                      const std::string& parts) {
    throw Error(ErrorKind::Internal, concat("internal check failed: ", expression, " at ", file,
                                            ":", line, parts.empty() ? "" : ": ", parts));
}
}  // namespace detail

/// Throws Error{kind} with the parts streamed together.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
    throw Error(kind, detail::concat(parts...));
}

/// Runs `function`; an Error on its way out gets "<context>: " in front of its message.
template <class Function>
decltype(auto) with_context(Function&& function, std::string_view context) {
    try {
        return std::forward<Function>(function)();
    } catch (const Error& error) {
        throw Error(error.kind(), detail::concat(context, ": ", error.what()));
    }
}

/// Process exit code of an error that ended a single-slide run.
constexpr int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::Config:
        case ErrorKind::Checkpoint: return 1;
        case ErrorKind::Slide: return 3;
        case ErrorKind::Output:
        case ErrorKind::Device: return 4;
        case ErrorKind::Cancelled: return 130;
        case ErrorKind::Internal: return 70;
    }
    return 70;
}

}  // namespace wsi

/// Always on: an invariant of ours. Never for input that a file or a user can reach.
#define WSI_CHECK(condition, ...)                                                              \
    do {                                                                                       \
        if (!(condition))                                                                      \
            ::wsi::detail::check_failed(#condition, __FILE__, __LINE__,                        \
                                        ::wsi::detail::concat("" __VA_OPT__(, ) __VA_ARGS__)); \
    } while (false)

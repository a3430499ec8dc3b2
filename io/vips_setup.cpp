#include "io/vips_setup.h"

#include <mutex>
#include <vips/vips8>

#include "config/error.h"

namespace wsi {

void set_up_vips() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (VIPS_INIT("wsi-segment") != 0) fail(ErrorKind::Internal, "libvips does not start");
        vips_concurrency_set(1);
        vips_cache_set_max(0);
        vips_operation_block_set("VipsForeignLoadOpenslide", TRUE);
        // Warnings about odd tags would be mixed into our own output.
        g_log_set_handler(
            "VIPS", G_LOG_LEVEL_WARNING, [](auto...) {}, nullptr);
    });
}

std::string take_vips_error() {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::string text(vips_error_buffer());
    vips_error_clear();
    return text.substr(0, text.find('\n'));
}

}  // namespace wsi

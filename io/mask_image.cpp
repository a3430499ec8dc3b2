#include <memory>
#include <vips/vips8>

#include "io/roi.h"
#include "io/vips_setup.h"

namespace wsi {

GrayImage read_mask_image(const std::string& path) {
    set_up_vips();
    try {
        const vips::VImage image =
            vips::VImage::new_from_file(path.c_str(),
                                        vips::VImage::option()->set("fail_on", VIPS_FAIL_ON_ERROR))
                .cast(VIPS_FORMAT_UCHAR);
        const int bands = image.bands();
        size_t bytes = 0;
        const std::unique_ptr<void, decltype(&g_free)> pixels(image.write_to_memory(&bytes),
                                                              &g_free);
        const auto* from = static_cast<const uint8_t*>(pixels.get());
        GrayImage mask(image.width(), image.height());
        // Alpha says where the image is, not what is selected.
        const int channels = bands == 2 || bands == 4 ? bands - 1 : bands;
        for (int64_t i = 0; i < mask.size().area(); ++i) {
            bool set = false;
            for (int c = 0; c < channels; ++c) set = set || from[i * bands + c] > 127;
            mask.data()[i] = set ? 1 : 0;
        }
        return mask;
    } catch (const vips::VError&) {
        fail(ErrorKind::Config, "cannot read the mask ", path, ": ", take_vips_error(),
             "; expected a picture of the slide's shape, white where to look, e.g. an 8-bit PNG");
    }
}

}  // namespace wsi

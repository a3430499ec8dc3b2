#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsi {

/// Removes from tensor names what training programs wrap around a model: `module.` (DataParallel)
/// and `model.` (Lightning) where every name begins with it, again and again; and `_orig_mod.`
/// (compile),
/// `_fsdp_wrapped_module.`, `_checkpoint_wrapped_module.` wherever they are a whole segment.
/// Different names may become equal; the caller refuses that.
void strip_wrapper_names(std::vector<std::string>& names);

/// Names of SAM's image encoder, original (facebookresearch/segment-anything, `image_encoder.`) and
/// in Hugging Face's SamModel (`vision_encoder.`). Nothing when the name is not one of the given
/// kind; names under the prefix that both spell alike are passed on with the other prefix.
std::optional<std::string> sam_to_original(std::string_view hugging_face);
std::optional<std::string> sam_to_hugging_face(std::string_view original);

}  // namespace wsi

#include "io/weights_names.h"

#include <algorithm>
#include <array>

namespace wsi {

namespace {

constexpr std::array<std::string_view, 2> kOutermost{"module.", "model."};
constexpr std::array<std::string_view, 3> kAnywhere{"_orig_mod.", "_fsdp_wrapped_module.",
                                                    "_checkpoint_wrapped_module."};

/// Only at the beginning of a name or after a dot.
void erase_segment(std::string& name, std::string_view segment) {
    for (size_t at = 0; (at = name.find(segment, at)) != std::string::npos;)
        if (at == 0 || name[at - 1] == '.')
            name.erase(at, segment.size());
        else
            at += segment.size();
}

bool strip_common(std::vector<std::string>& names, std::string_view prefix) {
    const bool common = !names.empty() && std::ranges::all_of(names, [&](const std::string& n) {
        return n.size() > prefix.size() && n.starts_with(prefix);
    });
    if (common)
        for (std::string& name : names) name.erase(0, prefix.size());
    return common;
}

/// What one naming calls by another name, relative to the encoder's prefix or, for the second
/// table, to a block's. Each ends in a dot, so that none is the beginning of another.
struct Spelling {
    std::string_view original, hugging_face;
};
constexpr std::string_view kOriginal = "image_encoder.", kHuggingFace = "vision_encoder.";
constexpr std::array<Spelling, 5> kEncoder{{{"patch_embed.proj.", "patch_embed.projection."},
                                            {"neck.0.", "neck.conv1."},
                                            {"neck.1.", "neck.layer_norm1."},
                                            {"neck.2.", "neck.conv2."},
                                            {"neck.3.", "neck.layer_norm2."}}};
constexpr Spelling kBlocks{"blocks.", "layers."};
constexpr std::array<Spelling, 2> kBlock{{{"norm1.", "layer_norm1."}, {"norm2.", "layer_norm2."}}};

/// Rewrites from the spelling `from` to the spelling `to`, both members of Spelling.
using Side = std::string_view Spelling::*;

template <size_t N>
std::string respell(std::string_view name, const std::array<Spelling, N>& table, Side from,
                    Side to) {
    for (const Spelling& row : table)
        if (name.starts_with(row.*from))
            return std::string(row.*to).append(name.substr((row.*from).size()));
    return std::string(name);
}

std::optional<std::string> convert(std::string_view name, std::string_view prefix,
                                   std::string_view other_prefix, Side from, Side to) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::string out(other_prefix);
    if (!name.starts_with(kBlocks.*from)) return out + respell(name, kEncoder, from, to);
    name.remove_prefix((kBlocks.*from).size());
    const size_t dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    out.append(kBlocks.*to).append(name.substr(0, dot + 1));
    return out + respell(name.substr(dot + 1), kBlock, from, to);
}

}  // namespace

void strip_wrapper_names(std::vector<std::string>& names) {
    for (std::string& name : names)
        for (const std::string_view segment : kAnywhere) erase_segment(name, segment);
    while (
        std::ranges::any_of(kOutermost, [&](auto prefix) { return strip_common(names, prefix); })) {
    }
}

std::optional<std::string> sam_to_original(std::string_view name) {
    return convert(name, kHuggingFace, kOriginal, &Spelling::hugging_face, &Spelling::original);
}

std::optional<std::string> sam_to_hugging_face(std::string_view name) {
    return convert(name, kOriginal, kHuggingFace, &Spelling::original, &Spelling::hugging_face);
}

}  // namespace wsi

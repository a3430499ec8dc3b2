#pragma once

#include <string>

#include "model/nn/context_encoder.h"

namespace wsi::nn {

/// Embeddings of a frozen encoder on disk, so that no picture is encoded twice: development images
/// are the same in every epoch, and trainings with the same seed see the same patches. A file's
/// name is a hash of all that its embedding depends on: the encoder's identity and the pixels,
/// which have been through the augmentations. Values are kept as they are, so that a training's
/// bits do not depend on the cache. Several programs may share the folder; one thread calls it.
class EmbeddingCache {
public:
    /// `folder` "none": nothing is kept. What lies there already counts towards `most_gb`.
    EmbeddingCache(const std::string& folder, double most_gb);
    /// encoder.embed(rgb), from the folder if it is there. A damaged file is made anew.
    at::Tensor embed(const ContextEncoder& encoder, ConstRgbView rgb);

private:
    void keep(const at::Tensor& embedding, const std::string& path);
    std::string folder_;
    double bytes_left_ = 0;
};

}  // namespace wsi::nn

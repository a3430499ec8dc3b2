#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wsi {

/// What one output channel of a foreign network means (docs/models.md).
enum class ChannelMeaning {
    NucleusProbability,  ///< 0..1
    BackgroundLogit,     ///< with NucleusLogit: softmax of both
    NucleusLogit,        ///< alone: sigmoid
    Distance,            ///< 0 at a nucleus' border, 1 in its middle
    Boundary,            ///< probability that a pixel is a nucleus' border, 0..1
    Horizontal,          ///< HoVer-Net's offsets, -1..1
    Vertical,
    ClassLogit,  ///< one channel for each class, or one more before them: background
};

/// A YAML file beside a model that others made: what it wants to see and what its channels mean.
struct ModelCard {
    struct Class {
        std::string name;
        std::optional<std::array<uint8_t, 3>> colour;
    };
    std::string path;  ///< of the card
    std::string text;  ///< as it stands in the file: part of the model's hash
    std::string name;  ///< default: the file's name without suffix
    double mpp = 0;    ///< 0 = not said
    int core_px = 256, halo_px = 64, feather_px = 32;
    bool normalised = false;                           ///< wants stain-normalised colours
    std::array<double, 3> mean{0, 0, 0}, sd{1, 1, 1};  ///< the network sees (RGB / 255 - mean) / sd
    std::vector<ChannelMeaning> outputs;
    std::vector<Class> classes;  ///< background not among them
};

/// The card of a weights file: the same name with the suffix .yaml. Nothing when there is none.
/// Throws Error{Config} with file, line, what was found and what is known.
std::optional<ModelCard> find_model_card(const std::string& weights);

}  // namespace wsi

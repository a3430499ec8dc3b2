#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "stages/augment.h"

namespace wsi {

/// Parts of one step's loss, weights not yet applied.
struct StepLoss {
    double total = 0, dice = 0, focal = 0, distance = 0;
    double gradient_norm = 0;
};

/// Small facts that travel with weights: epoch, step, scores, the settings in force.
using WeightsNotes = std::map<std::string, std::string>;

/// A network with its optimiser. Not thread-safe: one thread calls it.
class Trainer {
public:
    virtual ~Trainer() = default;
    /// One optimiser step on patches of equal side (a multiple of 16). A loss or gradient that is
    /// not finite comes back as it is, and the weights stay as they were.
    virtual StepLoss step(std::span<const TrainingPatch> batch, double learning_rate) = 0;
    /// Maps of the averaged weights, uint8 as a Segmenter's. Any size.
    virtual void predict(const RgbImage& rgb, GrayImage& probability, GrayImage& distance) = 0;
    /// What a fused network's frozen encoder says of an image, mean over its positions; empty
    /// without an encoder. An image larger than it sees at once: of its upper left part.
    virtual std::vector<float> encoding(const RgbImage&) { return {}; }
    /// The averaged weights as safetensors, for segmentation. Replaces the file at once.
    virtual void save_weights(const std::string& path, const WeightsNotes& notes) = 0;
    /// Everything that a bit-identical continuation needs.
    virtual void save_checkpoint(const std::string& path, const WeightsNotes& notes) = 0;
    virtual WeightsNotes load_checkpoint(const std::string& path) = 0;
    /// Place among the processes that train together; the first alone writes files.
    virtual int rank() const { return 0; }
    virtual int processes() const { return 1; }
    /// Whether any of them says yes; all must ask.
    virtual bool any(bool yes) { return yes; }
    /// Numbers that are learned.
    virtual int64_t parameter_count() const = 0;
    /// Starts from weights of the same network instead of random ones.
    virtual void start_from(const std::string& weights) = 0;
};

}  // namespace wsi

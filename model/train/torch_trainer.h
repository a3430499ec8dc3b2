#pragma once

#include "config/config.h"
#include "model/nn/context_encoder.h"
#include "model/nn/embedding_cache.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "model/train/adam.h"
#include "model/train/process_group.h"
#include "model/trainer.h"

namespace wsi::train {

/// Dice + focal on both channels, equal weight (the paper's), plus the distance head's loss; Adam
/// or AdamW; averaged weights. On run.device; to the same bits again on a CPU only.
class TorchTrainer final : public Trainer {
public:
    explicit TorchTrainer(const Config& config);
    StepLoss step(std::span<const TrainingPatch> batch, double learning_rate) override;
    void predict(const RgbImage& rgb, GrayImage& probability, GrayImage& distance) override;
    std::vector<float> encoding(const RgbImage& rgb) override;
    void save_weights(const std::string& path, const WeightsNotes& notes) override;
    void save_checkpoint(const std::string& path, const WeightsNotes& notes) override;
    WeightsNotes load_checkpoint(const std::string& path) override;
    int rank() const override { return group_ ? group_->rank() : 0; }
    int processes() const override { return group_ ? group_->processes() : 1; }
    bool any(bool yes) override;
    int64_t parameter_count() const override;
    void start_from(const std::string& weights) override;

private:
    StepLoss step_once(std::span<const TrainingPatch> batch, double learning_rate);
    nn::Supervised supervised(std::span<const ConstRgbView> images);
    at::Tensor averaged_logits(const at::Tensor& images);
    at::Tensor embedding_of(ConstRgbView image);
    at::Tensor embeddings_of(std::span<const ConstRgbView> images);
    nn::Notes with_settings(const WeightsNotes& notes) const;
    void predict_fused(const RgbImage& rgb, GrayView probability, GrayView distance);
    void meet_others();
    void sum_gradients();
    StepLoss logged(const at::Tensor& dice, const at::Tensor& focal, const at::Tensor& distance,
                    const at::Tensor& means);
    void average();
    void check_settings(const std::string& path, const nn::Notes& notes) const;
    nn::StateDict everything();

    /// Of the same tensor in averaged_ and in network_; all of floating point, or none.
    struct Averages {
        std::vector<at::Tensor> averaged, latest;
    };

    Config config_;
    at::Device device_;
    std::shared_ptr<const nn::ContextEncoder> context_;  ///< of a fused network
    nn::EmbeddingCache embeddings_;
    std::shared_ptr<nn::Network> network_, averaged_;
    Averages smoothed_, copied_;
    Adam optimiser_;
    std::unique_ptr<ProcessGroup> group_;  ///< nullptr: alone
};

}  // namespace wsi::train

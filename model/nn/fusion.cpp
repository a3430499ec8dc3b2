#include "model/nn/fusion.h"

#include <cmath>

#include "config/error.h"
#include "model/nn/blocks.h"
#include "model/nn/execution.h"

namespace wsi::nn {

namespace {

torch::nn::Conv2d conv1x1(int64_t in, int64_t out) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1));
}

/// The embedding at the bottleneck's size: max-blur pooled until it fits (64 → 32 → 16).
at::Tensor aligned(const at::Tensor& embedding, const at::Tensor& bottleneck,
                   BlurBorder border = BlurBorder::Replicate) {
    at::Tensor s = embedding;
    while (s.size(2) > bottleneck.size(2)) s = max_blur_pool(s, border);
    WSI_CHECK(s.size(2) == bottleneck.size(2) && s.size(3) == bottleneck.size(3), "embedding ",
              embedding.size(2), "x", embedding.size(3), " does not halve down to ",
              bottleneck.size(2), "x", bottleneck.size(3));
    return s;
}

at::Tensor global_mean(const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}); }

/// [N, C, h, w] → [N, h·w, C]
at::Tensor to_tokens(const at::Tensor& x) { return x.flatten(2).transpose(1, 2); }
at::Tensor to_map(const at::Tensor& tokens, const at::Tensor& like) {
    return tokens.transpose(1, 2).reshape(
        {like.size(0), tokens.size(2), like.size(2), like.size(3)});
}

/// Multi-head attention with the layout of torch.nn.MultiheadAttention: one in-projection of 3 C
/// rows.
class TokenAttention {
public:
    TokenAttention(torch::nn::Module& owner, int64_t channels, int64_t heads)
        : channels_(channels), heads_(heads) {
        in_ = owner.register_module("in_proj", torch::nn::Linear(channels, 3 * channels));
        out_ = owner.register_module("out_proj", torch::nn::Linear(channels, channels));
    }
    /// [N, Tq, C], [N, Tk, C] → [N, Tq, C]
    at::Tensor operator()(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
        const at::Tensor attended =
            at::scaled_dot_product_attention(part(query, 0), part(key, 1), part(value, 2));
        return out_->forward(attended.transpose(1, 2).flatten(2));
    }

private:
    at::Tensor part(const at::Tensor& tokens, int64_t which) {
        const int64_t from = which * channels_;
        const at::Tensor projected = at::linear(tokens, in_->weight.narrow(0, from, channels_),
                                                in_->bias.narrow(0, from, channels_));
        return projected.view({tokens.size(0), tokens.size(1), heads_, channels_ / heads_})
            .transpose(1, 2);
    }
    int64_t channels_, heads_;
    torch::nn::Linear in_{nullptr}, out_{nullptr};
};

class ConcatFusion final : public FusionBlock {
public:
    explicit ConcatFusion(const FusionOptions& o) {
        conv_ = register_module("conv", conv1x1(o.channels + o.embedding_channels, o.channels));
        bn_ = register_module("bn", BatchNorm(o.channels));
    }
    at::Tensor forward(const at::Tensor& u, const at::Tensor& e) override {
        return at::relu(bn_->forward(widened(conv_->forward(at::cat({u, aligned(e, u)}, 1)))));
    }

private:
    torch::nn::Conv2d conv_{nullptr};
    BatchNorm bn_{nullptr};
};

/// Squeeze and excite on the joined mean, sigmoid gates on U, one head, no residual, no norm; the
/// authors' blur pads with zeros, which darkens the border.
class EfbR final : public FusionBlock {
public:
    explicit EfbR(const FusionOptions& o) : attention_(*this, o.channels, 1) {
        const int64_t joined = o.channels + o.embedding_channels;
        squeeze_ = register_module("squeeze", conv1x1(joined, joined / 16));
        excite_ = register_module("excite", conv1x1(joined / 16, o.channels));
    }
    at::Tensor forward(const at::Tensor& u, const at::Tensor& e) override {
        const at::Tensor z = global_mean(at::cat({u, aligned(e, u, BlurBorder::Zeros)}, 1));
        const at::Tensor gate = at::sigmoid(excite_->forward(at::relu(squeeze_->forward(z))));
        const at::Tensor tokens = to_tokens(u);
        return to_map(attention_(to_tokens(gate * u), tokens, tokens), u);
    }

private:
    TokenAttention attention_;
    torch::nn::Conv2d squeeze_{nullptr}, excite_{nullptr};
};

/// What EfbP and EfbX end with: optional layer norms, attention, optional residual with a learned
/// weight that starts at 0.1.
class ResidualAttention {
public:
    ResidualAttention(torch::nn::Module& owner, const FusionOptions& o, int64_t heads)
        : options_(o), attention_(owner, o.channels, heads) {
        if (o.residual) gamma_ = owner.register_parameter("gamma", at::full({1}, 0.1));
        if (!o.norm) return;
        const torch::nn::LayerNormOptions norm({o.channels});
        norm_q_ = owner.register_module("norm_q", torch::nn::LayerNorm(norm));
        norm_kv_ = owner.register_module("norm_kv", torch::nn::LayerNorm(norm));
    }
    at::Tensor operator()(const at::Tensor& u, const at::Tensor& query, const at::Tensor& memory) {
        const at::Tensor q = options_.norm ? norm_q_->forward(widened(query)) : query;
        const at::Tensor kv = options_.norm ? norm_kv_->forward(widened(memory)) : memory;
        const at::Tensor out = to_map(attention_(q, kv, kv), u);
        return options_.residual ? u + gamma_ * out : out;
    }

private:
    FusionOptions options_;
    TokenAttention attention_;
    at::Tensor gamma_;
    torch::nn::LayerNorm norm_q_{nullptr}, norm_kv_{nullptr};
};

/// Gates from the joined means by two GLUs; starts near 0.9, where a plain GLU would start near 0.
class GluGate {
public:
    GluGate(torch::nn::Module& owner, int64_t in, int64_t out) {
        const int64_t reduced = std::max<int64_t>(8, in / 16);
        squeeze_ = owner.register_module("squeeze", conv1x1(in, 2 * reduced));
        excite_ = owner.register_module("excite", conv1x1(reduced, 2 * out));
        open();
    }
    void open() {
        const at::NoGradGuard no_gradients;
        const int64_t out = excite_->bias.size(0) / 2;
        excite_->bias.narrow(0, 0, out).fill_(1);
        excite_->bias.narrow(0, out, out).fill_(2);
    }
    at::Tensor operator()(const at::Tensor& mean) {
        return at::glu(excite_->forward(at::glu(squeeze_->forward(mean), 1)), 1);
    }

private:
    torch::nn::Conv2d squeeze_{nullptr}, excite_{nullptr};
};

class EfbP final : public FusionBlock {
public:
    explicit EfbP(const FusionOptions& o)
        : from_unet_(o.queries_from_unet),
          gate_(*this, o.channels + o.embedding_channels, o.channels),
          attention_(*this, o, 8) {
        fuse_ = register_module("fuse", conv1x1(o.channels + o.embedding_channels, 2 * o.channels));
    }
    at::Tensor forward(const at::Tensor& u, const at::Tensor& e) override {
        const at::Tensor joined = at::cat({u, aligned(e, u)}, 1);
        const at::Tensor fused = at::glu(fuse_->forward(joined), 1);  // SAM's spatial content
        const at::Tensor tokens = to_tokens(gate_(global_mean(joined)) * fused);
        return attention_(u, from_unet_ ? to_tokens(u) : tokens, tokens);
    }
    void open_gates() override { gate_.open(); }

private:
    bool from_unet_;
    GluGate gate_;
    ResidualAttention attention_;
    torch::nn::Conv2d fuse_{nullptr};
};

class EfbX final : public FusionBlock {
public:
    explicit EfbX(const FusionOptions& o)
        : gate_(*this, o.channels + o.embedding_channels, o.channels), attention_(*this, o, 8) {
        project_ = register_module("project", conv1x1(o.embedding_channels, o.channels));
    }
    at::Tensor forward(const at::Tensor& u, const at::Tensor& e) override {
        const at::Tensor s = aligned(e, u);
        const at::Tensor gated = gate_(global_mean(at::cat({u, s}, 1))) * u;
        return attention_(u, to_tokens(gated), to_tokens(project_->forward(s)));
    }
    void open_gates() override { gate_.open(); }

private:
    GluGate gate_;
    ResidualAttention attention_;
    torch::nn::Conv2d project_{nullptr};
};

}  // namespace

FusionOptions literal_efb(int64_t channels) {
    FusionOptions options;
    options.channels = channels;
    options.residual = options.norm = false;
    return options;
}

FusionOptions no_fusion() {
    FusionOptions options;
    options.kind = Fusion::None;
    return options;
}

std::shared_ptr<FusionBlock> make_fusion(const FusionOptions& options) {
    switch (options.kind) {
        case Fusion::None: return nullptr;
        case Fusion::Concat: return std::make_shared<ConcatFusion>(options);
        case Fusion::EfbR: return std::make_shared<EfbR>(options);
        case Fusion::EfbP: return std::make_shared<EfbP>(options);
        case Fusion::EfbX: return std::make_shared<EfbX>(options);
    }
    return nullptr;
}

}  // namespace wsi::nn

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wsi {

/// Resolution in micrometres per pixel.
struct Mpp {
    double value = 0;
    friend bool operator==(const Mpp&, const Mpp&) = default;
};

/// Every struct below has defaults here and nowhere else, and one `visit` in config/fields.h that
/// names each key once; YAML, `--set`, docs/config.md and the resume hash all come from there.

/// How a slide is read.
struct SlideConfig {
    double mpp = 0;  ///< overrides the slide's own resolution; 0 = use the slide's
    double max_failed_fraction =
        0.01;  ///< of the tissue area; more (and > 1 block) fails the slide
};

struct TissueConfig {
    double mpp = 8;              ///< resolution of the tissue mask
    double min_area_um2 = 4000;  ///< smaller pieces are dropped
    double margin_um = 16;       ///< the mask is grown by this much
};

enum class StainMethod { Macenko, Reinhard, Vahadane, None };
enum class StainSet { He, Hdab };  ///< which pair of stains the slide carries

struct StainConfig {
    StainMethod method = StainMethod::Macenko;
    StainSet stains = StainSet::He;
    int sample_pixels = 200000;  ///< pooled tissue pixels of one fit
};

struct TilingConfig {
    int region_px = 2048;  ///< nominal side of a region in work pixels, snapped to tiles
};

enum class Precision { Fp32, Bf16, Fp16 };

struct ModelConfig {
    std::string name = "eunet3plus";
    double work_mpp = 0;                    ///< 0 = the model's own resolution
    int batch = 4;                          ///< tiles per batch
    int tile_px = 0;                        ///< side of a tile's core; 0 = the model's own
    Precision precision = Precision::Fp32;  ///< of a network's multiplications
    double haematoxylin_weight = 0;         ///< of HaematoxylinVote, for networks
    /// File of a fused network's frozen encoder. "auto" when running a model: the file named in its
    /// metadata, beside the weights.
    std::string encoder_weights = "auto";
};

/// Separation of nuclei on (probability, distance) maps; lengths in micrometres so that they hold
/// at any work resolution.
struct SeparateConfig {
    double threshold = 0.5;     ///< probability from which a pixel is nucleus, 0..1
    double smoothing_um = 0.5;  ///< Gaussian sigma on the distance map
    double h = 0.08;            ///< a marker rises by this much above its saddle, 0..1
    double min_area_um2 = 6;    ///< smaller nuclei are dropped
    double hole_area_um2 = 30;  ///< smaller holes in the mask are filled
    double reach_um = 16;       ///< a nucleus ends at this distance from its marker
};

enum class NetworkActivation { Relu, LeakyRelu, Swish, Glu };
enum class ActivationPlacement { Encoder, All };
/// How a frozen encoder's embedding enters (model/nn/fusion.h); the literal EFB-P has neither
/// residual nor norm.
enum class FusionKind { None, Concat, EfbR, EfbP, EfbLiteral, EfbX };
enum class EncoderInput { Sam, MedSam };    ///< whose preprocessing
enum class EncoderContext { Tile, Field };  ///< the tile upsampled, or a field at native scale

/// Shape of a network that is trained; a weights file carries its own.
struct NetworkConfig {
    std::string architecture = "eunet3plus";
    int base = 16;  ///< channels of the finest scale and of every decoder branch
    NetworkActivation activation = NetworkActivation::Glu;
    ActivationPlacement place = ActivationPlacement::Encoder;
    bool blur_pool = true;
    double dropout = 0.1;
    bool distance = true;           ///< second head: per-nucleus normalised distance
    bool deep_supervision = false;  ///< a head on every scale, for the loss alone
    bool classification = false;    ///< a module that says whether there is any nucleus at all
    std::string classes = "none";   ///< names of nuclei's classes, "A;B;C": a head for them
    FusionKind fusion = FusionKind::None;
    bool fusion_residual = true;    ///< efb_p, efb_x: the bottleneck + gamma · attention
    bool fusion_norm = true;        ///< efb_p, efb_x: layer norms before attention
    std::string encoder = "vit_b";  ///< frozen
    int encoder_px = 1024;          ///< side of its input
    EncoderInput encoder_input = EncoderInput::Sam;
    EncoderContext context = EncoderContext::Field;
};

enum class OptimiserKind { AdamW, Adam };
enum class Decay { Cosine, Polynomial, None };
enum class ChooseBy { Pq, Dice, Aji };

/// How a network is trained.
struct TrainConfig {
    int epochs = 50;
    int batch = 4;
    int patch_px = 256;
    double mpp = 0.5;
    double learning_rate = 1e-3;  ///< its peak: linear warm-up, then its decay
    OptimiserKind optimiser = OptimiserKind::AdamW;
    Decay decay = Decay::Cosine;
    double weight_decay = 1e-4;
    int warmup_steps = 100;
    double clip_norm = 1;
    double ema = 0.995;
    double distance_weight = 1;
    double normalised_share = 0.25;  ///< of the patches, in stain-normalised colours
    std::string development = "human rectum;mouse liver";
    int folds = 0;  ///< > 1: development is one of so many parts instead of those organs
    int fold = 0;   ///< which, from 0
    ChooseBy choose_by = ChooseBy::Pq;
    int score_every = 1;  ///< epochs from one score of the development images to the next
    int patience = 0;     ///< epochs without a better development score before it stops; 0 = never
    Precision precision = Precision::Bf16;
    double checkpoint_minutes = 5;
    std::string embedding_cache = "none";  ///< folder
    double embedding_cache_gb = 20;
};

/// How likely each change of a training patch is, in the order in which they are made; 0 = never.
/// How strong they are: stages/augment.h. Colours vary far more than in models of one laboratory
/// (models.md 7): between scanners, glass lies anywhere from 140 to 255.
struct AugmentConfig {
    double affine = 0.65;
    double elastic = 0.2;
    double crowding = 0.4;
    double paleness = 0.5;
    double distractors = 0.4;
    double calm = 0.5;
    double stain = 0.7;
    double exposure = 0.75;
    double gamma = 0.3;
    double intensity = 0.5;
    double clahe = 0.1;
    double sharpness = 0.45;
    double noise = 0.2;
    /// Of the affine change, log-uniform. Mostly smaller, because nuclei of NuInsSeg are twice as
    /// wide, at its stated resolution, as others'.
    double scale_least = 0.435, scale_most = 1.275;
    double elastic_px = 6;   ///< farthest that a pixel moves
    double noise_sd = 0.03;  ///< greatest, of the full range
};

/// What is measured on every nucleus beyond size and shape (docs/features.md).
struct FeatureConfig {
    /// Size, axes, solidity and circularity, mean and sd of both stains in the nucleus: nothing
    /// else, whatever the switches below say.
    bool brief = false;
    bool moments = true;               ///< central, normalised and Hu moments
    bool intensity = true;             ///< seven channels in nucleus, ring and edge
    bool texture = true;               ///< gradient, Canny and Haralick features of the first stain
    double ring_um = 4;                ///< width of the ring around a nucleus; 0 = no ring
    int grey_levels = 32;              ///< of the co-occurrence matrix
    bool stretch_grey_levels = false;  ///< over each nucleus's (or ring's) own densities
    bool zernike = false;              ///< Zernike moments: as slow as all the rest
    bool neighbours = true;    ///< distances, counts, Delaunay and Voronoi over the whole slide
    bool ring_texture = true;  ///< texture of the second stain in the ring as well
    /// Gradient, Canny and Haralick on pixels of this resolution; 0 = on work pixels.
    double texture_mpp = 0;

    bool stains_measured() const { return brief || intensity; }
    bool neighbours_measured() const { return neighbours && !brief; }
};

enum class IhcPlace { Nucleus, Ring, Edge };

/// How nuclei are graded on slides with DAB (`stain.stains = hdab`). Natural-log OD; the defaults
/// are QuPath's 0.2, 0.4 and 0.6 of its log10.
struct IhcConfig {
    IhcPlace place = IhcPlace::Nucleus;
    double weak_od = 0.46;
    double moderate_od = 0.92;
    double strong_od = 1.38;
};

struct RunConfig {
    int threads = 0;         ///< 0 = all cores
    int64_t memory_mib = 0;  ///< 0 = 1400; bounds slots, open regions and caches
    std::string device = "auto";
    bool keep_maps = false;
    uint64_t seed = 20240917;
};

struct Config {
    SlideConfig slide;
    TissueConfig tissue;
    StainConfig stain;
    TilingConfig tiling;
    ModelConfig model;
    SeparateConfig separate;
    FeatureConfig features;
    IhcConfig ihc;
    RunConfig run;
    NetworkConfig network;
    TrainConfig train;
    AugmentConfig augment;
};

}  // namespace wsi

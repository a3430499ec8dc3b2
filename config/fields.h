#pragma once

#include <cfloat>
#include <climits>

#include "config/config.h"

// Every key once: name, member, whether it changes results, allowed range, one line of explanation.
// YAML, --set, docs/config.md and what makes a saved part valid are all visitors of these
// functions.
namespace wsi {

enum class Effect {
    Results,  ///< another value may give other nuclei or other numbers
    Running,  ///< how fast, how much memory, what is kept
    Training  ///< of weights being trained; a slide's run does not look at it
};

struct Range {
    double least = -DBL_MAX, most = DBL_MAX;
};

template <class V>
void visit(V& v, SlideConfig& c) {
    v("mpp", c.mpp, Effect::Running, Range{0, 100},
      "resolution of level 0 in µm per pixel; 0 = what the slide says");
    v("max_failed_fraction", c.max_failed_fraction, Effect::Running, Range{0, 1},
      "share of the tissue that may be unreadable before the slide fails");
}

template <class V>
void visit(V& v, TissueConfig& c) {
    v("mpp", c.mpp, Effect::Results, Range{1, 64}, "resolution of the tissue mask in µm per cell");
    v("min_area_um2", c.min_area_um2, Effect::Results, Range{0, 1e9},
      "smaller pieces of tissue are left out, if they are below a hundredth of the image, too");
    v("margin_um", c.margin_um, Effect::Results, Range{0, 1000}, "the mask is grown by this much");
}

template <class V>
void visit(V& v, StainConfig& c) {
    v("method", c.method, Effect::Results, Range{},
      "stain normalisation: macenko, reinhard, vahadane or none");
    v("stains", c.stains, Effect::Results, Range{}, "stains on the slide: he or hdab");
    v("sample_pixels", c.sample_pixels, Effect::Results, Range{1000, 1e8},
      "tissue pixels that one fit is made on");
}

template <class V>
void visit(V& v, TilingConfig& c) {
    v("region_px", c.region_px, Effect::Running, Range{64, 65536},
      "side of a region in work pixels, the unit of resuming; snapped to tiles");
}

template <class V>
void visit(V& v, ModelConfig& c) {
    v("name", c.name, Effect::Results, Range{},
      "a shipped model (eunet3plus), classical (needs no LibTorch), or a weights file");
    v("work_mpp", c.work_mpp, Effect::Results, Range{0, 4},
      "resolution to work at in µm per pixel; 0 = the model's own");
    v("batch", c.batch, Effect::Results, Range{1, 1024}, "tiles per batch");
    v("tile_px", c.tile_px, Effect::Results, Range{0, 4096},
      "side of a tile without its halo, e.g. 512 or 1024, for networks of ours without an encoder; "
      "0 = the model's own");
    v("precision", c.precision, Effect::Results, Range{},
      "of a network's multiplications: fp32, bf16 or fp16; softmax and norms stay in fp32");
    v("haematoxylin_weight", c.haematoxylin_weight, Effect::Results, Range{0, 20},
      "how much a pixel's haematoxylin counts beside a network's probability; 0 = not at all");
    v("encoder_weights", c.encoder_weights, Effect::Running, Range{},
      "file of a fused model's frozen encoder; auto = beside the model's own file");
}

template <class V>
void visit(V& v, SeparateConfig& c) {
    v("threshold", c.threshold, Effect::Results, Range{0.004, 1},
      "probability from which a pixel belongs to a nucleus");
    v("smoothing_um", c.smoothing_um, Effect::Results, Range{0, 5},
      "Gaussian sigma on the distance map");
    v("h", c.h, Effect::Results, Range{0, 1},
      "how far the distance map must fall between two nuclei");
    v("min_area_um2", c.min_area_um2, Effect::Results, Range{0, 1e6}, "smaller nuclei are dropped");
    v("hole_area_um2", c.hole_area_um2, Effect::Results, Range{0, 1000},
      "smaller holes are filled");
    v("reach_um", c.reach_um, Effect::Results, Range{1, 60},
      "a nucleus ends at this distance from its centre");
}

template <class V>
void visit(V& v, FeatureConfig& c) {
    v("brief", c.brief, Effect::Results, Range{},
      "measure nothing but size, axes, solidity, circularity, and mean and sd of both stains");
    v("moments", c.moments, Effect::Results, Range{}, "measure central, normalised and Hu moments");
    v("intensity", c.intensity, Effect::Results, Range{},
      "measure stains and colours in nucleus, ring and edge");
    v("texture", c.texture, Effect::Results, Range{},
      "measure gradient, Canny and Haralick features");
    v("ring_texture", c.ring_texture, Effect::Results, Range{},
      "measure them of the second stain in the ring, too");
    v("texture_mpp", c.texture_mpp, Effect::Results, Range{0, 2},
      "resolution of the pixels that texture is read from, finer than the working one; 0 = as "
      "that");
    v("ring_um", c.ring_um, Effect::Results, Range{0, 20},
      "width of the ring around a nucleus in µm; 0 = no ring");
    v("grey_levels", c.grey_levels, Effect::Results, Range{8, 32},
      "grey levels of the co-occurrence matrix");
    v("stretch_grey_levels", c.stretch_grey_levels, Effect::Results, Range{},
      "spread them from the least to the greatest density of each nucleus or ring, instead of from "
      "0 to 2.5 OD");
    v("zernike", c.zernike, Effect::Results, Range{}, "measure Zernike moments, which are slow");
    v("neighbours", c.neighbours, Effect::Results, Range{},
      "measure distances and numbers of neighbours over the whole slide");
}

template <class V>
void visit(V& v, IhcConfig& c) {
    v("place", c.place, Effect::Results, Range{},
      "whose mean DAB grades a nucleus: nucleus, ring or edge");
    v("weak_od", c.weak_od, Effect::Results, Range{0, 10},
      "from this density on it is positive, natural-log OD");
    v("moderate_od", c.moderate_od, Effect::Results, Range{0, 10}, "from here on 2+");
    v("strong_od", c.strong_od, Effect::Results, Range{0, 10}, "from here on 3+");
}

template <class V>
void visit(V& v, RunConfig& c) {
    v("threads", c.threads, Effect::Running, Range{0, 1024}, "CPU threads; 0 = all cores");
    v("memory_mib", c.memory_mib, Effect::Running, Range{0, 1 << 22},
      "bound on memory in MiB; 0 = 1400");
    v("device", c.device, Effect::Results, Range{},
      "where networks run: cpu, cuda, or auto = cuda where there is a device");
    v("keep_maps", c.keep_maps, Effect::Running, Range{},
      "keep the probability and distance maps in the result");
    v("seed", c.seed, Effect::Results, Range{0, 9e15}, "of everything that is drawn at random");
}

template <class V>
void visit(V& v, NetworkConfig& c) {
    v("architecture", c.architecture, Effect::Training, Range{},
      "eunet3plus, unet3plus, unet, sharpunet, asppunet, deau, ddunet or awgunet");
    v("base", c.base, Effect::Training, Range{4, 256}, "channels of the finest scale");
    v("activation", c.activation, Effect::Training, Range{}, "relu, leaky_relu, swish or glu");
    v("place", c.place, Effect::Training, Range{}, "where it is used: encoder or all");
    v("blur_pool", c.blur_pool, Effect::Training, Range{}, "blur after max pooling");
    v("dropout", c.dropout, Effect::Training, Range{0, 0.9}, "of channels of the bottleneck");
    v("distance", c.distance, Effect::Training, Range{}, "second head: distance within nuclei");
    v("deep_supervision", c.deep_supervision, Effect::Training, Range{},
      "unet3plus and eunet3plus: a head on every scale, whose losses are averaged");
    v("classification", c.classification, Effect::Training, Range{},
      "unet3plus and eunet3plus: a module that says whether there is any nucleus; if not, all is "
      "background");
    v("classes", c.classes, Effect::Training, Range{},
      "unet3plus, eunet3plus and the U-Nets: names of nuclei's classes with ; between them, for a "
      "head that tells them apart; none = no such head");
    v("fusion", c.fusion, Effect::Training, Range{},
      "of a frozen encoder's embedding: none, concat, efb_r, efb_p, efb_p_literal or efb_x");
    v("fusion_residual", c.fusion_residual, Effect::Training, Range{},
      "efb_p, efb_x: add what attention found to the bottleneck");
    v("fusion_norm", c.fusion_norm, Effect::Training, Range{},
      "efb_p, efb_x: layer norms before attention");
    v("encoder", c.encoder, Effect::Training, Range{},
      "the frozen encoder: vit_b, vit_l, vit_h, mobile_sam; tiny is for tests");
    v("encoder_px", c.encoder_px, Effect::Training, Range{64, 1024},
      "side of the encoder's input: 1024, 512 or 256");
    v("encoder_input", c.encoder_input, Effect::Training, Range{},
      "whose preprocessing the encoder wants: sam or medsam");
    v("context", c.context, Effect::Training, Range{},
      "what the encoder sees: tile (each, upsampled) or field (many tiles at once, native)");
}

template <class V>
void visit(V& v, TrainConfig& c) {
    v("epochs", c.epochs, Effect::Training, Range{1, 100000}, "passes over the images");
    v("batch", c.batch, Effect::Training, Range{1, 1024}, "patches per step");
    v("patch_px", c.patch_px, Effect::Training, Range{32, 2048}, "side of a patch");
    v("mpp", c.mpp, Effect::Training, Range{0.1, 4}, "resolution to learn at in µm per pixel");
    v("learning_rate", c.learning_rate, Effect::Training, Range{0, 1},
      "its peak, after a linear warm-up; then train.decay");
    v("optimiser", c.optimiser, Effect::Training, Range{},
      "adamw (weight decay apart from the gradient) or adam (added to it)");
    v("decay", c.decay, Effect::Training, Range{},
      "of the learning rate: cosine (to a hundredth), polynomial (power 0.9, to 0) or none");
    v("weight_decay", c.weight_decay, Effect::Training, Range{0, 1},
      "of convolution and matrix weights");
    v("warmup_steps", c.warmup_steps, Effect::Training, Range{0, 1e6}, "steps to the peak");
    v("clip_norm", c.clip_norm, Effect::Training, Range{0, 1e6},
      "gradients are scaled down to this norm; 0 = never");
    v("ema", c.ema, Effect::Training, Range{0, 0.99999},
      "decay of the averaged weights, which are the ones kept");
    v("distance_weight", c.distance_weight, Effect::Training, Range{0, 100},
      "of the distance head's loss");
    v("normalised_share", c.normalised_share, Effect::Training, Range{0, 1},
      "of the patches, shown in stain-normalised colours");
    v("development", c.development, Effect::Training, Range{},
      "organs kept out of training to choose the best weights, by ;");
    v("folds", c.folds, Effect::Training, Range{0, 1000},
      "cross-validation: development is one of so many parts of the images; 0 = by organ");
    v("fold", c.fold, Effect::Training, Range{0, 999}, "which of the parts, from 0");
    v("choose_by", c.choose_by, Effect::Training, Range{},
      "score of the development images that the best weights have: pq, dice or aji");
    v("score_every", c.score_every, Effect::Training, Range{1, 100000},
      "epochs from one score of the development images to the next; the last is always scored");
    v("patience", c.patience, Effect::Training, Range{0, 100000},
      "stop after so many epochs without a better score; 0 = never");
    v("precision", c.precision, Effect::Training, Range{}, "fp32 or bf16");
    v("checkpoint_minutes", c.checkpoint_minutes, Effect::Running, Range{0, 1e6},
      "between checkpoints of a training run");
    v("embedding_cache", c.embedding_cache, Effect::Running, Range{},
      "folder for embeddings of a frozen encoder, which are then made once; or none");
    v("embedding_cache_gb", c.embedding_cache_gb, Effect::Running, Range{0, 1e6},
      "the folder grows no further than this");
}

template <class V>
void visit(V& v, AugmentConfig& c) {
    const Range chance{0, 1};
    v("affine", c.affine, Effect::Training, chance,
      "chance of any angle, another scale and a shear of ±5°; else right angles and flips");
    v("scale_least", c.scale_least, Effect::Training, Range{0.1, 1}, "least scale of affine");
    v("scale_most", c.scale_most, Effect::Training, Range{1, 4}, "greatest scale of affine");
    v("elastic", c.elastic, Effect::Training, chance, "chance of a smooth displacement");
    v("elastic_px", c.elastic_px, Effect::Training, Range{0, 20}, "farthest that a pixel moves");
    v("crowding", c.crowding, Effect::Training, chance,
      "chance of copies of nuclei beside, before and behind others, in rows or clumps");
    v("paleness", c.paleness, Effect::Training, chance,
      "chance of pale, vesicular or bluer nuclei");
    v("distractors", c.distractors, Effect::Training, chance,
      "chance of red blood cells, pigment or ink between the nuclei");
    v("calm", c.calm, Effect::Training, chance, "chance of noise taken away");
    v("stain", c.stain, Effect::Training, chance,
      "chance of densities ×0.4–1.7, tilted stain vectors or another laboratory's");
    v("exposure", c.exposure, Effect::Training, chance,
      "chance of all channels ×0.85–2 (as far as nearly white), each ×0.93–1.07");
    v("gamma", c.gamma, Effect::Training, chance, "chance of gamma 0.7–1.4");
    v("intensity", c.intensity, Effect::Training, chance,
      "chance of brightness ±0.1, contrast 0.8–1.25, saturation 0.5–1.6, hue ±18°");
    v("clahe", c.clahe, Effect::Training, chance,
      "chance of lightness equalised locally, clip 1–3, 8x8 tiles");
    v("sharpness", c.sharpness, Effect::Training, chance,
      "chance of an unsharp mask (seven of ten) or a blur of 0.5–1.2 px");
    v("noise", c.noise, Effect::Training, chance, "chance of Gaussian noise");
    v("noise_sd", c.noise_sd, Effect::Training, chance, "its greatest sd, of the full range");
}

template <class V>
void visit(V& v, Config& c) {
    v.section("slide", c.slide, "how a slide is read");
    v.section("tissue", c.tissue, "where nuclei are looked for");
    v.section("stain", c.stain, "stain fit and normalisation");
    v.section("tiling", c.tiling, "how the work is cut");
    v.section("model", c.model, "what finds the nuclei");
    v.section("separate", c.separate, "how touching nuclei are told apart");
    v.section("features", c.features, "what is measured on every nucleus");
    v.section("ihc", c.ihc, "how nuclei are graded on slides with DAB");
    v.section("run", c.run, "resources");
    v.section("network", c.network, "shape of a network that is trained");
    v.section("train", c.train, "how it is trained");
    v.section("augment", c.augment, "what is done to the patches it is trained on");
}

}  // namespace wsi

"""Writes tests/fixtures/networks/sam_*.safetensors: small SAM encoders with random weights and what
facebookresearch/segment-anything 1.0 (PyPI, unpacked to a folder) says about a random image; the same
for Pillow's bilinear resize and the fusion blocks' plain statements.

    python tests/reference/sam_golden.py SEGMENT_ANYTHING_FOLDER tests/fixtures/networks

sam_hugging_face.safetensors needs transformers (4.57.6 was used); without it the file stays as it is.
"""
import importlib.util
import pathlib
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from skimage import transform


def image_encoder(folder):
    """modeling/image_encoder.py without the package's __init__, which needs torchvision."""
    package = types.ModuleType("sam")
    package.__path__ = [str(pathlib.Path(folder) / "segment_anything/modeling")]
    sys.modules["sam"] = package
    for name in ("common", "image_encoder"):
        spec = importlib.util.spec_from_file_location(f"sam.{name}", f"{package.__path__[0]}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"sam.{name}"] = module
        spec.loader.exec_module(module)
    return sys.modules["sam.image_encoder"].ImageEncoderViT


def randomise(network, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(torch.randn_like(p) * (0.3 if p.dim() > 1 else 0.2) + (1 if p.dim() == 1 else 0))


def write_sam(encoder, path):
    """Grid 16: windows of 7 do not divide it, so that padding is seen."""
    network = encoder(img_size=256, embed_dim=32, depth=3, num_heads=2, out_chans=16, use_rel_pos=True,
                      window_size=7, global_attn_indexes=(1,),
                      norm_layer=lambda d: torch.nn.LayerNorm(d, eps=1e-6)).eval()
    randomise(network, 5)
    image = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        out = network(image)
    tensors = {f"image_encoder.{k}": v for k, v in network.state_dict().items()}
    # Only every fourth pixel of the image is needed to rebuild it: it is drawn from a small one.
    small = torch.randn(1, 3, 32, 32)
    image = F.interpolate(small, size=(256, 256), mode="nearest")
    with torch.no_grad():
        out = network(image)
    save_file({**tensors, "image": small, "embedding": out.contiguous()}, path)


def write_positions(encoder, path):
    """Tables of 1024 px at 512 and 256: absolute positions as SAM-Med2D and SAMed interpolate them, relative ones by segment-anything's own get_rel_pos."""
    torch.manual_seed(6)
    tensors = {"pos_embed": torch.randn(1, 64, 64, 4), "rel_pos": torch.randn(127, 4)}
    get_rel_pos = sys.modules[encoder.__module__].get_rel_pos
    for px in (512, 256):
        grid = px // 16
        small = F.interpolate(tensors["pos_embed"].permute(0, 3, 1, 2), size=(grid, grid), mode="bilinear", align_corners=False)
        tensors[f"pos_embed_{px}"] = small.permute(0, 2, 3, 1).contiguous()
        # Of all pairs the first row and column have every distance once.
        rows = get_rel_pos(grid, grid, tensors["rel_pos"])
        tensors[f"rel_pos_{px}"] = torch.cat([rows[0].flip(0)[:-1], rows[:, 0]]).contiguous()
    save_file(tensors, path)


def write_hugging_face(path):
    """transformers' SamVisionModel, under its own names."""
    from transformers import SamVisionConfig, SamVisionModel
    config = SamVisionConfig(hidden_size=32, output_channels=16, num_hidden_layers=2, num_attention_heads=2, image_size=256, patch_size=16,
                             mlp_ratio=4, mlp_dim=128, window_size=7, global_attn_indexes=[1], attn_implementation="eager")
    network = SamVisionModel(config).eval()
    randomise(network, 12)
    small = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        out = network(F.interpolate(small, size=(256, 256), mode="nearest")).last_hidden_state
    save_file({**{k: v.contiguous() for k, v in network.state_dict().items()}, "image": small, "embedding": out.contiguous()}, path)


def write_resize(path):
    rng = np.random.default_rng(3)
    tensors = {}
    for name, (w, h), (to_w, to_h) in (("up", (37, 23), (128, 80)), ("down", (96, 61), (40, 25)),
                                       ("rows", (30, 40), (30, 64))):
        image = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
        resized = Image.fromarray(image).resize((to_w, to_h), Image.Resampling.BILINEAR)
        tensors[f"{name}.in"] = torch.from_numpy(image)
        tensors[f"{name}.out"] = torch.from_numpy(np.array(resized))
    save_file(tensors, path)


def write_medsam(path):
    """MedSAM_Inference.py (bowang-lab/MedSAM d71e8a1), its two lines of preprocessing."""
    rng = np.random.default_rng(4)
    image = rng.integers(20, 240, (19, 23, 3), dtype=np.uint8)
    image[0, 0], image[-1, -1] = 255, 3
    large = transform.resize(image, (76, 92), order=3, preserve_range=True, anti_aliasing=True).astype(np.uint8)
    scaled = (large - large.min()) / np.clip(large.max() - large.min(), a_min=1e-8, a_max=None)
    save_file({"in": torch.from_numpy(image), "large": torch.from_numpy(large),
               "scaled": torch.from_numpy(scaled.astype(np.float32))}, path)


def blur_pool(x, border="replicate"):
    x = F.pad(F.max_pool2d(x, 2), (1, 1, 1, 1), mode=border)
    kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    return F.conv2d(x, kernel.repeat(x.shape[1], 1, 1, 1), groups=x.shape[1])


def attention(t, q, k, v, heads):
    c = q.shape[-1]
    module = torch.nn.MultiheadAttention(c, heads, batch_first=True)
    with torch.no_grad():
        module.in_proj_weight.copy_(t["in_proj.weight"])
        module.in_proj_bias.copy_(t["in_proj.bias"])
        module.out_proj.weight.copy_(t["out_proj.weight"])
        module.out_proj.bias.copy_(t["out_proj.bias"])
        return module(q, k, v, need_weights=False)[0]


def efb(kind, t, u, e):
    """models.md 4.2-4.4, said once more with torch.nn.functional. Without gamma: no residual; without norm_q: no norm."""
    border = "constant" if kind == "efb_r" else "replicate"
    s = blur_pool(blur_pool(e, border), border)
    tokens = lambda x: x.flatten(2).transpose(1, 2)
    back = lambda x: x.transpose(1, 2).reshape(u.shape)
    conv = lambda name, x: F.conv2d(x, t[name + ".weight"], t[name + ".bias"])
    norm = lambda name, x: F.layer_norm(x, x.shape[-1:], t[name + ".weight"], t[name + ".bias"]) if f"{name}.weight" in t else x
    joined = torch.cat([u, s], 1)
    z = joined.mean((2, 3), keepdim=True)
    if kind == "concat":
        y = conv("conv", joined)
        y = (y - t["bn.running_mean"][:, None, None]) / torch.sqrt(t["bn.running_var"] + 1e-5)[:, None, None]
        return F.relu(y * t["bn.weight"][:, None, None] + t["bn.bias"][:, None, None])
    if kind == "efb_r":
        g = torch.sigmoid(conv("excite", F.relu(conv("squeeze", z))))
        return back(attention(t, tokens(g * u), tokens(u), tokens(u), 1))
    g = F.glu(conv("excite", F.glu(conv("squeeze", z), 1)), 1)
    if kind.startswith("efb_p"):
        gated = g * F.glu(conv("fuse", joined), 1)
        q, k = tokens(u if kind == "efb_p_asks_unet" else gated), tokens(gated)
    else:
        q, k = tokens(g * u), tokens(conv("project", s))
    kv = norm("norm_kv", k)
    found = back(attention(t, norm("norm_q", q), kv, kv, 8))
    return u + t["gamma"] * found if "gamma" in t else found


def write_fusion(path, cu=16, ce=16):
    torch.manual_seed(9)
    r, joined = max(8, (cu + ce) // 16), cu + ce
    draw = lambda *shape: torch.randn(*shape) * 0.3
    attn = lambda: {"in_proj.weight": draw(3 * cu, cu), "in_proj.bias": draw(3 * cu),
                    "out_proj.weight": draw(cu, cu), "out_proj.bias": draw(cu)}
    gate = lambda: {"squeeze.weight": draw(2 * r, joined, 1, 1), "squeeze.bias": draw(2 * r),
                    "excite.weight": draw(2 * cu, r, 1, 1), "excite.bias": draw(2 * cu)}
    rest = lambda: {"gamma": draw(1), **{f"norm_{n}.{p}": draw(cu) for n in ("q", "kv") for p in ("weight", "bias")}}
    weights = {
        "concat": {"conv.weight": draw(cu, joined, 1, 1), "conv.bias": draw(cu), "bn.weight": draw(cu),
                   "bn.bias": draw(cu), "bn.running_mean": draw(cu), "bn.running_var": draw(cu).abs() + 0.5},
        "efb_r": {**attn(), "squeeze.weight": draw(joined // 16, joined, 1, 1), "squeeze.bias": draw(joined // 16),
                  "excite.weight": draw(cu, joined // 16, 1, 1), "excite.bias": draw(cu)},
        "efb_p": {**attn(), **gate(), **rest(), "fuse.weight": draw(2 * cu, joined, 1, 1), "fuse.bias": draw(2 * cu)},
        "efb_x": {**attn(), **gate(), **rest(), "project.weight": draw(cu, ce, 1, 1), "project.bias": draw(cu)},
    }
    u, e = torch.randn(2, cu, 4, 4), torch.randn(2, ce, 16, 16)
    tensors = {"u": u, "e": e}
    whole = weights["efb_p"]
    without = lambda *parts: {k: v.clone() for k, v in whole.items() if not k.startswith(parts)}
    weights |= {"efb_p_literal": without("gamma", "norm"), "efb_p_plain_sum": without("norm"), "efb_p_bare": without("gamma"),
                "efb_p_asks_unet": without(" ")}
    for kind, t in weights.items():
        tensors |= {f"{kind}.weights.{k}": v for k, v in t.items()}
        tensors[f"{kind}.out"] = efb(kind, t, u, e).contiguous()
    save_file(tensors, path)


if __name__ == "__main__":
    source, folder = sys.argv[1:]
    write_sam(image_encoder(source), f"{folder}/sam_tiny.safetensors")
    write_resize(f"{folder}/pillow_resize.safetensors")
    write_medsam(f"{folder}/medsam_input.safetensors")
    write_fusion(f"{folder}/fusion.safetensors")
    write_positions(image_encoder(source), f"{folder}/sam_positions.safetensors")
    if importlib.util.find_spec("transformers"):
        write_hugging_face(f"{folder}/sam_hugging_face.safetensors")

#!/usr/bin/env python3
"""The plain statements of the networks (and the fixtures that they wrote, which the C++ networks are tested on) against the code
that the networks' authors published: the same weights, the same image.

usage: authors.py FOLDER [NAME ...]

FOLDER holds the authors' files, which are theirs to give away (file names as here, flat):

| NAME | file | from (GitHub, commit) |
|---|---|---|
| unet3plus | UNet_3Plus | ZJUGiveLab/UNet-Version 5551497, models/ |
| | layers.py, init_weights.py | the same, 87e5048 and bf26e28 |
| eunet3plus | modelUnet3p.py | CVPR-KIT/SAM-Guided-Enhanced-Nuclei-Segmentation 974d14b, networkModules/ |
| | conv_modules_unet3p.py | the same, 48510e3 |
| mobile_sam | tiny_vit_sam.py | ChaoningZhang/MobileSAM ce9ce32, mobile_sam/modeling/ (also in PyPI's mobilesam-mirror 1.0.0) |
| ddunet | dual_deocder_unet.py | masih4/dual_decoder_nuclei_segmentation fac06b6, models/ |
| awgunet | model.py | AyushRoy2001/AWGUNET 2979b61 |
| sharpunet | demo.ipynb | hasibzunair/sharp-unets 19ec085 |

Needs torch 2.13 and safetensors; the last three tensorflow-cpu 2.15.1 (numpy below 2), awgunet also tensorflow-wavelets 1.1.2
(--no-deps) and PyWavelets. Prints max|a - b| / max|b| of each; fails above 1e-4. What is not there is named and left out.

Their text runs as it is but for this: widths are written into it, so that a fixture's narrower network has other numbers there;
final sigmoids are taken off, because logits show more; what serves training only is stood in for (timm in MobileSAM's; initial
weights, a filter that is never called and files of intermediate maps in eU-Net3+'s); of the last two, which are a notebook's, what is
defined is run and not the training, and DenseNet starts without ImageNet's weights. eU-Net3+'s fixture has borders of our own.
"""
import ast
import contextlib
import io
import json
import os
import pathlib
import re
import sys
import types

os.environ.update({"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""})
import numpy as np
import torch
from safetensors.torch import load_file

import foreign_golden
import network_golden
import sam_golden
import task_golden
import task_networks
import tiny_vit

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures/networks"
FILES = {"unet3plus": ["UNet_3Plus", "layers.py", "init_weights.py"], "eunet3plus": ["modelUnet3p.py", "conv_modules_unet3p.py"],
         "mobile_sam": ["tiny_vit_sam.py"], "ddunet": ["dual_deocder_unet.py"], "awgunet": ["model.py"], "sharpunet": ["demo.ipynb"]}
worst = 0.0


def compare(what, theirs, ours):
    global worst
    apart = float((theirs.double() - ours.double()).abs().max() / ours.double().abs().max())
    assert theirs.shape == ours.shape and float(ours.double().std()) > 0.01 * float(ours.double().abs().max()), what
    worst = max(worst, apart)
    print(f"{what}: {apart:.2g}", flush=True)


def module(path, *edits, **names):
    """The file's names, after edits (from, to) that must each find something."""
    text = path.read_text()
    for old, new in edits:
        assert old in text, (path, old)
        text = text.replace(old, new)
    made = types.ModuleType(path.stem)
    made.__dict__.update(names)
    exec(compile(text, str(path), "exec"), made.__dict__)
    return made


def load(network, weights, unused=()):
    """Strictly, but for batch norm's counters and, of theirs, names that begin with unused."""
    missing, unexpected = network.load_state_dict(weights, strict=False)
    missing = [n for n in missing if not n.endswith("num_batches_tracked") and not n.startswith(tuple(unused))]
    assert not unexpected and not missing, (missing, unexpected)
    return network.eval()


def pixels(image):
    return image.permute(2, 0, 1)[None].float() / 255


def colours(side):
    """[side, side, 3] uint8: noise in blocks, so that maps vary at every scale."""
    torch.manual_seed(6)
    coarse = torch.nn.functional.interpolate(torch.rand(1, 3, side // 8, side // 8), size=(side, side))
    return (255 * (0.7 * coarse + 0.3 * torch.rand(1, 3, side, side)))[0].permute(1, 2, 0).to(torch.uint8)


def unet3plus(folder):
    for name in ("init_weights", "layers"):
        sys.modules[name] = module(folder / f"{name}.py")
    widths = "filters = [64, 128, 256, 512, 1024]"
    width = lambda b: [] if b == 64 else [(widths, f"filters = {[b * 2**i for i in range(5)]}")]
    # np: the file uses it in the classification-guided module and does not import it.
    def theirs(base):
        made = module(folder / "UNet_3Plus", *width(base), np=np)
        made.F = types.SimpleNamespace(sigmoid=lambda x: x)
        return made

    fixture = load_file(FIXTURES / "unet3plus_b2.safetensors")
    weights = {k[len("weights."):]: v for k, v in fixture.items() if k.startswith("weights.")}
    compare("unet3plus, fixture of width 2", load(theirs(2).UNet_3Plus(), weights)(pixels(fixture["image"])), fixture["logits"])

    fixture = load_file(FIXTURES / "task_networks.safetensors")
    image, scales = pixels(fixture["image"]).double(), fixture["unet3plus_supervised"]
    supervised = task_golden.fill(task_golden.Supervised(4, 2))
    weights = supervised.state_dict()
    network = load(theirs(4).UNet_3Plus_DeepSup_CGM(n_classes=2), weights)
    compare("unet3plus_supervised, fixture of width 4", torch.cat(network.double()(image), 1), scales)
    weights = {k: v for k, v in weights.items() if not k.startswith("cls.")}
    network = load(theirs(4).UNet_3Plus_DeepSup(n_classes=2), weights)
    compare("unet3plus_supervised, no classification", torch.cat(network.double()(image), 1), scales)

    plain = network_golden.UNet3Plus(64, 1, glu=False, blur=False, distance=False).eval()
    foreign_golden.fill(plain)
    image = pixels(colours(64))
    compare("unet3plus, full width", load(theirs(64).UNet_3Plus(), plain.state_dict())(image), plain(image))


def eunet3plus(folder):
    stand_ins = {"networkModules": {}, "networkModules.init_weights": {"init_weights": lambda m, init_type: None},
                 "guided_filter_pytorch": {}, "guided_filter_pytorch.guided_filter": {"FastGuidedFilter": lambda **k: None}}
    for name, values in stand_ins.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(values)
    extras = ["squeeze_excite", "cross_attention", "deconv_for", "conv_for"]

    def theirs(width, edits=(), blur=(), guided=False):
        # SEBlock: imported, never used and not in that version of the other file.
        sys.modules["networkModules.conv_modules_unet3p"] = module(folder / "conv_modules_unet3p.py", *blur, SEBlock=None)
        made = module(folder / "modelUnet3p.py", ("torch.save(", "unsaved("), ("return torch.sigmoid(d1)", "return d1"), *edits,
                      unsaved=lambda *a: None)
        return made.UNet_3Plus({"input_img_type": "rgb", "kernel_size": 3, "channel": width, "num_classes": 2, "dropout": 0.3,
                                "use_maxblurpool": True, "SAM_Guided": guided, "advancedSAM_Guided": False, "activation": "GLU"})

    class ZeroBorders(network_golden.UNet3Plus):
        def pool(self, x):
            return sam_golden.blur_pool(x, "constant")

    plain = ZeroBorders(32, 2, glu=True, blur=True, distance=False).eval()
    foreign_golden.fill(plain)
    image = pixels(colours(64))
    compare("eunet3plus, full width, borders as theirs", load(theirs(32), plain.state_dict(), extras)((image, None)), plain(image))

    fixture = load_file(FIXTURES / "eunet3plus_b2.safetensors")
    weights = {k[len("weights."):]: v for k, v in fixture.items() if k.startswith("weights.") and ".distance." not in k}
    blur = [("F.conv2d(x, blur_kernel, groups=x.size(1), padding=1)",
             "F.conv2d(F.pad(x, (1, 1, 1, 1), mode='replicate'), blur_kernel, groups=x.size(1))")]
    network = load(theirs(2, blur=blur), weights, extras)
    compare("eunet3plus, fixture of width 2, borders as ours", network((pixels(fixture["image"]), None)), fixture["logits"][:, :2])

    # The fusion alone: the fixture's map in the place of the bottleneck's, what comes to the dropout is the answer.
    fixture = load_file(FIXTURES / "fusion.safetensors")
    prefix = "efb_r.weights."
    names = {"squeeze": "squeeze_excite_h5.1", "excite": "squeeze_excite_h5.3", "out_proj": "cross_attention_h5.out_proj"}
    network = theirs(1, edits=[("self.unet_channels_h5 + 256", "self.unet_channels_h5 + 16")], guided=True).eval()
    weights = {}
    for name in (k[len(prefix):] for k in fixture if k.startswith(prefix)):
        part, kind = name.split(".")
        to = f"cross_attention_h5.in_proj_{kind}" if part == "in_proj" else f"{names[part]}.{kind}"
        weights[to] = fixture[prefix + name]
    network.load_state_dict({**network.state_dict(), **weights})
    network.conv5.forward = lambda x: fixture["u"]
    seen = []
    network.dropout.register_forward_pre_hook(lambda m, inputs: seen.append(inputs[0]))
    network((torch.zeros(2, 3, 64, 64), fixture["e"]))
    compare("eunet3plus, EFB-R's fixture", seen[0], fixture["efb_r.out"])


def mobile_sam(folder):
    class DropPath(torch.nn.Identity):
        def __init__(self, drop_prob):
            super().__init__()

    layers = types.ModuleType("timm.models.layers")
    layers.DropPath, layers.trunc_normal_, layers.to_2tuple = DropPath, torch.nn.init.trunc_normal_, lambda n: (n, n)
    registry = types.ModuleType("timm.models.registry")
    registry.register_model = lambda f: f
    sys.modules.update({m.__name__: m for m in (types.ModuleType("timm"), types.ModuleType("timm.models"), layers, registry)})

    def theirs(edits, side, widths, depths, classes):
        return module(folder / "tiny_vit_sam.py", *edits).TinyViT(
            img_size=side, num_classes=classes, embed_dims=list(widths), depths=list(depths), num_heads=[w // 32 for w in widths],
            window_sizes=[7, 7, 14, 7])

    fixture = load_file(FIXTURES / "tiny_vit.safetensors")
    widths, depths = (32, 64, 64, 96), (2, 1, 2, 1)
    plain = task_golden.fill(tiny_vit.TinyViT(widths, depths, (0, 7, 14, 7), 32, 16, 3))
    # Which width the merging keeps the size for, the last grid, and the neck's width.
    edits = [("out_dim==320", "out_dim==96"), ("view(B, 64, 64, C)", "view(B, 6, 6, C)"), ("256", "16")]
    network = load(theirs(edits, 96, widths, depths, 3), plain.state_dict())
    compare("mobile_sam, fixture", network(fixture["image"]), fixture["embedding"])

    plain = tiny_vit.TinyViT().eval()
    foreign_golden.fill(plain)
    network = load(theirs([], 1024, (64, 128, 160, 320), (2, 2, 6, 2), 1000), plain.state_dict())
    image = pixels(colours(1024)) * 4 - 2
    compare("mobile_sam, full width and 1024 px", network(image), plain(image))


def give(layer, parts):
    """Weights of a Keras layer from our parts of the same meaning; kernels [out, in, h, w] become [h, w, in, out]."""
    values = []
    for part in parts:
        v = part.detach().float()
        values.append(v.permute(2, 3, 1, 0) if v.dim() == 4 else v.T if v.dim() == 2 else v)
    layer.set_weights([v.numpy() for v in values])


def give_conv(layer, conv):
    give(layer, [conv.weight] + ([] if conv.bias is None else [conv.bias]))


def by_age(model, prefix):
    """A kind's layers as they were made: Keras numbers those that have no name."""
    found = [layer for layer in model.layers if re.fullmatch(prefix + r"(_\d+)?", layer.name)]
    return sorted(found, key=lambda layer: int((re.findall(r"_(\d+)$", layer.name) or [0])[0]))


def give_all(layers, parts, how=give_conv):
    assert len(layers) == len(parts), (len(layers), len(parts))
    for layer, part in zip(layers, parts):
        how(layer, part)


def without_sigmoid(layer):
    layer.activation = lambda x: x


def planes(maps):
    return torch.from_numpy(np.array(maps)).permute(0, 3, 1, 2)


def ddunet(folder):
    import tensorflow as tf

    made = module(folder / "dual_deocder_unet.py")

    def theirs(ours, image, divide):
        """Widths are numbers in the text: made smaller where layers are made."""
        kinds = {"Conv2D": tf.keras.layers.Conv2D, "Conv2DTranspose": tf.keras.layers.Conv2DTranspose}
        for name, kind in kinds.items():
            made.__dict__[name] = lambda n, *a, kind=kind, **k: kind(max(1, n // divide), *a, **k)
        tf.keras.backend.clear_session()
        with contextlib.redirect_stdout(io.StringIO()):
            model = made.dual_decoder_unet_binary(3, 1e-3)
        decoders = [ours.distance, ours.segmentation]
        convs = [conv for pair in [*ours.down, ours.bottom] for conv in pair]
        convs += [conv for d in decoders for i in (3, 2, 1, 0) for conv in d["join"][i]]
        give_all(by_age(model, "conv2d"), convs)
        give_all(by_age(model, "conv2d_transpose"), [d["up"][i] for d in decoders for i in (3, 2, 1, 0)])
        give_all([model.get_layer("output_dis"), model.get_layer("output_seg")], [d["head"] for d in decoders])
        without_sigmoid(model.get_layer("output_seg"))
        distance, nucleus = (planes(m) for m in model(image[None].numpy().astype(np.float32), training=False))
        return torch.cat([-nucleus, nucleus, distance], 1)

    fixture = load_file(FIXTURES / "task_networks.safetensors")
    compare("ddunet, fixture of width 4", theirs(task_golden.fill(task_networks.DDUNet(4)), fixture["image"], 4), fixture["ddunet"])
    ours, image = task_networks.DDUNet(16).eval(), colours(64)
    foreign_golden.fill(ours)
    compare("ddunet, full width", theirs(ours, image, 1), ours(pixels(image)))


def awgunet(folder):
    import tensorflow as tf

    path = folder / "model.py"
    tree = ast.parse(re.sub(r"(?m)^!.*", "", path.read_text()))
    tree.body = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef))]
    made = {"__name__": "awgunet"}
    exec(compile(tree, str(path), "exec"), made)
    dense_net = made["DenseNet121"]
    made["DenseNet121"] = lambda weights, **k: dense_net(weights=None, **k)

    ours = task_networks.AWGUNet(64, 1).eval()
    foreign_golden.fill(ours)
    ours.up[3].attention.excite.weight.data.zero_()  # a quarter of the image's three channels is none in theirs, one in ours
    side, image = 64, colours(64)
    tf.keras.backend.clear_session()
    model = made["build_densenet121_unet"]((side, side, 3))

    norm = lambda layer, n: give(layer, [n.weight, n.bias, n.running_mean, n.running_var])
    give_conv(model.get_layer("conv1/conv"), ours.stem[0])
    norm(model.get_layer("conv1/bn"), ours.stem[1])
    for b, block in enumerate(ours.dense):
        for i, layer in enumerate(block):
            name = f"conv{b + 2}_block{i + 1}_"
            norm(model.get_layer(name + "0_bn"), layer.norm1)
            give_conv(model.get_layer(name + "1_conv"), layer.conv1)
            norm(model.get_layer(name + "1_bn"), layer.norm2)
            give_conv(model.get_layer(name + "2_conv"), layer.conv2)
        norm(model.get_layer(f"pool{b + 2}_bn"), ours.norm[b])
        if b < 2:
            give_conv(model.get_layer(f"pool{b + 2}_conv"), ours.shrink[b])

    attentions = [ours.bridge] + [up.attention for up in ours.up]

    transposed = by_age(model, "conv2d_transpose")
    give_all([transposed[0]] + transposed[1::2], [a.raise_ for a in attentions])
    give_all(transposed[2::2], [up.raise_ for up in ours.up])
    give_all(by_age(model, "separable_conv2d"), [s for a in attentions for s in (a.wavelet, a.direct, a.score)],
             lambda layer, s: give(layer, [s.depth.weight.transpose(0, 1), s.point.weight, s.point.bias]))
    give_all(by_age(model, "weighted_global_average_pooling2d"), attentions, lambda layer, a: give(layer, [a.importance]))

    def dense(layer, linear):
        shape = [tuple(w.shape) for w in layer.weights]
        give(layer, [linear.weight[:shape[0][1], :shape[0][0]], linear.bias[:shape[1][0]]])

    give_all(by_age(model, "dense"), [d for a in attentions for d in (a.squeeze, a.excite)], dense)
    give_all(by_age(model, "conv2d"), [c for u in ours.up for c in (u.smooth, u.five[0], u.three[0], u.mix, u.one[0], u.last[0])]
             + [ours.head])
    give_all(by_age(model, "instance_normalization"), [n for u in ours.up for n in (u.five[1], u.three[1], u.one[1], u.last[1])])
    without_sigmoid(by_age(model, "conv2d")[-1])
    theirs = planes(model(pixels(image).permute(0, 2, 3, 1).numpy(), training=False))
    compare("awgunet, full width", theirs, ours(pixels(image)))


def sharpunet(folder):
    """Theirs has no batch norm and concatenates the other way round."""
    import tensorflow as tf

    cells = json.loads((folder / "demo.ipynb").read_text())["cells"]
    made = {"np": np, "Model": tf.keras.Model, **vars(tf.keras.layers)}
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and text.startswith(("def get_kernel", "def SharpUNet")):
            exec(compile(text, "demo.ipynb", "exec"), made)
    ours, image = task_networks.UNet(32, 1, sharp=True).eval(), colours(64)
    foreign_golden.fill(ours)
    for norm in (m for m in ours.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.reset_parameters()
        norm.running_var.fill_(1 - norm.eps)
    tf.keras.backend.clear_session()
    model = made["SharpUNet"]((64, 64, 3), 1)
    kept = [(b.conv1[0], b.conv2[0]) for b in ours.down]
    give_all(by_age(model, "conv2d")[:10], [c for pair in kept for c in pair])

    def turned(layer, conv):
        skip, up = conv.weight.chunk(2, 1)
        give(layer, [torch.cat([up, skip], 1), conv.bias])

    joins = [ours.join[i] for i in (3, 2, 1, 0)]
    give_all(by_age(model, "conv2d")[10:18:2], [b.conv1[0] for b in joins], turned)
    give_all(by_age(model, "conv2d")[11:18:2], [b.conv2[0] for b in joins])
    give_all(by_age(model, "conv2d")[18:], [ours.head])
    give_all(by_age(model, "conv2d_transpose"), [ours.up[i] for i in (3, 2, 1, 0)])
    without_sigmoid(by_age(model, "conv2d")[-1])
    theirs = planes(model(pixels(image).permute(0, 2, 3, 1).numpy(), training=False))
    compare("sharpunet, full width", theirs, ours(pixels(image)))


def main():
    folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:] or list(FILES)
    torch.set_num_threads(1)
    for name in names:
        absent = [f for f in FILES[name] if not (folder / f).exists()]
        if absent:
            print(f"{name}: not there: {', '.join(absent)}")
            continue
        try:
            with torch.inference_mode():
                globals()[name](folder)
        except ModuleNotFoundError as error:
            if error.name not in ("tensorflow", "tensorflow_wavelets", "pywt"):
                raise
            print(f"{name}: not there: {error.name}")
    return 0 if worst <= 1e-4 else 1


if __name__ == "__main__":
    raise SystemExit(main())

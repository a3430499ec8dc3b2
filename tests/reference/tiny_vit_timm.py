#!/usr/bin/env python3
"""The plain statement of MobileSAM's encoder (tiny_vit.py) against timm's TinyViT: the same weights by formula, the same image.

usage: tiny_vit_timm.py      (torch 2.13, timm 1.0.31; torchvision is not needed: what timm imports of it stays unused)

timm has the network for 224-px classification; MobileSAM differs in one stride (its last merging keeps the size) and in SAM's neck,
which is taken from the plain statement here and compared with segment-anything elsewhere (sam_golden.py).
"""
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
import types

import torch


class Unused(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """A torchvision of which every name is a class that does nothing."""

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "torchvision" else None

    def create_module(self, spec):
        class Module(types.ModuleType):
            def __getattr__(self, name):
                if name.startswith("__"):
                    raise AttributeError(name)
                meta = type("Meta", (type,), {"__getattr__": lambda c, n: n if not n.startswith("__") else type.__getattribute__(c, n)})
                return meta(name, (torch.nn.Module,), {})
        return Module(spec.name)

    def exec_module(self, module):
        pass


def timm_name(name):
    name = name.replace("patch_embed.seq.0.", "patch_embed.conv1.").replace("patch_embed.seq.2.", "patch_embed.conv2.")
    name = re.sub(r"layers\.(\d)\.downsample", lambda m: f"stages.{int(m[1]) + 1}.downsample", name)
    return re.sub(r"\.c\.", ".conv.", re.sub(r"^layers\.", "stages.", name))


def main():
    if not importlib.util.find_spec("torchvision"):
        sys.meta_path.insert(0, Unused())
    import timm
    from timm.models.tiny_vit import TinyVit
    from tiny_vit import TinyViT, fill

    widths, depths = (32, 64, 64, 96), (2, 1, 2, 1)
    plain = fill(TinyViT(widths, depths, (0, 7, 14, 7), 32, 16, 3))
    theirs = TinyVit(num_classes=3, embed_dims=widths, depths=depths, num_heads=[w // 32 for w in widths], window_sizes=(7, 7, 14, 7)).eval()
    weights = {timm_name(k): v for k, v in plain.state_dict().items() if not k.startswith(("neck", "norm_head", "head"))}
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.startswith("head.") for name in missing), (missing, unexpected)
    theirs.stages[3].downsample.conv2.conv.stride = (1, 1)
    torch.manual_seed(4)
    image = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        expected = plain.neck(theirs.forward_features(image))
        apart = float((plain(image) - expected).abs().max() / expected.abs().max())
    print(f"timm {timm.__version__}: {apart:.2g} of the largest value")
    return 0 if apart <= 1e-4 else 1


if __name__ == "__main__":
    raise SystemExit(main())

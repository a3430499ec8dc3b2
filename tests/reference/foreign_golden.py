"""Writes tests/fixtures/networks/{hovernet,cellvit}.safetensors: what other programs' networks say about a
drawn image, with weights drawn from a formula (tests/networks/noise_weights.h knows the same), so that
full-width networks need no files. The programs' packages (PyPI) are unpacked to folders, not installed:

    pip download --no-deps tiatoolbox==2.1.3 cellvit==1.0.9    and unzip both into FOLDER
    python tests/reference/foreign_golden.py FOLDER tests/fixtures/networks
"""
import importlib.util
import pathlib
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file


def noise(count, stream):
    """[count] float64 in [0, 1): a hash of (index, stream) in 32 bits."""
    mask = np.uint64(0xFFFFFFFF)
    u = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(stream) * np.uint64(40503 << 8)) & mask
    u ^= u >> np.uint64(15)
    u = (u * np.uint64(2246822519)) & mask
    u ^= u >> np.uint64(13)
    return u.astype(np.float64) / 4294967296.0


def fill(network):
    """Every parameter and statistic, in the order of the names."""
    with torch.no_grad():
        for stream, (name, tensor) in enumerate(sorted(network.state_dict().items()), start=1):
            if name.endswith("num_batches_tracked") or name.endswith("unpool_mat"):
                continue
            u = noise(tensor.numel(), stream)
            if name.endswith("running_var"):
                v = 0.5 + u
            elif name.endswith("running_mean") or name.endswith("bias"):
                v = 0.2 * (u - 0.5)
            elif tensor.dim() == 1:
                v = 0.8 + 0.4 * u
            else:
                v = (2 * u - 1) * np.sqrt(3.0 / (tensor.numel() // tensor.shape[0]))
            tensor.copy_(torch.from_numpy(v.astype(np.float32)).view(tensor.shape))


def image(side):
    """[1, 3, side, side] whole numbers 0..255: what an 8-bit image holds."""
    return torch.from_numpy(np.floor(256 * noise(3 * side * side, 77)).astype(np.float32)).view(1, 3, side, side)


def stub(name, **attributes):
    module = types.ModuleType(name)
    module.__dict__.update(attributes)
    module.__getattr__ = lambda key: None
    sys.modules[name] = module
    return module


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def parameters(network):
    return torch.tensor([sum(p.numel() for p in network.parameters())])


def hovernet(folder):
    """The class, without what its module needs only after the network."""
    for name in ("cv2", "dask", "dask.array", "tqdm", "tqdm.auto", "tiatoolbox", "tiatoolbox.models",
                 "tiatoolbox.models.architecture", "tiatoolbox.utils", "tiatoolbox.utils.misc"):
        stub(name)
    stub("tiatoolbox.models.models_abc", ModelABC=torch.nn.Module)
    root = pathlib.Path(folder) / "tiatoolbox/models/architecture"
    sys.modules["tiatoolbox"].logger = sys.modules["tiatoolbox"].rcParam = None
    load("tiatoolbox.models.architecture.utils", root / "utils.py")
    return load("tiatoolbox.models.architecture.hovernet", root / "hovernet.py").HoVerNet


def write_hovernet(network_class, path):
    tensors = {}
    for mode, side, types_ in (("fast", 256, 6), ("original", 270, None), ("original", 270, 5), ("fast", 256, None)):
        network = network_class(num_types=types_, mode=mode).eval()
        key = f"{mode}_{types_ or 0}"
        tensors[f"{key}.parameters"] = parameters(network)
        if (mode, types_) not in (("fast", 6), ("original", None)):
            continue
        fill(network)
        with torch.no_grad():
            for name, out in network(image(side)).items():
                tensors[f"{key}.{name}"] = out[0, :, ::5, ::5].contiguous()
    save_file(tensors, path)


def cellvit(folder):
    for name in ("cellvit", "cellvit.models", "cellvit.models.cell_segmentation", "cellvit.models.base", "cellvit.models.utils"):
        stub(name).__path__ = []
    stub("cellvit.models.cell_segmentation.postprocessing", DetectionCellPostProcessor=None)
    stub("einops", rearrange=lambda x, _: x.flatten(2))
    root = pathlib.Path(folder) / "cellvit/models"
    for name in ("utils.blocks", "utils.sam_utils", "base.vision_transformer", "cell_segmentation.backbones",
                 "cell_segmentation.cellvit", "cell_segmentation.cellvit_sam", "cell_segmentation.cellvit_256"):
        module = load("cellvit.models." + name, root / (name.replace(".", "/") + ".py"))
    return sys.modules["cellvit.models.cell_segmentation.cellvit_sam"].CellViTSAM, module.CellViT256


def write_cellvit(sam_class, vit_class, path):
    class Small(sam_class):
        def init_vit_b(self):
            self.embed_dim, self.depth, self.num_heads = 64, 4, 2
            self.encoder_global_attn_indexes, self.extract_layers = [1, 3], [1, 2, 3, 4]

    networks = {"sam": Small(None, 6, 19, "SAM-B"), "vit": vit_class(None, 6, 19)}
    tensors = {"sam_b.parameters": parameters(sam_class(None, 6, 19, "SAM-B"))}
    for key, network in networks.items():
        network.eval()
        fill(network)
        tensors[f"{key}.parameters"] = parameters(network)
        with torch.no_grad():
            out = network((image(256) / 255 - 0.5) / 0.5)
        for name in ("nuclei_binary_map", "hv_map", "nuclei_type_map"):
            tensors[f"{key}.{name}"] = out[name][0, :, ::9, ::9].contiguous()
    save_file(tensors, path)


if __name__ == "__main__":
    source, folder = sys.argv[1:]
    torch.set_num_threads(1)
    write_hovernet(hovernet(source), f"{folder}/hovernet.safetensors")
    write_cellvit(*cellvit(source), f"{folder}/cellvit.safetensors")

"""Writes tests/fixtures/networks/task_networks.safetensors: an 8-bit image and what the plain statements in task_networks.py say
about it. Weights are not stored: both sides fill the sorted names of a state with the same formula (AWGUNET's by foreign_golden.py's).
Computed in double.

    python tests/reference/task_golden.py tests/fixtures/networks      (torch 2.13, safetensors)
"""
import sys

import foreign_golden
import torch
from network_golden import UNet3Plus as PlainUNet3Plus
from safetensors.torch import save_file
from task_networks import AWGUNet, DDUNet, UNet
from torch.nn import functional as F


class Supervised(PlainUNet3Plus):
    """U-Net 3+ with a head per scale and, as the published code has it, the classification-guided module on the logits."""

    def __init__(self, base, classes):
        super().__init__(base, classes, glu=False, blur=False, distance=False)
        for scale in range(2, 6):
            setattr(self, f"outconv{scale}", torch.nn.Conv2d(16 * base if scale == 5 else 5 * base, classes, 3, padding=1))
        self.cls = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Conv2d(16 * base, 2, 1), torch.nn.AdaptiveMaxPool2d(1),
                                       torch.nn.Sigmoid())

    def forward(self, image):
        seen = {}
        hooks = [getattr(self, f"bn{s}d_1").register_forward_hook(lambda m, i, o, s=s: seen.__setitem__(s, F.relu(o)))
                 for s in range(1, 5)]
        hooks.append(self.conv5.register_forward_hook(lambda m, i, o: seen.__setitem__(5, o)))
        super().forward(image)
        for hook in hooks:
            hook.remove()
        there = self.cls(seen[5]).flatten(1).argmax(1).float()
        scales = [F.interpolate(getattr(self, f"outconv{s}")(seen[s]), scale_factor=2 ** (s - 1), mode="bilinear")
                  for s in range(1, 6)]
        return torch.cat(scales, 1) * there[:, None, None, None]


def fill(network):
    """Element i of the n-th name: a sine, scaled so that activations neither vanish nor explode."""
    state = network.state_dict()
    for n, name in enumerate(sorted(state)):
        value = state[name]
        if not value.is_floating_point():
            continue
        wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * (0.7 + 0.01 * n) + n).reshape(value.shape)
        if name.endswith("running_var") or (value.dim() == 1 and not name.endswith(("bias", "running_mean"))):
            wave = 1 + 0.3 * wave
        elif value.dim() > 1:
            wave = wave * (4 / (value.numel() / value.shape[0])) ** 0.5
        else:
            wave = 0.2 * wave
        if name == "cls.1.bias":  # "a nucleus": else all would be silent
            wave = torch.tensor([0.0, 9.0])
        value.copy_(wave)
    return network.eval()


NETWORKS = {"unet": lambda: UNet(4, 2, distance=True), "sharpunet": lambda: UNet(4, 2, sharp=True),
            "asppunet": lambda: UNet(4, 2, pyramid=True), "deau": lambda: UNet(4, 2, gated=True), "ddunet": lambda: DDUNet(4),
            "awgunet": lambda: AWGUNet(8, 2, distance=True), "unet3plus_supervised": lambda: Supervised(4, 2)}

if __name__ == "__main__":
    torch.manual_seed(3)
    image = torch.randint(0, 256, (32, 64, 3), dtype=torch.uint8)
    tensors = {"image": image}
    with torch.inference_mode():
        for name, make in NETWORKS.items():
            pixels = (image.permute(2, 0, 1)[None].float() / 255).double()
            # By sines AWGUNET's maps hardly vary, and its instance norms make rounding 20 times as large.
            network = make() if name == "awgunet" else fill(make())
            if name == "awgunet":
                foreign_golden.fill(network.eval())
            tensors[name] = network.double()(pixels).float().contiguous()
            print(name, tuple(tensors[name].shape), float(tensors[name].abs().max()), float(tensors[name].std()))
    save_file(tensors, f"{sys.argv[1]}/task_networks.safetensors")

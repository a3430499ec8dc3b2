"""Writes tests/fixtures/networks/*.safetensors: random weights, an 8-bit image and what a plain
PyTorch statement of each network says about it. The statement follows the published descriptions
(U-Net 3+: Huang et al. 2020; eU-Net3+: Swain et al. 2024) and shares no code with model/nn.

    python tests/reference/network_golden.py tests/fixtures/networks      (torch 2.13, safetensors)
"""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file


class ConvBlock(nn.Module):
    """unetConv2 of the published code: two times conv, batch norm, activation."""

    def __init__(self, inputs, outputs, glu):
        super().__init__()
        made = 2 * outputs if glu else outputs
        self.act = (lambda x: F.glu(x, dim=1)) if glu else F.relu
        self.conv1 = nn.Sequential(nn.Conv2d(inputs, made, 3, 1, 1), nn.BatchNorm2d(made))
        self.conv2 = nn.Sequential(nn.Conv2d(outputs, made, 3, 1, 1), nn.BatchNorm2d(made))

    def forward(self, x):
        return self.act(self.conv2(self.act(self.conv1(x))))


class UNet3Plus(nn.Module):
    def __init__(self, base, classes, glu, blur, distance):
        super().__init__()
        self.blur, widths = blur, [base * 2**i for i in range(5)]
        for i, width in enumerate(widths):
            setattr(self, f"conv{i + 1}", ConvBlock(3 if i == 0 else widths[i - 1], width, glu))
        for stage in range(4, 0, -1):
            for scale in range(1, 6):
                inputs = widths[scale - 1] if scale <= stage or scale == 5 else 5 * base
                self.add(self.name(stage, scale), inputs, base)
            setattr(self, f"conv{stage}d_1", nn.Conv2d(5 * base, 5 * base, 3, padding=1))
            setattr(self, f"bn{stage}d_1", nn.BatchNorm2d(5 * base))
        self.outconv1 = nn.Conv2d(5 * base, classes, 3, padding=1)
        self.distance = nn.Conv2d(5 * base, 1, 3, padding=1) if distance else None

    def add(self, name, inputs, outputs):
        setattr(self, name + "_conv", nn.Conv2d(inputs, outputs, 3, padding=1))
        setattr(self, name + "_bn", nn.BatchNorm2d(outputs))

    @staticmethod
    def name(stage, scale):
        if scale < stage:
            return f"h{scale}_PT_hd{stage}"
        return f"h{scale}_Cat_hd{stage}" if scale == stage else f"hd{scale}_UT_hd{stage}"

    def pool(self, x):
        x = F.max_pool2d(x, 2)
        if not self.blur:
            return x
        kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv2d(x, kernel.repeat(x.shape[1], 1, 1, 1), groups=x.shape[1])

    def forward(self, image):
        h, x = {}, image
        for i in range(1, 6):
            x = h[i] = getattr(self, f"conv{i}")(x if i == 1 else self.pool(x))
        d = {5: h[5]}
        for stage in range(4, 0, -1):
            parts = []
            for scale in range(1, 6):
                if scale < stage:
                    y = F.max_pool2d(h[scale], 2 ** (stage - scale), ceil_mode=True)
                elif scale == stage:
                    y = h[scale]
                else:
                    y = F.interpolate(d[scale], scale_factor=2 ** (scale - stage), mode="bilinear")
                name = self.name(stage, scale)
                parts.append(F.relu(getattr(self, name + "_bn")(getattr(self, name + "_conv")(y))))
            joined = getattr(self, f"conv{stage}d_1")(torch.cat(parts, 1))
            d[stage] = F.relu(getattr(self, f"bn{stage}d_1")(joined))
        out = self.outconv1(d[1])
        return out if self.distance is None else torch.cat([out, self.distance(d[1])], 1)


def write(path, network, side=64):
    torch.manual_seed(11)
    for tensor in network.state_dict().values():  # batch norm's statistics as well
        if tensor.is_floating_point():
            tensor.copy_(torch.randn_like(tensor) * 0.3 + (1 if tensor.dim() == 1 else 0))
    for name, tensor in network.named_buffers():
        if name.endswith("running_var"):
            tensor.copy_(tensor.abs() + 0.5)
    image = torch.randint(0, 256, (side, side, 3), dtype=torch.uint8)
    network.eval()
    with torch.no_grad():
        logits = network(image.permute(2, 0, 1)[None].float() / 255)
    tensors = {f"weights.{k}": v for k, v in network.state_dict().items() if v.is_floating_point()}
    save_file({**tensors, "image": image, "logits": logits.contiguous()}, path)


if __name__ == "__main__":
    folder = sys.argv[1]
    write(f"{folder}/unet3plus_b2.safetensors", UNet3Plus(2, 1, glu=False, blur=False, distance=False))
    write(f"{folder}/eunet3plus_b2.safetensors", UNet3Plus(2, 2, glu=True, blur=True, distance=True))

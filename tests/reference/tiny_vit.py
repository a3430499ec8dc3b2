"""A plain PyTorch statement of MobileSAM's encoder (ChaoningZhang/MobileSAM, TinyViT-5M); shares no code with model/nn. Writes
tests/fixtures/networks/tiny_vit.safetensors from weights by formula (task_golden.py).

    python tests/reference/tiny_vit.py tests/fixtures/networks      (torch 2.13, safetensors)
"""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file
from task_golden import fill


class ConvBN(nn.Module):
    def __init__(self, i, o, k=1, stride=1, groups=1):
        super().__init__()
        self.c, self.bn = nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)

    def forward(self, x):
        return self.bn(self.c(x))


class Three(nn.Module):
    def __init__(self, i, m, o, stride):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = ConvBN(i, m), ConvBN(m, m, 3, stride, m), ConvBN(m, o)

    def forward(self, x):
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))


class Attention(nn.Module):
    def __init__(self, width, head, window):
        super().__init__()
        self.window, self.heads = window, width // head
        self.norm, self.qkv, self.proj = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(self.heads, window**2))

    def one_window(self, x):
        """[window², C], head by head; the bias is looked up pair by pair, as the paper words it."""
        w, qkv = self.window, self.qkv(self.norm(x))
        size, out = x.shape[1] // self.heads, []
        at = [(i // w, i % w) for i in range(w * w)]
        index = torch.tensor([[abs(a[0] - b[0]) * w + abs(a[1] - b[1]) for b in at] for a in at])
        for head in range(self.heads):
            q, k, v = qkv[:, 3 * size * head:3 * size * (head + 1)].split(size, 1)
            out.append(torch.softmax(q @ k.T * size**-0.5 + self.attention_biases[head][index], 1) @ v)
        return self.proj(torch.cat(out, 1))

    def forward(self, x):
        """[C, H, W], zeros below and right to whole windows."""
        c, h, w = x.shape
        side = self.window
        padded = F.pad(x, (0, -w % side, 0, -h % side))
        out = torch.zeros_like(padded)
        for y in range(0, padded.shape[1], side):
            for z in range(0, padded.shape[2], side):
                part = padded[:, y:y + side, z:z + side].reshape(c, -1).T
                out[:, y:y + side, z:z + side] = self.one_window(part).T.reshape(c, side, side)
        return out[:, :h, :w]


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class Block(nn.Module):
    def __init__(self, width, head, window):
        super().__init__()
        self.attn, self.mlp, self.local_conv = Attention(width, head, window), Mlp(width), ConvBN(width, width, 3, 1, width)

    def forward(self, x):
        x = self.local_conv(x + torch.stack([self.attn(image) for image in x]))
        return x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerNorm2d(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(((x - mean) ** 2).mean(1, keepdim=True) + 1e-6)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class TinyViT(nn.Module):
    def __init__(self, widths=(64, 128, 160, 320), depths=(2, 2, 6, 2), windows=(0, 7, 14, 7), head=32, out=256, classes=1000):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.seq = nn.Sequential(ConvBN(3, widths[0] // 2, 3, 2), nn.GELU(), ConvBN(widths[0] // 2, widths[0], 3, 2))
        self.layers = nn.ModuleList()
        for k, width in enumerate(widths):
            layer = nn.Module()
            layer.blocks = nn.ModuleList([Three(width, 4 * width, width, 1) if k == 0 else Block(width, head, windows[k])
                                          for _ in range(depths[k])])
            if k < 3:
                layer.downsample = Three(width, widths[k + 1], widths[k + 1], 1 if k == 2 else 2)
            self.layers.append(layer)
        self.norm_head, self.head = nn.LayerNorm(widths[3]), nn.Linear(widths[3], classes)
        self.neck = nn.Sequential(nn.Conv2d(widths[3], out, 1, bias=False), LayerNorm2d(out),
                                  nn.Conv2d(out, out, 3, padding=1, bias=False), LayerNorm2d(out))

    def forward(self, x):
        x = self.patch_embed.seq(x)
        for k, layer in enumerate(self.layers):
            for block in layer.blocks:
                x = F.gelu(x + block(x)) if k == 0 else block(x)
            if k < 3:
                x = layer.downsample(x)
        return self.neck(x)


if __name__ == "__main__":
    torch.manual_seed(4)
    image = torch.randn(1, 3, 96, 96)
    whole = TinyViT()
    print(sum(p.numel() for p in whole.parameters()), len(whole.state_dict()))
    with torch.inference_mode():
        small = fill(TinyViT((32, 64, 64, 96), (2, 1, 2, 1), (0, 7, 14, 7), 32, 16, 3))
        embedding = small(image)
    print(embedding.shape, embedding.std())
    save_file({"image": image, "embedding": embedding.contiguous()}, f"{sys.argv[1]}/tiny_vit.safetensors")

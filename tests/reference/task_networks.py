"""Plain PyTorch statements of the task networks that the fused model is compared with. They follow the published descriptions
named at each class and share no code with model/nn; only the names of parameters are the same."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    """conv3x3, batch norm, ReLU, twice."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs))
        self.conv2 = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class UNet(nn.Module):
    """Ronneberger et al. 2015 with padding and batch norm; skips may be sharpened (Zunair & Ben Hamza 2021), the bottleneck
    may be an atrous pyramid (Wan et al. 2020), and a second encoder of the haematoxylin channel may gate the skips
    (Vahadane et al. 2021)."""

    def __init__(self, base, classes, distance=False, sharp=False, pyramid=False, gated=False):
        super().__init__()
        self.sharp, widths = sharp, [base * 2**i for i in range(5)]
        self.down = nn.ModuleList([Block(3 if i == 0 else widths[i - 1], w) for i, w in enumerate(widths)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(widths[i + 1], widths[i], 2, 2) for i in range(4)])
        self.join = nn.ModuleList([Block(2 * widths[i], widths[i]) for i in range(4)])
        self.head = nn.Conv2d(base, classes, 1)
        self.distance = nn.Conv2d(base, 1, 1) if distance else None
        self.pyramid = Pyramid(widths[4]) if pyramid else None
        if gated:
            self.stain = nn.ModuleList([Block(1 if i == 0 else widths[i - 1], widths[i]) for i in range(4)])
            self.stain_gate = nn.ModuleList([nn.Conv2d(w, w, 1) for w in widths[:4]])
            self.attention = nn.ModuleList([Attention(w) for w in widths[:4]])
        self.gated = gated

    def forward(self, x):
        maps = []
        for i, level in enumerate(self.down):
            x_in = x if i == 0 else F.max_pool2d(maps[-1], 2)
            maps.append(level(x_in))
        if self.gated:
            stain = haematoxylin(x)
        y = maps[4] if self.pyramid is None else self.pyramid(maps[4])
        gates = []
        if self.gated:
            for i in range(4):
                stain = self.stain[i](stain if i == 0 else F.max_pool2d(stain, 2))
                gates.append(torch.sigmoid(self.stain_gate[i](stain)))
        for i in (3, 2, 1, 0):
            y, skip = self.up[i](y), maps[i]
            if self.sharp:
                kernel = torch.full((3, 3), -1.0, dtype=x.dtype)
                kernel[1, 1] = 8
                skip = F.conv2d(skip, kernel.expand(skip.shape[1], 1, 3, 3), padding=1, groups=skip.shape[1])
            if self.gated:
                skip = self.attention[i](skip * gates[i], y)
            y = self.join[i](torch.cat([skip, y], 1))
        out = self.head(y)
        return out if self.distance is None else torch.cat([out, self.distance(y)], 1)


class Pyramid(nn.Module):
    """Four 3x3 convolutions of dilation 1, 6, 12 and 18, a quarter of the channels each, and a 1x1 over all."""

    def __init__(self, width):
        super().__init__()
        self.rates = [1, 6, 12, 18]
        self.branches = nn.ModuleList([nn.Sequential(nn.Conv2d(width, width // 4, 3, padding=r, dilation=r),
                                                     nn.BatchNorm2d(width // 4)) for r in self.rates])
        self.project = nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(self.project(torch.cat([F.relu(b(x)) for b in self.branches], 1)))


class Attention(nn.Module):
    """Additive attention gate (Oktay et al. 2018) at equal size, half the channels inside."""

    def __init__(self, width):
        super().__init__()
        self.skip = nn.Conv2d(width, width // 2, 1)
        self.signal = nn.Conv2d(width, width // 2, 1)
        self.score = nn.Conv2d(width // 2, 1, 1)

    def forward(self, skip, signal):
        return skip * torch.sigmoid(self.score(F.relu(self.skip(skip) + self.signal(signal))))


def haematoxylin(images):
    """Share of haematoxylin in the optical density, Macenko's reference vectors, least squares."""
    stains = torch.tensor([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]], dtype=torch.float64)
    density = -torch.log((255 * images + 1) / 240)
    row = torch.linalg.pinv(stains)[0].to(images.dtype)
    return torch.einsum("nchw,c->nhw", density, row).clamp(min=0).unsqueeze(1)


class DDUNet(nn.Module):
    """Mahbod et al. 2022 (masih4/dual_decoder_nuclei_segmentation): one encoder, two decoders; base 16."""

    def __init__(self, base):
        super().__init__()
        widths = [base * 2**i for i in range(4)]
        pair = lambda i, m, o: nn.ModuleList([nn.Conv2d(i, m, 3, padding=1), nn.Conv2d(m, o, 3, padding=1)])
        self.down = nn.ModuleList([pair(3 if i == 0 else widths[i - 1], w, w) for i, w in enumerate(widths)])
        self.bottom = pair(widths[3], 2 * widths[3], 4 * widths[3])
        decoder = lambda: nn.ModuleDict({
            "up": nn.ModuleList([nn.ConvTranspose2d(widths[i + 1] if i < 3 else 4 * widths[3], widths[i], 2, 2)
                                 for i in range(4)]),
            "join": nn.ModuleList([pair(2 * w, w, w) for w in widths]), "head": nn.Conv2d(base, 1, 1)})
        self.segmentation, self.distance = decoder(), decoder()

    @staticmethod
    def twice(pair, x):
        return F.relu(pair[1](F.relu(pair[0](x))))

    def decode(self, decoder, maps, y):
        for i in (3, 2, 1, 0):
            y = self.twice(decoder["join"][i], torch.cat([decoder["up"][i](y), maps[i]], 1))
        return decoder["head"](y)

    def forward(self, x):
        maps = []
        for i, pair in enumerate(self.down):
            maps.append(self.twice(pair, x if i == 0 else F.max_pool2d(maps[-1], 2)))
        bottom = self.twice(self.bottom, F.max_pool2d(maps[3], 2))
        nucleus = self.decode(self.segmentation, maps, bottom)
        return torch.cat([-nucleus, nucleus, self.decode(self.distance, maps, bottom)], 1)


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)


class Separable(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.depth, self.point = nn.Conv2d(inputs, inputs, 1, groups=inputs, bias=False), nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.point(self.depth(x))


class WGCAM(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.raise_ = nn.ConvTranspose2d(4 * c, 4 * c, 2, 2)
        self.wavelet, self.direct, self.score = Separable(4 * c, c), Separable(c, c), Separable(c, c)
        self.importance = nn.Parameter(torch.ones(c))
        squeezed = max(1, c // 4)
        self.squeeze, self.excite = nn.Linear(c, squeezed), nn.Linear(squeezed, c)

    def forward(self, x):
        a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
        haar = torch.cat([a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d], 1) / 2
        w = self.wavelet(self.raise_(haar))
        spatial = torch.sigmoid(self.score(self.direct(x) + w))
        pooled = (x * self.importance[:, None, None]).sum((2, 3)) / self.importance.sum()
        channel = torch.sigmoid(self.excite(F.relu(self.squeeze(pooled))))
        return x * spatial * channel[:, :, None, None]


def resize_matrix(size, kernel, radius):
    """Twice as large: rows of normalised kernel weights at half-pixel centres (tf.image.resize)."""
    at = (torch.arange(2 * size, dtype=torch.float64)[:, None] + 0.5) / 2 - 0.5
    away = torch.arange(size, dtype=torch.float64)[None] - at
    weights = torch.where(away.abs() <= radius, kernel(away), torch.zeros((), dtype=torch.float64))
    return weights / weights.sum(1, keepdim=True)


def gaussian(d):
    return torch.exp(-d * d / (2 * 0.5**2))


def lanczos(d):
    return torch.sinc(d) * torch.sinc(d / 5)


def twice(x, kernel, radius):
    rows, columns = (resize_matrix(n, kernel, radius).to(x.dtype) for n in x.shape[2:])
    return torch.einsum("yh,nchw,xw->ncyx", rows, x, columns)


class UpBlock(nn.Module):
    def __init__(self, inputs, skip, f):
        super().__init__()
        self.smooth, self.raise_ = nn.Conv2d(inputs, inputs, 1), nn.ConvTranspose2d(inputs, inputs, 2, 2)
        self.attention, c = WGCAM(skip), 2 * inputs + skip
        step = lambda i, o, k: nn.Sequential(nn.Conv2d(i, o, k, padding=k // 2), nn.InstanceNorm2d(o, eps=1e-5, affine=True))
        self.five, self.three, self.one = step(c, f // 2, 5), step(c, f // 2, 3), step(c, f, 1)
        self.mix, self.last = nn.Conv2d(f, f, 1), step(2 * f, f, 3)

    def forward(self, x, skip):
        up = torch.cat([self.smooth(twice(x, gaussian, 1.5) + twice(x, lanczos, 5)), self.raise_(x)], 1)
        x = torch.cat([up, self.attention(skip)], 1)
        mixed = self.mix(torch.cat([F.relu(self.five(x)), F.relu(self.three(x))], 1))
        return F.relu(self.last(torch.cat([mixed, F.relu(self.one(x))], 1)))


class AWGUNet(nn.Module):
    """Roy et al. 2024 (arXiv 2406.08425, AyushRoy2001/AWGUNET): DenseNet-121 encoder, base 64."""

    def __init__(self, base, classes, distance=False):
        super().__init__()
        growth, c = base // 2, base
        self.stem = nn.Sequential(nn.Conv2d(3, base, 7, 2, 3, bias=False), nn.BatchNorm2d(base))
        self.dense, self.norm, self.shrink, skips = nn.ModuleList(), nn.ModuleList(), nn.ModuleList(), []
        for i, layers in enumerate((6, 12, 24)):
            self.dense.append(nn.Sequential(*[DenseLayer(c + j * growth, growth) for j in range(layers)]))
            c += layers * growth
            self.norm.append(nn.BatchNorm2d(c))
            skips.append(c)
            if i < 2:
                self.shrink.append(nn.Conv2d(c, c // 2, 1, bias=False))
                c //= 2
        self.bridge = WGCAM(c)
        f = [8 * base, 4 * base, 2 * base, base]
        self.up = nn.ModuleList([UpBlock(i, s, o) for i, s, o in zip([c] + f[:3], [skips[1], skips[0], base, 3], f)])
        self.head = nn.Conv2d(base, classes, 1)
        self.distance = nn.Conv2d(base, 1, 1) if distance else None

    def forward(self, image):
        stem = F.relu(self.stem(image))
        x, skips = F.max_pool2d(stem, 3, 2, 1), []
        for i in range(3):
            x = F.relu(self.norm[i](self.dense[i](x)))
            skips.append(x)
            if i < 2:
                x = F.avg_pool2d(self.shrink[i](x), 2)
        y = self.bridge(skips[2])
        for up, skip in zip(self.up, [skips[1], skips[0], stem, image]):
            y = up(y, skip)
        out = self.head(y)
        return out if self.distance is None else torch.cat([out, self.distance(y)], 1)

#!/usr/bin/env python3
"""Metrics of 200 random pairs of label images, computed from their definitions, for tests/stages/metrics_test.cpp.

usage: metrics_golden.py > tests/stages/golden/metrics.csv

Both sides draw the same images from the same integers (labels()), so that only numbers need to be kept. The
definitions are written as masks of single nuclei, one pair at a time: slow, and with nothing in common with
the program's table.
"""
import numpy as np
from scipy.optimize import linear_sum_assignment

RADIUS = 6
COLUMNS = ["dice_fg", "iou_fg", "miou_2c", "dice_w", "miou_w", "pq", "dq", "sq", "aji", "aji_plus", "detection_f1",
           "count_error", "area_bias"]


class Draw:
    """Knuth's 64-bit linear congruential generator; the upper bits count."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


def disc(image, x, y, r, value):
    rows, columns = np.mgrid[:image.shape[0], :image.shape[1]]
    image[(rows - y) ** 2 + (columns - x) ** 2 <= r * r] = value


def labels(seed):
    """Discs, and the same discs moved, resized, lost, doubled or joined. Every 10th truth and every 15th
    prediction is empty, every 8th pair has no background in the truth."""
    draw = Draw(seed)
    width, height = 20 + draw.below(60), 20 + draw.below(60)
    truth, found = np.zeros((height, width), np.int64), np.zeros((height, width), np.int64)
    if seed % 8 == 0:
        truth[:] = 90000
    for i in range(draw.below(30)):
        x, y, r, fate = draw.below(width), draw.below(height), 1 + draw.below(8), draw.below(8)
        dx, dy, dr = draw.below(5) - 2, draw.below(5) - 2, draw.below(3) - 1
        disc(truth, x, y, r, 7 * i + 3)
        if fate > 0:
            disc(found, x + dx, y + dy, r + dr, 5 * i + (1 if fate > 1 else 70000))
        if fate == 2:
            disc(found, x + r, y, r, 1000000 + i)
    if seed % 10 == 0:
        truth[:] = 0
    if seed % 15 == 0:
        found[:] = 0
    return truth, found


def divide(a, b, empty):
    return a / b if b else empty


def semantic(truth, found):
    t, f = truth > 0, found > 0
    f1 = lambda a, b, empty: divide(2 * (a & b).sum(), a.sum() + b.sum(), empty)
    iou = lambda a, b, empty: divide((a & b).sum(), (a | b).sum(), empty)
    classes = [(t, f), (~t, ~f)]
    present = [iou(a, b, 0) for a, b in classes if (a | b).any()]
    return [f1(t, f, 1), iou(t, f, 1), np.mean(present),
            sum(a.mean() * f1(a, b, 0) for a, b in classes), sum(a.mean() * iou(a, b, 0) for a, b in classes)]


def ids(image):
    return [i for i in np.unique(image) if i]


def centroid(mask):
    return np.argwhere(mask).mean(axis=0)


def instance(truth, found):
    t_masks, f_masks = [truth == i for i in ids(truth)], [found == i for i in ids(found)]
    if not t_masks and not f_masks:
        return [1.0] * 6 + [0.0, np.nan]
    inter = np.array([[(t & f).sum() for f in f_masks] for t in t_masks]).reshape(len(t_masks), len(f_masks))
    union = np.array([[(t | f).sum() for f in f_masks] for t in t_masks]).reshape(inter.shape)
    iou = inter / np.maximum(union, 1)
    matches = np.argwhere(iou > 0.5)
    tp = len(matches)
    dq = tp / (tp + 0.5 * (len(t_masks) - tp) + 0.5 * (len(f_masks) - tp))
    sq = divide(sum(iou[i, j] for i, j in matches), tp, 0)
    best = [(i, int(np.argmax(row))) for i, row in enumerate(iou) if len(row) and row.max() > 0]
    rows, columns = linear_sum_assignment(-iou)
    optimal = [(i, j) for i, j in zip(rows, columns) if iou[i, j] > 0]

    def jaccard(pairs):
        lost = [t_masks[i].sum() for i in range(len(t_masks)) if i not in {p[0] for p in pairs}]
        unused = [f_masks[j].sum() for j in range(len(f_masks)) if j not in {p[1] for p in pairs}]
        return sum(inter[p] for p in pairs) / (sum(union[p] for p in pairs) + sum(lost) + sum(unused))

    near = np.array([[max(0, RADIUS - np.hypot(*(centroid(t) - centroid(f)))) for f in f_masks]
                     for t in t_masks]).reshape(inter.shape)
    rows, columns = linear_sum_assignment(-near)
    detected = int((near[rows, columns] > 0).sum())
    t_area = sum(t_masks[i].sum() for i, _ in matches)
    f_area = sum(f_masks[j].sum() for _, j in matches)
    return [dq * sq, dq, sq, jaccard(best), jaccard(optimal), 2 * detected / (len(t_masks) + len(f_masks)),
            divide(abs(len(f_masks) - len(t_masks)), len(t_masks), np.nan), divide(f_area, t_area, np.nan) - 1]


def main():
    print("seed," + ",".join(COLUMNS))
    for seed in range(1, 201):
        truth, found = labels(seed)
        print(f"{seed}," + ",".join(f"{v:.9f}" for v in semantic(truth, found) + instance(truth, found)))


if __name__ == "__main__":
    main()

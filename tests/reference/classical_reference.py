#!/usr/bin/env python3
"""The plain scikit-image way to find nuclei: what `classical` must not be worse than.

Haematoxylin by colour deconvolution, Otsu's threshold of the image, small pieces dropped, holes filled, touching
nuclei cut by a watershed on the distance to the background. Lengths in micrometres; nothing is fitted.
"""
import sys

import numpy as np
import skimage.color
import skimage.feature
import skimage.filters
import skimage.io
import skimage.measure
import skimage.morphology
import skimage.segmentation
from scipy import ndimage

SMOOTHING_UM, SMALLEST_UM2, APART_UM = 0.4, 6, 2.5


def segment(rgb, mpp):
    """[H, W, 3] uint8 -> [H, W] int32 instance labels, 0 = background."""
    haematoxylin = skimage.color.rgb2hed(rgb)[..., 0]
    smooth = skimage.filters.gaussian(haematoxylin, SMOOTHING_UM / mpp)
    if smooth.min() == smooth.max():
        return np.zeros(smooth.shape, np.int32)
    mask = smooth > skimage.filters.threshold_otsu(smooth)
    mask = skimage.morphology.remove_small_objects(mask, max_size=int(SMALLEST_UM2 / mpp**2))
    mask = ndimage.binary_fill_holes(mask)
    distance = ndimage.distance_transform_edt(mask)
    peaks = skimage.feature.peak_local_max(distance, min_distance=round(APART_UM / mpp),
                                           labels=skimage.measure.label(mask), exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return skimage.segmentation.watershed(-distance, markers, mask=mask)


if __name__ == "__main__":
    labels = segment(skimage.io.imread(sys.argv[1])[..., :3], float(sys.argv[2]))
    skimage.io.imsave(sys.argv[3], labels.astype(np.uint16), check_contrast=False)

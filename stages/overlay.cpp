#include "stages/overlay.h"

#include <set>

namespace wsi {

namespace {

/// A neighbour to the left, right, above or below is not of the same nucleus. The picture's edge is
/// no outline.
bool on_outline(ConstLabelView labels, int64_t x, int64_t y) {
    const uint32_t id = labels(x, y);
    return (x > 0 && labels(x - 1, y) != id) || (x + 1 < labels.width && labels(x + 1, y) != id) ||
           (y > 0 && labels(x, y - 1) != id) || (y + 1 < labels.height && labels(x, y + 1) != id);
}

void draw_outlines(RgbImage& out, ConstLabelView labels, const std::set<uint32_t>& ids,
                   const Rgb& colour) {
    for (int64_t y = 0; y < labels.height; ++y)
        for (int64_t x = 0; x < labels.width; ++x)
            if (labels(x, y) != 0 && on_outline(labels, x, y) && ids.contains(labels(x, y)))
                std::copy(colour.begin(), colour.end(), out.view().at(x, y));
}

}  // namespace

RgbImage error_overlay(ConstRgbView rgb, ConstLabelView truth, ConstLabelView found) {
    const Contingency table = contingency(truth, found);
    if (rgb.size() != truth.size())
        fail(ErrorKind::Config, "an overlay's picture is ", rgb.width, "x", rgb.height,
             ", its labels are ", truth.width, "x", truth.height);
    std::set<uint32_t> missed, hits, wrong;
    for (const Contingency::Nucleus& nucleus : table.truth) missed.insert(nucleus.id);
    for (const Contingency::Nucleus& nucleus : table.found) wrong.insert(nucleus.id);
    for (const Contingency::Overlap& overlap : table.overlaps) {
        if (table.iou(overlap) <= 0.5) continue;
        missed.erase(table.truth[overlap.truth].id);
        wrong.erase(table.found[overlap.found].id);
        hits.insert(table.found[overlap.found].id);
    }
    RgbImage out(rgb.width, rgb.height);
    copy_pixels(rgb, out.view());
    draw_outlines(out, found, hits, kHitColour);
    draw_outlines(out, found, wrong, kFalseColour);
    draw_outlines(out, truth, missed, kMissedColour);
    return out;
}

}  // namespace wsi

#include "pipeline/kept_maps_segmenter.h"

namespace wsi {

KeptMapsSegmenter::KeptMapsSegmenter(const std::string& result, int tile_px, int halo_px)
    : result_(result) {
    if (!result_.header().keep_maps)
        fail(ErrorKind::Config, result,
             " holds no probability and distance maps; make it again with --keep-maps");
    if (result_.header().has_class_maps) spec_.classes = result_.header().classes;
    spec_.distance = result_.header().has_distance;
    spec_.name = spec_.hash = "kept maps";
    spec_.core_px = tile_px;
    spec_.halo_px = halo_px;
    spec_.feather_px = 0;  // what was kept is blended already
    spec_.normalised = false;
}

void KeptMapsSegmenter::segment(std::span<TileSlot* const> batch, std::span<const double>) {
    const TileGrid tiles(result_.header().frame.size, spec_.core_px, spec_.halo_px);
    for (TileSlot* slot : batch) {
        const PixelRect core = tiles.core(slot->tile);
        for (const size_t map : spec_.maps()) {
            part_.resize(core.width, core.height);
            const auto [raster, layer] = kept_raster(map);
            result_.read(raster, core, part_.view(), layer);
            slot->maps[map].fill(0);
            copy_pixels<uint8_t, 1>(part_.view(),
                                    slot->maps[map].view().crop(
                                        {spec_.halo_px, spec_.halo_px, core.width, core.height}));
        }
    }
}

}  // namespace wsi

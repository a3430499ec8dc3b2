#include <gdal_priv.h>

#include <filesystem>

#include "io/atomic_path.h"
#include "io/export_formats.h"
#include "io/slide_crs.h"

// A result's raster as a GDAL data set that reads its blocks when asked; GDAL's own COG driver does
// the rest (tiles, nearest-neighbour overviews, BigTIFF when needed), in bounded memory.
namespace wsi {

namespace {

class RasterBand final : public GDALRasterBand {
public:
    RasterBand(GDALDataset* owner, const ResultReader& result, Raster raster)
        : result_(result), raster_(raster) {
        poDS = owner;
        nBand = 1;
        eDataType = raster == Raster::Labels ? GDT_UInt32 : GDT_Byte;
        nBlockXSize = nBlockYSize = static_cast<int>(kChunkPx);
        if (raster != Raster::Mask) return;
        colours_ = std::make_unique<GDALColorTable>();
        const GDALColorEntry nothing{0, 0, 0, 0};
        colours_->SetColorEntry(0, &nothing);
        for (const NucleusClass& c : result.header().classes) {
            const GDALColorEntry entry{c.rgb[0], c.rgb[1], c.rgb[2], 255};
            colours_->SetColorEntry(c.id, &entry);
        }
    }

    GDALColorTable* GetColorTable() override { return colours_.get(); }
    GDALColorInterp GetColorInterpretation() override {
        return colours_ ? GCI_PaletteIndex : GCI_GrayIndex;
    }

protected:
    CPLErr IReadBlock(int column, int row, void* out) override {
        const PixelRect block{column * kChunkPx, row * kChunkPx, kChunkPx, kChunkPx};
        const PixelRect part = intersection(block, result_.header().frame.rect());
        try {
            if (raster_ == Raster::Labels)
                copy<uint32_t>(part, out);
            else
                copy<uint8_t>(part, out);
        } catch (const Error& error) {
            CPLError(CE_Failure, CPLE_FileIO, "%s", error.what());
            return CE_Failure;
        }
        return CE_None;
    }

private:
    template <class T>
    void copy(const PixelRect& part, void* out) {
        Image<T> pixels(part.width, part.height);
        result_.read(raster_, part, pixels.view());
        auto* to = static_cast<T*>(out);
        std::fill_n(to, kChunkPx * kChunkPx, T{0});
        copy_pixels<T, 1>(pixels.view(), ImageView<T>{to, part.width, part.height, kChunkPx});
    }

    const ResultReader& result_;
    const Raster raster_;
    std::unique_ptr<GDALColorTable> colours_;
};

class RasterDataset final : public GDALDataset {
public:
    RasterDataset(const ResultReader& result, Raster raster) : frame_(result.header().frame) {
        nRasterXSize = static_cast<int>(frame_.size.width);
        nRasterYSize = static_cast<int>(frame_.size.height);
        SetBand(1, new RasterBand(this, result, raster));  // GDAL deletes it; ci-allow: new
        const SlideInfo& slide = result.header().slide;
        const auto text = [](double v) { return std::to_string(v); };
        SetMetadataItem("TIFFTAG_RESOLUTIONUNIT", "3 (pixels/cm)");
        SetMetadataItem("TIFFTAG_XRESOLUTION", text(1e4 / frame_.mpp_x).c_str());
        SetMetadataItem("TIFFTAG_YRESOLUTION", text(1e4 / frame_.mpp_y).c_str());
        SetMetadataItem("DOWNSAMPLE", text(frame_.downsample).c_str());
        SetMetadataItem("BOUNDS_X_PX", std::to_string(slide.bounds.x).c_str());
        SetMetadataItem("BOUNDS_Y_PX", std::to_string(slide.bounds.y).c_str());
        if (raster == Raster::Mask)
            for (const NucleusClass& c : result.header().classes)
                SetMetadataItem(("CLASS_" + std::to_string(c.id)).c_str(), c.name.c_str());
    }

    CPLErr GetGeoTransform(double* t) override {
        const double transform[6] = {0, frame_.mpp_x, 0, 0, 0, -frame_.mpp_y};
        std::copy_n(transform, 6, t);
        return CE_None;
    }
    const OGRSpatialReference* GetSpatialRef() const override { return &crs_; }

private:
    const WorkFrame frame_;
    const OGRSpatialReference crs_ = gdal::slide_crs();
};

int report(double fraction, const char*, void* options) {
    const auto& progress = static_cast<const ExportOptions*>(options)->progress;
    if (progress) progress(fraction);
    return TRUE;
}

void export_raster(const ExportSource& source, Raster raster, const std::string& path) {
    gdal::set_up();
    AtomicPath target(path);
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("COG");
    if (driver == nullptr)
        fail(ErrorKind::Internal, "GDAL has no COG driver; see `wsi-segment doctor`");
    CPLStringList settings;
    settings.SetNameValue("COMPRESS", "DEFLATE");
    settings.SetNameValue("LEVEL", "4");
    settings.SetNameValue("PREDICTOR", "NO");
    settings.SetNameValue("BLOCKSIZE", "512");
    settings.SetNameValue("BIGTIFF", "IF_SAFER");
    settings.SetNameValue("OVERVIEWS", "IGNORE_EXISTING");
    settings.SetNameValue("OVERVIEW_RESAMPLING", "NEAREST");
    settings.SetNameValue("SPARSE_OK", "TRUE");
    settings.SetNameValue("NUM_THREADS", "1");
    ExportOptions progress = source.options();
    RasterDataset dataset(source.result(), raster);
    GDALDataset* written = driver->CreateCopy(target.temporary().c_str(), &dataset, FALSE,
                                              settings.List(), &report, &progress);
    if (written != nullptr) GDALClose(written);
    gdal::check(written != nullptr, path);
    target.commit();
}

}  // namespace

void export_mask_tiff(const ExportSource& source, const std::string& path) {
    export_raster(source, Raster::Mask, path);
}

void export_labels_tiff(const ExportSource& source, const std::string& path) {
    export_raster(source, Raster::Labels, path);
}

void export_probability_tiff(const ExportSource& source, const std::string& path) {
    if (!source.header().keep_maps)
        fail(ErrorKind::Config, path,
             ": the result holds no probability map; run the slide again with --keep-maps "
             "--restart");
    export_raster(source, Raster::Probability, path);
}

}  // namespace wsi

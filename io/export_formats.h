#pragma once

#include "io/export_source.h"

// One function per format; io/export.cpp maps suffixes to them. Each writes one file, as a stream,
// that stands under its name only when it is whole.
namespace wsi {

void export_csv(const ExportSource& source, const std::string& path);
void export_geojson(const ExportSource& source, const std::string& path);
void export_parquet(const ExportSource& source, const std::string& path);
void export_mask_tiff(const ExportSource& source, const std::string& path);
void export_labels_tiff(const ExportSource& source, const std::string& path);
void export_probability_tiff(const ExportSource& source, const std::string& path);
void export_mask_ometiff(const ExportSource& source, const std::string& path);
void export_labels_ometiff(const ExportSource& source, const std::string& path);
void export_geopackage(const ExportSource& source, const std::string& path);
void export_flatgeobuf(const ExportSource& source, const std::string& path);
void export_annotation_store(const ExportSource& source, const std::string& path);
void export_anndata(const ExportSource& source, const std::string& path);
void export_cellvit(const ExportSource& source, const std::string& path);
void export_hovernet(const ExportSource& source, const std::string& path);
void export_html(const ExportSource& source, const std::string& path);

/// The columns that files for viewers get by default, since viewers keep every value in memory:
/// with the probabilities, ten measurements.
std::vector<size_t> few_columns(const ResultHeader& header);

}  // namespace wsi

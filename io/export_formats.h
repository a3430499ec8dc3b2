#pragma once

#include "io/export.h"

// One function per format; io/export.cpp maps suffixes to them.
namespace wsi {

void export_csv(const ResultReader& result, const std::string& path, const ExportOptions& options);
void export_geojson(const ResultReader& result, const std::string& path,
                    const ExportOptions& options);
void export_mask_tiff(const ResultReader& result, const std::string& path,
                      const ExportOptions& options);
void export_labels_tiff(const ResultReader& result, const std::string& path,
                        const ExportOptions& options);

/// Calls use(rows, first) for blocks of rows in id order and reports progress.
void for_each_block(const ResultReader& result, const ExportOptions& options,
                    const std::function<void(const NucleiBatch&, uint64_t first)>& use);

}  // namespace wsi

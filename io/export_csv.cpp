#include <cmath>

#include "io/export_formats.h"
#include "io/result_layout.h"
#include "io/text_file.h"

namespace wsi {

void export_csv(const ResultReader& result, const std::string& path, const ExportOptions& options) {
    TextFile file(path);
    const ResultHeader& header = result.header();
    std::string line = "id,uuid,centroid_x_px,centroid_y_px,class";
    for (const auto& c : layout::kFloatColumns) line += std::string(",") + c.name;
    for (const auto& c : layout::kFlagColumns) line += std::string(",") + c.name;
    for (const FeatureColumn& c : header.schema) line += "," + c.name;
    file.write(line + "\n");
    const auto name_of = [&](uint8_t id) {
        for (const NucleusClass& c : header.classes)
            if (c.id == id) return c.name;
        return std::to_string(id);
    };
    const auto add = [&line](float value) {
        line += ',';
        if (!std::isnan(value)) append_number(line, value);
    };
    for_each_block(result, options, [&](const NucleiBatch& rows, uint64_t first) {
        const std::vector<std::string> uuids = result.uuids(first, rows.size());
        for (size_t i = 0; i < rows.size(); ++i) {
            const NucleusIdentity& who = rows.identity[i];
            line.clear();
            append_number(line, static_cast<int64_t>(first + i + 1));
            line += ',' + uuids[i] + ',';
            append_number(line, who.centroid_x_px);
            line += ',';
            append_number(line, who.centroid_y_px);
            line += ',' + name_of(who.class_id);
            for (const auto& c : layout::kFloatColumns) add(who.*c.member);
            for (const auto& c : layout::kFlagColumns) line += who.flags & c.flag ? ",1" : ",0";
            for (const float value : rows.row(i)) add(value);
            line += '\n';
            file.write(line);
        }
    });
    file.commit();
}

}  // namespace wsi

#include "pipeline/assemble.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>

#include "io/region_files.h"
#include "pipeline/measure_neighbours.h"
#include "pipeline/provenance.h"
#include "pipeline/region_buffer.h"
#include "stages/ihc.h"
#include "stages/neighbours.h"

namespace wsi {

static_assert(kIdCellPx == kChunkPx, "bands of ids and rows of raster chunks are the same rows");

namespace {

/// Nuclei of one row of id cells, in id order.
struct Band {
    NucleiBatch nuclei;
    std::vector<uint32_t> ids;
};

class Assembler {
public:
    Assembler(const SlidePlan& plan, const PartStore& parts, ResultWriter& out, RunStatus& status)
        : plan_(plan), parts_(parts), out_(out), status_(status) {
        for (int64_t rank = 0; rank < plan.regions.count(); ++rank) {
            const RegionIndex region = plan.regions.at(rank);
            if (!plan.blank(region)) regions_.push_back(region);
        }
    }

    /// sites: filled with where all nuclei stand, in id order; grade: makes the first column that
    /// the parts lack. Null: not wanted.
    void run(std::vector<Site>* sites, IhcScorer* grade) {
        sites_ = sites;
        grade_ = grade;
        const int64_t bands = ceil_div(plan_.frame.size.height, kIdCellPx);
        Band before, here = load(0);
        for (int64_t band = 0; band < bands; ++band) {
            Band after = band + 1 < bands ? load(band + 1) : Band{};
            status_.at("assembly");
            write_rasters(band, {&before, &here, &after});
            status_.at("assembly");
            before = std::move(here);
            here = std::move(after);
            status_.phase_fraction = static_cast<double>(band + 1) / static_cast<double>(bands);
        }
    }

private:
    Band load(int64_t cell_row);
    void write_rasters(int64_t band, const std::array<const Band*, 3>& bands);
    RegionNucleiReader& reader(RegionIndex region);

    const SlidePlan& plan_;
    const PartStore& parts_;
    ResultWriter& out_;
    RunStatus& status_;
    std::vector<RegionIndex> regions_;
    std::map<RegionIndex, RegionNucleiReader> readers_;  // of the region rows near the band
    uint32_t next_id_ = 1;
    std::vector<Site>* sites_ = nullptr;
    IhcScorer* grade_ = nullptr;
};

RegionNucleiReader& Assembler::reader(RegionIndex region) {
    std::erase_if(readers_, [&](const auto& r) { return r.first.row + 1 < region.row; });
    return readers_.try_emplace(region, parts_.nuclei(plan_, region)).first->second;
}

Band Assembler::load(int64_t cell_row) {
    const int64_t y0 = cell_row * kIdCellPx, y1 = y0 + kIdCellPx;
    NucleiBatch all;
    for (const RegionIndex region : regions_) {
        const PixelRect rect = plan_.regions.rect(region);
        if (rect.bottom() <= y0 || rect.y >= y1) continue;
        const NucleiBatch part = reader(region).rows_of_cell(cell_row);
        all.columns = part.columns;
        for (size_t i = 0; i < part.size(); ++i) all.append(part, i);
    }
    std::vector<size_t> order(all.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return id_order(all.identity[a], all.identity[b]); });
    Band band;
    band.nuclei.columns = all.columns;
    for (const size_t i : order) {
        band.nuclei.append(all, i);
        band.ids.push_back(next_id_++);
    }
    if (band.nuclei.size() == 0) return band;
    out_.append(band.nuclei);
    if (grade_ != nullptr) {
        std::vector<float> grades(band.nuclei.size());
        for (size_t i = 0; i < grades.size(); ++i) grades[i] = (*grade_)(band.nuclei.row(i));
        out_.append_column(band.nuclei.columns, grades);
    }
    if (sites_ != nullptr)
        for (const NucleusIdentity& who : band.nuclei.identity) sites_->push_back(site_of(who));
    return band;
}

/// Indices of nuclei by the chunk columns they touch.
std::vector<std::vector<uint32_t>> by_chunk_column(const Band& band, int64_t columns) {
    std::vector<std::vector<uint32_t>> out(static_cast<size_t>(columns));
    for (uint32_t i = 0; i < band.nuclei.size(); ++i) {
        int64_t first = columns, last = -1;
        for (const PixelRun& run : band.nuclei.pixel_runs(i)) {
            first = std::min<int64_t>(first, run.x0 / kChunkPx);
            last = std::max<int64_t>(last, (run.x1 - 1) / kChunkPx);
        }
        for (int64_t c = first; c <= last; ++c) out[static_cast<size_t>(c)].push_back(i);
    }
    return out;
}

struct ChunkRasters {
    Image<uint32_t> labels;
    GrayImage mask;
};

void paint(const Band& band, const std::vector<uint32_t>& which, const PixelRect& chunk,
           ChunkRasters& out) {
    for (const uint32_t i : which)
        for (const PixelRun& run : band.nuclei.pixel_runs(i)) {
            if (run.y < chunk.y || run.y >= chunk.bottom()) continue;
            const int64_t x0 = std::max<int64_t>(run.x0, chunk.x) - chunk.x;
            const int64_t x1 = std::min<int64_t>(run.x1, chunk.right()) - chunk.x;
            if (x0 >= x1) continue;
            const int64_t y = run.y - chunk.y;
            std::fill(&out.labels(x0, y), &out.labels(x0, y) + (x1 - x0), band.ids[i]);
            std::fill(&out.mask(x0, y), &out.mask(x0, y) + (x1 - x0),
                      band.nuclei.identity[i].class_id);
        }
}

void Assembler::write_rasters(int64_t band_row, const std::array<const Band*, 3>& bands) {
    const int64_t columns = ceil_div(plan_.frame.size.width, kChunkPx);
    std::array<std::vector<std::vector<uint32_t>>, 3> touching;
    for (size_t b = 0; b < 3; ++b) touching[b] = by_chunk_column(*bands[b], columns);
    struct Compressed {
        std::vector<uint8_t> labels, mask;
    };
    std::vector<Compressed> chunks(static_cast<size_t>(columns));
    tbb::parallel_for(int64_t{0}, columns, [&](int64_t column) {
        const auto c = static_cast<size_t>(column);
        if (touching[0][c].empty() && touching[1][c].empty() && touching[2][c].empty()) return;
        const PixelRect chunk{column * kChunkPx, band_row * kChunkPx, kChunkPx, kChunkPx};
        ChunkRasters rasters{{kChunkPx, kChunkPx}, {kChunkPx, kChunkPx}};
        for (size_t b = 0; b < 3; ++b) paint(*bands[b], touching[b][c], chunk, rasters);
        chunks[c] = {compress_chunk(rasters.labels.view()), compress_chunk(rasters.mask.view())};
    });
    for (int64_t column = 0; column < columns; ++column) {
        const Compressed& chunk = chunks[static_cast<size_t>(column)];
        if (!chunk.labels.empty()) out_.write_chunk(Raster::Labels, band_row, column, chunk.labels);
        if (!chunk.mask.empty()) out_.write_chunk(Raster::Mask, band_row, column, chunk.mask);
        status_.at("assembly");
    }
}

/// Final maps of a band of chunks, pieced together from the regions that keep them.
class KeptMaps {
public:
    KeptMaps(const SlidePlan& plan, const PartStore& parts, ResultWriter& out)
        : plan_(plan), parts_(parts), out_(out) {}

    void write_band(int64_t band) {
        for (int64_t column = 0; column * kChunkPx < plan_.frame.size.width; ++column)
            write_chunk(band, column);
    }

private:
    void write_chunk(int64_t row, int64_t column) {
        const PixelRect chunk{column * kChunkPx, row * kChunkPx, kChunkPx, kChunkPx};
        const std::vector<size_t> places = plan_.spec.maps();  // the order in the regions' files
        for (size_t map = 0; map < places.size(); ++map) {
            GrayImage pixels(kChunkPx, kChunkPx);
            for (int64_t rank = 0; rank < plan_.regions.count(); ++rank)
                copy_region(plan_.regions.at(rank), map, chunk, pixels);
            const auto [raster, layer] = kept_raster(places[map]);
            const auto bytes = compress_chunk(pixels.view());
            if (!bytes.empty()) out_.write_chunk(raster, row, column, bytes, layer);
        }
    }
    void copy_region(RegionIndex region, size_t map, const PixelRect& chunk, GrayImage& pixels) {
        if (plan_.blank(region)) return;
        const PixelRect core = plan_.data_core(region);
        const PixelRect part = intersection(core, chunk);
        if (part.empty()) return;
        const BlockFileReader file(parts_.kept_maps(plan_, region));
        for (int64_t y = part.y; y < part.bottom(); ++y)
            file.read(
                map, static_cast<uint64_t>((y - core.y) * core.width + part.x - core.x),
                {pixels.view().at(part.x - chunk.x, y - chunk.y), static_cast<size_t>(part.width)});
    }
    const SlidePlan& plan_;
    const PartStore& parts_;
    ResultWriter& out_;
};

}  // namespace

void assemble(const SlidePlan& plan, const PartStore& parts, const ResultHeader& header,
              const std::string& path, const Config& config, RunStatus& status) {
    const FeatureConfig& features = config.features;
    status.enter("assemble");
    std::optional<CpuScope> clock(std::in_place, status.cpu, Stage::Write, CpuOf::Process);
    ResultWriter out(path, header);
    std::vector<Site> sites;
    if (features.neighbours_measured())
        sites.reserve(static_cast<size_t>(count_nuclei(plan, parts)));
    std::optional<IhcScorer> grade;
    if (config.stain.stains == StainSet::Hdab && features.stains_measured())
        grade.emplace(config.ihc, header.schema);
    Assembler(plan, parts, out, status)
        .run(features.neighbours_measured() ? &sites : nullptr, grade ? &*grade : nullptr);
    if (grade) out.add_summary("ihc", grade->summary());
    if (features.neighbours_measured()) {
        clock.emplace(status.cpu, Stage::Neighbours, CpuOf::Process);
        measure_neighbours(sites, plan.frame, header, out, status);
        clock.emplace(status.cpu, Stage::Write, CpuOf::Process);
    }
    if (header.keep_maps) {
        KeptMaps kept(plan, parts, out);
        for (int64_t band = 0; band * kChunkPx < plan.frame.size.height; ++band)
            kept.write_band(band);
    }
    status.at("assembly");
    out.summarise();
    clock.reset();
    out.finish({{"timings", timings(status)}});
    status.at("assembly");
}

uint64_t count_nuclei(const SlidePlan& plan, const PartStore& parts) {
    uint64_t count = 0;
    for (int64_t rank = 0; rank < plan.regions.count(); ++rank)
        if (const RegionIndex region = plan.regions.at(rank); !plan.blank(region))
            count += RegionNucleiReader(parts.nuclei(plan, region)).count();
    return count;
}

std::vector<FailedBlock> collect_failures(const SlidePlan& plan, const PartStore& parts) {
    std::vector<FailedBlock> failures;
    for (int64_t rank = 0; rank < plan.regions.count(); ++rank) {
        const RegionIndex region = plan.regions.at(rank);
        if (plan.blank(region)) continue;
        const auto part = RegionNucleiReader(parts.nuclei(plan, region)).failures();
        failures.insert(failures.end(), part.begin(), part.end());
    }
    sort_failures(failures);
    return failures;
}

}  // namespace wsi

#include "pipeline/nuclei_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace wsi {

using nlohmann::json;

namespace {
constexpr size_t kMostNuclei = 1 << 17, kMostRuns = 1 << 22;  // about 60 MB together
enum Block : size_t { kNuclei, kOffsets, kRuns };

std::string file_name(const std::string& prefix, int file) {
    return fmt::format("{}{:06}", prefix, file);
}
}  // namespace

void NucleiStoreWriter::add(int64_t region_rank, const TakenNucleus& nucleus,
                            std::span<const PixelRun> pixels) {
    ranks_.push_back(region_rank);
    pending_.append(nucleus, pixels);
    if (ranks_.size() >= kMostNuclei || pending_.runs.size() >= kMostRuns) flush();
}

int NucleiStoreWriter::finish() {
    if (!ranks_.empty()) flush();
    return files_;
}

void NucleiStoreWriter::flush() {
    std::vector<size_t> order(ranks_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [this](size_t i) { return ranks_[i]; });
    TakenNuclei sorted;
    json ranges = json::array();
    for (const size_t i : order) {
        if (ranges.empty() || ranges.back()[0] != ranks_[i])
            ranges.push_back({ranks_[i], sorted.size(), 0});
        sorted.append(pending_.nuclei[i], pending_.pixel_runs(i));
        ranges.back()[2] = sorted.size();
    }
    BlockFileWriter file(file_name(prefix_, files_++));
    const auto block = [&file](const auto& values) {
        file.write_array(std::span(values.data(), values.size()));
        file.end_block();
    };
    block(sorted.nuclei);
    block(sorted.run_offsets);
    block(sorted.runs);
    file.commit(json{{"ranges", ranges}}.dump(), Durability::Sync);
    ranks_.clear();
    pending_ = {};
}

NucleiStoreReader::NucleiStoreReader(const std::string& prefix, int files) {
    for (int f = 0; f < files; ++f) {
        const std::string name = file_name(prefix, f);
        auto file = std::make_unique<File>(File{BlockFileReader(name), {}});
        const json header = json::parse(file->blocks.header());
        for (const json& range : header.at("ranges"))
            file->ranges[range.at(0)] = {range.at(1), range.at(2)};
        files_.push_back(std::move(file));
    }
}

bool NucleiStoreReader::any(int64_t region_rank) const {
    return std::ranges::any_of(
        files_, [=](const auto& file) { return file->ranges.contains(region_rank); });
}

void NucleiStoreReader::read(int64_t region_rank, TakenNuclei& out) const {
    for (const auto& file : files_) {
        const auto range = file->ranges.find(region_rank);
        if (range == file->ranges.end()) continue;
        const auto [first, last] = range->second;
        std::vector<TakenNucleus> nuclei(last - first);
        file->blocks.read_array(kNuclei, first, std::span(nuclei));
        std::vector<uint64_t> offsets(last - first + 1);
        file->blocks.read_array(kOffsets, first, std::span(offsets));
        std::vector<PixelRun> runs(offsets.back() - offsets.front());
        file->blocks.read_array(kRuns, offsets.front(), std::span(runs));
        for (size_t i = 0; i < nuclei.size(); ++i)
            out.append(nuclei[i], std::span(runs).subspan(offsets[i] - offsets.front(),
                                                          offsets[i + 1] - offsets[i]));
    }
}

}  // namespace wsi

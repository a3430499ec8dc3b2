#include <glob.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "io/dicom_series.h"
#include "io/slide_suffixes.h"
#include "io/types/suffix.h"
#include "pipeline/batch.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

/// Files of one slide that are not slides themselves: MIRAX keeps its data in a folder of its name.
bool is_side_file(const fs::path& path) {
    return fs::exists(path.parent_path().string() + ".mrxs");
}

void add_folder(const fs::path& folder, std::vector<BatchSlide>& out) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || is_side_file(entry.path())) continue;
        if (!slide_suffixes().contains(lower_suffix(entry.path()))) continue;
        out.push_back(
            {entry.path().string(), fs::relative(entry.path(), folder).string(), {}, {}, {}, 0});
    }
}

/// The files of a DICOM slide lie in one folder, and OpenSlide opens all of them by any one: the
/// first stands for the slide. A file that does not say which slide it is of stands for itself.
void keep_one_of_each_series(std::vector<BatchSlide>& slides) {
    std::set<std::pair<fs::path, std::string>> seen;
    std::erase_if(slides, [&](const BatchSlide& slide) {
        if (lower_suffix(slide.path) != ".dcm") return false;
        const std::string series = dicom_series(slide.path);
        return !series.empty() && !seen.emplace(fs::path(slide.path).parent_path(), series).second;
    });
}

std::vector<std::string> split_csv(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            cells.emplace_back();
        else if (c != '\r')
            cells.back() += c;
    }
    return cells;
}

double number_cell(const std::string& text, const std::string& path, int line) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        fail(ErrorKind::Config, path, ":", line, ": slide_mpp = '", text, "' is not a number");
    return value;
}

void add_csv(const std::string& path, std::vector<BatchSlide>& out) {
    std::ifstream in(path);
    std::string line;
    if (!std::getline(in, line)) fail(ErrorKind::Config, path, " is empty");
    const std::vector<std::string> names = split_csv(line);
    if (std::find(names.begin(), names.end(), "slide") == names.end())
        fail(ErrorKind::Config, path, ": no column `slide` in the first line (", line, ")");
    for (int number = 2; std::getline(in, line); ++number) {
        if (line.empty()) continue;
        const std::vector<std::string> cells = split_csv(line);
        BatchSlide slide;
        for (size_t i = 0; i < std::min(names.size(), cells.size()); ++i) {
            const std::string& cell = cells[i];
            if (cell.empty()) continue;
            // Files are named from where the list lies. (An absolute path stays as it is.)
            const std::string file = (fs::path(path).parent_path() / cell).string();
            if (names[i] == "slide")
                slide.path = file;
            else if (names[i] == "mask")
                slide.mask = file;
            else if (names[i] == "roi")
                slide.roi = file;
            else if (names[i] == "model")
                slide.model = cell;
            else if (names[i] == "slide_mpp")
                slide.slide_mpp = number_cell(cell, path, number);
            else
                fail(ErrorKind::Config, path, ": unknown column `", names[i],
                     "`; known: slide, slide_mpp, mask, roi, model");
        }
        slide.relative = fs::path(slide.path).filename().string();
        out.push_back(slide);
    }
}

bool has_wildcard(const std::string& text) {
    return text.find_first_of("*?[") != std::string::npos;
}

void add_glob(const std::string& pattern, std::vector<BatchSlide>& out) {
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) {
        globfree(&found);
        fail(ErrorKind::Config, "no file matches ", pattern);
    }
    for (size_t i = 0; i < found.gl_pathc; ++i) {
        const fs::path path(found.gl_pathv[i]);
        out.push_back({path.string(), path.filename().string(), {}, {}, {}, 0});
    }
    globfree(&found);
}

}  // namespace

std::string Shard::tag() const {
    if (count == 1) return "";
    return ".shard-" + std::to_string(index) + "-of-" + std::to_string(count);
}

Shard parse_shard(const std::string& text) {
    Shard shard;
    const char* end = text.data() + text.size();
    const auto index = std::from_chars(text.data(), end, shard.index);
    const bool slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
    const auto count = slash ? std::from_chars(index.ptr + 1, end, shard.count)
                             : std::from_chars_result{end, std::errc::invalid_argument};
    if (count.ec != std::errc() || count.ptr != end || shard.index < 0 ||
        shard.index >= shard.count)
        fail(ErrorKind::Config, "--shard ", text, ": expected I/N with 0 <= I < N, e.g. 0/4");
    return shard;
}

std::vector<BatchSlide> find_batch_slides(const std::vector<std::string>& inputs) {
    std::vector<BatchSlide> slides, listed;
    for (const std::string& input : inputs) {
        if (fs::is_directory(input))
            add_folder(input, slides);
        else if (fs::exists(input) && lower_suffix(input) == ".csv")
            add_csv(input, listed);
        else if (fs::exists(input))
            slides.push_back({input, fs::path(input).filename().string(), {}, {}, {}, 0});
        else if (has_wildcard(input))
            add_glob(input, slides);
        else
            fail(ErrorKind::Config, "no such file or folder: ", input);
    }
    std::ranges::sort(slides, {}, &BatchSlide::path);
    keep_one_of_each_series(slides);
    slides.insert(slides.end(), listed.begin(), listed.end());
    std::ranges::stable_sort(slides, {}, &BatchSlide::path);
    const auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
    slides.erase(std::unique(slides.begin(), slides.end(), same), slides.end());
    return slides;
}

std::vector<BatchSlide> select_shard(std::vector<BatchSlide> slides, const Shard& shard) {
    std::erase_if(slides, [&](const BatchSlide& slide) {
        uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a: stable across runs and machines
        for (const char c : slide.relative)
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        return hash % static_cast<uint64_t>(shard.count) != static_cast<uint64_t>(shard.index);
    });
    return slides;
}

}  // namespace wsi

#include "pipeline/train_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "io/atomic_path.h"
#include "io/csv_table.h"
#include "io/text_file.h"

namespace wsi {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStepHeader = "step,loss,dice,focal,distance,gradient_norm,learning_rate\n";
constexpr const char* kEpochHeader = "epoch,step,loss,dice,pq,aji\n";

std::string line(const StepRow& r) {
    return fmt::format("{},{},{},{},{},{},{}\n", r.step, r.loss.total, r.loss.dice, r.loss.focal,
                       r.loss.distance, r.loss.gradient_norm, r.learning_rate);
}

std::string line(const EpochRow& r) {
    return fmt::format("{},{},{:.6f},{:.5f},{:.5f},{:.5f}\n", r.epoch, r.step, r.loss, r.dice, r.pq,
                       r.aji);
}

int64_t whole(const CsvTable& table, size_t row, const char* column) {
    return static_cast<int64_t>(table.number(row, column, 0));
}

StepRow step_row(const CsvTable& t, size_t i) {
    const auto value = [&](const char* column) { return t.number(i, column, 0); };
    return {
        whole(t, i, "step"),
        {value("loss"), value("dice"), value("focal"), value("distance"), value("gradient_norm")},
        value("learning_rate")};
}

EpochRow epoch_row(const CsvTable& t, size_t i) {
    const auto value = [&](const char* column) { return t.number(i, column, 0); };
    return {whole(t, i, "epoch"), whole(t, i, "step"), value("loss"),
            value("dice"),        value("pq"),         value("aji")};
}

/// A run that was killed may have left half a line: it is dropped with what follows the step.
void drop_torn_line(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const size_t end = text.rfind('\n');
    if (end != std::string::npos && end + 1 != text.size()) fs::resize_file(path, end + 1);
}

/// Reads the rows up to `step` and writes them back.
template <class Row, class Read>
std::vector<Row> keep(const std::string& path, int64_t step, const char* header, Read read) {
    std::vector<Row> rows;
    if (fs::exists(path) && fs::file_size(path) > 0) {
        drop_torn_line(path);
        const CsvTable table(path);
        for (size_t i = 0; i < table.rows(); ++i)
            if (const Row row = read(table, i); row.step <= step) rows.push_back(row);
    }
    TextFile out(path);
    out.write(header);
    for (const Row& row : rows) out.write(line(row));
    out.commit();
    return rows;
}

void append(const std::string& path, const std::string& text) {
    if (path.empty()) return;
    std::ofstream out(path, std::ios::app);
    errno = 0;
    out << text;
    out.flush();
    if (!out) output_error(path, "write", errno);
}

}  // namespace

TrainLog::TrainLog(const std::string& folder, int64_t step) {
    if (folder.empty()) return;
    steps_file_ = (fs::path(folder) / "steps.csv").string();
    epochs_file_ = (fs::path(folder) / "log.csv").string();
    steps_ = keep<StepRow>(steps_file_, step, kStepHeader, step_row);
    epochs_ = keep<EpochRow>(epochs_file_, step, kEpochHeader, epoch_row);
}

void TrainLog::add(const StepRow& row) {
    append(steps_file_, line(row));
    steps_.push_back(row);
}

void TrainLog::add(const EpochRow& row) {
    append(epochs_file_, line(row));
    epochs_.push_back(row);
}

double TrainLog::mean_loss(int64_t first, int64_t last) const {
    double sum = 0, count = 0;
    for (const StepRow& row : steps_) {
        if (row.step <= first || row.step > last) continue;
        sum += row.loss.total;
        ++count;
    }
    return sum / std::max(1.0, count);
}

}  // namespace wsi

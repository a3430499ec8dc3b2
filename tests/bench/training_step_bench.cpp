// Training steps of eU-Net3+ on one batch, as the trainer does them: 8-bit patches in, weights
// moved.
//   training_step_bench WEIGHTS PATCHES BASE BATCH SIDE THREADS STEPS TARGETS
// PATCHES: BATCH pictures of SIDE x SIDE, RGB bytes, then their ids, uint32. TARGETS gets the
// distance maps, float32, for who does the same elsewhere. A line per step: loss, wall and CPU
// time.
#include <cstdio>
#include <fstream>

#include "model/train/torch_trainer.h"
#include "pipeline/runtime.h"
#include "stages/nucleus_targets.h"
#include "tests/bench/bench_clock.h"

namespace {

using namespace wsi;

using test::cpu_s, test::wall_s, test::whole_number;

template <class T>
void read_bytes(std::ifstream& in, T* to, int64_t bytes) {
    in.read(reinterpret_cast<char*>(to), bytes);
    WSI_CHECK(in.good());
}

std::vector<TrainingPatch> read_patches(const char* path, int batch, int side) {
    std::vector<TrainingPatch> patches;
    std::ifstream in(path, std::ios::binary);
    const int64_t area = int64_t{side} * side;
    for (int i = 0; i < batch; ++i) {
        patches.push_back({RgbImage(side, side), LabelImage(side, side)});
        read_bytes(in, patches.back().rgb.data(), 3 * area);
    }
    for (TrainingPatch& patch : patches) read_bytes(in, patch.ids.data(), 4 * area);
    return patches;
}

void write_targets(const char* path, const std::vector<TrainingPatch>& patches) {
    std::ofstream out(path, std::ios::binary);
    for (const TrainingPatch& patch : patches) {
        const NucleusTargets targets = nucleus_targets(patch.ids);
        out.write(reinterpret_cast<const char*>(targets.distance.data()),
                  4 * patch.ids.size().area());
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 9) return 1;
    Config config;
    config.network.base = whole_number(argv[3]);
    config.network.dropout = 0;  // losses are compared
    config.train.batch = whole_number(argv[4]);
    config.train.precision = Precision::Fp32;
    config.run.threads = whole_number(argv[6]);
    const Runtime runtime(config.run.threads);
    keep_freed_memory();  // as `train` does
    const auto patches = read_patches(argv[2], config.train.batch, whole_number(argv[5]));
    write_targets(argv[8], patches);
    train::TorchTrainer trainer(config);
    trainer.start_from(argv[1]);
    for (int step = 0; step < whole_number(argv[7]); ++step) {
        const double wall = wall_s(), cpu = cpu_s();
        const StepLoss loss = trainer.step(patches, 1e-3);
        std::printf("%.7f %.4f %.4f\n", loss.total, wall_s() - wall, cpu_s() - cpu);
    }
}

#pragma once

#include <memory>
#include <string>

#include "model/nn/batch_norm.h"

namespace wsi::train {

/// The processes that train one model, found as torch's `env://` finds them: RANK, WORLD_SIZE,
/// MASTER_ADDR, MASTER_PORT (torchrun sets them), or SLURM_PROCID and SLURM_NTASKS with
/// MASTER_ADDR. Sums travel through c10d's TCPStore and are added in the order of ranks, so that
/// every process holds the same bits and any number of runs gives them again.
class ProcessGroup final : public nn::SumOverProcesses {
public:
    /// nullptr for a process on its own. Throws Error{Config} when the variables make no sense,
    /// Error{Device} when the others do not come.
    static std::unique_ptr<ProcessGroup> from_environment();
    struct Place {
        int rank = 0, processes = 1;
    };
    explicit ProcessGroup(const Place& place);
    ~ProcessGroup() override;
    int rank() const { return place_.rank; }
    int processes() const override { return place_.processes; }
    at::Tensor sum(const at::Tensor& own) override;
    /// Throws Error{Config} when `settings`, lines, differ from those of the first process.
    void require_equal(const std::string& settings);

private:
    at::Tensor sum_piece(const at::Tensor& mine);
    std::string key(int64_t round, int rank) const;
    Place place_;
    int64_t round_ = 0;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace wsi::train

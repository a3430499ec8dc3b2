#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "pipeline/experiments.h"

// What the table and the figures of experiments share.
namespace wsi {

struct MeanSd {
    double mean = std::nan(""), sd = std::nan("");  ///< sd: of a sample, needs two
    size_t n = 0;
};
MeanSd mean_sd(const std::vector<double>& values);

/// Means of a score over images, one per run; images without that score are left out.
std::vector<double> run_means(const ExperimentResult& row, const std::string& metric);

}  // namespace wsi

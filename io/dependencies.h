#pragma once

#include <string>
#include <vector>

namespace wsi {

enum class Health { Good, Bad };

struct DependencyReport {
    std::string name, detail;
    Health health = Health::Good;
};

/// Versions of the libraries below, each after a small test that it really works here.
std::vector<DependencyReport> check_dependencies();

/// Of them those that a build may leave out (WSI_IMAGING); called by check_dependencies().
std::vector<DependencyReport> check_imaging_libraries();

}  // namespace wsi

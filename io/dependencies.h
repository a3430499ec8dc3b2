#pragma once

#include <functional>
#include <string>
#include <vector>

namespace wsi {

enum class Health { Good, Bad };

struct DependencyReport {
    std::string name, detail;
    Health health = Health::Good;
};

/// Runs `test`, which returns what to say of the library; what it throws makes it bad, after
/// `version`.
DependencyReport report_on(const std::string& name, const std::string& version,
                           const std::function<std::string()>& test);

/// Versions of the libraries below, each after a small test that it really works here.
std::vector<DependencyReport> check_dependencies();

/// Of them those that a build may leave out (WSI_IMAGING); called by check_dependencies().
std::vector<DependencyReport> check_imaging_libraries();

}  // namespace wsi

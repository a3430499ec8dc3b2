#pragma once

#include <string>
#include <vector>

namespace wsi {

/// Finds before a run what would fail after it: unknown suffixes, the same file twice, folders that
/// are missing or not writable, files that may not be replaced. Throws Error{Config} or {Output}.
void check_outputs(const std::vector<std::string>& outputs);

}  // namespace wsi

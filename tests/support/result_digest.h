#pragma once

#include <functional>
#include <map>
#include <string>

namespace wsi::test {

/// Path of every dataset and attribute outside /provenance -> shape and hash of its bytes.
std::map<std::string, std::string> result_digest(const std::string& path);

/// SHA-256 of a file's bytes.
std::string file_digest(const std::string& path);

}  // namespace wsi::test

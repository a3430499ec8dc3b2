#pragma once

#include <map>
#include <span>
#include <string>

namespace wsi {

/// Writes the mean of weights of one network, for instance of several epochs or runs from one
/// start: better than each of them on images unlike the training's (Wortsman et al. 2022, "Model
/// soups"). Tensors keep their type; whole numbers are the first file's. Metadata are the first
/// file's, with `changes` over them, and name the files averaged by their hashes. Needs two files
/// or more. Throws Error{Checkpoint} where names, types, shapes or network settings differ.
void average_weights(std::span<const std::string> inputs, const std::string& output,
                     const std::map<std::string, std::string>& changes);

}  // namespace wsi

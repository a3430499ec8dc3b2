#pragma once

#include <cstddef>
#include <span>

#include "io/pickle_value.h"

namespace wsi {

/// Runs a pickle (protocol 2, as torch.save writes it) on a machine that knows 31 of Python's 68
/// opcodes and builds plain data only; it calls nothing. Memory is bounded by caps on nodes, stack
/// and memo. Throws Error{Checkpoint} naming the opcode or object that is not accepted. Texts are
/// views into the given bytes, which must live as long as the result.
Pickle read_pickle(std::span<const std::byte> pickle);

}  // namespace wsi

// Any bytes as a weights file of any format; mutations of torch.save archives stay archives.
#include "tests/fuzz/check_weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 1 << 16) return -1;
    wsi::fuzz::check_weights(std::as_bytes(std::span(data, size)), wsi::read_weights_index);
    return 0;
}

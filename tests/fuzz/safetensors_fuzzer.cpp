// Any bytes as a safetensors file.
#include "io/safetensors.h"
#include "tests/fuzz/check_weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > 1 << 16) return -1;
    wsi::fuzz::check_weights(std::as_bytes(std::span(data, size)), wsi::read_safetensors_index);
    return 0;
}

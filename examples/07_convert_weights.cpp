// Converts a checkpoint of torch.save to safetensors, without Python and without running anything
// that the checkpoint holds. Prints its tensors.
// usage: example_07_convert_weights IN.pt OUT.safetensors
#include <cstdio>

#include "config/error.h"
#include "io/safetensors.h"
#include "io/weights_file.h"

int main(int argc, char** argv) try {
    if (argc != 3) wsi::fail(wsi::ErrorKind::Config, "usage: ", argv[0], " IN.pt OUT.safetensors");
    const wsi::WeightsFile in = wsi::open_weights(argv[1]);

    std::vector<wsi::TensorBytes> tensors;
    std::vector<std::vector<std::byte>> copies;  // of transposed and sliced tensors alone
    copies.reserve(in.tensors().size());
    for (const wsi::TensorInfo& tensor : in.tensors()) {
        std::span<const std::byte> bytes = in.bytes(tensor);
        if (!is_contiguous(tensor)) bytes = copies.emplace_back(row_major_bytes(in, tensor));
        tensors.push_back({tensor.name, tensor.dtype, tensor.shape, bytes});

        std::printf("%-40s %-4s", tensor.name.c_str(), dtype_name(tensor.dtype).data());
        for (const int64_t size : tensor.shape) std::printf(" %lld", static_cast<long long>(size));
        std::printf("\n");
    }
    write_safetensors(argv[2], tensors, {{"source_sha256", in.sha256()}});
    return 0;
} catch (const wsi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return wsi::exit_code(error.kind());
}

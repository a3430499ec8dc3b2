// What a running network asks the system for.
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "config/config_io.h"
#include "io/types/random.h"
#include "model/nn/network_segmenter.h"
#include "model/nn/networks.h"
#include "model/nn/state.h"
#include "tests/support/temp_dir.h"

namespace {

/// Counts what this thread allocates while it is set.
thread_local int64_t* counter = nullptr;
constexpr size_t kLarge = 4096;  // below are tensors' own records and lists of pointers

void count(size_t bytes) {
    if (counter && bytes >= kLarge) ++*counter;
}

/// LibTorch's tensors, which do not go through operator new.
class CountingAllocator final : public c10::Allocator {
public:
    explicit CountingAllocator(c10::Allocator* inner) : inner_(inner) {}
    c10::DataPtr allocate(size_t bytes) override {
        if (counter) ++*counter;
        return inner_->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return inner_->raw_deleter(); }
    void copy_data(void* to, const void* from, size_t bytes) const override {
        inner_->copy_data(to, from, bytes);
    }

private:
    c10::Allocator* inner_;
};

}  // namespace

// Sanitizers have an operator new of their own. Inlined, g++ would take them for mismatched.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[gnu::noinline]] void* operator new(size_t bytes) {
    count(bytes);
    if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace wsi::nn {

namespace {

std::string write_weights(const test::TempDir& dir, const Config& config) {
    const std::shared_ptr<Network> network = make_network(config.network, 8);
    Notes notes;
    for (const auto& [key, value] : training_fields(config)) notes[key] = value;
    write_state(dir.file("w.safetensors"), state_of(*network), notes);
    return dir.file("w.safetensors");
}

/// One tile inside the slide, one across its end.
std::vector<TileSlot> tiles(size_t maps) {
    std::vector<TileSlot> slots(2);
    for (TileSlot& slot : slots) {
        slot.rgb = RgbImage(128, 128);
        Random random(4);
        for (int64_t i = 0; i < 3 * slot.rgb.size().area(); ++i)
            slot.rgb.data()[i] = static_cast<uint8_t>(random.index(256));
        slot.normalised = slot.rgb;
        slot.inside = {0, 0, 128, 128};
        slot.maps = std::vector<GrayImage>(maps, GrayImage(128, 128));
    }
    return slots;
}

int64_t allocations(const Config& config) {
    const test::TempDir dir;
    NetworkSegmenter segmenter(write_weights(dir, config), {});
    std::vector<TileSlot> slots = tiles(segmenter.input_spec().maps().back() + 1);
    TileSlot* batch[] = {&slots[0], &slots[1]};
    segmenter.segment(batch, {});
    int64_t counted = 0;
    counter = &counted;
    for (int i = 0; i < 3; ++i) segmenter.segment(batch, {});
    counter = nullptr;
    return counted;
}

}  // namespace

TEST(AllocationTest, a_batch_allocates_nothing_once_one_has_been) {
    static CountingAllocator counting(c10::GetCPUAllocator());
    c10::SetCPUAllocator(&counting, 255);
    Config config;
    config.network.base = 8;
    EXPECT_EQ(allocations(config), 0);
    config.network.architecture = "unet3plus";
    config.network.classes = "Tumour;Stroma";
    EXPECT_EQ(allocations(config), 0);
    config.network = {};
    config.network.architecture = "unet";
    EXPECT_GT(allocations(config), 0) << "nothing is counted: LibTorch's own layers allocate";
    c10::SetCPUAllocator(c10::GetDefaultCPUAllocator(), 255);
}

}  // namespace wsi::nn

#pragma once

#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "io/slide.h"
#include "io/types/idle_workers.h"

namespace wsi {

/// Fixed blocks of one level, decoded once and kept while there is room. The grid is anchored at
/// the level's origin, so what a pixel is never depends on who asks. Thread-safe: of several
/// threads that want a block at once, one decodes and the others wait for it.
class BlockCache {
public:
    struct Block {
        PixelRect rect;  ///< pixels of the level; cut at its end
        RgbImage rgb;
        std::optional<std::string> failure;
    };
    BlockCache(const Slide& slide, int level, size_t capacity_bytes);
    PixelSize block_size() const { return block_; }
    std::shared_ptr<const Block> get(int64_t row, int64_t column);
    /// Notes that a block which the caller holds is used again: others nearby will want it, too.
    void touch(int64_t row, int64_t column);

private:
    using Future = std::shared_future<std::shared_ptr<const Block>>;
    struct Entry {
        Future block;
        std::list<uint64_t>::iterator use;
    };
    static uint64_t key_of(int64_t row, int64_t column) {
        return static_cast<uint64_t>(row) << 32 | static_cast<uint64_t>(column);
    }
    std::shared_ptr<const Block> decode(int64_t row, int64_t column) const;
    /// One whose pixels nobody holds any more, or a new one.
    std::shared_ptr<Block> spare_block() const;

    const Slide& slide_;
    const int level_;
    PixelSize block_;
    size_t most_blocks_;
    // Outlives the cache while blocks are held. Freed and taken anew, they would leave the heap in
    // pieces that only grow in number, and pages to be cleared each time.
    std::shared_ptr<IdleWorkers<Block>> spare_ = std::make_shared<IdleWorkers<Block>>();
    std::mutex mutex_;
    std::list<uint64_t> used_;  // most recent first
    std::unordered_map<uint64_t, Entry> entries_;
};

}  // namespace wsi

#include "io/block_cache.h"

#include <algorithm>

namespace wsi {

namespace {
constexpr int64_t kLeastSide = 480, kUnknownTileSide = 512;

/// Whole stored tiles, so that each is decoded for one block only; about 512 pixels.
int64_t block_side(int64_t tile) {
    if (tile < 64 || tile > 1024) return kUnknownTileSide;
    return tile * ceil_div(kLeastSide, tile);
}
}  // namespace

BlockCache::BlockCache(const Slide& slide, int level, size_t capacity_bytes)
    : slide_(slide), level_(level) {
    const SlideLevel& l = slide.info().levels.at(static_cast<size_t>(level));
    block_ = {block_side(l.tile.width), block_side(l.tile.height)};
    most_blocks_ = std::max<size_t>(4, capacity_bytes / static_cast<size_t>(block_.area() * 3));
}

std::shared_ptr<BlockCache::Block> BlockCache::spare_block() const {
    auto block = spare_->borrow([] { return std::make_unique<Block>(); });
    return {block.release(),
            [spare = spare_](Block* b) { spare->give_back(std::unique_ptr<Block>(b)); }};
}

std::shared_ptr<const BlockCache::Block> BlockCache::decode(int64_t row, int64_t column) const {
    const PixelSize level = slide_.info().levels[static_cast<size_t>(level_)].size;
    auto block = spare_block();
    block->rect =
        intersection({column * block_.width, row * block_.height, block_.width, block_.height},
                     {0, 0, level.width, level.height});
    block->rgb.resize(block->rect.width, block->rect.height);
    block->failure = slide_.read(level_, block->rect, block->rgb);
    return block;
}

void BlockCache::touch(int64_t row, int64_t column) {
    const std::lock_guard lock(mutex_);
    if (const auto at = entries_.find(key_of(row, column)); at != entries_.end())
        used_.splice(used_.begin(), used_, at->second.use);
}

std::shared_ptr<const BlockCache::Block> BlockCache::get(int64_t row, int64_t column) {
    const uint64_t key = key_of(row, column);
    std::promise<std::shared_ptr<const Block>> mine;
    Future found;
    {
        const std::lock_guard lock(mutex_);
        const auto at = entries_.find(key);
        if (at != entries_.end()) {
            used_.splice(used_.begin(), used_, at->second.use);
            found = at->second.block;
        } else {
            used_.push_front(key);
            entries_.emplace(key, Entry{mine.get_future().share(), used_.begin()});
            if (entries_.size() > most_blocks_) {
                entries_.erase(used_.back());
                used_.pop_back();
            }
        }
    }
    if (found.valid()) return found.get();
    try {
        auto block = decode(row, column);
        mine.set_value(block);
        return block;
    } catch (...) {
        mine.set_exception(std::current_exception());  // else those who wait hear "broken promise"
        throw;
    }
}

}  // namespace wsi

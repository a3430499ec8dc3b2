#include "pipeline/flow.h"

#include <tbb/flow_graph.h>

#include <atomic>
#include <memory>
#include <random>
#include <vector>

#include "pipeline/infer_node.h"
#include "pipeline/region_buffer.h"

// One picture of this file is in docs/architecture.md. Two pools of tokens bound all memory: slots
// (tiles from admission to blending) and region buffers (regions from their first tile to the
// stored maps). Nothing else queues anything larger than an index, and no node ever blocks.
namespace wsi {

namespace flow = tbb::flow;

namespace {

struct RegionJob {
    RegionIndex region;
    bool end_of_stream = false;
};

struct TileJob {
    RegionBuffer* region = nullptr;
    TileIndex tile;
    bool end_of_stream = false;
};

struct LoadedTile {
    TileJob job;
    TileSlot* slot = nullptr;
};

struct BoardEvent {
    enum class Kind { Mapped, Finished, Skipped } kind = Kind::Skipped;
    RegionIndex region;
};

class SlideFlow {
public:
    explicit SlideFlow(const FlowContext& context);
    void run();

private:
    using AdmitRegion = std::tuple<RegionJob, RegionBuffer*>;
    using AdmitTile = std::tuple<TileJob, TileSlot*>;
    using ExpandNode = flow::multifunction_node<AdmitRegion, std::tuple<TileJob, RegionBuffer*>>;
    using BatchNode = flow::multifunction_node<LoadedTile, std::tuple<TileBatchPtr, TileSlot*>>;
    using BlendNode = flow::multifunction_node<TileBatchPtr, std::tuple<TileSlot*, RegionBuffer*>>;
    using StoreNode =
        flow::multifunction_node<RegionBuffer*, std::tuple<RegionBuffer*, BoardEvent>>;
    using BoardNode = flow::multifunction_node<BoardEvent, std::tuple<RegionIndex>>;

    RegionJob next_region(tbb::flow_control& control);
    void expand(const AdmitRegion& admitted, ExpandNode::output_ports_type& out);
    LoadedTile load(const AdmitTile& admitted);
    void batch(const LoadedTile& tile, BatchNode::output_ports_type& out);
    void blend(const TileBatchPtr& batch, BlendNode::output_ports_type& out);
    void store(RegionBuffer* region, StoreNode::output_ports_type& out);
    void update_board(const BoardEvent& event, BoardNode::output_ports_type& out);
    BoardEvent finish(RegionIndex region);
    void connect();
    void check_conservation() const;

    const FlowContext& c_;
    std::vector<RegionIndex> todo_;
    size_t next_ = 0;
    bool end_sent_ = false;
    std::vector<std::unique_ptr<TileSlot>> slots_;
    std::vector<std::unique_ptr<RegionBuffer>> buffers_;
    TileBatchPtr pending_ = std::make_shared<TileBatch>();
    int64_t received_ = 0;
    bool end_received_ = false;
    std::atomic<int64_t> expanded_{0}, blended_{0};
    std::atomic<int> open_regions_{0};

    flow::graph graph_;
    flow::input_node<RegionJob> source_;
    flow::buffer_node<RegionBuffer*> free_regions_;
    flow::join_node<AdmitRegion, flow::reserving> admit_region_;
    ExpandNode expand_;
    flow::queue_node<TileJob> tile_queue_;
    flow::buffer_node<TileSlot*> free_slots_;
    flow::join_node<AdmitTile, flow::reserving> admit_tile_;
    flow::function_node<AdmitTile, LoadedTile> load_;
    BatchNode batch_;
    InferNode infer_;
    BlendNode blend_;
    StoreNode store_;
    BoardNode board_;
    flow::function_node<RegionIndex, BoardEvent> finish_;
};

SlideFlow::SlideFlow(const FlowContext& context)
    : c_(context),
      todo_(context.board.to_map()),
      source_(graph_, [this](tbb::flow_control& control) { return next_region(control); }),
      free_regions_(graph_),
      admit_region_(graph_),
      expand_(graph_, flow::serial, [this](const AdmitRegion& in, auto& out) { expand(in, out); }),
      tile_queue_(graph_),
      free_slots_(graph_),
      admit_tile_(graph_),
      load_(graph_, static_cast<size_t>(context.threads),
            [this](const AdmitTile& in) { return load(in); }),
      batch_(graph_, flow::serial, [this](const LoadedTile& in, auto& out) { batch(in, out); }),
      infer_(graph_, context.segmenter, context.slide_params, context.status, context.threads),
      blend_(graph_, flow::serial, [this](const TileBatchPtr& in, auto& out) { blend(in, out); }),
      store_(graph_, flow::unlimited, [this](RegionBuffer* in, auto& out) { store(in, out); }),
      board_(graph_, flow::serial,
             [this](const BoardEvent& in, auto& out) { update_board(in, out); }),
      finish_(graph_, static_cast<size_t>(context.memory.finishers),
              [this](RegionIndex in) { return finish(in); }) {
    // A partial batch may hold batch - 1 slots until the end of the stream, which needs one itself.
    WSI_CHECK(context.memory.slots > context.batch && context.memory.open_regions > 0);
    if (context.shuffle_seed != 0)
        std::shuffle(todo_.begin(), todo_.end(), std::mt19937_64(context.shuffle_seed));
    connect();
}

void SlideFlow::connect() {
    flow::make_edge(source_, flow::input_port<0>(admit_region_));
    flow::make_edge(free_regions_, flow::input_port<1>(admit_region_));
    flow::make_edge(admit_region_, expand_);
    flow::make_edge(flow::output_port<0>(expand_), tile_queue_);
    flow::make_edge(flow::output_port<1>(expand_), free_regions_);
    flow::make_edge(tile_queue_, flow::input_port<0>(admit_tile_));
    flow::make_edge(free_slots_, flow::input_port<1>(admit_tile_));
    flow::make_edge(admit_tile_, load_);
    flow::make_edge(load_, batch_);
    flow::make_edge(flow::output_port<0>(batch_), infer_.input());
    flow::make_edge(flow::output_port<1>(batch_), free_slots_);
    flow::make_edge(infer_.output(), blend_);
    flow::make_edge(flow::output_port<0>(blend_), free_slots_);
    flow::make_edge(flow::output_port<1>(blend_), store_);
    flow::make_edge(flow::output_port<0>(store_), free_regions_);
    flow::make_edge(flow::output_port<1>(store_), board_);
    flow::make_edge(flow::output_port<0>(board_), finish_);
    flow::make_edge(finish_, board_);
}

RegionJob SlideFlow::next_region(tbb::flow_control& control) {
    if (end_sent_) {
        control.stop();
        return {};
    }
    if (next_ == todo_.size() || c_.status.stopping()) {
        end_sent_ = true;
        return {{}, true};
    }
    return {todo_[next_++], false};
}

void SlideFlow::expand(const AdmitRegion& admitted, ExpandNode::output_ports_type& out) {
    const auto& [job, buffer] = admitted;
    if (job.end_of_stream) {
        std::get<0>(out).try_put({nullptr, {}, true});
        std::get<1>(out).try_put(buffer);
        return;
    }
    buffer->open(c_.plan, job.region);
    auto tiles = c_.plan.active[static_cast<size_t>(c_.plan.regions.rank(job.region))];
    if (c_.shuffle_seed != 0)
        std::shuffle(tiles.begin(), tiles.end(), std::mt19937_64(c_.shuffle_seed));
    ++open_regions_;
    expanded_ += std::ssize(tiles);
    for (const TileIndex tile : tiles) std::get<0>(out).try_put({buffer, tile, false});
}

LoadedTile SlideFlow::load(const AdmitTile& admitted) {
    const TileJob& job = std::get<0>(admitted);
    TileSlot* const slot = std::get<1>(admitted);
    if (job.end_of_stream) return {job, slot};
    slot->tile = job.tile;
    slot->state = TileState::Pending;
    if (c_.status.stopping()) {
        slot->state = TileState::Dropped;
        return {job, slot};
    }
    c_.status.at("tile");
    const PixelRect input = c_.plan.tiles.input(job.tile);
    const PixelRect on_slide = intersection(input, c_.plan.frame.rect());
    slot->inside = {on_slide.x - input.x, on_slide.y - input.y, on_slide.width, on_slide.height};
    slot->rgb.resize(input.width, input.height);
    const std::vector<FailedBlock> failures = [&] {
        const CpuScope clock(c_.status.cpu, Stage::Read);
        return c_.reader.read(input, slot->rgb);
    }();
    if (!failures.empty()) {
        c_.check_slide();
        job.region->add_failures(failures);
    }
    if (c_.plan.spec.normalised) {
        const CpuScope clock(c_.status.cpu, Stage::Normalise);
        slot->normalised.resize(input.width, input.height);
        c_.normaliser(slot->rgb.view(), slot->normalised.view());
    }
    const std::vector<size_t> maps = c_.plan.spec.maps();
    slot->maps.resize(maps.back() < kMapCount ? kMapCount : maps.back() + 1);
    for (const size_t map : maps) slot->maps[map].resize(input.width, input.height);
    return {job, slot};
}

void SlideFlow::batch(const LoadedTile& tile, BatchNode::output_ports_type& out) {
    if (tile.job.end_of_stream) {
        end_received_ = true;
        std::get<1>(out).try_put(tile.slot);
    } else {
        ++received_;
        pending_->items.push_back({tile.slot, tile.job.region});
    }
    // A partial batch goes on when nothing else can arrive before it: at the end of the stream, or
    // when every open region waits for tiles that are all here already.
    const bool starved = received_ == expanded_.load() &&
                         (end_received_ || open_regions_.load() == c_.memory.open_regions);
    if (std::ssize(pending_->items) == c_.batch || (starved && !pending_->items.empty()))
        std::get<0>(out).try_put(std::exchange(pending_, std::make_shared<TileBatch>()));
}

void SlideFlow::blend(const TileBatchPtr& batch, BlendNode::output_ports_type& out) {
    const CpuScope clock(c_.status.cpu, Stage::Blend);
    for (const TileBatch::Item& item : batch->items) {
        item.region->add(c_.plan, *item.slot);
        ++blended_;
        if (item.slot->state == TileState::Done) ++c_.status.tiles_done;
        std::get<0>(out).try_put(item.slot);
        if (item.region->tiles_left() == 0) std::get<1>(out).try_put(item.region);
    }
}

void SlideFlow::store(RegionBuffer* region, StoreNode::output_ports_type& out) {
    const CpuScope clock(c_.status.cpu, Stage::Store);
    const BoardEvent event{region->dropped() ? BoardEvent::Kind::Skipped : BoardEvent::Kind::Mapped,
                           region->region()};
    if (!region->dropped()) {
        c_.status.at("commit");
        region->save(c_.parts.maps(c_.plan, region->region()));
    }
    c_.status.at("commit");
    --open_regions_;
    std::get<0>(out).try_put(region);
    std::get<1>(out).try_put(event);
}

void SlideFlow::update_board(const BoardEvent& event, BoardNode::output_ports_type& out) {
    switch (event.kind) {
        case BoardEvent::Kind::Mapped:
            for (const RegionIndex ready : c_.board.mapped(event.region))
                std::get<0>(out).try_put(ready);
            break;
        case BoardEvent::Kind::Finished:
            ++c_.status.regions_done;
            for (const RegionIndex unused : c_.board.finished(event.region))
                c_.parts.remove_maps(c_.plan, unused);
            break;
        case BoardEvent::Kind::Skipped: break;
    }
}

BoardEvent SlideFlow::finish(RegionIndex region) {
    if (c_.status.stopping()) return {BoardEvent::Kind::Skipped, region};
    c_.status.at("commit");
    c_.finish_region(region);
    c_.status.at("commit");
    return {BoardEvent::Kind::Finished, region};
}

void SlideFlow::check_conservation() const {
    // TBB reports success for a graph that starved; only counting tells.
    WSI_CHECK(end_received_ && pending_->items.empty());
    WSI_CHECK(expanded_ == received_ && received_ == blended_, expanded_.load(),
              " tiles admitted, ", received_, " loaded, ", blended_.load(), " blended");
    WSI_CHECK(c_.status.stopping() || c_.board.all_finished());
}

void SlideFlow::run() {
    for (int i = 0; i < c_.memory.slots; ++i) {
        slots_.push_back(std::make_unique<TileSlot>());
        slots_.back()->id = i;
        free_slots_.try_put(slots_.back().get());
    }
    for (int i = 0; i < c_.memory.open_regions; ++i) {
        buffers_.push_back(std::make_unique<RegionBuffer>(c_.plan));
        free_regions_.try_put(buffers_.back().get());
    }
    for (const RegionIndex ready : c_.board.ready()) finish_.try_put(ready);
    source_.activate();
    {
        // A signal handler cannot cancel the graph; this thread does it for the second signal.
        std::jthread canceller([this](std::stop_token done) {
            std::mutex mutex;
            std::condition_variable_any wake;
            std::unique_lock lock(mutex);
            while (!wake.wait_for(lock, done, std::chrono::milliseconds(50),
                                  [&] { return done.stop_requested(); }))
                if (c_.status.stop_request() == StopRequest::Cancel) graph_.cancel();
        });
        graph_.wait_for_all();  // rethrows what a node threw
    }
    infer_.rethrow();
    if (c_.status.stop_request() == StopRequest::Cancel)
        fail(ErrorKind::Cancelled, "interrupted; run the same command again to resume");
    WSI_CHECK(!graph_.is_cancelled());
    check_conservation();
}

}  // namespace

void run_flow(const FlowContext& context) { SlideFlow(context).run(); }

}  // namespace wsi

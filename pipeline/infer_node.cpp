#include "pipeline/infer_node.h"

namespace wsi {

InferNode::InferNode(tbb::flow::graph& graph, Segmenter& segmenter,
                     std::span<const double> slide_params, RunStatus& status, int threads)
    : graph_(graph), segmenter_(segmenter), slide_params_(slide_params), status_(status) {
    if (!segmenter.owns_thread()) {
        host_ = std::make_unique<HostNode>(
            graph, static_cast<size_t>(std::min(threads, segmenter.max_concurrency())),
            [this](TileBatchPtr batch) {
                segment(*batch);
                return batch;
            });
        return;
    }
    device_ = std::make_unique<DeviceNode>(
        graph, tbb::flow::serial,
        [this](const TileBatchPtr& batch, DeviceNode::gateway_type& gateway) {
            gateway.reserve_wait();
            {
                const std::lock_guard lock(mutex_);
                jobs_.push_back({batch, &gateway});
            }
            wake_.notify_one();
        });
    thread_ = std::jthread([this](std::stop_token stop) { device_loop(stop); });
}

InferNode::~InferNode() = default;

tbb::flow::receiver<TileBatchPtr>& InferNode::input() {
    if (host_) return *host_;
    return *device_;
}

tbb::flow::sender<TileBatchPtr>& InferNode::output() {
    if (host_) return *host_;
    return tbb::flow::output_port<0>(*device_);
}

void InferNode::segment(TileBatch& batch) const {
    std::vector<TileSlot*> slots;
    for (const TileBatch::Item& item : batch.items)
        if (item.slot->state != TileState::Dropped) slots.push_back(item.slot);
    if (slots.empty()) return;
    const CpuScope clock(status_.cpu, Stage::Segment);
    segmenter_.segment(slots, slide_params_);
    for (TileSlot* slot : slots) slot->state = TileState::Done;
}

void InferNode::device_loop(std::stop_token stop) {
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        try {
            if (!error_) segment(*job.batch);
        } catch (...) {
            error_ = std::current_exception();
            graph_.cancel();
        }
        if (!error_) job.gateway->try_put(job.batch);
        job.gateway->release_wait();  // always, or the graph would wait for ever
    }
}

void InferNode::rethrow() {
    if (error_) std::rethrow_exception(error_);
}

}  // namespace wsi

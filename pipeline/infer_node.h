#pragma once

#include <tbb/flow_graph.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "model/segmenter.h"
#include "pipeline/region_buffer.h"
#include "pipeline/run_status.h"

namespace wsi {

/// Tiles that are segmented together. The slots are the tokens that bound the graph.
struct TileBatch {
    struct Item {
        TileSlot* slot;
        RegionBuffer* region;
    };
    std::vector<Item> items;
};
using TileBatchPtr = std::shared_ptr<TileBatch>;

/// The node in which batches are segmented. A host segmenter runs on the graph's own threads, up to
/// its concurrency, so that no more threads are busy than the user allowed. A device segmenter owns
/// one thread outside the graph, which alone makes the device's calls.
class InferNode {
public:
    InferNode(tbb::flow::graph& graph, Segmenter& segmenter, std::span<const double> slide_params,
              RunStatus& status, int threads);
    ~InferNode();
    tbb::flow::receiver<TileBatchPtr>& input();
    tbb::flow::sender<TileBatchPtr>& output();
    /// After wait_for_all: throws what the device thread met.
    void rethrow();

private:
    using HostNode = tbb::flow::function_node<TileBatchPtr, TileBatchPtr>;
    using DeviceNode = tbb::flow::async_node<TileBatchPtr, TileBatchPtr>;
    struct Job {
        TileBatchPtr batch;
        DeviceNode::gateway_type* gateway;
    };
    void segment(TileBatch& batch) const;
    void device_loop(std::stop_token stop);

    tbb::flow::graph& graph_;
    Segmenter& segmenter_;
    std::span<const double> slide_params_;
    RunStatus& status_;
    std::unique_ptr<HostNode> host_;
    std::unique_ptr<DeviceNode> device_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<Job> jobs_;
    std::exception_ptr error_;
    std::jthread thread_;  // last: joins before what it uses goes
};

}  // namespace wsi

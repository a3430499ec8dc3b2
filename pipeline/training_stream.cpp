#include "pipeline/training_stream.h"

#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace wsi {

namespace flow = tbb::flow;

namespace {

struct Sample {
    int64_t number = 0;
    std::shared_ptr<TrainingPatch> patch;  // messages are copied
};
struct Token {};
using Admitted = std::tuple<int64_t, Token>;

}  // namespace

struct TrainingStream::Impl {
    Impl(const Options& options, Make make_sample);
    ~Impl();
    Sample make_one(int64_t sample);
    int64_t next_number(tbb::flow_control& control);
    flow::continue_msg collect(const Sample& sample);
    std::vector<TrainingPatch> next();

    const Options o;
    const Make make;
    std::atomic<bool> stopping{false};
    int64_t number;                      // of the source
    std::vector<TrainingPatch> pending;  // of the batch node

    std::mutex mutex;  // of what follows, shared with the trainer's thread
    std::condition_variable changed;
    std::deque<std::vector<TrainingPatch>> ready;
    std::exception_ptr problem;

    // Two places are kept: for the thread that waits for the graph, which works in it, and for the
    // trainer's, which only puts tokens back and must not wait for a place to do so.
    tbb::task_arena arena;
    std::unique_ptr<flow::graph> graph;
    flow::input_node<int64_t> source;
    flow::buffer_node<Token> free;
    flow::join_node<Admitted, flow::reserving> admit;
    flow::function_node<Admitted, Sample> work;
    flow::sequencer_node<Sample> sequence;
    flow::function_node<Sample> batch;
    std::jthread runner;
};

TrainingStream::Impl::Impl(const Options& options, Make make_sample)
    : o(options),
      make(std::move(make_sample)),
      number(options.first),
      arena(options.workers + 1, 2),
      graph(arena.execute([] { return std::make_unique<flow::graph>(); })),
      source(*graph, [this](tbb::flow_control& control) { return next_number(control); }),
      free(*graph),
      admit(*graph),
      work(*graph, static_cast<size_t>(options.workers),
           [this](const Admitted& in) { return make_one(std::get<0>(in)); }),
      sequence(*graph, [this](const Sample& s) { return static_cast<size_t>(s.number - o.first); }),
      batch(*graph, flow::serial, [this](const Sample& s) { return collect(s); }) {
    WSI_CHECK(
        o.batch > 0 && o.workers > 0 && o.batches_ahead > 0 && (o.last - o.first) % o.batch == 0,
        o.first, " to ", o.last, " by ", o.batch);
    flow::make_edge(source, flow::input_port<0>(admit));
    flow::make_edge(free, flow::input_port<1>(admit));
    flow::make_edge(admit, work);
    flow::make_edge(work, sequence);
    flow::make_edge(sequence, batch);
    for (int i = 0; i < o.batch * o.batches_ahead; ++i) free.try_put(Token{});
    // The graph is not done when it ran out of tokens: the trainer puts them back.
    graph->reserve_wait();
    runner = std::jthread([this] {
        arena.execute([this] {
            source.activate();
            graph->wait_for_all();
        });
    });
}

TrainingStream::Impl::~Impl() {
    stopping = true;
    graph->cancel();
    graph->release_wait();
    runner.join();
}

/// An error must not end the graph: its thread would wait for ever for what is reserved.
Sample TrainingStream::Impl::make_one(int64_t sample) {
    try {
        return {sample, std::make_shared<TrainingPatch>(make(sample))};
    } catch (...) {
        const std::lock_guard lock(mutex);
        if (!problem) problem = std::current_exception();
        stopping = true;
        changed.notify_all();
        return {sample, nullptr};
    }
}

int64_t TrainingStream::Impl::next_number(tbb::flow_control& control) {
    if (number == o.last || stopping) {
        control.stop();
        return 0;
    }
    return number++;
}

flow::continue_msg TrainingStream::Impl::collect(const Sample& sample) {
    if (!sample.patch) return {};
    pending.push_back(std::move(*sample.patch));
    if (std::ssize(pending) == o.batch) {
        const std::lock_guard lock(mutex);
        ready.push_back(std::exchange(pending, {}));
        changed.notify_one();
    }
    return {};
}

std::vector<TrainingPatch> TrainingStream::Impl::next() {
    std::vector<TrainingPatch> taken;
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return !ready.empty() || problem; });
        if (ready.empty()) std::rethrow_exception(problem);
        taken = std::move(ready.front());
        ready.pop_front();
    }
    for (int i = 0; i < o.batch; ++i) free.try_put(Token{});
    return taken;
}

TrainingStream::TrainingStream(const Options& options, Make make)
    : impl_(std::make_unique<Impl>(options, std::move(make))) {}

TrainingStream::~TrainingStream() = default;

std::vector<TrainingPatch> TrainingStream::next() {
    const auto start = std::chrono::steady_clock::now();
    std::vector<TrainingPatch> batch = impl_->next();
    waited_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return batch;
}

}  // namespace wsi

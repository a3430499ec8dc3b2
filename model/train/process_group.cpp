#include "model/train/process_group.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "config/error.h"

namespace wsi::train {

namespace {

/// Values sent at a time: the store refuses messages above 8 MiB.
constexpr int64_t kPiece = 1'000'000;
constexpr auto kUntilAllAreThere = std::chrono::minutes(5);
/// The others wait while the first scores the development images.
constexpr auto kUntilAllHaveSent = std::chrono::hours(1);

std::string variable(const char* name, const char* otherwise = "") {
    const char* const value = std::getenv(name);
    return value ? value : otherwise;
}

int whole_number(const char* name, const std::string& text) {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0)
        fail(ErrorKind::Config, name, " = '", text, "': expected a number from 0");
    return value;
}

/// -1 when neither is set.
int number(const char* name, const char* slurm_name) {
    const char* const used = std::getenv(name) ? name : slurm_name;
    const std::string text = variable(used);
    return text.empty() ? -1 : whole_number(used, text);
}

uint16_t port() {
    const int value = whole_number("MASTER_PORT", variable("MASTER_PORT", "29500"));
    if (value < 1 || value > 65535)
        fail(ErrorKind::Config, "MASTER_PORT = ", value, ": expected 1 to 65535");
    return static_cast<uint16_t>(value);
}

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// The first line of `a` that is not one of `b`'s.
std::string first_other_line(const std::string& a, const std::string& b) {
    std::istringstream one(a), two(b);
    for (std::string x, y; std::getline(one, x); y.clear()) {
        std::getline(two, y);
        if (x != y) return x + ", there " + y;
    }
    return "fewer settings";
}

}  // namespace

struct ProcessGroup::Impl {
    c10::intrusive_ptr<c10d::TCPStore> store;
};

std::unique_ptr<ProcessGroup> ProcessGroup::from_environment() {
    // Without an address it is an ordinary run inside a job of one.
    if (variable("MASTER_ADDR").empty()) return nullptr;
    const int rank = number("RANK", "SLURM_PROCID"), size = number("WORLD_SIZE", "SLURM_NTASKS");
    if (size <= 1) return nullptr;
    if (rank < 0 || rank >= size)
        fail(ErrorKind::Config, "RANK = ", rank, " with WORLD_SIZE = ", size,
             ": expected a rank from 0 to ", size - 1, "; start with torchrun or srun");
    return std::make_unique<ProcessGroup>(Place{rank, size});
}

ProcessGroup::ProcessGroup(const Place& place) : place_(place), impl_(std::make_unique<Impl>()) {
    c10d::TCPStoreOptions options;
    options.port = port();
    // torchrun's agent serves the store itself.
    options.isServer = place.rank == 0 && variable("TORCHELASTIC_USE_AGENT_STORE") != "True";
    options.numWorkers = static_cast<size_t>(place.processes);
    options.waitWorkers = false;  // require_equal() waits for the first, sum() for all
    options.timeout = kUntilAllAreThere;
    const std::string host = variable("MASTER_ADDR");
    try {
        impl_->store = c10::make_intrusive<c10d::TCPStore>(host, options);
    } catch (const c10::Error& error) {
        fail(ErrorKind::Device, "process ", place.rank, " of ", place.processes, " cannot ",
             options.isServer ? "listen on " : "reach the first one at ", host, ":", options.port,
             " (MASTER_ADDR, MASTER_PORT): ", error.what_without_backtrace());
    }
}

ProcessGroup::~ProcessGroup() {
    // Nobody may close the store while another still reads from it.
    try {
        const std::string left = "wsi/left";
        impl_->store->add(left, 1);
        if (place_.rank == 0)
            for (int i = 0; i < 100 && impl_->store->add(left, 0) < place_.processes; ++i)
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } catch (const c10::Error&) {
        // The others are gone already.
    }
}

void ProcessGroup::require_equal(const std::string& settings) {
    const std::string of_first = "wsi/settings";
    if (place_.rank == 0) impl_->store->set(of_first, bytes_of(settings));
    const std::vector<uint8_t> bytes = impl_->store->get(of_first);
    const std::string expected(bytes.begin(), bytes.end());
    if (settings != expected)
        fail(ErrorKind::Config, "process ", place_.rank,
             " has other settings than the first: ", first_other_line(settings, expected),
             "; give all the same command");
    impl_->store->setTimeout(kUntilAllHaveSent);
}

std::string ProcessGroup::key(int64_t round, int rank) const {
    return "wsi/" + std::to_string(round) + "/" + std::to_string(rank);
}

at::Tensor ProcessGroup::sum(const at::Tensor& own) {
    const at::Tensor mine = own.detach().to(at::kCPU).contiguous();
    const at::Tensor flat = mine.view(-1);
    std::vector<at::Tensor> pieces;
    for (const at::Tensor& piece : flat.split(kPiece)) pieces.push_back(sum_piece(piece));
    return at::cat(pieces).view(mine.sizes()).to(own.device());
}

at::Tensor ProcessGroup::sum_piece(const at::Tensor& mine) {
    std::vector<uint8_t> bytes(mine.nbytes());
    if (!bytes.empty()) std::memcpy(bytes.data(), mine.const_data_ptr(), bytes.size());
    impl_->store->set(key(round_, place_.rank), bytes);
    at::Tensor total;
    for (int rank = 0; rank < place_.processes; ++rank) {
        at::Tensor part = mine;
        if (rank != place_.rank) {
            bytes = impl_->store->get(key(round_, rank));
            WSI_CHECK(bytes.size() == mine.nbytes(), "process ", rank, " sent ", bytes.size(),
                      " bytes, ", mine.nbytes(), " expected");
            part = at::empty_like(mine);
            if (!bytes.empty()) std::memcpy(part.data_ptr(), bytes.data(), bytes.size());
        }
        total = total.defined() ? total + part : part;
    }
    // All have sent this round, so all have read the one before.
    if (round_ > 0) impl_->store->deleteKey(key(round_ - 1, place_.rank));
    ++round_;
    return total;
}

}  // namespace wsi::train

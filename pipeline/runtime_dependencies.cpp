#include "pipeline/runtime_dependencies.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>
#include <tbb/version.h>

#include <opencv2/imgproc.hpp>

#include "config/error.h"
#include "model/network_library.h"

namespace wsi {

namespace {

std::string test_tbb() {
    const int64_t sum = tbb::parallel_reduce(
        tbb::blocked_range<int64_t>(0, 100000), int64_t{0},
        [](const auto& range, int64_t part) {
            for (int64_t i = range.begin(); i != range.end(); ++i) part += i;
            return part;
        },
        std::plus<>());
    if (sum != int64_t{99999} * 50000) fail(ErrorKind::Device, "a parallel sum is wrong");
    return "a parallel sum";
}

std::string test_opencv() {
    const cv::Mat1b board = (cv::Mat1b(4, 4) << 0, 40, 0, 40, 40, 80, 40, 80,  //
                             0, 40, 0, 40, 40, 80, 40, 80);
    cv::Mat1b half;
    cv::resize(board, half, {2, 2}, 0, 0, cv::INTER_AREA);
    if (cv::countNonZero(half != 40) > 0)
        fail(ErrorKind::Device, "an image is not averaged when its size is halved");
    return "an image resized";
}

}  // namespace

std::vector<DependencyReport> check_runtime_libraries() {
    return {report_on("TBB", TBB_runtime_version(), &test_tbb),
            report_on("OpenCV", cv::getVersionString(), &test_opencv),
            report_on("LibTorch", "", [] { return network_library().self_test(); })};
}

}  // namespace wsi

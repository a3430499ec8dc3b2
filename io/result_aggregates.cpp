#include "io/result_aggregates.h"

#include <algorithm>

#include "io/hdf5_file.h"
#include "io/result_layout.h"

namespace wsi {

namespace {

using h5::check;
using h5::Id;

std::vector<std::string> attribute_names(hid_t object, const std::string& what) {
    std::vector<std::string> names;
    const auto add = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
        static_cast<std::vector<std::string>*>(list)->emplace_back(name);
        return 0;
    };
    hsize_t from = 0;
    check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &from, add, &names),
          "cannot list attributes of", what, ErrorKind::Slide);
    return names;
}

void add_features(hid_t summary, std::vector<SummaryValue>& out) {
    const hsize_t count = h5::dimensions(h5::open_dataset(summary, layout::kFeature).get()).at(0);
    const std::vector<std::string> features = h5::read_texts(summary, layout::kFeature, 0, count);
    std::vector<const char*> statistics(layout::kStatistics.begin(), layout::kStatistics.end());
    statistics.push_back(layout::kDefined);
    std::vector<std::vector<double>> columns;
    for (const char* statistic : statistics)
        columns.push_back(h5::read_column<double>(summary, statistic, 0, count));
    for (size_t i = 0; i < features.size(); ++i)
        for (size_t k = 0; k < statistics.size(); ++k)
            out.push_back({features[i] + "_" + statistics[k], columns[k][i]});
}

/// Members of /summary that are neither a statistic nor the features' names.
void add_groups(hid_t summary, std::vector<SummaryValue>& out) {
    for (const std::string& name : h5::member_names(summary)) {
        if (name == layout::kFeature || name == layout::kDefined ||
            std::ranges::find(layout::kStatistics, name) != layout::kStatistics.end())
            continue;
        const Id group = h5::open_group(summary, name);
        for (const std::string& value : attribute_names(group.get(), name))
            out.push_back({name + "_" + value, h5::read_number_attribute(group.get(), value)});
    }
}

}  // namespace

std::vector<SummaryValue> read_aggregates(const std::string& result) {
    h5::set_up();
    const Id file(check(H5Fopen(result.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "cannot open", result,
                        ErrorKind::Slide),
                  &H5Fclose);
    const Id summary = h5::open_group(file.get(), "summary");
    std::vector<SummaryValue> out;
    add_features(summary.get(), out);
    add_groups(summary.get(), out);
    return out;
}

}  // namespace wsi

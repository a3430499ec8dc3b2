#include "config/experiment_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "config/config_io.h"
#include "config/error.h"

namespace wsi {

namespace {

[[noreturn]] void fail_at(const std::string& path, const YAML::Mark& mark,
                          const std::string& what) {
    fail(ErrorKind::Config, path, ":", mark.line + 1, ":", mark.column + 1, ": ", what);
}

std::vector<std::string> list_of(const YAML::Node& node, const std::string& path) {
    if (!node.IsSequence()) fail_at(path, node.Mark(), "expected a list of section.key=value");
    std::vector<std::string> out;
    for (const YAML::Node& item : node) out.push_back(item.as<std::string>());
    return out;
}

ExperimentRow row_of(const YAML::Node& node, const std::string& path) {
    if (!node.IsMap() || !node["name"]) fail_at(path, node.Mark(), "expected a row with a name");
    ExperimentRow row;
    for (const auto& field : node) {
        const auto key = field.first.as<std::string>();
        if (key == "name")
            row.name = field.second.as<std::string>();
        else if (key == "set")
            row.set = list_of(field.second, path);
        else
            fail_at(path, field.first.Mark(), "unknown key " + key + "; a row has name and set");
    }
    return row;
}

void read_field(const YAML::Node& name, const YAML::Node& value, const std::string& path,
                ExperimentTable& table) {
    const auto key = name.as<std::string>();
    if (key == "title")
        table.title = value.as<std::string>();
    else if (key == "preset")
        table.preset = value.as<std::string>();
    else if (key == "set")
        table.set = list_of(value, path);
    else if (key == "seeds")
        table.seeds = value.as<int>();
    else if (key == "reference")
        table.reference = value.as<std::string>();
    else if (key == "rows")
        for (const YAML::Node& row : value) table.rows.push_back(row_of(row, path));
    else
        fail_at(
            path, name.Mark(),
            "unknown key " + key + "; a table has title, preset, set, seeds, reference and rows");
}

void check(const ExperimentTable& table, const std::string& path) {
    std::set<std::string> names;
    for (const ExperimentRow& row : table.rows)
        if (!names.insert(row.name).second)
            fail(ErrorKind::Config, path, ": two rows are called ", row.name);
    if (table.rows.empty()) fail(ErrorKind::Config, path, ": no rows");
    if (table.seeds < 1)
        fail(ErrorKind::Config, path, ": seeds = ", table.seeds, ": expected >= 1");
    if (!names.contains(table.reference))
        fail(ErrorKind::Config, path, ": reference = '", table.reference,
             "': expected the name of a row");
}

}  // namespace

ExperimentTable read_experiment_table(const std::string& path) {
    ExperimentTable table;
    try {
        const YAML::Node root = YAML::LoadFile(path);
        if (!root.IsMap()) fail_at(path, root.Mark(), "expected keys with values");
        for (const auto& field : root) read_field(field.first, field.second, path, table);
    } catch (const YAML::BadFile&) {
        fail(ErrorKind::Config, "cannot open the table ", path);
    } catch (const YAML::Exception& error) {
        fail_at(path, error.mark, error.msg);
    }
    check(table, path);
    return table;
}

Config row_config(const ExperimentTable& table, const ExperimentRow& row,
                  const std::vector<std::string>& command_line, const Config& base) {
    Config config = base;
    if (!table.preset.empty()) load_preset(config, table.preset);
    for (const auto* list : {&table.set, &command_line, &row.set})
        for (const std::string& setting : *list)
            with_context([&] { apply_set(config, setting); }, "row " + row.name);
    validate(config);
    return config;
}

}  // namespace wsi

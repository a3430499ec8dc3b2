#include "config/config_io.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <type_traits>

#include "config/error.h"
#include "config/fields.h"

namespace wsi {

namespace {

// --- values as text ------------------------------------------------------------------------------

constexpr std::array<std::pair<const char*, StainMethod>, 4> kMethods{
    {{"macenko", StainMethod::Macenko},
     {"reinhard", StainMethod::Reinhard},
     {"vahadane", StainMethod::Vahadane},
     {"none", StainMethod::None}}};
constexpr std::array<std::pair<const char*, StainSet>, 2> kStains{
    {{"he", StainSet::He}, {"hdab", StainSet::Hdab}}};
constexpr std::array<std::pair<const char*, IhcPlace>, 3> kIhcPlaces{
    {{"nucleus", IhcPlace::Nucleus}, {"ring", IhcPlace::Ring}, {"edge", IhcPlace::Edge}}};

constexpr std::array<std::pair<const char*, NetworkActivation>, 4> kActivations{
    {{"relu", NetworkActivation::Relu},
     {"leaky_relu", NetworkActivation::LeakyRelu},
     {"swish", NetworkActivation::Swish},
     {"glu", NetworkActivation::Glu}}};
constexpr std::array<std::pair<const char*, ActivationPlacement>, 2> kPlaces{
    {{"encoder", ActivationPlacement::Encoder}, {"all", ActivationPlacement::All}}};
constexpr std::array<std::pair<const char*, FusionKind>, 6> kFusions{
    {{"none", FusionKind::None},
     {"concat", FusionKind::Concat},
     {"efb_r", FusionKind::EfbR},
     {"efb_p", FusionKind::EfbP},
     {"efb_p_literal", FusionKind::EfbLiteral},
     {"efb_x", FusionKind::EfbX}}};
constexpr std::array<std::pair<const char*, EncoderInput>, 2> kInputs{
    {{"sam", EncoderInput::Sam}, {"medsam", EncoderInput::MedSam}}};
constexpr std::array<std::pair<const char*, EncoderContext>, 2> kContexts{
    {{"tile", EncoderContext::Tile}, {"field", EncoderContext::Field}}};
constexpr std::array<std::pair<const char*, Precision>, 3> kPrecisions{
    {{"fp32", Precision::Fp32}, {"bf16", Precision::Bf16}, {"fp16", Precision::Fp16}}};
constexpr std::array<std::pair<const char*, OptimiserKind>, 2> kOptimisers{
    {{"adamw", OptimiserKind::AdamW}, {"adam", OptimiserKind::Adam}}};
constexpr std::array<std::pair<const char*, Decay>, 3> kDecays{
    {{"cosine", Decay::Cosine}, {"polynomial", Decay::Polynomial}, {"none", Decay::None}}};
constexpr std::array<std::pair<const char*, ChooseBy>, 3> kChoosers{
    {{"pq", ChooseBy::Pq}, {"dice", ChooseBy::Dice}, {"aji", ChooseBy::Aji}}};

constexpr const auto& names_of(StainMethod) { return kMethods; }
constexpr const auto& names_of(StainSet) { return kStains; }
constexpr const auto& names_of(IhcPlace) { return kIhcPlaces; }
constexpr const auto& names_of(NetworkActivation) { return kActivations; }
constexpr const auto& names_of(ActivationPlacement) { return kPlaces; }
constexpr const auto& names_of(FusionKind) { return kFusions; }
constexpr const auto& names_of(EncoderInput) { return kInputs; }
constexpr const auto& names_of(EncoderContext) { return kContexts; }
constexpr const auto& names_of(Precision) { return kPrecisions; }
constexpr const auto& names_of(OptimiserKind) { return kOptimisers; }
constexpr const auto& names_of(Decay) { return kDecays; }
constexpr const auto& names_of(ChooseBy) { return kChoosers; }

template <class Enum, size_t N>
std::string name_of(const std::array<std::pair<const char*, Enum>, N>& names, Enum value) {
    for (const auto& [name, v] : names)
        if (v == value) return name;
    return "?";
}

template <class Enum, size_t N>
std::string parse_enum(const std::array<std::pair<const char*, Enum>, N>& names,
                       const std::string& text, Enum& out) {
    std::string known;
    for (const auto& [name, v] : names) {
        if (text == name) {
            out = v;
            return "";
        }
        known += (known.empty() ? "" : ", ") + std::string(name);
    }
    return "one of " + known;
}

template <class Number>
std::string number_text(Number value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

std::string to_text(const std::string& v) { return v; }
std::string to_text(bool v) { return v ? "true" : "false"; }
template <class Enum>
requires std::is_enum_v<Enum> std::string to_text(Enum v) { return name_of(names_of(v), v); }
template <class Number>
requires std::is_arithmetic_v<Number> std::string to_text(Number v) { return number_text(v); }

/// Parses into `out`; returns what was expected instead, or nothing when all is well.
std::string from_text(const std::string& text, const Range&, std::string& out) {
    out = text;
    return text.empty() ? "a name" : "";
}
std::string from_text(const std::string& text, const Range&, bool& out) {
    if (text != "true" && text != "false") return "true or false";
    out = text == "true";
    return "";
}
template <class Enum>
requires std::is_enum_v<Enum> std::string from_text(const std::string& text, const Range&,
                                                    Enum& out) {
    return parse_enum(names_of(out), text, out);
}
template <class Number>
requires std::is_arithmetic_v<Number> std::string from_text(const std::string& text,
                                                            const Range& range, Number& out) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const auto wide = static_cast<double>(value);
    if (error == std::errc() && stop == end && std::isfinite(wide) && wide >= range.least &&
        wide <= range.most) {
        out = value;
        return "";
    }
    return std::string(std::is_integral_v<Number> ? "a whole number" : "a number") + " from " +
           number_text(range.least) + " to " + number_text(range.most);
}

// --- visitors ------------------------------------------------------------------------------------

/// Calls `use(key, member, effect, range, explanation)` for every field as "section.key".
template <class Use>
class EveryField {
public:
    explicit EveryField(Use use) : use_(std::move(use)) {}
    template <class Struct>
    void section(const char* name, Struct& fields, const char*) {
        section_ = name;
        visit(*this, fields);
    }
    template <class T>
    void operator()(const char* name, T& member, Effect effect, Range range, const char* text) {
        use_(section_ + "." + name, member, effect, range, text);
    }

private:
    std::string section_;
    Use use_;
};

template <class Use>
void for_each_field(Config& config, Use use) {
    EveryField<Use> visitor(std::move(use));
    visit(visitor, config);
}

size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            const size_t up = row[j];
            row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = up;
        }
    }
    return row.back();
}

std::string nearest_key(const std::string& key) {
    Config config;
    std::string best;
    size_t least = SIZE_MAX;
    for_each_field(config, [&](const std::string& name, auto&, Effect, Range, const char*) {
        const size_t distance = edit_distance(key, name);
        if (distance < least) {
            least = distance;
            best = name;
        }
    });
    return best;
}

/// Sets one field; returns what is wrong, or nothing.
std::string set_field(Config& config, const std::string& key, const std::string& value) {
    bool known = false;
    std::string expected;
    for_each_field(config,
                   [&](const std::string& name, auto& member, Effect, Range range, const char*) {
                       if (name != key) return;
                       known = true;
                       expected = from_text(value, range, member);
                   });
    if (!known) return "unknown key " + key + "; did you mean " + nearest_key(key) + "?";
    if (!expected.empty()) return key + " = '" + value + "': expected " + expected;
    return "";
}

[[noreturn]] void fail_at(const std::string& path, const YAML::Mark& mark,
                          const std::string& what) {
    fail(ErrorKind::Config, path, ":", mark.line + 1, ":", mark.column + 1, ": ", what);
}

std::filesystem::path preset_folder() {
    // Installed: <prefix>/bin/wsi-segment and <prefix>/share/wsi-segment/presets.
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    auto installed = program.parent_path().parent_path() / "share/wsi-segment/presets";
    if (!error && std::filesystem::is_directory(installed)) return installed;
    return std::filesystem::path(WSI_SOURCE_PRESETS);
}

}  // namespace

void load_config_file(Config& config, const std::string& path) {
    try {
        const YAML::Node root = YAML::LoadFile(path);
        if (root.IsNull()) return;
        if (!root.IsMap()) fail_at(path, root.Mark(), "expected sections with keys");
        for (const auto& section : root) {
            const auto name = section.first.as<std::string>();
            if (name == "extends") {
                load_preset(config, section.second.as<std::string>());
                continue;
            }
            if (!section.second.IsMap())
                fail_at(path, section.second.Mark(),
                        "section " + name + ": expected keys with values");
            for (const auto& field : section.second) {
                if (!field.second.IsScalar())
                    fail_at(path, field.second.Mark(), name + ": expected one value per key");
                const std::string wrong =
                    set_field(config, name + "." + field.first.as<std::string>(),
                              field.second.as<std::string>());
                if (!wrong.empty()) fail_at(path, field.first.Mark(), wrong);
            }
        }
    } catch (const YAML::BadFile&) {
        fail(ErrorKind::Config, "cannot open the configuration ", path);
    } catch (const YAML::Exception& error) {
        fail_at(path, error.mark, error.msg);
    }
}

void load_preset(Config& config, const std::string& name) {
    const std::filesystem::path folder = preset_folder(), file = folder / (name + ".yaml");
    if (std::filesystem::exists(file)) return load_config_file(config, file.string());
    std::set<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        names.insert(entry.path().stem().string());
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    fail(ErrorKind::Config, "unknown preset ", name, "; known: ", known.empty() ? "none" : known);
}

void apply_set(Config& config, const std::string& setting) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos)
        fail(ErrorKind::Config, "--set ", setting,
             ": expected key=value, e.g. stain.method=reinhard");
    const std::string wrong =
        set_field(config, setting.substr(0, equals), setting.substr(equals + 1));
    if (!wrong.empty()) fail(ErrorKind::Config, wrong);
}

void validate(const Config& config) {
    if (config.run.device != "auto" && config.run.device != "cpu" && config.run.device != "cuda")
        fail(ErrorKind::Config, "run.device = '", config.run.device,
             "': expected auto, cpu or cuda");
    if (config.train.precision == Precision::Fp16)
        fail(ErrorKind::Config,
             "train.precision = fp16: gradients would vanish, as losses are not scaled; use bf16");
    if (config.separate.reach_um * config.separate.reach_um * 3 < config.separate.min_area_um2)
        fail(ErrorKind::Config, "separate.min_area_um2 = ", config.separate.min_area_um2,
             " is more than a nucleus within separate.reach_um = ", config.separate.reach_um,
             " can have");
    const IhcConfig& ihc = config.ihc;
    if (ihc.weak_od > ihc.moderate_od || ihc.moderate_od > ihc.strong_od)
        fail(ErrorKind::Config, "ihc.weak_od = ", ihc.weak_od,
             ", ihc.moderate_od = ", ihc.moderate_od, " and ihc.strong_od = ", ihc.strong_od,
             " must not fall");
    if (config.stain.stains == StainSet::Hdab && config.features.intensity &&
        !config.features.brief && ihc.place == IhcPlace::Ring && config.features.ring_um == 0)
        fail(ErrorKind::Config,
             "ihc.place = ring, but features.ring_um = 0 measures no ring; set it above 0");
    if (config.train.folds == 1 ||
        (config.train.folds > 1 && config.train.fold >= config.train.folds))
        fail(ErrorKind::Config, "train.folds = ", config.train.folds,
             " and train.fold = ", config.train.fold,
             ": expected at least 2 folds and a fold below their number");
}

std::vector<std::string> class_names(const NetworkConfig& config) {
    constexpr size_t kMostClasses = 32;
    std::vector<std::string> names;
    if (config.classes == "none") return names;
    for (size_t from = 0, end = 0; end != std::string::npos; from = end + 1) {
        end = config.classes.find(';', from);
        names.push_back(config.classes.substr(from, end - from));
        if (names.back().empty() || names.size() > kMostClasses)
            fail(ErrorKind::Config, "network.classes = '", config.classes, "': expected 1 to ",
                 kMostClasses, " names with ; between them, e.g. Tumour;Stroma");
    }
    return names;
}

std::string config_yaml(const Config& config) {
    Config copy = config;
    std::ostringstream out;
    std::string section;
    for_each_field(copy, [&](const std::string& name, auto& member, Effect, Range,
                             const char* text) {
        const size_t dot = name.find('.');
        if (name.substr(0, dot) != section) {
            section = name.substr(0, dot);
            out << section << ":\n";
        }
        out << "  " << name.substr(dot + 1) << ": " << to_text(member) << "  # " << text << "\n";
    });
    return out.str();
}

std::string config_markdown() {
    Config defaults;
    std::ostringstream out;
    out << "| key | default | changes results | meaning |\n|---|---|---|---|\n";
    for_each_field(defaults, [&](const std::string& name, auto& member, Effect effect, Range,
                                 const char* text) {
        out << "| `" << name << "` | " << to_text(member) << " | "
            << (effect == Effect::Results    ? "yes"
                : effect == Effect::Training ? "training"
                                             : "no")
            << " | " << text << " |\n";
    });
    return out.str();
}

namespace {
std::vector<std::pair<std::string, std::string>> fields_of(const Config& config, Effect wanted) {
    Config copy = config;
    std::vector<std::pair<std::string, std::string>> fields;
    for_each_field(copy,
                   [&](const std::string& name, auto& member, Effect effect, Range, const char*) {
                       if (effect == wanted) fields.emplace_back(name, to_text(member));
                   });
    return fields;
}
}  // namespace

std::vector<std::pair<std::string, std::string>> result_fields(const Config& config) {
    return fields_of(config, Effect::Results);
}

std::vector<std::pair<std::string, std::string>> training_fields(const Config& config) {
    return fields_of(config, Effect::Training);
}

int64_t parse_memory_mib(const std::string& text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const std::string unit(stop, end);
    double factor = 0;
    if (unit.empty() || unit == "MiB" || unit == "M" || unit == "MB") factor = 1;
    if (unit == "GiB" || unit == "G" || unit == "GB") factor = 1024;
    if (error != std::errc() || factor == 0 || !(value > 0) || value * factor > 1e7)
        fail(ErrorKind::Config, "memory '", text, "': expected a size like 1400MiB or 2GiB");
    return static_cast<int64_t>(std::ceil(value * factor));
}

}  // namespace wsi

#include "config/model_card.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "config/error.h"

namespace wsi {

namespace {

constexpr std::array<std::pair<const char*, ChannelMeaning>, 8> kMeanings{
    {{"nucleus_probability", ChannelMeaning::NucleusProbability},
     {"background_logit", ChannelMeaning::BackgroundLogit},
     {"nucleus_logit", ChannelMeaning::NucleusLogit},
     {"distance", ChannelMeaning::Distance},
     {"boundary", ChannelMeaning::Boundary},
     {"horizontal", ChannelMeaning::Horizontal},
     {"vertical", ChannelMeaning::Vertical},
     {"class_logit", ChannelMeaning::ClassLogit}}};

/// Reads one card; every refusal names the file and the line.
class CardReader {
public:
    explicit CardReader(ModelCard& card) : card_(card) {}

    void read(const YAML::Node& root) {
        if (!root.IsMap()) refuse(root, "expected keys and values");
        for (const auto& item : root) read_key(item.first.as<std::string>(), item.second);
    }

private:
    template <class... Parts>
    [[noreturn]] void refuse(const YAML::Node& node, const Parts&... parts) const {
        fail(ErrorKind::Config, card_.path, ":", node.Mark().line + 1, ": ", parts...);
    }

    void read_key(const std::string& key, const YAML::Node& value) {
        if (key == "name")
            card_.name = get<std::string>(value, key, "a name");
        else if (key == "mpp")
            card_.mpp = in_range(value, key, 0.05, 10.0);
        else if (key == "core_px")
            card_.core_px = in_range(value, key, 64, 4096);
        else if (key == "halo_px")
            card_.halo_px = in_range(value, key, 0, 1024);
        else if (key == "feather_px")
            card_.feather_px = in_range(value, key, 0, 1024);
        else if (key == "normalised")
            card_.normalised = get<bool>(value, key, "true or false");
        else if (key == "mean" || key == "sd")
            (key == "sd" ? card_.sd : card_.mean) =
                get<std::array<double, 3>>(value, key, "three numbers");
        else if (key == "outputs")
            read_outputs(value);
        else if (key == "classes")
            read_classes(value);
        else
            refuse(value, "unknown key '", key,
                   "'; known: name, mpp, core_px, halo_px, feather_px, normalised, mean, sd, "
                   "outputs, classes");
    }

    template <class T>
    T get(const YAML::Node& node, const std::string& key, const char* expected) const {
        try {
            return node.as<T>();
        } catch (const YAML::Exception&) {
            refuse(node, key, ": expected ", expected);
        }
    }

    template <class T>
    T in_range(const YAML::Node& node, const std::string& key, T least, T most) const {
        const T value = get<T>(node, key, "a number");
        if (!(value >= least && value <= most))
            refuse(node, key, " = ", value, ": expected ", least, " to ", most);
        return value;
    }

    void read_outputs(const YAML::Node& list) {
        if (!list.IsSequence()) refuse(list, "outputs: expected a list, one entry per channel");
        for (const auto& item : list)
            card_.outputs.push_back(meaning(item, get<std::string>(item, "outputs", "a meaning")));
    }

    ChannelMeaning meaning(const YAML::Node& node, const std::string& text) const {
        std::string known;
        for (const auto& [name, value] : kMeanings) {
            if (text == name) return value;
            known += (known.empty() ? "" : ", ") + std::string(name);
        }
        refuse(node, "outputs: unknown meaning '", text, "'; known: ", known);
    }

    void read_classes(const YAML::Node& list) {
        if (!list.IsSequence() || list.size() > 99)
            refuse(list, "classes: expected a list of up to 99 names");
        for (const auto& item : list) {
            ModelCard::Class c;
            if (item.IsMap()) {
                if (!item["name"]) refuse(item, "classes: an entry has no name");
                c.name = get<std::string>(item["name"], "name", "a name");
                if (item["colour"]) c.colour = colour(item["colour"]);
            } else {
                c.name = get<std::string>(item, "classes", "a name");
            }
            card_.classes.push_back(std::move(c));
        }
    }

    std::array<uint8_t, 3> colour(const YAML::Node& node) const {
        const auto values = get<std::array<int, 3>>(node, "colour", "[red, green, blue]");
        std::array<uint8_t, 3> rgb{};
        for (size_t i = 0; i < 3; ++i) {
            if (values[i] < 0 || values[i] > 255)
                refuse(node, "colour: ", values[i], " is not in 0 to 255");
            rgb[i] = static_cast<uint8_t>(values[i]);
        }
        return rgb;
    }

    ModelCard& card_;
};

void check(const ModelCard& card) {
    if (card.feather_px > card.halo_px || 2 * card.feather_px > card.core_px)
        fail(ErrorKind::Config, card.path, ": feather_px = ", card.feather_px,
             " is more than halo_px = ", card.halo_px, " or half of core_px = ", card.core_px);
    for (const double sd : card.sd)
        if (!(sd > 0)) fail(ErrorKind::Config, card.path, ": sd = ", sd, ": expected more than 0");
}

}  // namespace

std::optional<ModelCard> find_model_card(const std::string& weights) {
    const std::filesystem::path file(weights);
    ModelCard card;
    card.path = std::filesystem::path(file).replace_extension(".yaml").string();
    std::ifstream in(card.path, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    card.text = text.str();
    card.name = file.stem().string();
    try {
        CardReader(card).read(YAML::Load(card.text));
    } catch (const YAML::Exception& error) {
        fail(ErrorKind::Config, card.path, ":", error.mark.line + 1, ": not YAML: ", error.msg);
    }
    check(card);
    return card;
}

}  // namespace wsi

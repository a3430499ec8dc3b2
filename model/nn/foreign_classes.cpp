#include "model/nn/foreign_classes.h"

#include <algorithm>

#include "config/error.h"

namespace wsi::nn {

namespace {

/// PanNuke's (Gamper et al. 2019), with CellViT's colours.
const std::vector<NucleusClass>& pannuke() {
    static const std::vector<NucleusClass> classes{{1, "Neoplastic", {255, 0, 0}},
                                                   {2, "Inflammatory", {34, 221, 77}},
                                                   {3, "Connective", {35, 92, 236}},
                                                   {4, "Dead", {254, 255, 0}},
                                                   {5, "Epithelial", {255, 159, 68}}};
    return classes;
}

/// For classes that nobody gave a colour; they repeat.
constexpr uint8_t kColours[][3] = {{255, 0, 0},    {34, 221, 77},  {35, 92, 236}, {254, 255, 0},
                                   {255, 159, 68}, {160, 32, 240}, {0, 200, 200}, {139, 90, 43}};

NucleusClass numbered(size_t index) {
    const auto& rgb = kColours[index % std::size(kColours)];
    return {static_cast<uint8_t>(index + 1),
            "Type " + std::to_string(index + 1),
            {rgb[0], rgb[1], rgb[2]}};
}

/// The card's names; colours where it gives some.
std::vector<NucleusClass> named(const ModelCard& card) {
    std::vector<NucleusClass> classes;
    for (size_t i = 0; i < card.classes.size(); ++i) {
        NucleusClass c = numbered(i);
        c.name = card.classes[i].name;
        if (const auto& rgb = card.classes[i].colour) std::copy_n(rgb->begin(), 3, c.rgb);
        classes.push_back(std::move(c));
    }
    return classes;
}

}  // namespace

std::vector<NucleusClass> foreign_classes(int64_t count, const std::optional<ModelCard>& card) {
    if (card && !card->classes.empty()) {
        if (std::ssize(card->classes) != count)
            fail(ErrorKind::Config, card->path, ": classes names ", card->classes.size(),
                 " classes, but the model knows ", count, " (background not counted)");
        return named(*card);
    }
    if (count == std::ssize(pannuke())) return pannuke();
    std::vector<NucleusClass> classes;
    for (int64_t i = 0; i < count; ++i) classes.push_back(numbered(static_cast<size_t>(i)));
    return classes;
}

std::vector<NucleusClass> classes_named(const std::vector<std::string>& names) {
    std::vector<NucleusClass> classes;
    for (size_t i = 0; i < names.size(); ++i) {
        NucleusClass c = numbered(i);
        c.name = names[i];
        for (const NucleusClass& known : pannuke())
            if (known.name == c.name) std::copy_n(known.rgb, 3, c.rgb);
        classes.push_back(std::move(c));
    }
    return classes;
}

void complete_spec(InputSpec& spec, int64_t classes, const std::string& weights) {
    const auto card = find_model_card(weights);
    spec.classes = foreign_classes(classes, card);
    if (card && card->mpp > 0) spec.mpp = Mpp{card->mpp};
    for (const NucleusClass& c : spec.classes)
        spec.hash += "; " + c.name + " " + std::to_string(c.rgb[0]) + "," +
                     std::to_string(c.rgb[1]) + "," + std::to_string(c.rgb[2]);
}

}  // namespace wsi::nn

#include "io/mpp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace wsi {

namespace {
bool sane(const std::optional<double>& mpp) {
    return mpp && std::isfinite(*mpp) && *mpp >= kLeastMpp && *mpp <= kMostMpp;
}

std::string shown(const std::optional<double>& a, const std::optional<double>& b) {
    if (!a && !b) return "absent";
    return fmt::format("{:.4g} x {:.4g} µm/px", a.value_or(NAN), b.value_or(NAN));
}

void warn_contradiction(double used, double other, const char* what, SlideInfo& info) {
    if (std::abs(used - other) > 0.1 * other)
        info.warnings.push_back(fmt::format("resolution {:.4g} µm/px contradicts {} ({:.4g} µm/px)",
                                            used, what, other));
}
}  // namespace

std::optional<double> parse_decimal(const char* text) {
    if (text == nullptr) return std::nullopt;
    std::string copy(text);
    std::replace(copy.begin(), copy.end(), ',', '.');
    double value = 0;
    const char* end = copy.data() + copy.size();
    const auto [stop, error] = std::from_chars(copy.data(), end, value);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

const char* to_string(MppSource source) {
    switch (source) {
        case MppSource::Override: return "--slide-mpp";
        case MppSource::Slide: return "slide";
        case MppSource::TiffTags: return "TIFF resolution tags";
        case MppSource::ObjectivePower: return "objective power";
    }
    return "?";
}

void resolve_mpp(const StatedResolution& stated, double override_mpp, SlideInfo& info) {
    info.objective_power = stated.objective_power;
    const auto use = [&info](double x, double y, MppSource source) {
        info.mpp_x = x;
        info.mpp_y = y;
        info.mpp_source = source;
    };
    const bool own = sane(stated.mpp_x) && sane(stated.mpp_y);
    const bool tags = sane(stated.tiff_x) && sane(stated.tiff_y);
    const bool power =
        stated.objective_power && *stated.objective_power >= 1 && *stated.objective_power <= 200;
    if (override_mpp > 0) {
        use(override_mpp, override_mpp, MppSource::Override);
        if (own)
            warn_contradiction(override_mpp, *stated.mpp_x, "the slide's own", info);
        else if (tags)
            warn_contradiction(override_mpp, *stated.tiff_x, "its resolution tags", info);
        return;
    }
    if (own) {
        use(*stated.mpp_x, *stated.mpp_y, MppSource::Slide);
        // "40x" is 0.16 to 0.27 in the wild, so only a factor tells of a real contradiction.
        if (power && (10 / *stated.objective_power > 1.6 * *stated.mpp_x ||
                      10 / *stated.objective_power < *stated.mpp_x / 1.6))
            info.warnings.push_back(fmt::format(
                "objective power {:g} contradicts the resolution {:.4g} µm/px, which is "
                "used; give --slide-mpp if it is wrong",
                *stated.objective_power, *stated.mpp_x));
        return;
    }
    if (tags) {
        use(*stated.tiff_x, *stated.tiff_y, MppSource::TiffTags);
        if (stated.mpp_x || stated.mpp_y)
            info.warnings.push_back(fmt::format(
                "the slide's own resolution ({}) cannot be true: {:.4g} µm/px of its resolution "
                "tags is used; give --slide-mpp if it is wrong",
                shown(stated.mpp_x, stated.mpp_y), *stated.tiff_x));
        return;
    }
    if (power) {
        const double mpp = 10 / *stated.objective_power;
        use(mpp, mpp, MppSource::ObjectivePower);
        info.warnings.push_back(fmt::format(
            "no resolution in the slide: {:.4g} µm/px is guessed from the objective power "
            "{:g}; give --slide-mpp if you know better",
            mpp, *stated.objective_power));
        return;
    }
    fail(ErrorKind::Slide, info.path,
         ": no usable resolution (slide: ", shown(stated.mpp_x, stated.mpp_y),
         ", resolution tags: ", shown(stated.tiff_x, stated.tiff_y), "; expected ", kLeastMpp,
         " to ", kMostMpp, "); give it with --slide-mpp, e.g. 0.25 for 40x");
}

}  // namespace wsi

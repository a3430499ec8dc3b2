#include "io/datasets/aperio_xml.h"

#include <charconv>
#include <fstream>
#include <sstream>

#include "config/error.h"

namespace wsi {

namespace {

/// Value of an attribute inside a tag; empty when it has none of that name.
std::string_view attribute(std::string_view tag, std::string_view name) {
    for (size_t at = tag.find(name); at != std::string_view::npos; at = tag.find(name, at + 1)) {
        const bool starts = at > 0 && (tag[at - 1] == ' ' || tag[at - 1] == '\t' ||
                                       tag[at - 1] == '\n' || tag[at - 1] == '\r');
        const size_t open = at + name.size();
        if (!starts || tag.substr(open, 2) != "=\"") continue;
        const size_t close = tag.find('"', open + 2);
        if (close == std::string_view::npos) return {};
        return tag.substr(open + 2, close - open - 2);
    }
    return {};
}

double coordinate(std::string_view tag, std::string_view name, const std::string& path) {
    const std::string_view text = attribute(tag, name);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        fail(ErrorKind::Config, path, ": <", tag, "> has no number ", name);
    return value;
}

bool is_tag(std::string_view tag, std::string_view name) {
    return tag.starts_with(name) && (tag.size() == name.size() || tag[name.size()] == ' ' ||
                                     tag[name.size()] == '/' || tag[name.size()] == '\n');
}

}  // namespace

AperioXml read_aperio_xml(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail(ErrorKind::Config, "cannot read ", path);
    std::ostringstream content;
    content << in.rdbuf();
    const std::string text = content.str();
    AperioXml out;
    for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
        const size_t end = text.find('>', at);
        if (end == std::string::npos) fail(ErrorKind::Config, path, ": ends inside a tag");
        const std::string_view tag = std::string_view(text).substr(at + 1, end - at - 1);
        if (is_tag(tag, "Annotations") && !attribute(tag, "MicronsPerPixel").empty())
            out.mpp = coordinate(tag, "MicronsPerPixel", path);
        else if (is_tag(tag, "Region"))
            out.regions.emplace_back();
        else if (is_tag(tag, "Vertex") && !out.regions.empty())
            out.regions.back().push_back({coordinate(tag, "X", path), coordinate(tag, "Y", path)});
        at = end;
    }
    if (text.find("</Annotations>") == std::string::npos)
        fail(ErrorKind::Config, path, ": not a complete Aperio annotation file");
    return out;
}

}  // namespace wsi

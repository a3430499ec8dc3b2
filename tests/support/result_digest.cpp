#include "tests/support/result_digest.h"

#include <fstream>
#include <iterator>

#include "io/hdf5_file.h"
#include "io/sha.h"

namespace wsi::test {

namespace {

using Digest = std::map<std::string, std::string>;

std::string digest_of(hid_t type, hid_t space, const std::function<herr_t(void*)>& read) {
    std::string shape;
    std::vector<hsize_t> dims(static_cast<size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    H5Sget_simple_extent_dims(space, dims.data(), nullptr);
    for (const hsize_t d : dims) shape += std::to_string(d) + " ";
    std::string bytes(H5Tget_size(type) * static_cast<size_t>(H5Sget_simple_extent_npoints(space)),
                      '\0');
    WSI_CHECK(bytes.empty() || read(bytes.data()) >= 0);
    return shape + std::to_string(static_cast<int>(H5Tget_class(type))) + " " + sha256_hex(bytes);
}

void add_attributes(hid_t object, const std::string& path, Digest& out) {
    H5O_info_t info;
    H5Oget_info(object, &info);
    for (hsize_t i = 0; i < info.num_attrs; ++i) {
        const h5::Id attribute(
            H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
            &H5Aclose);
        std::string name(static_cast<size_t>(H5Aget_name(attribute.get(), 0, nullptr)), '\0');
        H5Aget_name(attribute.get(), name.size() + 1, name.data());
        const h5::Id type(H5Aget_type(attribute.get()), &H5Tclose);
        const h5::Id space(H5Aget_space(attribute.get()), &H5Sclose);
        if (H5Tis_variable_str(type.get()) > 0) {
            out[path + "@" + name] = sha256_hex(h5::read_text_attribute(object, name));
            continue;
        }
        out[path + "@" + name] = digest_of(type.get(), space.get(), [&](void* to) {
            return H5Aread(attribute.get(), type.get(), to);
        });
    }
}

void add_group(hid_t group, const std::string& path, Digest& out) {
    add_attributes(group, path, out);
    for (const std::string& name : h5::member_names(group)) {
        const std::string child = path + "/" + name;
        if (child == "/provenance") continue;
        const h5::Id object(H5Oopen(group, name.c_str(), H5P_DEFAULT), &H5Oclose);
        if (H5Iget_type(object.get()) == H5I_GROUP) {
            add_group(object.get(), child, out);
            continue;
        }
        add_attributes(object.get(), child, out);
        const h5::Id type(H5Dget_type(object.get()), &H5Tclose);
        const h5::Id space(H5Dget_space(object.get()), &H5Sclose);
        out[child] = digest_of(type.get(), space.get(), [&](void* to) {
            return H5Dread(object.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
        });
    }
}

}  // namespace

Digest result_digest(const std::string& path) {
    h5::set_up();
    const h5::Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose);
    WSI_CHECK(static_cast<bool>(file), path);
    Digest out;
    add_group(file.get(), "", out);
    return out;
}

std::string file_digest(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    WSI_CHECK(in.good(), path);
    return sha256_hex(std::string(std::istreambuf_iterator<char>(in), {}));
}

}  // namespace wsi::test

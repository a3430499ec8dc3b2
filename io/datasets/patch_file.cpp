#include "io/datasets/patch_file.h"

#include <filesystem>

#include "config/version.h"
#include "io/atomic_path.h"
#include "io/hdf5_file.h"

namespace wsi {

using namespace h5;  // NOLINT: this file is about nothing else

namespace {

constexpr const char* kFormat = "wsi-segment patches";
constexpr int64_t kVersion = 1;

/// Squares of `channels` values (1: no such axis), one chunk per patch.
class Squares {
public:
    Squares(hid_t file, const char* name, hid_t type, int64_t side, int channels)
        : name_(name),
          type_(type),
          size_{0, static_cast<hsize_t>(side), static_cast<hsize_t>(side)} {
        if (channels > 1) size_.push_back(static_cast<hsize_t>(channels));
        std::vector<hsize_t> most = size_, chunk = size_;
        most[0] = H5S_UNLIMITED;
        chunk[0] = 1;
        const int rank = static_cast<int>(size_.size());
        const Id space(H5Screate_simple(rank, size_.data(), most.data()), &H5Sclose);
        const Id properties = dataset_properties();
        H5Pset_chunk(properties.get(), rank, chunk.data());
        H5Pset_shuffle(properties.get());
        H5Pset_deflate(properties.get(), 1);
        data_ = create_dataset(file, name, type, space, properties);
    }
    void append(const void* pixels) {
        ++size_[0];
        check(H5Dset_extent(data_.get(), size_.data()), "cannot grow dataset", name_);
        std::vector<hsize_t> start(size_.size(), 0), count = size_;
        start[0] = size_[0] - 1;
        count[0] = 1;
        const Id space(H5Dget_space(data_.get()), &H5Sclose);
        H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                            nullptr);
        const Id memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                        &H5Sclose);
        check(H5Dwrite(data_.get(), type_, memory.get(), space.get(), H5P_DEFAULT, pixels),
              "cannot write dataset", name_);
    }

private:
    std::string name_;
    hid_t type_;
    std::vector<hsize_t> size_;
    Id data_;
};

/// Patch `index` of a dataset of squares.
void read_square(hid_t file, const char* name, hid_t type, size_t index, int64_t side, int channels,
                 void* out) {
    const Id data = open_dataset(file, name);
    std::vector<hsize_t> count{1, static_cast<hsize_t>(side), static_cast<hsize_t>(side)};
    if (channels > 1) count.push_back(static_cast<hsize_t>(channels));
    if (dimensions(data.get()).size() != count.size())
        fail(ErrorKind::Config, "the patch file's ", name, " has another number of dimensions");
    std::vector<hsize_t> start(count.size(), 0);
    start[0] = index;
    const Id space(H5Dget_space(data.get()), &H5Sclose);
    check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                              nullptr),
          "cannot read", name, ErrorKind::Config);
    const Id memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                    &H5Sclose);
    check(H5Dread(data.get(), type, memory.get(), space.get(), H5P_DEFAULT, out), "cannot read",
          name, ErrorKind::Config);
}

/// Text columns and the member of an entry that each holds.
struct TextColumn {
    const char* name;
    std::string ImageEntry::*member;
};
constexpr TextColumn kTextColumns[] = {{"name", &ImageEntry::name},
                                       {"dataset", &ImageEntry::dataset},
                                       {"source", &ImageEntry::source},
                                       {"organ", &ImageEntry::organ},
                                       {"split", &ImageEntry::split}};

class PatchDataset final : public Dataset {
public:
    explicit PatchDataset(const std::string& path) : path_(path) {
        set_up();
        file_ = Id(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "cannot open", path,
                         ErrorKind::Config),
                   &H5Fclose);
        if (!has_attribute(file_.get(), "format") ||
            read_text_attribute(file_.get(), "format") != kFormat)
            fail(ErrorKind::Config, path, ": not a patch file (made by wsi-segment patches)");
        if (read_number_attribute(file_.get(), "version") > static_cast<double>(kVersion))
            fail(ErrorKind::Config, path, ": made by a newer version of this program");
        const std::vector<hsize_t> size = dimensions(open_dataset(file_.get(), "images").get());
        if (size.size() != 4 || size[1] != size[2] || size[3] != 3)
            fail(ErrorKind::Config, path, ": images are not [n, side, side, 3]");
        side_ = static_cast<int64_t>(size[1]);
        entries_.resize(size[0]);
        const double mpp = read_number_attribute(file_.get(), "mpp");
        for (ImageEntry& entry : entries_) entry.mpp = mpp;
        for (const TextColumn& column : kTextColumns) {
            const auto texts = read_texts(file_.get(), column.name, 0, size[0]);
            for (size_t i = 0; i < entries_.size(); ++i) entries_[i].*column.member = texts[i];
        }
        const Id names = open_dataset(file_.get(), "class_names");
        class_names_ = read_texts(file_.get(), "class_names", 0, dimensions(names.get()).at(0));
    }

protected:
    LabelledImage load(const ImageEntry&, size_t index) const override {
        LabelledImage out;
        out.rgb.resize(side_, side_);
        out.labels.resize(side_, side_);
        out.vague.resize(side_, side_);
        read_square(file_.get(), "images", H5T_NATIVE_UINT8, index, side_, 3, out.rgb.data());
        read_square(file_.get(), "labels", H5T_NATIVE_UINT32, index, side_, 1, out.labels.data());
        read_square(file_.get(), "vague", H5T_NATIVE_UINT8, index, side_, 1, out.vague.data());
        if (class_names_.empty()) return out;
        out.classes.resize(side_, side_);
        read_square(file_.get(), "classes", H5T_NATIVE_UINT8, index, side_, 1, out.classes.data());
        return out;
    }

private:
    std::string path_;
    Id file_;
    int64_t side_ = 0;
};

}  // namespace

struct PatchFileWriter::Impl {
    Impl(const std::string& path, const PatchFileInfo& shared)
        : target(path), info(shared), file(create(target)) {
        const hid_t at = file.get();
        write_attribute(at, "format", std::string(kFormat));
        write_attribute(at, "version", kVersion);
        write_attribute(at, "program_version", std::string(program_version()));
        write_attribute(at, "mpp", info.mpp);
        images = std::make_unique<Squares>(at, "images", H5T_NATIVE_UINT8, info.patch_px, 3);
        labels = std::make_unique<Squares>(at, "labels", H5T_NATIVE_UINT32, info.patch_px, 1);
        classes = std::make_unique<Squares>(at, "classes", H5T_NATIVE_UINT8, info.patch_px, 1);
        vague = std::make_unique<Squares>(at, "vague", H5T_NATIVE_UINT8, info.patch_px, 1);
    }
    static Id create(const AtomicPath& target) {
        set_up();
        return {
            check(H5Fcreate(target.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                  "cannot create", target.path()),
            &H5Fclose};
    }
    AtomicPath target;
    PatchFileInfo info;
    Id file;
    std::unique_ptr<Squares> images, labels, classes, vague;
    std::vector<ImageEntry> entries;
    std::vector<int64_t> x, y;
    std::vector<double> source_mpp;
};

PatchFileWriter::PatchFileWriter(const std::string& path, const PatchFileInfo& info)
    : impl_(std::make_unique<Impl>(path, info)) {}

PatchFileWriter::~PatchFileWriter() = default;

void PatchFileWriter::append(const LabelledImage& patch, PixelPoint at, double source_mpp) {
    const PixelSize size{impl_->info.patch_px, impl_->info.patch_px};
    const GrayImage none(size.width, size.height, 0);
    WSI_CHECK(patch.rgb.size() == size && patch.labels.size() == size);
    impl_->images->append(patch.rgb.data());
    impl_->labels->append(patch.labels.data());
    impl_->classes->append((patch.classes.empty() ? none : patch.classes).data());
    impl_->vague->append((patch.vague.empty() ? none : patch.vague).data());
    impl_->entries.push_back(patch.entry);
    impl_->x.push_back(at.x);
    impl_->y.push_back(at.y);
    impl_->source_mpp.push_back(source_mpp);
}

void PatchFileWriter::finish() {
    const hid_t at = impl_->file.get();
    for (const TextColumn& column : kTextColumns) {
        std::vector<std::string> texts;
        for (const ImageEntry& entry : impl_->entries) texts.push_back(entry.*column.member);
        write_texts(at, column.name, texts);
    }
    write_dataset<int64_t>(at, "x_px", impl_->x, {impl_->x.size()});
    write_dataset<int64_t>(at, "y_px", impl_->y, {impl_->y.size()});
    write_dataset<double>(at, "source_mpp", impl_->source_mpp, {impl_->source_mpp.size()});
    write_texts(at, "class_names", impl_->info.class_names);
    impl_->images.reset();
    impl_->labels.reset();
    impl_->classes.reset();
    impl_->vague.reset();
    check(H5Fflush(at, H5F_SCOPE_GLOBAL), "cannot write", impl_->target.path());
    impl_->file.reset();
    impl_->target.commit();
}

std::unique_ptr<Dataset> open_patch_file(const std::string& path) {
    return std::make_unique<PatchDataset>(path);
}

}  // namespace wsi

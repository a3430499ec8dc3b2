#include "io/column_aliases.h"

#include <array>
#include <utility>

namespace wsi {

namespace {

using enum Definition;
using enum Convert;
using Names = std::vector<std::pair<std::string, std::string>>;  // ours, theirs

class Table {
public:
    void add(const std::string& ours, const std::string& theirs, Definition definition = Same,
             Convert convert = Nothing) {
        rows_.push_back({ours, theirs, definition, convert});
    }
    /// All of `names` behind prefixes.
    void add(const std::string& our_prefix, const std::string& their_prefix, const Names& names,
             Definition definition = Same, Convert convert = Nothing) {
        for (const auto& [ours, theirs] : names)
            add(our_prefix + ours, their_prefix + theirs, definition, convert);
    }
    /// Numbers first .. last behind ours, counted from `theirs_first` behind theirs.
    void count(const std::string& ours, const std::string& theirs, int last, int theirs_first,
               Definition definition = Same) {
        for (int k = 1; k <= last; ++k)
            add(ours + std::to_string(k), theirs + std::to_string(k - 1 + theirs_first),
                definition);
    }
    std::vector<Alias> take() { return std::move(rows_); }

private:
    std::vector<Alias> rows_;
};

const Names& haralick_names() {
    static const Names names{{"asm", "ASM"},
                             {"contrast", "Contrast"},
                             {"correlation", "Correlation"},
                             {"sum_of_squares", "SumOfSquares"},
                             {"idm", "IDM"},
                             {"sum_average", "SumAverage"},
                             {"sum_variance", "SumVariance"},
                             {"sum_entropy", "SumEntropy"},
                             {"entropy", "Entropy"},
                             {"difference_variance", "DifferenceVariance"},
                             {"difference_entropy", "DifferenceEntropy"},
                             {"imc1", "IMC1"},
                             {"imc2", "IMC2"}};
    return names;
}

/// HistomicsTK 1.4, compute_nuclei_features and the prefixes of its command-line tool.
std::vector<Alias> histomicstk() {
    Table t;
    t.add("id", "Label");
    t.add("centroid_x_px", "Identifier.CentroidX", Same, PixelCentre);
    t.add("centroid_y_px", "Identifier.CentroidY", Same, PixelCentre);
    t.add("nucleus_H_centroid_dx_um", "Identifier.WeightedCentroidX", Same, CentreOfMassX);
    t.add("nucleus_H_centroid_dy_um", "Identifier.WeightedCentroidY", Same, CentreOfMassY);
    t.add("shape_orientation_rad", "Orientation.Orientation");
    t.add("shape_area_px", "Size.Area");
    t.add("shape_convex_area_px", "Size.ConvexHullArea");
    t.add("shape_convex_area_um2", "Size.ConvexHullArea", Same, Pixels);
    t.add("shape_major_axis_px", "Size.MajorAxisLength");
    t.add("shape_minor_axis_px", "Size.MinorAxisLength");
    t.add("shape_perimeter_px", "Size.Perimeter", Other);
    t.add("shape_circularity", "Shape.Circularity", Other);
    t.add("shape_eccentricity", "Shape.Eccentricity");
    t.add("shape_equivalent_diameter_px", "Shape.EquivalentDiameter");
    t.add("shape_equivalent_diameter_um", "Shape.EquivalentDiameter", Same, Pixels);
    t.add("shape_extent", "Shape.Extent");
    t.add("shape_fractal_dimension", "Shape.FractalDimension");
    t.add("shape_axis_ratio", "Shape.MinorMajorAxisRatio");
    t.add("shape_solidity", "Shape.Solidity");
    t.count("shape_hu_", "Shape.HuMoments", 7, 1);
    t.count("nucleus_H_hu_", "Shape.WeightedHuMoments", 7, 1);
    t.count("shape_fsd_", "Shape.FSD", 6, 1, Other);
    const Names statistics{{"mean", "Mean"},
                           {"sd", "Std"},
                           {"min", "Min"},
                           {"max", "Max"},
                           {"median", "Median"},
                           {"mean_median_diff", "MeanMedianDiff"},
                           {"iqr", "IQR"},
                           {"mad", "MAD"},
                           {"skewness", "Skewness"},
                           {"kurtosis", "Kurtosis"},
                           {"hist_entropy", "HistEntropy"},
                           {"hist_energy", "HistEnergy"}};
    t.add("nucleus_H_", "Nucleus.Intensity.", statistics);
    t.add("ring_E_", "Cytoplasm.Intensity.", statistics, Other);
    for (const auto& [channel, band] : {std::pair{"R", "0"}, {"G", "1"}, {"B", "2"}})
        t.add(std::string("nucleus_") + channel + "_",
              std::string("Nucleus.Band") + band + ".Intensity.", statistics);
    t.add("nucleus_H_gradient_", "Nucleus.Gradient.Mag.",
          {{"mean", "Mean"},
           {"sd", "Std"},
           {"skewness", "Skewness"},
           {"kurtosis", "Kurtosis"},
           {"hist_entropy", "HistEntropy"},
           {"hist_energy", "HistEnergy"}});
    t.add("nucleus_H_canny_", "Nucleus.Gradient.Canny.", {{"sum", "Sum"}, {"mean", "Mean"}}, Other);
    for (const auto& [ours, theirs] : haralick_names())
        t.add("nucleus_H_haralick_" + ours, "Nucleus.Haralick." + theirs,
              {{"_mean", ".Mean"}, {"_range", ".Range"}}, Other);
    t.add("ring_E_gradient_", "Cytoplasm.Gradient.Mag.",
          {{"mean", "Mean"},
           {"sd", "Std"},
           {"skewness", "Skewness"},
           {"kurtosis", "Kurtosis"},
           {"hist_entropy", "HistEntropy"},
           {"hist_energy", "HistEnergy"}},
          Other);
    t.add("ring_E_canny_", "Cytoplasm.Gradient.Canny.", {{"sum", "Sum"}, {"mean", "Mean"}}, Other);
    for (const auto& [ours, theirs] : haralick_names())
        t.add("ring_E_haralick_" + ours, "Cytoplasm.Haralick." + theirs,
              {{"_mean", ".Mean"}, {"_range", ".Range"}}, Other);
    return t.take();
}

/// Begins names of intensity features, measured on pixels of a stated size.
std::string qupath_roi(const std::string& channel) {
    return std::string("ROI: ") + kResolution + " µm per pixel: " + channel + ": ";
}

/// Object measurements ("Nucleus: Red: Mean"), those of cell detection ("Nucleus: DAB OD mean") and
/// intensity features, whose "Std.dev." is written otherwise.
void qupath_intensity(Table& t) {
    struct Channel {
        const char *ours, *theirs;
        bool stain;
    };
    const Names plain{{"mean", "Mean"}, {"median", "Median"}, {"min", "Min"}, {"max", "Max"}};
    const Names densities{{"mean", "mean"}, {"sum", "sum"}, {"sd", "std dev"},
                          {"max", "max"},   {"min", "min"}, {"range", "range"}};
    for (const std::string place : {"nucleus", "ring"})
        for (const Channel& c : {Channel{"R", "Red", false},
                                 {"G", "Green", false},
                                 {"B", "Blue", false},
                                 {"H", "Hematoxylin", true},
                                 {"E", "Eosin", true},
                                 {"DAB", "DAB", true}}) {
            const bool nucleus = place == "nucleus";
            const std::string compartment = nucleus ? "Nucleus: " : "Cytoplasm: ";
            const std::string ours = place + "_" + c.ours + "_", prefix = compartment + c.theirs;
            const Definition definition = nucleus && !c.stain ? Same : Other;
            const Convert convert = c.stain ? Decadic : Nothing;
            t.add(ours, prefix + ": ", plain, definition, convert);
            t.add(ours + "sd", prefix + ": Std.Dev.", Other, convert);
            t.add(ours + "sd", prefix + ": Variance", Other, c.stain ? DecadicVariance : Variance);
            if (c.stain) t.add(ours, prefix + " OD ", densities, Other, Decadic);
            if (!nucleus) continue;
            t.add(ours, qupath_roi(c.theirs), plain, Other, convert);
            t.add(ours + "sd", qupath_roi(c.theirs) + "Std.dev.", Other, convert);
        }
}

/// QuPath 0.6: ObjectMeasurements, cell detection, Delaunay and intensity features.
std::vector<Alias> qupath() {
    Table t;
    t.add("centroid_x_px", "Centroid X µm", Same, QupathX);
    t.add("centroid_y_px", "Centroid Y µm", Same, QupathY);
    t.add("detection_probability", "Detection probability", Other);
    for (const std::string prefix : {"", "Nucleus: "}) {  // objects without cells, and with them
        t.add("shape_area_um2", prefix + "Area µm^2", Other);
        t.add("shape_perimeter_um", prefix + "Length µm");
        t.add("shape_circularity", prefix + "Circularity", Other);
        t.add("shape_solidity", prefix + "Solidity", Other);
        t.add("shape_bounding_circle_diameter_um", prefix + "Max diameter µm");
        t.add("shape_min_caliper_um", prefix + "Min diameter µm");
    }
    t.add("shape_area_um2", "Nucleus: Area", Other);
    t.add("shape_perimeter_um", "Nucleus: Perimeter");
    t.add("shape_max_caliper_um", "Nucleus: Max caliper");
    t.add("shape_min_caliper_um", "Nucleus: Min caliper");
    t.add("shape_eccentricity", "Nucleus: Eccentricity", Other);
    t.add("ring_nucleus_cell_area_ratio", "Nucleus/Cell area ratio", Other);
    qupath_intensity(t);
    t.add("neighbours_delaunay_", "Delaunay: ",
          {{"degree", "Num neighbors"},
           {"mean_um", "Mean distance"},
           {"median_um", "Median distance"},
           {"max_um", "Max distance"},
           {"min_um", "Min distance"},
           {"mean_triangle_um2", "Mean triangle area"},
           {"max_triangle_um2", "Max triangle area"}});
    constexpr std::array<const char*, 13> kHaralick{"Angular second moment",
                                                    "Contrast",
                                                    "Correlation",
                                                    "Sum of squares",
                                                    "Inverse difference moment",
                                                    "Sum average",
                                                    "Sum variance",
                                                    "Sum entropy",
                                                    "Entropy",
                                                    "Difference variance",
                                                    "Difference entropy",
                                                    "Information measure of correlation 1",
                                                    "Information measure of correlation 2"};
    for (size_t k = 0; k < kHaralick.size(); ++k)
        t.add("nucleus_H_haralick_" + haralick_names()[k].first + "_mean",
              qupath_roi("Hematoxylin") + "Haralick " + kHaralick[k] + " (F" + std::to_string(k) +
                  ")",
              Other);
    return t.take();
}

/// CellProfiler 4.2; the image of a channel bears the channel's name, shells are four.
std::vector<Alias> cellprofiler() {
    Table t;
    for (const std::string name : {"Location_Center_", "AreaShape_Center_"}) {
        t.add("centroid_x_px", name + "X", name[0] == 'L' ? Same : Other, PixelCentre);
        t.add("centroid_y_px", name + "Y", name[0] == 'L' ? Same : Other, PixelCentre);
    }
    t.add("shape_", "AreaShape_",
          {{"area_px", "Area"},
           {"area_px", "CentralMoment_0_0"},
           {"box_area_px", "BoundingBoxArea"},
           {"convex_area_px", "ConvexArea"},
           {"equivalent_diameter_px", "EquivalentDiameter"},
           {"max_radius_px", "MaximumRadius"},
           {"mean_radius_px", "MeanRadius"},
           {"median_radius_px", "MedianRadius"},
           {"major_axis_px", "MajorAxisLength"},
           {"minor_axis_px", "MinorAxisLength"},
           {"solidity", "Solidity"},
           {"extent", "Extent"},
           {"eccentricity", "Eccentricity"},
           {"euler_number", "EulerNumber"}});
    t.add("shape_", "AreaShape_",
          {{"box_area_um2", "BoundingBoxArea"},
           {"convex_area_um2", "ConvexArea"},
           {"equivalent_diameter_um", "EquivalentDiameter"},
           {"max_radius_um", "MaximumRadius"},
           {"mean_radius_um", "MeanRadius"},
           {"median_radius_um", "MedianRadius"}},
          Same, Pixels);
    t.add("shape_orientation_rad", "AreaShape_Orientation", Same, Degrees);
    t.add("shape_perimeter_px", "AreaShape_Perimeter", Other);
    t.add("shape_circularity", "AreaShape_FormFactor", Other);
    t.add("shape_compactness", "AreaShape_Compactness", Other);
    t.add("shape_major_axis_px", "AreaShape_InertiaTensorEigenvalues_0", Same, Eigenvalue);
    t.add("shape_minor_axis_px", "AreaShape_InertiaTensorEigenvalues_1", Same, Eigenvalue);
    for (const std::string side : {"min", "max"}) {
        const std::string name =
            side == "min" ? "AreaShape_MinFeretDiameter" : "AreaShape_MaxFeretDiameter";
        t.add("shape_" + side + "_caliper_px", name, Other);
        t.add("shape_" + side + "_caliper_um", name, Other, Pixels);
    }
    for (const std::string pq :
         {"20", "11", "02", "21", "12", "03", "30", "13", "22", "31", "23", "32", "33"}) {
        const std::string order{pq[0], '_', pq[1]};
        if (pq[0] != '3') t.add("shape_mu_" + pq, "AreaShape_CentralMoment_" + order, Same, Pixels);
        t.add("shape_nu_" + pq, "AreaShape_NormalizedMoment_" + order);
    }
    t.count("shape_hu_", "AreaShape_HuMoment_", 7, 0);
    for (int n = 0; n <= 9; ++n)
        for (int m = n % 2; m <= n; m += 2) {
            const std::string order = std::to_string(n) + "_" + std::to_string(m);
            t.add("shape_zernike_" + order, "AreaShape_Zernike_" + order);
        }
    for (const std::string channel : {"H", "E", "DAB", "residual", "R", "G", "B", "grey"}) {
        const bool bytes =
            channel.size() == 4 || channel == "R" || channel == "G" || channel == "B";
        const Convert convert = bytes ? UnitInterval : Nothing;
        for (const auto& [ours, theirs] : Names{{"mean", "MeanIntensity"},
                                                {"sd", "StdIntensity"},
                                                {"min", "MinIntensity"},
                                                {"max", "MaxIntensity"},
                                                {"sum", "IntegratedIntensity"},
                                                {"median", "MedianIntensity"},
                                                {"mad", "MADIntensity"}})
            t.add("nucleus_" + channel + "_" + ours, "Intensity_" + theirs + "_" + channel, Same,
                  convert);
        for (const auto& [ours, theirs] : Names{{"quartile1", "LowerQuartileIntensity"},
                                                {"quartile3", "UpperQuartileIntensity"}})
            t.add("nucleus_" + channel + "_" + ours, "Intensity_" + theirs + "_" + channel, Other,
                  convert);
        for (const auto& [ours, theirs] : Names{{"mean", "MeanIntensityEdge"},
                                                {"sd", "StdIntensityEdge"},
                                                {"min", "MinIntensityEdge"},
                                                {"max", "MaxIntensityEdge"},
                                                {"sum", "IntegratedIntensityEdge"}})
            t.add("edge_" + channel + "_" + ours, "Intensity_" + theirs + "_" + channel, Other,
                  convert);
    }
    t.add("nucleus_H_centroid_dx_um", "Location_CenterMassIntensity_X_H", Same, CentreOfMassX);
    t.add("nucleus_H_centroid_dy_um", "Location_CenterMassIntensity_Y_H", Same, CentreOfMassY);
    t.add("nucleus_H_mass_displacement_um", "Intensity_MassDisplacement_H", Same, Pixels);
    for (const auto& [ours, theirs] :
         {std::pair{"fraction", "FracAtD"}, {"mean", "MeanFrac"}, {"cv", "RadialCV"}})
        for (int bin = 1; bin <= 4; ++bin)
            t.add(
                std::string("nucleus_H_radial_") + ours + "_" + std::to_string(bin),
                std::string("RadialDistribution_") + theirs + "_H_" + std::to_string(bin) + "of4");
    t.add("neighbours_nearest_1_um", "Neighbors_FirstClosestDistance_Adjacent", Same, Pixels);
    t.add("neighbours_nearest_2_um", "Neighbors_SecondClosestDistance_Adjacent", Same, Pixels);
    return t.take();
}

}  // namespace

const std::vector<Alias>& aliases_of(Naming naming) {
    static const std::vector<Alias> none, a = histomicstk(), b = qupath(), c = cellprofiler();
    return naming == Naming::HistomicsTk    ? a
           : naming == Naming::QuPath       ? b
           : naming == Naming::CellProfiler ? c
                                            : none;
}

}  // namespace wsi

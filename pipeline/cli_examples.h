#pragma once

// What stands below the options in each command's --help.
namespace wsi::examples {

inline constexpr const char* kSegment = R"(
Examples:
  wsi-segment slide.svs                                  results in slide.h5
  wsi-segment slide.svs -o out.h5 -o out.geojson.gz -o out.csv
  wsi-segment slide.tif --slide-mpp 0.25 -o out.h5       when the file does not know its resolution
  wsi-segment batch slides/ -o results/ --format h5,geojson.gz
  wsi-segment export out.h5 -o out.tif                   other formats later, without the slide
  wsi-segment measure slide.svs --nuclei labels.tif -o table.csv   nuclei found elsewhere
  wsi-segment resegment out.h5 -o finer.h5 --set separate.h=0.04   from maps kept with --keep-maps
  wsi-segment compare a.h5 b.h5                          two results of one slide
  wsi-segment info slide.svs                             size, levels, resolution

A run that was killed goes on where it stopped when the same command is given again.
Exit codes: 0 done, 1 usage, 2 some slides failed or have unreadable blocks, 3 the slide is to blame,
4 disk, memory or device is to blame, 130 interrupted (resumable).)";

inline constexpr const char* kBatch = R"(
Examples:
  wsi-segment batch slides/ -o results/
  wsi-segment batch slides/ -o results/ --format h5,geojson.gz,csv.gz
  wsi-segment batch 'slides/*.svs' more.ndpi -o results/ --mask-dir masks/
  wsi-segment batch list.csv -o results/ --dry-run       list.csv: slide,slide_mpp,roi
  wsi-segment batch slides/ -o results/ --shard 0/4      one of four machines

The same command again skips what is complete and tries again what failed. After all shards, the
command without --shard writes the summaries of all slides.)";

inline constexpr const char* kExport = R"(
Examples:
  wsi-segment export out.h5 -o out.tif -o out.geojson.gz
  wsi-segment export out.h5 -o out.parquet --columns 'shape_area_um2,nucleus_H_*'
  wsi-segment export out.h5 -o out.geojson.gz --split 200000 --simplify 0.5
  wsi-segment export out.h5 -o out.csv --naming qupath)";

inline constexpr const char* kInfo = R"(
Examples:
  wsi-segment info slide.svs
  wsi-segment info slide.tif --slide-mpp 0.25 --json)";

inline constexpr const char* kDoctor = R"(
Examples:
  wsi-segment doctor
  wsi-segment doctor && wsi-segment batch slides/ -o results/)";

inline constexpr const char* kConfig = R"(
Examples:
  wsi-segment config > mine.yaml                         every setting with its default
  wsi-segment config --set separate.h=0.04 | grep h:
  wsi-segment slide.svs --config mine.yaml -o out.h5)";

inline constexpr const char* kReport = R"(
Examples:
  wsi-segment report out.h5 -o report.html
  wsi-segment report results/ -o results/report.html     a row per slide of a batch

A page that stands alone: pictures are inside. It is made from the results, without the slides.)";

inline constexpr const char* kCompare = R"(
Examples:
  wsi-segment compare old.h5 new.h5
  wsi-segment compare old.h5 new.h5 -o difference.geojson -o shifts.csv

difference.geojson: drag into QuPath; nuclei of one result alone, in pieces, or drawn otherwise.)";

inline constexpr const char* kMeasure = R"(
Examples:
  wsi-segment measure slide.svs --nuclei labels.tif -o table.csv.gz
  wsi-segment measure slide.svs --nuclei from_qupath.geojson -o out.h5 -o out.geojson.gz
  wsi-segment measure slide.mrxs --nuclei cells.json -o out.h5 --work-mpp 0.25

GeoJSON is read as QuPath writes it, its origin at the slide's bounds; --frame level0 for the slide's
corner. Nuclei that cannot be used are counted and left out, up to --max-skipped.)";

inline constexpr const char* kResegment = R"(
Examples:
  wsi-segment slide.svs -o out.h5 --keep-maps
  wsi-segment resegment out.h5 -o finer.h5 --set separate.h=0.04
  wsi-segment resegment out.h5 -o wide.csv.gz --set features.ring_um=8 --slide /new/place/slide.svs

The result is the one that a whole run with these settings gives.)";

inline constexpr const char* kEvaluate = R"(
Examples:
  wsi-segment evaluate --data nuinsseg --split val -o report.csv
  wsi-segment evaluate --data monuseg --model runs/a/best.safetensors -o report/    with pictures
  wsi-segment evaluate --data consep --predictions labels/ -o report.csv     labels made elsewhere)";

inline constexpr const char* kPatches = R"(
Examples:
  wsi-segment patches nuinsseg monuseg -o patches.h5
  wsi-segment patches nuinsseg -o patches.h5 --patch-px 256 --stride-px 128 --work-mpp 0.5
  wsi-segment train --data patches.h5 -o runs/a)";

inline constexpr const char* kTrain = R"(
Examples:
  wsi-segment train --data nuinsseg --data monuseg -o runs/a --set train.epochs=16
  wsi-segment train --data nuinsseg -o runs/fold0 --set train.folds=5 --fold 0
  wsi-segment train --data nuinsseg -o runs/b --from runs/a/best.safetensors
  wsi-segment slide.svs -o out.h5 --model runs/a/best.safetensors

The same command again goes on where it stopped.)";

inline constexpr const char* kExperiments = R"(
Examples:
  wsi-segment experiments config/experiments/table1.yaml --data nuinsseg -o runs/table1
  wsi-segment experiments config/experiments/small-table2.yaml --data nuinsseg -o runs/t2 --seeds 1)";

inline constexpr const char* kModel = R"(
Examples:
  wsi-segment model list
  wsi-segment model info eunet3plus
  wsi-segment model convert trained.pth trained.safetensors)";

inline constexpr const char* kModelList = R"(
Examples:
  wsi-segment model list)";

inline constexpr const char* kModelInfo = R"(
Examples:
  wsi-segment model info eunet3plus
  wsi-segment model info runs/a/best.safetensors --layers --px 512
  wsi-segment model info unet --layers --set network.base=64     a network that has no file)";

inline constexpr const char* kModelConvert = R"(
Examples:
  wsi-segment model convert trained.pth trained.safetensors
  wsi-segment model convert ours.pth ours.safetensors --network --set network.base=32)";

inline constexpr const char* kModelAverage = R"(
Examples:
  wsi-segment model average a/best.safetensors b/best.safetensors -o mean.safetensors)";

}  // namespace wsi::examples

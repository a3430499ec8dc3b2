#!/usr/bin/env python3
"""House rules that a search can check: each folder includes only what lies below it, each library stays in
its files, and forbidden words come with what to use instead. A line with `ci-allow: <word>` is let through."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ["config", "io/types", "io", "stages/kernels", "stages", "model", "pipeline"]

# header pattern -> files that may include it (regular expressions on the path)
LIBRARIES = {
    r"tbb/": r"^pipeline/",
    r"torch/|ATen/|c10/|model/nn/|model/train/": r"^model/(nn|train)/.*\.(h|cpp|cu)$",
    r"openslide\.h": r"^io/(openslide_slide|imaging_dependencies)\.cpp$",
    r"tiffio\.h": r"^io/(tiff_pixels|imaging_dependencies)\.cpp$",
    r"vips/": r"^io/(flat_slide|vips_setup|mask_image|picture|export_ometiff|imaging_dependencies)\.cpp$",
    r"hdf5\.h": r"^io/hdf5_file\.h$",
    r"io/hdf5_file\.h": r"^io/((hdf5_file|result_reader|result_aggregates|dependencies|export_anndata|datasets/patch_file)\.cpp|packed_column\.h)$",
    r"gdal_priv\.h|ogr\w+\.h|cpl_\w+\.h": r"^io/(slide_crs\.h|(slide_crs|export_geotiff|export_ogr|nuclei_import_labels|imaging_dependencies)\.cpp)$",
    r"io/slide_crs\.h": r"^io/(slide_crs|export_geotiff|export_ogr)\.cpp$",
    r"arrow/|parquet/": r"^io/(arrow_check\.h|(export_parquet|slides_parquet|imaging_dependencies)\.cpp)$",
    r"io/arrow_check\.h": r"^io/(export_parquet|slides_parquet|imaging_dependencies)\.cpp$",
    r"sqlite3\.h": r"^io/(export_annotation_store|nuclei_import_store|imaging_dependencies)\.cpp$",
    r"yaml-cpp/": r"^config/(config_io|experiment_file|model_card)\.cpp$",
    r"opencv2/": r"^(stages|model)/.*\.cpp$|^pipeline/runtime(_dependencies)?\.cpp$",
    r"spdlog/": r"^pipeline/.*\.cpp$",
    r"CLI/": r"^pipeline/cli\.cpp$",
}

# pattern, files it is forbidden in, what to use instead
FORBIDDEN = [
    (r"\b(atoi|atof|strtod|strtol|stoi|stol|stod|stof)\b", r"", "std::from_chars"),
    (r"\bnew\s+\w|\bdelete\s+\w", r"", "std::make_unique"),
    (r"std::j?thread\b", r"^(config|io|stages|model)/", "the flow graph; only pipeline/ makes threads"),
    (r"\bassert\(", r"^io/", "an Error with a message, or WSI_CHECK"),
    (r"\bprintf\(|std::cout", r"^(config|io|stages|model)/", "an Error, or a log line in pipeline/"),
    (r"\.wait\(\)", r"", "future.get(), which rethrows"),
    (r"\b(TODO|FIXME|XXX)\b", r"", "an issue"),
]


def sources():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [f for f in listed if f.split("/")[0] in {l.split("/")[0] for l in LAYERS}
            and f.endswith((".h", ".cpp", ".cu"))]


def layer_of(path):
    fitting = [l for l in LAYERS if path.startswith(l + "/")]
    return max(fitting, key=len) if fitting else None


def check_file(path):
    text = (ROOT / path).read_text()
    here = LAYERS.index(layer_of(path))
    for number, line in enumerate(text.splitlines(), 1):
        include = re.match(r'\s*#include\s*["<]([^">]+)[">]', line)
        if include:
            target = include.group(1)
            layer = layer_of(target) if (ROOT / target).exists() else None
            if layer and LAYERS.index(layer) > here:
                yield f"{path}:{number}: {LAYERS[here]}/ must not include {target}, which lies above it"
            for pattern, allowed in LIBRARIES.items():
                if re.match(pattern, target) and not re.search(allowed, path):
                    yield f"{path}:{number}: {target} is not for this file (allowed: {allowed})"
        if "ci-allow" in line:
            continue
        code = re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"//.*", "", line))
        for pattern, where, instead in FORBIDDEN:
            if re.search(where, path) and re.search(pattern, code):
                yield f"{path}:{number}: {line.strip()!r}: use {instead}"
    for match in re.finditer(r"catch \(\.\.\.\)\s*\{([^}]*)\}", text):
        if "throw" not in match.group(1) and "current_exception" not in match.group(1):
            line = text[:match.start()].count("\n") + 1
            yield f"{path}:{line}: catch (...) must rethrow or keep the exception"


def main():
    problems = [p for f in sources() for p in check_file(f)]
    print("\n".join(problems) or "layers and words: all well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""`wsi-segment model list|info|convert|average`, and that weights which cannot be used are refused by one line before the slide is touched.

usage: check_models.py PROGRAM SLIDE FOLDER   (the folder of the shipped weights)
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import safetensors
import safetensors.torch
import torch

PROGRAM, SLIDE, WEIGHTS = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])
SHIPPED = WEIGHTS / "eunet3plus.safetensors"


def run(*args, code=0):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=300)
    assert code == done.returncode, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout if done.returncode == 0 else done.stderr


def refused(folder, model, *words, more=()):
    said = run(SLIDE, "-o", folder / "x.h5", "--model", model, *more, code=REFUSED)
    assert len(said.strip().splitlines()) == 1, said
    for word in words:
        assert word in said, (word, said)
    assert not list(folder.glob("x.h5*")), "the slide was touched"


def notes_of(path):
    with safetensors.safe_open(path, "pt") as file:
        return file.metadata()


def check_list_and_info():
    said = run("model", "list")
    for word in ("classical", "eunet3plus", "vit_b"):
        assert word in said, (word, said)
    said = run("model", "info", SHIPPED)
    for word in ("safetensors", "network.architecture = eunet3plus", "runs as", "512 px tiles"):
        assert word in said, (word, said)
    assert re.search(r"total +11466626 +1077\d\d\.", run("model", "info", "eunet3plus", "--layers", "--set", "network.base=32",
                                                         "--set", "network.distance=false", "--set", "network.blur_pool=false"))
    assert "segment_anything" in run("model", "info", "segment_anything", code=1)


def check_convert(folder):
    """Out of Python and back: a wrapped .pth becomes a model that runs, its values untouched."""
    tensors = safetensors.torch.load_file(SHIPPED)
    torch.save({"model": {f"module.{name}": t for name, t in tensors.items()}, "epoch": 3}, folder / "w.pth")
    run("model", "convert", folder / "w.pth", folder / "plain.safetensors")
    again = safetensors.torch.load_file(folder / "plain.safetensors")
    assert set(again) == set(tensors) and all(torch.equal(again[k], t) for k, t in tensors.items())
    said = run("model", "info", folder / "plain.safetensors")
    assert "cannot run" in said and "network.architecture" in said, said
    run("model", "convert", folder / "plain.safetensors", folder / "m.safetensors", "--network")
    assert "runs as" in run("model", "info", folder / "m.safetensors")
    assert notes_of(folder / "m.safetensors")["network.base"] == "16"
    said = run("model", "convert", folder / "w.pth", folder / "no.safetensors", "--network", "--set", "network.base=8", code=1)
    assert "of another shape" in said and not (folder / "no.safetensors").exists(), said


def check_average(folder):
    """The mean that torch computes; files of another network are refused."""
    tensors, notes = safetensors.torch.load_file(SHIPPED), notes_of(SHIPPED)
    shifted = {name: t + 0.5 if t.is_floating_point() else t for name, t in tensors.items()}
    safetensors.torch.save_file(shifted, folder / "shifted.safetensors", notes)
    run("model", "average", SHIPPED, folder / "shifted.safetensors", "-o", folder / "mean.safetensors", "--set", "separate.h=0.2")
    mean = safetensors.torch.load_file(folder / "mean.safetensors")
    for name, t in tensors.items():
        expected = ((t.double() + shifted[name].double()) / 2).to(t.dtype) if t.is_floating_point() else t
        assert torch.equal(mean[name], expected), name
    written = notes_of(folder / "mean.safetensors")
    assert written["separate.h"] == "0.2" and written["network.base"] == "16" and "averaged.1" in written, written
    assert "runs as" in run("model", "info", folder / "mean.safetensors")
    safetensors.torch.save_file(tensors, folder / "relu.safetensors", {**notes, "network.activation": "relu"})
    said = run("model", "average", SHIPPED, folder / "relu.safetensors", "-o", folder / "no.safetensors", code=REFUSED)
    assert "network.activation is relu" in said and not (folder / "no.safetensors").exists(), said


def check_program(folder):
    """A TorchScript program has no list of tensors; without its card it is not a model."""
    torch.jit.script(torch.nn.Conv2d(3, 1, 1)).save(folder / "p.pt")
    assert "model card" in run("model", "info", folder / "p.pt", code=REFUSED)
    (folder / "p.yaml").write_text("mpp: 0.5\noutputs: [nucleus_logit]\n")
    said = run("model", "info", folder / "p.pt")
    assert "TorchScript" in said and "runs as     p: 256 px tiles" in said, said
    assert "not listed" in run("model", "info", folder / "p.pt", "--layers", code=1)


def check_stale_library(folder):
    """A library that was built with other headers is refused before anything is passed to it."""
    place = folder / "other"
    place.mkdir()
    program = shutil.copy(PROGRAM, place)
    library = (PROGRAM.parent / "libwsi_networks.so").read_bytes()
    known = set(re.findall(rb"wsi-interface [0-9a-f]{64}", library))
    assert len(known) == 1, known
    (place / "libwsi_networks.so").write_bytes(library.replace(known.pop(), b"wsi-interface " + b"0" * 64))
    done = subprocess.run([program, "model", "list"], capture_output=True, text=True, timeout=300)
    assert done.returncode > 0 and done.stderr.count("\n") == 1, (done.returncode, done.stderr)
    assert "belongs to another version of this program" in done.stderr, done.stderr


def check_refusals(folder):
    tensors, notes = safetensors.torch.load_file(SHIPPED), notes_of(SHIPPED)
    save = lambda name, t, n: safetensors.torch.save_file(t, folder / name, n)
    save("nan.safetensors", {**tensors, "outconv1.bias": torch.tensor([np.nan, 0], dtype=torch.float16)}, notes)
    refused(folder, folder / "nan.safetensors", "outconv1.bias", "not finite")
    (folder / "cut.safetensors").write_bytes(SHIPPED.read_bytes()[:-1000])
    refused(folder, folder / "cut.safetensors", "cut.safetensors")
    save("wide.safetensors", tensors, {**notes, "network.base": "32"})
    refused(folder, folder / "wide.safetensors", "of another shape", "instead of")
    save("other.safetensors", tensors, {**notes, "network.architecture": "resnet"})
    refused(folder, folder / "other.safetensors", "'resnet'", "eunet3plus")
    save("colours.safetensors", tensors, {**notes, "network.encoder_input": "imagenet"})
    refused(folder, folder / "colours.safetensors", "'imagenet'", "medsam")
    if not torch.cuda.is_available():
        refused(folder, SHIPPED, "run.device = 'cuda'", "finds no CUDA device", more=["--device", "cuda"])
    refused(folder, SHIPPED, "not enough memory for the batch", "--memory allows 400 MiB", more=["--memory", "400MiB"])
    refused(folder, SHIPPED, "model.precision = fp16", "CUDA", more=["--set", "model.precision=fp16", "--device", "cpu"])
    refused(folder, SHIPPED, "model.tile_px = 64", "128", more=["--set", "model.tile_px=64"])
    refused(folder, "classical", "model.tile_px is for networks", more=["--set", "model.tile_px=1024"])
    refused(folder, "classical", "run.device = 'cuda' is for networks", more=["--device", "cuda"])
    refused(folder, folder / "absent.safetensors", "absent.safetensors")


class AnyRefusal(int):
    """Usage, the file or the device is to blame: never success, never an internal error."""
    def __eq__(self, code):
        return code in (1, 3, 4)
    __hash__ = int.__hash__


REFUSED = AnyRefusal()

if __name__ == "__main__":
    check_list_and_info()
    with tempfile.TemporaryDirectory() as scratch:
        check_convert(pathlib.Path(scratch))
        check_average(pathlib.Path(scratch))
        check_program(pathlib.Path(scratch))
        check_refusals(pathlib.Path(scratch))
        check_stale_library(pathlib.Path(scratch))
    print("models: all well")

#!/usr/bin/env python3
"""What example 07 makes of each fixture must be what PyTorch itself put into safetensors, read by Python's safetensors.
usage: check_safetensors.py EXAMPLE_07 FIXTURES"""
import pathlib
import subprocess
import sys
import tempfile

import safetensors
import safetensors.numpy

PAIRS = [("plain.pt", "plain"), ("wrapped.pth", "plain"), ("parallel.pt", "plain"), ("compiled.pt", "plain"),
         ("plain.safetensors", "plain"), ("strided.pt", "strided"), ("dtypes.pt", "dtypes"), ("dtypes.safetensors", "dtypes")]


def tensors(content):
    return {name: (t["dtype"], tuple(t["shape"]), bytes(t["data"])) for name, t in safetensors.deserialize(content)}


def main(example, fixtures):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.safetensors"
        for source, reference in PAIRS:
            subprocess.run([example, fixtures / source, out], check=True, stdout=subprocess.DEVNULL)
            got, expected = tensors(out.read_bytes()), tensors((fixtures / f"{reference}.safetensors").read_bytes())
            assert len(expected) > 4 and got == expected, (source, got.keys(), expected.keys())
            with safetensors.safe_open(out, "numpy") as opened:
                assert len(opened.metadata()["source_sha256"]) == 64
    print(f"{len(PAIRS)} files hold what PyTorch saved")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))

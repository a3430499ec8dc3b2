#!/usr/bin/env python3
"""What scripts/setup says beforehand about wheels: number and size from pip's plan, honest about what it cannot know.

usage: check_setup.py SCRIPTS
"""
import json
import pathlib
import subprocess
import sys
import tempfile

SIZES = pathlib.Path(sys.argv[1]) / "wheel_sizes.py"


def said(*reports):
    return subprocess.run([sys.executable, SIZES, *reports], capture_output=True, text=True, timeout=60)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, size in (("a b.whl", 3_000_000), ("c.whl", 2_000_000)):
            (folder / name).write_bytes(bytes(size))
        plan = lambda *urls: json.dumps({"install": [{"download_info": {"url": url}} for url in urls]})
        a, c = ((folder / name).as_uri() for name in ("a b.whl", "c.whl"))
        (folder / "one").write_text(plan(a, c))
        (folder / "two").write_text(plan(c, "http://127.0.0.1:9/d.whl"))  # nobody listens there
        assert said(folder / "one").stdout == "2 files, 5 MB to download\n"
        assert said(folder / "one", folder / "two").stdout == "3 files, 5 MB to download, and 1 of unknown size\n"
        assert said(folder / "absent").returncode != 0
    print("setup: well")


if __name__ == "__main__":
    main()

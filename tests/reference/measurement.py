"""What every file in docs/measurements says besides its values."""
import datetime
import json
import os
import pathlib
import platform
import re

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs/measurements"


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return (f"{os.cpu_count()} cores of {model.group(1).strip() if model else platform.machine()}, {memory * 1024 / 1e9:.0f} GB, "
            "no GPU")


def record(name, values):
    """Writes docs/measurements/<name>.json and shows it."""
    out = {"date": datetime.date.today().isoformat(), "machine": machine(), **values}
    (FOLDER / f"{name}.json").write_text(json.dumps(out, indent=2) + "\n")
    print(json.dumps(out, indent=2))

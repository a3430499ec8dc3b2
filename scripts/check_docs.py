#!/usr/bin/env python3
"""Documents must not rot: every relative link leads to a file, every source path in backticks exists."""
import itertools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = "config|io|stages|model|pipeline|tests|scripts|examples|docs|cmake|\\.ci"


def expand(path):
    """io/export_{csv,geojson}.cpp -> both."""
    parts = [part.strip("{}").split(",") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", path)]
    return ["".join(choice) for choice in itertools.product(*parts)]


def problems(document):
    text = (ROOT / document).read_text()
    here = (ROOT / document).parent
    plain = re.sub(r"```.*?```", "", text, flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", plain):
        if "://" not in target and not (here / target).exists():
            yield f"{document}: the link {target} leads nowhere"
    for code in re.findall(r"`([^`]+)`", plain):
        if re.fullmatch(rf"({FOLDERS})/[\w./{{}},*-]*", code):
            for path in expand(code):
                if not list(ROOT.glob(path.rstrip("/"))):
                    yield f"{document}: `{path}` does not exist"


def main():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = [p for document in listed for p in problems(document)]
    print("\n".join(found) or f"{len(listed)} documents: all well")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

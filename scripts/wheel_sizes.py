#!/usr/bin/env python3
"""What `pip install` would fetch and how much that is, in one line; reads pip's own plan, installs nothing.

usage: wheel_sizes.py REPORT ...     each made by `pip install --dry-run --report REPORT ...`
"""
import concurrent.futures
import json
import os
import sys
import urllib.parse
import urllib.request


def bytes_of(url):
    """Of a file here, or what its server states without sending it; None when it states nothing."""
    parts = urllib.parse.urlparse(url)
    try:
        if parts.scheme == "file":
            return os.path.getsize(urllib.request.url2pathname(parts.path))
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def main():
    urls = {}  # keys in order, each once
    for report in sys.argv[1:]:
        with open(report) as file:
            for item in json.load(file)["install"]:
                urls[item["download_info"]["url"]] = None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(bytes_of, urls))
    known = [size for size in sizes if size is not None]
    rest = f", and {len(sizes) - len(known)} of unknown size" if len(known) < len(sizes) else ""
    print(f"{len(sizes)} files, {sum(known) / 1e6:.0f} MB to download{rest}")


if __name__ == "__main__":
    main()

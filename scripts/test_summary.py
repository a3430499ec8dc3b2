#!/usr/bin/env python3
"""Prints why tests were skipped and one closing line 'N passed, N failed, N skipped'."""
import collections
import sys
import xml.etree.ElementTree as xml


def skip_reason(case):
    """The line a skipped test printed about itself."""
    for line in (case.findtext("system-out") or "").splitlines():
        if line and not line.startswith(("[", "Note:", "Running", "/")) and "SKIPPED" not in line:
            return line.strip()
    return "no reason given"


def main(path):
    count = collections.Counter()
    reasons = collections.Counter()
    for case in xml.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            count["passed"] += 1
        elif status in ("notrun", "disabled"):
            count["skipped"] += 1
            reasons[skip_reason(case)] += 1
        else:
            count["failed"] += 1
    for reason, n in reasons.most_common():
        print(f"skipped {n}: {reason}")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

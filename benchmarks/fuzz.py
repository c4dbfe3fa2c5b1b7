"""Mutated definitions, thousands of them: the checker gives findings or none, never a traceback, never more than a
second of processor time for one, and its memory does not grow with their number.

    python benchmarks/fuzz.py [--count 50000] [--first 0] [--seed 1] [FILE.json ...]

Without files the sound definition of the tests is mutated. Each mutation has its number, so that a run that was cut off
goes on at ``--first``, and one that failed is made again. Ends with 1 where one of the three is broken.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "check"
AT_MOST_SECONDS = 1.0
AT_MOST_GROWTH = 100 * 1024  # KiB after the first tenth
LIMIT = 2 * 1024**3
EACH = 5000
"""Mutations between two words on how far it is."""


def main() -> int:
    sys.path.insert(0, str(TESTS))
    from mutating import spoil
    from sample_step_types import TYPES
    from sound_definition import SOUND

    from mlops.check import check
    from mlops.ir.reader import read

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    bases = [json.loads(file.read_text(encoding="utf-8")) for file in options.files] or [SOUND]
    failed, slow, codes = 0, 0, Counter[str]()
    longest, silent, settled = 0.0, 0, 0
    for number in range(options.first, options.first + options.count):
        chance = random.Random(f"{options.seed}/{number}")
        text = spoil(chance.choice(bases), chance)
        began = time.process_time()
        try:
            definition, found = read(text.encode("utf-8", "surrogatepass"), "fuzz.json")
            if definition is not None:
                found = check(definition, findings=found, types=TYPES).findings
        except Exception:
            failed += 1
            print(f"mutation {options.seed}/{number} raised:\n{traceback.format_exc(limit=-4)}", flush=True)
            continue
        took = time.process_time() - began
        longest = max(longest, took)
        if took > AT_MOST_SECONDS:
            slow += 1
            print(f"mutation {options.seed}/{number} took {took:.2f} s, {len(text):,} characters", flush=True)
        silent += not found
        codes.update({item.code for item in found})
        done = number - options.first + 1
        if done == max(options.count // 10, 1):
            settled = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if done % EACH == 0:
            word = f"{done} done, {failed} tracebacks, {slow} slow, longest {longest:.2f} s"
            print(word, file=sys.stderr, flush=True)
    seconds = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{options.count} mutations of {len(bases)} definitions: {failed} tracebacks, {slow} over {AT_MOST_SECONDS} s"
    )
    print(f"{seconds:.0f} s of processor time, longest {longest:.2f} s")
    print(f"{silent} without a finding; {len(codes)} codes told")
    print(f"memory {peak // 1024} MiB at most, {settled // 1024} MiB after the first tenth")
    return 1 if failed or slow or peak - settled > AT_MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())

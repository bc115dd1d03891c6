"""Build the shipped model from the corpus once more: how long that takes, with how much memory, and whether to the same bytes.

.venv/bin/python bench/learning.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.app import SHIPPED_CORPUS, SHIPPED_MODEL

LEARN = (
    "import sys; from pathlib import Path; from pipeline.learn import ship; print(ship(Path(sys.argv[1]), Path(sys.argv[2])))"
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="winback-bench-") as folder:
        began = time.perf_counter()
        learning = subprocess.Popen(
            [sys.executable, "-c", LEARN, str(SHIPPED_CORPUS), folder],
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        _, status, used = os.wait4(learning.pid, 0)
        seconds = time.perf_counter() - began
        if status:
            sys.exit("learning failed")
        same = all(
            (Path(folder) / name).read_bytes() == (SHIPPED_MODEL / name).read_bytes() for name in ("model.json", "model.npz")
        )
    print("\n| minutes | CPU minutes | GB at most | the bytes of models/built |\n|---|---|---|---|")
    print(
        f"| {seconds / 60:.1f} | {(used.ru_utime + used.ru_stime) / 60:.1f} | {used.ru_maxrss / 2**20:.1f}"
        f" | {'the same' if same else 'others'} |"
    )


if __name__ == "__main__":
    main()

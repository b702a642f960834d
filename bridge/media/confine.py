"""Put bounds on this process, then become another program; run as a script, never imported.

    confine.py '{"memory": bytes, "seconds": of CPU, "file": bytes}' PROGRAM ARGUMENT...

With "files" among the bounds (see `bridge.media.lockdown.Files`) it also gives up all other files,
the network and other processes. The bounds outlive the change of program: what decodes strangers'
files cannot take more memory, time or disk than it was given, and is the first to go where memory
runs out. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Set the bounds and hand over. Does not return."""
    bounds = json.loads(sys.argv[1])
    for kind, bound in (
        (resource.RLIMIT_AS, bounds["memory"]),
        (resource.RLIMIT_CPU, bounds["seconds"]),
        (resource.RLIMIT_FSIZE, bounds["file"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lowest = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (lowest, lowest))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    files = bounds.get("files")
    if files is not None:
        runpy.run_path(str(Path(__file__).with_name("lockdown.py")))["lock_down"](files)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the parent names the program, whole


if __name__ == "__main__":
    main()

"""Freed memory stays: seen in the process's own accounts."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
import torch
from search.tasks.memory import keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

if sys.argv[1] == "kept":
    keep_freed_memory()
torch.ones(1 << 20)
before = resident()
torch.ones(1 << 25)  # 128 MiB, freed at once
print((resident() - before) * 4096)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("how", "stays"), [("kept", True), ("returned", False)])
@pytest.mark.slow
def test_a_large_block_stays_with_the_process(how: str, stays: bool) -> None:
    command = [sys.executable, "-c", SCRIPT, how]
    kept = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (kept > 2**26) == stays

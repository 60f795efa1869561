"""What is run in the process of a test draws nothing here either."""

import pytest

from tests.search.conftest import _nothing_drawn

__all__ = ["_nothing_drawn"]


@pytest.fixture(autouse=True)
def _one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the commands that are started: more threads would only wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

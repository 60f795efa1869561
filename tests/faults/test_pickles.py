"""The pickles of CIFAR run no code, also those that somebody put there after the check."""

import os
import pickle
from pathlib import Path

import pytest

from search.images.sets import cifar100


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made",)


def test_a_pickle_that_runs_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps(Code(), protocol=2))
    with pytest.raises(pickle.UnpicklingError, match=r"mkdir is no array"):
        cifar100(tmp_path)
    assert not Path("made").exists()

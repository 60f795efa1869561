"""A worker of a cluster: the libraries of its machine."""

import pytest

from search.executors.actor import _check_versions
from search.study.provenance import versions_of_training


def test_the_same_libraries_are_asked_for_and_not_the_same_build() -> None:
    here = versions_of_training()
    assert {"torch", "numpy"} <= here.keys()
    release = here["torch"].partition("+")[0]
    for torch in (here["torch"], release, f"{release}+cpu", f"{release}+cu132"):
        _check_versions(here | {"torch": torch})
    with pytest.raises(ValueError, match=rf"it has torch {release}.* \(the study has 2.0.0\)"):
        _check_versions(here | {"torch": "2.0.0"})
    _check_versions({"numpy": here["numpy"]})

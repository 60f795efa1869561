"""What tests of the search share."""

import gc
from collections.abc import Iterator

import pytest

from search.result import draw_summary

_PLACES = ("search.closing.draw_summary", "search.api.draw_summary")


@pytest.fixture(scope="module", autouse=True)
def _nothing_drawn() -> Iterator[None]:
    """Drawing takes seconds a run, also of those that a module's tests share.

    It is tested with analysis.
    """
    with pytest.MonkeyPatch.context() as patched:
        for place in _PLACES:
            patched.setattr(place, lambda *_, **__: 0)
        yield


@pytest.fixture(scope="module", autouse=True)
def _few_decoders() -> Iterator[None]:
    """A handful of images is decoded by this process; a child for each core takes longer.

    Several are tested in images/test_cache.py and test_decoding.py.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("search.images.preparing.usable_cores", lambda: 1)
        yield


@pytest.fixture(autouse=True)
def _drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark `drawn` is for tests that want what is drawn."""
    if "drawn" in request.keywords:
        for place in _PLACES:
            monkeypatch.setattr(place, draw_summary)


@pytest.fixture(scope="module", autouse=True)
def _left_alone() -> Iterator[None]:
    """What is there before a module is not looked through for garbage while its tests run.

    Millions of objects of torch and others would be, whenever a network is timed.
    """
    gc.freeze()
    yield
    gc.unfreeze()

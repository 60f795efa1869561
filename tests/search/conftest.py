"""What tests of the search share."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes seconds a run, and is tested with analysis; `drawn` marks who needs it."""
    if "drawn" not in request.keywords:
        monkeypatch.setattr("search.closing.draw_summary", lambda *_, **__: 0)
        monkeypatch.setattr("search.api.draw_summary", lambda *_, **__: 0)

"""Nothing is drawn here either."""

from tests.search.conftest import _nothing_drawn

__all__ = ["_nothing_drawn"]

"""What is run in the process of a test draws nothing here either."""

from tests.search.conftest import _nothing_drawn

__all__ = ["_nothing_drawn"]

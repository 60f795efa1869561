"""The candidates that samplers are tried on, with one BLAS thread as analysis has."""

import pytest

from search.space.survey import Survey, survey
from tests.analysis.conftest import one_blas_thread
from tests.search.spaces import PAPER, plan_of

__all__ = ["one_blas_thread"]


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """325 candidates in the paper's band of multiply-adds."""
    return survey(plan_of(tmp_path_factory.mktemp("space"), PAPER))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """The candidates of a tiny space."""
    return survey(plan_of(tmp_path_factory.mktemp("space")))

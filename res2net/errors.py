"""Define what is raised for bad input. No torch here."""


class ArchitectureError(ValueError):
    """Raised where a description names no network; says value, rule and remedy."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class WeightsError(ValueError):
    """Raised where weights cannot be had or do not fit; says where, what and the remedy."""

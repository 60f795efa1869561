"""Define the errors raised for bad input. No torch here."""


class ArchitectureError(ValueError):
    """Raised where a description is not a valid network; states value, rule and remedy."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class WeightsError(ValueError):
    """Raised where weights cannot be read or do not fit; states where, what and the remedy."""

"""What is raised for bad input. No torch here."""


class ArchitectureError(ValueError):
    """A description that names no network; the message says value, rule and remedy."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit; the message says where, what and the remedy."""

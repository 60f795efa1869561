"""What is raised when something names no network. No torch here."""


class ArchitectureError(ValueError):
    """A description that names no network; the message says value, rule and remedy."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

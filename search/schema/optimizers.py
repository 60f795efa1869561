"""The table of optimisers. No torch here."""

from typing import Any, NamedTuple

from res2net.plugins import PluginError
from search.schema.parts import NoOptions, Table
from search.schema.section import Section


class OptimizerFacts(NamedTuple):
    """Facts about an optimiser.

    Its maker takes groups of parameters, each with its `weight_decay`, the training section,
    and `optimizer_options` by keyword, and returns a torch Optimizer. `keys` are the keys of
    the training section that it reads besides `lr` and `weight_decay`. `elementwise` says that
    each number's update depends on its own gradient alone, so that tensors may be concatenated.
    """

    maker: str
    keys: tuple[str, ...]
    summary: str
    state: int = 2  # numbers that it stores per weight, at most
    elementwise: bool = False
    options: type[Section] | None = NoOptions


def _foreign(name: str, value: Any) -> OptimizerFacts:
    if not callable(value):
        raise PluginError(
            f"{name}: is not an optimiser; write a function (groups, training, **options) "
            "that returns a torch Optimizer"
        )
    summary = (value.__doc__ or "").strip().partition("\n")[0]
    return OptimizerFacts(name, (), summary, options=None)


OPTIMIZERS = Table(
    "optimizer",
    {
        "sgd": OptimizerFacts(
            "search.engine.optimizer:sgd",
            ("momentum", "nesterov"),
            "stochastic gradient descent with momentum",
            state=1,
            elementwise=True,
        ),
        "adamw": OptimizerFacts(
            "search.engine.optimizer:adamw",
            ("betas",),
            "Adam with decoupled weight decay",
            elementwise=True,
        ),
    },
    _foreign,
)

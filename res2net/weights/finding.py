"""Find the weights in a checkpoint, whatever a training program stored around them.

A checkpoint may be the weights itself, or contain them at any depth: `{"net": weights, "epoch":
3}`, a list, a larger model whose keys begin with a prefix. Every mapping that holds tensors by
name is a candidate; the one that fits the network is chosen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

Tensors = dict[str, Tensor]

# Keys under which programs store the weights intended for use, most likely first; "network" is
# ours. Among several that fit, such as weights and their average, the first is taken.
_MEANT = ("state_dict", "state_dict_ema", "model_state", "model", "network")
# Entries beside the weights that are not weights: thop leaves the first two, torch's
# AveragedModel the third, torch's quantisation observers the fourth.
_BOOKKEEPING = ("total_ops", "total_params", "n_averaged", "activation_post_process")
_DEEPEST = 8  # nested mappings


class Candidate(NamedTuple):
    """Hold tensors by name that may be the weights.

    `path` is where they were found, `tensors` holds them by key, `others` names the other
    entries beside them.
    """

    path: tuple[str, ...]
    tensors: Tensors
    others: tuple[str, ...]

    @property
    def label(self) -> str:
        """Where they were found, for messages; empty for the checkpoint itself."""
        return ".".join(self.path)

    @property
    def meant(self) -> int:
        """Rank of how clearly the enclosing names mark these as the weights; 0 is clearest."""
        ranks = [_MEANT.index(name) if name in _MEANT else len(_MEANT) for name in self.path]
        return max(ranks, default=0)


def candidates(checkpoint: object) -> list[Candidate]:
    """List every mapping of a checkpoint that holds tensors by name, clearest name first."""
    found = list(_walk(checkpoint, (), ()))
    return sorted(found, key=lambda candidate: candidate.meant)


def within(candidate: Candidate, key: str) -> Iterator[Candidate]:
    """Split a candidate whose keys begin with a prefix chosen by its program.

    Args:
        candidate: weights of a larger model, such as one with an encoder and a loss.
        key: a key of the network; whatever precedes it in a key of the candidate is a prefix.

    Yields:
        For each prefix, the tensors whose keys have it, with the prefix removed; nothing where
        the key also occurs without a prefix.
    """
    if key in candidate.tensors:
        return
    prefixes = [k.removesuffix(key) for k in candidate.tensors if k.endswith(f".{key}")]
    for prefix in dict.fromkeys(prefixes):
        inside = {k: t for k, t in candidate.tensors.items() if k.startswith(prefix)}
        outside = [k for k in candidate.tensors if k not in inside]
        tensors = {k.removeprefix(prefix): tensor for k, tensor in inside.items()}
        path = (*candidate.path, prefix.rstrip("."))
        yield Candidate(path, tensors, (*candidate.others, *outside))


def is_bookkeeping(key: str) -> bool:
    """Tell whether a key belongs to a number that programs leave beside the weights."""
    return not set(key.split(".")).isdisjoint(_BOOKKEEPING)


def _is_counter(key: str, tensor: Tensor) -> bool:
    """Tell whether a tensor is a number about the whole checkpoint, such as its epoch."""
    return "." not in key and tensor.ndim == 0 and key not in _BOOKKEEPING


def _walk(
    value: object, path: tuple[str, ...], around: tuple[object, ...]
) -> Iterator[Candidate]:
    if len(around) > _DEEPEST or any(value is each for each in around):
        return
    around = (*around, value)
    if isinstance(value, Mapping):
        tensors = {
            key: item
            for key, item in value.items()
            if isinstance(key, str) and isinstance(item, Tensor) and not _is_counter(key, item)
        }
        inside = {k: v for k, v in value.items() if isinstance(v, Mapping | Sequence)}
        if tensors:
            others = tuple(str(key) for key in value if key not in tensors)
            yield Candidate(path, tensors, others)
        for key, item in inside.items():
            yield from _walk(item, (*path, str(key)), around)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, str(index)), around)

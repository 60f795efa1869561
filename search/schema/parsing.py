"""Parses YAML 1.2 into values that remember their lines, or says in one line what is wrong.

`1e-3` is a number, `no` is a word, and a repeated key is an error.
"""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarbool import ScalarBoolean

MOST_VALUES = 1_000_000  # more than any space needs; aliases of aliases soon give billions
# Digits of whole numbers that are less than the largest float.
_DIGITS, _HEX_DIGITS = 300, 250
_SHOWN = 40  # letters of a value in a message
_IN_A_VALUE = (ValueError, KeyError, IndexError, OverflowError, AssertionError)
_STANDARD = "tag:yaml.org,2002:"
_TAGS = {"bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp"}


class UnreadableError(ValueError):
    """Text that is not YAML as a space file may have it.

    Attributes:
        line: where, counted from 1; None where it is the whole text.
        problem: what is wrong, with the remedy.
    """

    def __init__(self, line: int | None, problem: str) -> None:
        super().__init__(problem)
        self.line, self.problem = line, problem

    def at(self, place: str) -> str:
        """The problem with its place, such as `space.yaml:3: is not YAML`."""
        return f"{place}{'' if self.line is None else f':{self.line}'}: {self.problem}"


def parse(text: str) -> Any:
    """Parse a YAML text.

    Args:
        text: one document.

    Returns:
        Mappings and lists that know the lines of what they hold (ruamel's), and scalars.

    Raises:
        UnreadableError: it is not YAML 1.2, repeats a key, has a tag of its own, a value that
            is not what it looks like (the 13th month), or more values than a space needs.
    """
    yaml, node = YAML(typ="rt", pure=True), None
    try:
        node = yaml.compose(text)
        if node is None:
            return None
        _check(yaml, node)
        return yaml.constructor.construct_document(node)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError(None, "is nested too deeply; remove brackets") from error
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "([^"]*)"', error.problem or "")
        raise UnreadableError(
            error.problem_mark.line + 1,
            f"{key[1] if key else 'a key'}: occurs twice in one mapping; keep one of them",
        ) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UnreadableError(
            mark.line + 1 if mark else 1,
            f"is not YAML ({problem}); check indentation, colons and brackets",
        ) from error
    except _IN_A_VALUE as error:
        raise _of_a_value(node, error) from error


def plain(node: Any) -> Any:
    """What YAML gave as dicts, tuples and scalars, as a frozen schema takes it."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return tuple(plain(value) for value in node)
    if isinstance(node, TaggedScalar):  # !!str
        return str(node.value)
    if isinstance(node, ScalarBoolean):  # one with an anchor, which is an int
        return bool(node)
    for kind in (bool, int, float, str):  # ruamel's scalars are subclasses with a memory
        if isinstance(node, kind):
            return kind(node)
    return node


def _check(yaml: YAML, node: Node) -> None:
    """Refuse what YAML has and a space file does not: other versions, tags, endless aliases."""
    version = yaml.resolver.processing_version
    if version != (1, 2):
        raise UnreadableError(
            1,
            f"is YAML {'.'.join(map(str, version))}, in which 010 is 8 and no is false; remove "
            "the line that begins with %YAML",
        )
    for one in _inside(node, set()):
        problem = _meaningless(one)
        if problem:
            raise UnreadableError(one.start_mark.line + 1, problem)
    if _values(node, {}) > MOST_VALUES:
        raise UnreadableError(
            None,
            f"holds more than {MOST_VALUES:,} values once its aliases (*name) are written out; "
            "use fewer of them inside each other",
        )


def _meaningless(node: Node) -> str:
    """Why a node says nothing in a space file; empty if it does."""
    kind = str(node.tag).removeprefix(_STANDARD)
    if kind not in _TAGS:
        shown = f"!!{kind}" if str(node.tag) != kind else kind
        return f"{shown}: is a tag without a meaning here; remove it"
    digits = len(node.value) if kind == "int" else 0
    if digits > (_HEX_DIGITS if node.value[:2] == "0x" else _DIGITS):
        return (
            f"{node.value[:_SHOWN]}... is a number of {digits} digits, too large to compute "
            "with; write a smaller one"
        )
    return ""


def _parts(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [one for pair in node.value for one in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _inside(node: Node, met: set[int]) -> Iterator[Node]:
    """A node and all nodes in it, each once, whatever aliases there are."""
    if id(node) not in met:
        met.add(id(node))
        yield node
        for part in _parts(node):
            yield from _inside(part, met)


def _values(node: Node, counted: dict[int, int]) -> int:
    """How many values a node holds with all of its aliases written out."""
    if id(node) not in counted:
        counted[id(node)] = 1  # an alias of what it stands in is read as nothing
        counted[id(node)] = 1 + sum(_values(part, counted) for part in _parts(node))
    return counted[id(node)]


def _of_a_value(node: Node | None, error: Exception) -> UnreadableError:
    """The first value that cannot be what its notation or its tag says, with its line."""
    if node is None:  # it ended before there was any value, such as at a letter that is none
        return UnreadableError(
            1, f"is not YAML ({error or 'of an unknown version'}); correct it"
        )
    constructor = YAML(typ="safe", pure=True).constructor  # the other one stopped half-way
    for one in _inside(node, set()):
        if isinstance(one, ScalarNode):
            try:
                constructor.construct_object(one)
            except _IN_A_VALUE as why:
                kind = str(one.tag).removeprefix(_STANDARD)
                shown = one.value if len(one.value) <= _SHOWN else f"{one.value[:_SHOWN]}..."
                said = f" ({str(why).partition(';')[0]})" * isinstance(why, ValueError)
                return UnreadableError(
                    one.start_mark.line + 1,
                    f"{shown} cannot be read as {kind}{said}; correct it, or put it in quotes",
                )
    return UnreadableError(None, f"holds a value that cannot be read ({error}); correct it")

"""Look up the blocks that a network can be made of: built-in by name, others by import.

Each built-in block has its own folder; `res2net.blocks.base` defines what a block provides. No
torch here.
"""

import hashlib
import re
from collections.abc import Mapping

from res2net.blocks import depthwise, res2net
from res2net.blocks.base import Block
from res2net.errors import ArchitectureError
from res2net.file_names import bytes_of
from res2net.plugins import PluginError, import_attribute, split_plugin

DEFAULT_BLOCK = "res2net"
BLOCKS: Mapping[str, Block] = {"res2net": res2net, "depthwise": depthwise}

_FUNCTIONS = ("make_module", "count_layers", "count_paths")  # required by the protocol `Block`
_TOKEN_LETTERS = 24  # kept of a user-defined block's attribute, so that names stay short


def block_of(name: str) -> Block:
    """Look up a block by name, or import a user-defined one.

    Args:
        name: a key of BLOCKS, `package.module:attribute` or `path/to/file.py:attribute`.

    Raises:
        ArchitectureError: there is no such block, or it lacks a function of the protocol.
    """
    check_block_name(name)
    if name in BLOCKS:
        return BLOCKS[name]
    try:
        block = import_attribute(name)
    except PluginError as error:
        raise ArchitectureError("block", str(error)) from error
    lacking = [f for f in _FUNCTIONS if not callable(getattr(block, f, None))]
    if isinstance(block, type) or lacking:
        problem = "is a class" if isinstance(block, type) else f"lacks {', '.join(lacking)}"
        remedy = f"name an object that has {', '.join(_FUNCTIONS)}"
        raise ArchitectureError(
            "block", f"{name!r} {problem}; {remedy}, as res2net.blocks.base.Block says"
        )
    found: Block = block
    return found


def check_block_name(name: object) -> None:
    """Check the form of a block's name without importing anything.

    Raises:
        ArchitectureError: the name is neither built-in nor `module:attribute`; the message
            lists the built-in blocks.
    """
    if isinstance(name, str) and (name in BLOCKS or split_plugin(name)):
        return
    known = ", ".join(BLOCKS)
    raise ArchitectureError(
        "block",
        f"{name!r} is not known; write one of: {known}, or one of your own as "
        "package.module:attribute or path/to/file.py:attribute",
    )


def block_token(name: str) -> str:
    """Write a block as in names of networks.

    A built-in block is written by its name. The text of a user-defined block contains slashes
    and colons, so the network's name holds its attribute and a digest of the text, by which the
    same text can be recognised.
    """
    if name in BLOCKS:
        return name
    return f"block-{plugin_token(name)}"


def plugin_token(text: str) -> str:
    """Write the text of a user-defined part so that it is safe in file names."""
    attribute = re.sub(r"\W", "", text.rpartition(":")[2])[:_TOKEN_LETTERS]
    return f"{attribute}-{hashlib.sha256(bytes_of(text)).hexdigest()[:8]}"

"""Read the names people use for these networks into an `Architecture`. No torch here.

`Res2Net-50-26w-4s`, `res2net50_26w_4s`, `Res2NeXt-29, 6c x 24w x 4s-SE`, `ResNeXt-50 32x4d`,
`Res2Net-v1b-101`, `Res2Net-DLA-60`, `dla60_res2next`, `dla60x`, `bLRes2Net-50`, `29d-6c-4s`
(Fig. 5), and every `Architecture.name`.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from res2net.architecture import Architecture, implied_skeleton
from res2net.blocks import BLOCKS, DEFAULT_BLOCK, block_token
from res2net.errors import ArchitectureError
from res2net.skeletons import RESNET_BLOCKS, SKELETONS

_FAMILY = re.compile(
    r"(?P<se>se)?[\s_-]*(?:(?P<bl>bl)[\s_-]*)?(?P<family>res2next|res2net|resnext|resnet)(?P<rest>.*)"
)
# The order of words that timm and the paper use: dla60_res2net, dla60x, DLA-X-60, SE-DLA-60.
_DLA = re.compile(
    r"(?P<se>se[\s_-]*)?dla[\s_-]*(?P<x>x[\s_-]*)?(?P<depth>\d+)(?P<x_too>x)?"
    r"(?:[\s_-]*(?P<family>res2next|res2net|resnext|resnet))?(?P<rest>(?![\d.x]).*)"
)
_FIG5 = re.compile(
    r"(?P<depth>\d+)d(?:[\s_-]*(?P<c>\d+)c)?(?:[\s_-]*(?P<w>\d+)w)?(?:[\s_-]*(?P<s>\d+)s)?"
)
_HUB = re.compile(r"^timm/|\.[a-z]\w*$")  # timm's hub prefix, and its tag for the training data
_BASIC = (18, 34)  # depths of ResNets without bottlenecks
_LONGEST = 200  # letters, so that files can be named after a network
_UNITS = {
    "c": "cardinality",
    "w": "width",
    "s": "scale",
    "p": "planes",
    "classes": "classes",
    "channels": "channels",
    "channel": "channels",
}
_WORDS: dict[str, dict[str, Any]] = {
    "se": {"se": True},
    "v1b": {"version": "v1b"},
    # mmdetection's and Paddle's names for the authors' v1b; timm's 50d means the same.
    "v1d": {"version": "v1b"},
    "vd": {"version": "v1b"},
    "pool": {"first_block": "pool"},
    "all": {"first_block": "all"},
    **{name: {"skeleton": name} for name in SKELETONS},
    **{name: {"block": name} for name in BLOCKS if name != DEFAULT_BLOCK},
}
_TOKEN = re.compile(
    r"(?P<groups>\d+)x(?P<of>\d+)d(?![a-z])"  # ResNeXt's 32x4d
    r"|(?P<number>\d+(?:\.\d+)*)(?P<unit>classes|channels?|[cwspd](?![a-wyz]))?"
    r"|block-\w*-(?P<foreign>[0-9a-f]{8})(?![a-z\d])"  # `res2net.blocks.block_token`
    rf"|(?P<word>{'|'.join(_WORDS)})(?![a-z])"
    r"|(?P<gap>[\s,_-]+|x(?=[\s,_-]*\d))"  # 6c x 24w; not ResNet-50x
)
_FIG5_WIDTH = 24  # not stated in the paper; makes 4s and 6s the networks of Table 4

# Dimensions of a bare name: those of the row with that name in the paper's tables. "biglittle"
# uses the same as "imagenet".
_UNSAID: dict[tuple[str, str], dict[str, int]] = {
    ("resnet", "imagenet"): {"width": 64},
    ("resnet", "cifar"): {"width": 64},
    ("resnext", "imagenet"): {"width": 4, "cardinality": 32},
    ("resnext", "cifar"): {"width": 64, "cardinality": 8},
    ("res2net", "imagenet"): {"width": 26, "scale": 4},
    ("res2net", "cifar"): {"width": 26, "scale": 4},
    ("res2next", "imagenet"): {"width": 4, "scale": 4, "cardinality": 8},
    ("res2next", "cifar"): {"width": 24, "scale": 4, "cardinality": 6},
    ("res2net", "dla"): {"width": 28, "scale": 4},
}
_ALIASES = {
    "res2net50l": "res2net50_18w4s",  # the paper's light one
    "res2net50299": "res2net50_26w4s",  # the same network at 299 px
    "senet50": "seresnet50",  # its name in the paper's Table 1
}
_EXAMPLES = (
    "ResNet-50",
    "ResNeXt-50-32x4d",
    "ResNeXt-29-8c64w",
    "Res2Net-50",
    "Res2Net-50-26w-4s",
    "Res2Net-101-26w-4s",
    "Res2Net-v1b-50",
    "Res2Net-v1b-101",
    "Res2NeXt-50",
    "Res2NeXt-29-6c24w4s",
    "Res2NeXt-29-6c24w4s-SE",
    "Res2Net-DLA-60",
    "Res2NeXt-DLA-60",
    "DLA-60",
    "bLResNet-50",
    "bLRes2Net-50",
    "29d-6c-4s",
)


def parse(text: str, *, block: str | None = None) -> Architecture:
    """Parse a name as written by the paper, its code, timm or this project.

    Args:
        text: any of the spellings in this module's docstring; case and separators are free.
        block: replaces the block in the name. Required where the name contains a token such as
            `block-MINE-0a1b2c3d`, which identifies a user-defined block by a digest of its
            text.

    Returns:
        The Architecture; dimensions missing in the name are those of its row in the paper's
        tables.

    Raises:
        ArchitectureError: the name is not understood; the message lists the nearest known ones.
            Or the name contains a user-defined block, and `block` is not that one.
    """
    network, foreign = _parsed(text)
    if foreign and (block is None or not block_token(block).endswith(f"-{foreign}")):
        given = "no block is given" if block is None else f"{block!r} is another"
        raise ArchitectureError(
            "block",
            f"{text!r} was made with a user-defined block, and {given}; give the same block= "
            "again: package.module:attribute or path/to/file.py:attribute",
        )
    return replace(network, block=block) if block is not None else network


def described(
    architecture: Architecture | str, block: str | None, channels: int | None = None
) -> Architecture:
    """Resolve a description or a name, replacing block and number of channels where given."""
    if isinstance(architecture, str):
        network = parse(architecture, block=block)
    else:
        network = architecture if block is None else replace(architecture, block=block)
    return network if channels is None else replace(network, channels=channels)


def _parsed(text: str) -> tuple[Architecture, str | None]:
    """Parse a name into a network and the digest of a user-defined block, if it has one."""
    if len(text) > _LONGEST:
        raise ArchitectureError(
            "name", f"has {len(text)} characters; no network has such a name"
        )
    plain = text.strip().lower().replace("\N{MULTIPLICATION SIGN}", "x")
    plain = _HUB.sub("", plain)
    plain = _ALIASES.get(re.sub(r"[\s_-]", "", plain), plain)
    fig5 = _FIG5.fullmatch(plain)
    if fig5:
        network = Architecture(
            depth=int(fig5["depth"]),
            width=int(fig5["w"] or _FIG5_WIDTH),
            cardinality=int(fig5["c"] or 1),
            scale=int(fig5["s"] or 1),
        )
        return network, None
    named = _FAMILY.fullmatch(_family_first(plain))
    if not named:
        raise _unknown(text, "is not the name of a ResNet, ResNeXt, Res2Net or Res2NeXt")
    said: dict[str, Any] = {"se": True} if named["se"] else {}
    if named["bl"]:
        said["skeleton"] = "biglittle"
    _take_in(text, named["rest"], said)
    foreign: str | None = said.pop("foreign", None)
    return _read(text, named["family"], said), foreign


def hub_name(text: str) -> str:
    """Say which of timm's weights a name means: timm/resnet50.tv_in1k, or timm untagged."""
    plain = text.strip().lower().removeprefix("timm/")
    return f"timm/{plain}" if _HUB.search(plain) else "timm"


def published_side(text: str) -> int | None:
    """Give the image side that a name implies, in pixels: 299 for Res2Net-50-299."""
    return 299 if re.sub(r"[\s_-]", "", text.lower()) == "res2net50299" else None


def _family_first(plain: str) -> str:
    """Rewrite `dla60_res2net` and `dla60x` as `res2net_dla60` and `resnext_dla60`."""
    named = _DLA.fullmatch(plain)
    if not named:
        return plain
    with_x = named["x"] or named["x_too"]
    family = named["family"] or ("resnext" if with_x else "resnet")
    # An x means cardinality above 1; after a family without it, the x is kept, and refused
    # later.
    said_twice = "x" if with_x and not family.endswith("next") else ""
    return f"{named['se'] or ''}{family}_dla{named['depth']}{said_twice}{named['rest']}"


def _read(text: str, family: str, said: dict[str, Any]) -> Architecture:
    if "depth" not in said:
        raise _unknown(text, "gives no depth")
    guessed = "skeleton" not in said
    said.setdefault("skeleton", implied_skeleton(said["depth"]))
    if said["depth"] in _BASIC:
        raise _unknown(text, "is made of basic blocks, but the networks here of bottlenecks")
    said |= _unsaid(family, said)
    if "width" not in said:
        raise _unknown(text, "gives scale or cardinality but no width (such as 26w)")
    try:
        made = Architecture(**said)
    except ArchitectureError as error:
        if not guessed or error.field != "depth":
            raise
        known = ", ".join(map(str, SKELETONS["imagenet"].depths or ()))
        problem = f"{error.problem}; skeleton 'imagenet' has {known}"
        raise ArchitectureError(error.field, problem) from error
    if made.family != family:
        raise _unknown(text, f"says {family}, but its dimensions make it {made.name}")
    return made


def _unsaid(family: str, said: dict[str, Any]) -> dict[str, Any]:
    """Give what the name of a family implies: usual dimensions, and the blocks of a depth."""
    usual: dict[str, Any] = {}
    if not said.keys() & {"width", "scale", "cardinality"}:
        of_imagenet = _UNSAID[family, "imagenet"]
        usual |= _UNSAID.get((family, said["skeleton"]), of_imagenet)
    depth = said["depth"]
    if family in ("resnet", "resnext") and said["skeleton"] == "imagenet":
        usual["depth"] = RESNET_BLOCKS.get(depth, depth)
    return usual


def _take_in(text: str, rest: str, said: dict[str, Any]) -> None:
    """Add what the tokens in the rest of a name say to `said`."""
    for token in _tokens(text, rest):
        for field, value in _meaning(token).items():
            if said.get(field, value) != value:
                raise _unknown(text, f"gives {field} twice ({said[field]} and {value})")
            said[field] = value


def _tokens(text: str, rest: str) -> Iterable[re.Match[str]]:
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if not token:
            raise _unknown(text, f"is not understood from {rest[at:]!r} on")
        yield token
        at = token.end()


def _meaning(token: re.Match[str]) -> dict[str, Any]:
    """Give the fields of an Architecture that one token of a name sets."""
    if token["groups"]:
        return {"cardinality": int(token["groups"]), "width": int(token["of"])}
    if token["foreign"]:
        return {"foreign": token["foreign"]}
    if token["word"]:
        return _WORDS[token["word"]]
    if not token["number"]:
        return {}
    numbers = tuple(map(int, token["number"].split(".")))
    number = numbers[0] if len(numbers) == 1 else numbers
    if token["unit"] in _UNITS:
        return {_UNITS[token["unit"]]: number}
    return {"depth": number} | (_WORDS["v1b"] if token["unit"] == "d" else {})


def _unknown(text: str, problem: str) -> ArchitectureError:
    near = difflib.get_close_matches(text, _EXAMPLES, n=3, cutoff=0.4) or _EXAMPLES[3:6]
    return ArchitectureError("name", f"{text!r} {problem}; names like: {', '.join(near)}")

"""Rename the tensors of checkpoints from other code to our keys. No torch here.

Our keys are the names of the authors' code, which timm and torchvision share. Big-Little's
authors and OpenMMLab (mmdetection, mmpretrain) have their own.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple

from res2net.architecture import Architecture
from res2net.names import parse

Renaming = dict[str, str]  # checkpoint key: our key; parts outside the network are absent

# timm's names of the networks that match ours key for key and for which it has weights.
TIMM = (
    "res2net50_26w_4s", "res2net50_48w_2s", "res2net50_14w_8s", "res2net50_26w_6s",
    "res2net50_26w_8s", "res2net101_26w_4s", "res2next50", "res2net50d", "res2net101d",
    "dla60_res2net", "dla60_res2next", "dla60", "dla60x",
    "resnet26", "resnet26d", "resnet50", "resnet50d", "resnet101", "resnet101d", "resnet152",
    "resnet152d", "resnext50_32x4d", "resnext50d_32x4d", "resnext101_32x4d",
    "resnext101_32x8d", "resnext101_64x4d", "seresnet50", "seresnet152d",
    "seresnext50_32x4d", "seresnext101_32x4d", "seresnext101_32x8d",
)  # fmt: skip

_MM_PREFIX = "backbone."
# The three 3x3 of the deep stem: single layers in mmdetection, pairs in mmpretrain.
_MM_MODULES = {
    "head.fc": "fc",
    **{f"stem.{layer}": f"conv1.{layer}" for layer in (0, 1, 3, 4, 6)},
    "stem.7": "bn1",
    "stem.0.conv": "conv1.0",
    "stem.0.bn": "conv1.1",
    "stem.1.conv": "conv1.3",
    "stem.1.bn": "conv1.4",
    "stem.2.conv": "conv1.6",
    "stem.2.bn": "bn1",
}
_IBM_STEM = re.compile(r"(conv1|bn1|b_conv0|bn_b0|l_conv[012]|bn_l[012]|bl_init|bn_bl_init)\.")
_NEVER_USED = re.compile(
    r"level(3|4|4\.tree1)\.project\."
    r"(0\.weight|1\.(weight|bias|running_mean|running_var|num_batches_tracked))"
)


def timm_name(architecture: Architecture) -> str | None:
    """Find a network's name in `TIMM`, ignoring classes and channels; None without one."""
    published = replace(architecture, classes=architecture.facts.classes, channels=3)
    return next((name for name in TIMM if parse(name) == published), None)


def renamed(keys: Collection[str], own: Collection[str]) -> Renaming:
    """Detect which naming the keys of a checkpoint follow, and rename them to ours.

    Args:
        keys: keys of all tensors of the checkpoint; at least one.
        own: keys of the network. A prefix shared by all keys of the checkpoint that begins none
            of these is removed, because DataParallel and many training programs add one.

    Returns:
        Our key for each key; keys of parts outside the network (a detector's neck and heads)
        are absent.
    """
    bare = _bare(keys, {key.partition(".")[0] for key in own})
    names = bare.values()
    naming = next(n for n in NAMINGS if any(map(n.told_by.match, names)))
    ours = naming.rename(names)
    return {key: ours[name] for key, name in bare.items() if name in ours}


def is_never_used(key: str) -> bool:
    """Tell whether `key` belongs to a projection that the authors' DLA-60 never uses."""
    return _NEVER_USED.fullmatch(key) is not None


def _bare(keys: Collection[str], own: Collection[str]) -> Renaming:
    bare = {key: key for key in keys}
    while prefix := _prefix_of(bare.values(), own):
        bare = {key: name.removeprefix(prefix) for key, name in bare.items()}
    return bare


def _prefix_of(names: Collection[str], own: Collection[str]) -> str | None:
    """Find the first part shared by every name, provided that no key of the network has it."""
    firsts = {name.partition(".")[0] for name in names}
    alike = len(firsts) == 1 and all("." in name for name in names) and not firsts & {*own}
    return f"{firsts.pop()}." if alike else None


def _as_ours(keys: Collection[str]) -> Renaming:
    return {key: key for key in keys}


def _of_mm(keys: Collection[str]) -> Renaming:
    """Rename OpenMMLab's keys: a prefix, a different stem and a different classifier.

    The weights are the same, but mmdetection's network computes something different: its
    Res2Net passes the last split of `layer1.0` on unchanged, where the authors' code, timm,
    mmpretrain and ours average it over 3x3. Its published backbones are the authors' weights
    and need the average; a detector trained there has learned without it, so its features come
    out slightly different here.
    """
    prefixed = any(key.startswith(_MM_PREFIX) for key in keys)
    ours: Renaming = {}
    for key in keys:
        if prefixed and not key.startswith((_MM_PREFIX, "head.fc.")):
            continue  # a detector's neck, heads and the like
        module, dot, member = key.removeprefix(_MM_PREFIX).rpartition(".")
        ours[key] = _MM_MODULES.get(module, module) + dot + member
    return _with_pooled_shortcut(ours)


def _with_pooled_shortcut(ours: Renaming) -> Renaming:
    """Renumber the one shortcut of mmpretrain's ResNet-D that has no pooling layer."""
    shortcut = "layer1.0.downsample."
    names = ours.values()
    if "conv1.0.weight" not in names or f"{shortcut}2.weight" in names:
        return ours
    moved = {f"{shortcut}0.": f"{shortcut}1.", f"{shortcut}1.": f"{shortcut}2."}
    length = len(shortcut) + 2
    return {key: moved.get(name[:length], name[:length]) + name[length:]
            for key, name in ours.items()}  # fmt: skip


def _of_ibm(keys: Collection[str]) -> Renaming:
    """Rename Big-Little's keys: in our code, but not in theirs, the stem is a module."""
    return {key: f"stem.{key}" if _IBM_STEM.match(key) else key for key in keys}


class Naming(NamedTuple):
    """Describe one way to name the tensors of these networks."""

    told_by: re.Pattern[str]  # matches the start of some key; the first match counts
    rename: Callable[[Collection[str]], Renaming]


NAMINGS = (
    Naming(re.compile(r"backbone\.|head\.fc\.|stem\.\d"), _of_mm),
    Naming(re.compile(r"b_conv0\."), _of_ibm),
    Naming(re.compile(""), _as_ours),  # also the authors' and timm's
)

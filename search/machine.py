"""Checks that this machine has what a study needs."""

import importlib.util
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from res2net.cores import usable_cores
from search.preparation import Prepared, Space
from search.schema.trackers import TRACKERS
from search.schema.yaml import ConfigError
from search.study.checkpoints import check_place
from search.study.compilers import compiler_for
from search.study.processor import is_same_kind, lacks_bf16, processor, processor_kind
from search.study.provenance import was_on_cluster


def require_resources(space: Space) -> None:
    """Make sure that this machine has the resources that a trial needs.

    Raises:
        ConfigError: it does not have them.
    """
    there: dict[str, float] = {"cpu": usable_cores()}
    if space.file.resources.gpu:
        import torch  # noqa: PLC0415 - takes seconds, which a CPU study need not wait

        there["gpu"] = torch.cuda.device_count()
    lacking = next(_lacking(space, there), None)
    if lacking:
        raise ConfigError(lacking)
    if space.file.resources.gpu and (why := unusable_gpu()):
        place = space.document.place(("resources", "gpu"))
        raise ConfigError(f"{place}: resources.gpu: torch cannot use the GPU: {why}")


def notes(prepared: Prepared, *, begun: bool) -> Iterator[str]:
    """What a trial needs and this machine lacks, for a plan, which runs nothing. No torch."""
    space = prepared.space
    there: dict[str, float] = {"cpu": usable_cores()}
    if space.file.resources.gpu:
        there["gpu"] = _gpus()
    slow = slow_arithmetic(prepared, begun=begun)
    for lacking in (*_lacking(space, there), *_without_package(space), *filter(None, [slow])):
        yield f"note: {lacking}"


def _gpus() -> int:
    """The number of NVIDIA GPUs that the driver counts and CUDA_VISIBLE_DEVICES leaves."""
    import pynvml  # noqa: PLC0415 - few plans need it

    try:
        pynvml.nvmlInit()
        count = int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0
    return count if (left := _visible()) is None else min(count, left)


def _visible() -> int | None:
    """How many GPUs CUDA_VISIBLE_DEVICES leaves; None if it is not set. CUDA stops at a -1."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return None
    names = map(str.strip, listed.split(","))
    return len({*itertools.takewhile(lambda name: name and name[0] != "-", names)})


def unusable_gpu() -> str:
    """Why torch cannot use the GPU of this machine, in one line; empty if it can.

    The driver counts a GPU also where it is too old for torch's CUDA, and torch is built for
    some kinds of GPU only. Nothing is put on the GPU: its memory is the trials'.
    """
    import torch  # noqa: PLC0415 - as above

    try:
        torch.cuda.current_device()  # initialises CUDA
        name, kind = torch.cuda.get_device_name(), torch.cuda.get_device_capability()
    except (RuntimeError, AssertionError) as error:
        return f"{str(error).strip().splitlines()[0]} (torch {torch.__version__})"
    built = torch.cuda.get_arch_list()
    if has_kernels(kind, built):
        return ""
    return (
        f"{name} has compute capability {kind[0]}.{kind[1]}, but torch {torch.__version__} is "
        f"built for {', '.join(built)}; install a build of torch for it, or write gpu: 0"
    )


def has_kernels(kind: tuple[int, int], built: Sequence[str]) -> bool:
    """Whether code built for these architectures runs on a GPU.

    Args:
        kind: its compute capability, such as (9, 0).
        built: architectures as torch names them: `sm_90` runs on its own major version from its
            minor version on, `compute_90`, which is compiled when it is loaded, on all later.
    """
    known = [name.split("_") for name in built if re.fullmatch(r"(sm|compute)_\d+", name)]
    for form, number in known:
        major, minor = divmod(int(number), 10)
        later = kind >= (major, minor)
        if later and (form == "compute" or kind[0] == major):
            return True
    return not known  # names of another maker say nothing here


def _lacking(space: Space, there: dict[str, float]) -> Iterator[str]:
    """Each resource that is asked for but missing, with its place in the file and a remedy."""
    resources, document = space.file.resources, space.document
    for kind, most in there.items():
        asked = getattr(resources, kind)
        place = f"{document.place(('resources', kind))}: resources.{kind}"
        if asked == "auto" and not most:
            yield (
                f"{place}: auto measures on a GPU, but this machine has none; write gpu: 0 "
                "for CPUs, or a share such as 0.5 and the --address of a Ray cluster"
            )
        if asked != "auto" and asked > most:
            yield (
                f"{place}: a trial asks for {asked:g}, but {_limit(kind, most)}; write "
                "at most that, or give the --address of a Ray cluster"
            )


def _limit(kind: str, most: float) -> str:
    """What this machine has; for a container or job, what it is given."""
    if kind == "cpu" and most < (here := os.cpu_count() or 1):
        return f"this process may use {most:g} of this machine's {here}"
    return f"this machine has {most:g}"


def require_arithmetic(space: Space) -> None:
    """Make sure that this machine can compute in the way that the recipe asks for.

    Raises:
        ConfigError: it has no compiler, or does not support that number format.
    """
    training, gpu, document = space.file.training, space.file.resources.gpu, space.document
    compiler = compiler_for(gpu=gpu != 0)
    if training.execution == "compile" and not compiler.found:
        raise ConfigError(
            f"{document.place(('training', 'execution'))}: training.execution: compile needs "
            f"a {compiler.language} compiler, but there is no {compiler.lacks}; install it, "
            f"name a compiler in the variable {compiler.variable}, or write execution: eager"
        )
    if training.precision == "bf16" and gpu:
        import torch  # noqa: PLC0415 - as above

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            raise ConfigError(
                f"{document.place(('training', 'precision'))}: training.precision: "
                f"{torch.cuda.get_device_name()} does not support bf16; write precision: fp32"
            )


def slow_arithmetic(prepared: Prepared, *, begun: bool) -> str | None:
    """Say what this CPU does slowly because it lacks instructions, and a remedy; no torch.

    Args:
        prepared: the study, with its number format unless that is still to be measured.
        begun: whether the study has begun, and so keeps its format.
    """
    space, plan = prepared.space, prepared.plan
    asked = plan.training.precision == "bf16" and not prepared.open_precision
    if plan.resources.gpu or not asked or not lacks_bf16():
        return None
    remedy = (
        "the study keeps the format it began with: resume it where the CPU has them"
        if begun
        else "write precision: fp32, or auto, which measures (--set training.precision=auto)"
    )
    return (
        f"{space.document.place(('training', 'precision'))}: training.precision: bf16: this "
        f"CPU ({processor()}) has no instructions for it, so that a step takes several times "
        f"as long as in fp32; {remedy}"
    )


def moved(starts: Sequence[Mapping[str, Any]]) -> str | None:
    """Describe the effect of resuming on another kind of CPU; None on the same kind."""
    last, here = starts[-1].get("processor_kind", ""), processor_kind()
    if not last or not here or is_same_kind(last) or was_on_cluster(starts[-1]):
        return None
    before, now = str(starts[-1]["processor"]), processor()
    if before == now:
        before, now = last, here
    return (
        f"it has run on another kind of CPU so far ({before}; here {now}), which may round "
        "differently: a trial trained again there and here differs in its last digits, and "
        "times are from two machines"
    )


def require_place(space: Space) -> None:
    """Make sure that checkpoints can be stored where the space file says.

    Raises:
        ConfigError: they cannot, or the storage does not answer.
    """
    if space.file.checkpoints is None:
        return
    try:
        check_place(space.file.checkpoints)
    except ConfigError as error:
        place = space.document.place(("checkpoints",))
        raise ConfigError(f"{place}: checkpoints: {error}") from error


def require_trackers(space: Space) -> None:
    """Make sure that the packages of the trackers are installed.

    Raises:
        ConfigError: one is not, with the command that installs it.
    """
    lacking = next(_without_package(space), None)
    if lacking:
        raise ConfigError(lacking)


def _without_package(space: Space) -> Iterator[str]:
    place = f"{space.document.place(('trackers',))}: trackers"
    for name in space.file.trackers:
        facts = TRACKERS[name]
        if importlib.util.find_spec(facts.package) is None:
            yield (
                f"{place}: {name} needs a package that is not installed; pip install "
                f"{facts.install}, or remove it"
            )

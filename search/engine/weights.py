"""Saves trained weights as safetensors, with a JSON file that describes them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from search.schema.files import replace_text, replacing
from search.schema.remote import File
from search.study.events import Started


def save_weights(
    path: File,
    network: nn.Module,
    started: Started,
    metrics: dict[str, float],
    facts: dict[str, Any],
) -> None:
    """Write a network as safetensors, and as .json its architecture, metrics, data and digest.

    Args:
        path: path of the .safetensors file; its folder is created (an object store needs none).
        network: the network as it was scored.
        started: the trial.
        metrics: metrics of its last epoch and of the test images.
        facts: facts of the study (its task, how it compares networks) and of the task (classes,
            mean, std).

    Raises:
        OSError: the disk is full or gone; then neither file exists.
    """
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }
    content = safetensors.torch.save(tensors, {"name": started.name})
    about = {
        "name": started.name,
        "architecture": started.architecture,
        "trial": started.trial,
        "phase": started.phase,
        "repeat": started.repeat,
        "seed": started.seed,
        "epochs": started.epochs,
        "settings": started.own,
        "metrics": metrics,
        "torch": torch.__version__,
        "sha256": hashlib.sha256(content).hexdigest(),  # checked when they are loaded
        **facts,
    }
    with replacing(path) as file:
        file.write(content)
    replace_text(path.with_suffix(".json"), json.dumps(about, indent=2))

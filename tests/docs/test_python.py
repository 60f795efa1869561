"""The code of docs/python.md is run as it stands there, one block after another.

Only the epochs are fewer: one, where it says two and nothing needs a second.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from res2net import Architecture
from search import api, load_space
from search.schema.yaml import ConfigError
from search.study.loading import loading_line
from tests.docs.examples import blocks, examples, write_examples

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Path:
    named = "spaces/quickstart.yaml"
    text = (ROOT / named).read_text(encoding="utf-8")
    assert "planes: 8" in text
    (tmp_path / "spaces").mkdir()  # its networks made narrower
    (tmp_path / named).write_text(text.replace("planes: 8", "planes: 2"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "draw_summary", lambda *_, **__: 0)  # seconds, and no part of it
    return tmp_path


def test_the_code_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = [
        text
        for language, text in blocks((ROOT / "docs/python.md").read_text(encoding="utf-8"))
        if language == "python"
    ]
    names: dict[str, Any] = {}
    shortened = 0
    for text in code:
        shorter, count = re.subn(r"(?<!training\.)(epochs\W+)2\b", r"\g<1>1", text)
        shortened += count
        exec(compile(shorter, "docs/python.md", "exec"), names)
    assert shortened, "the guide trains for two epochs somewhere"
    printed = capsys.readouterr().out
    assert "True runs/first_look" in printed
    assert "trial 2: " in printed
    assert names["best"].metrics["test_error"] < 90
    assert len(names["result"].trials) == 2


def test_a_network_is_trained_with_its_own_block() -> None:
    own = Architecture(depth=11, planes=4, width=4, block="depthwise")
    for network in (own, "resnet11_4w_4p_depthwise"):
        space = load_space(api.space_of(network, {"name": "digits"}, {"epochs": 1}))
        assert space.file.network.block == "depthwise"


def test_a_tenth_validates_where_the_size_is_known(folder: Path) -> None:
    write_examples(folder)
    for name, images in (("cifar10", 5000), ("my_data.py:BARS", 19)):
        assert api.space_of("Res2Net-50", {"name": name}, {})["data"]["validation"] == images
    with pytest.raises(ConfigError, match=r"data.validation: is missing"):
        load_space(api.space_of("Res2Net-50", {"name": "imagenet"}, {"epochs": 1}))


def test_the_line_that_loads_weights_names_a_block_of_one_s_own(folder: Path) -> None:
    write_examples(folder)
    example = next(e for e in examples() if e.file == "my_block.py")
    result = api.run_study(example.space, inline=True)
    line = loading_line(result.weights[0], plan=result.plan)
    assert "block='my_block.py:BLOCK'" in line
    assert eval(line, {"res2net": __import__("res2net")})

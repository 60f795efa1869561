"""YAML that means nothing here, or something else than it looks like, is refused in a line."""

from pathlib import Path

import pytest

from search.schema.yaml import ConfigError
from tests.search.spaces import load, write


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed: 2024-13-45", "2024-13-45 cannot be read as timestamp (month must be in 1..12)"),
        ("seed: 2024-01-01T99:99:99Z", "2024-01-01T99:99:99Z cannot be read as timestamp"),
        ("seed: !!int foo", "foo cannot be read as int"),
        ("seed: !!bool foo", "foo cannot be read as bool; correct it, or put it in quotes"),
        ("seed: !!int ''", "cannot be read as int"),
        ("seed: !!float ''", "cannot be read as float"),
        (f"seed: 0x{'f' * 290}", "is a number of 292 digits, too large to compute with"),
        ("seed: !own 3", "!own: is a tag without a meaning here; remove it"),
        (
            f"seed: {'9' * 400}",
            f"{'9' * 40}... is a number of 400 digits, too large to compute",
        ),
        (f"seed: {'9' * 5000}", "is a number of 5000 digits, too large to compute with"),
        ("seed: 1\n  seed: 2", "seed: occurs twice in one mapping"),
    ],
)
def test_what_yaml_reads_and_nobody_means_has_its_line(
    tmp_path: Path, line: str, message: str
) -> None:
    """In a space file, in a recipe, and in a --set."""
    lines = {"space.yaml": 3, "recipe.yaml": 2}
    spaces = write(tmp_path, f"study: tiny\nsearch:\n  {line}\n")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"epochs: 1\n{line}\n".replace("\n  ", "\n"), encoding="utf-8")
    second = line.count("\n")
    with pytest.raises(ConfigError) as caught:
        load(spaces)
    assert f"space.yaml:{lines['space.yaml'] + second}: " in str(caught.value)
    assert message in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), ("training.recipe=recipe.yaml",))
    assert f"recipe.yaml:{lines['recipe.yaml'] + second}: " in str(caught.value)
    assert message in str(caught.value)
    if not second:
        with pytest.raises(ConfigError) as caught:
            load(write(tmp_path), (f"search.seed={line.removeprefix('seed: ')}",))
        assert str(caught.value).startswith("--set search.seed=")
        assert message in str(caught.value)


@pytest.mark.parametrize("letter", ["UFFFFFFFF", "U00110000"])
def test_a_letter_that_is_none_is_refused(tmp_path: Path, letter: str) -> None:
    with pytest.raises(ConfigError, match=r"space.yaml:1: is not YAML \(.*\); correct it"):
        load(write(tmp_path, f'study: "\\{letter}"\n'))


def test_a_tag_may_say_that_a_number_is_a_word(tmp_path: Path) -> None:
    space, _ = load(write(tmp_path), ("study=!!str 2024",))
    assert space.study == "2024"


def test_yaml_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"space.yaml:1: is not YAML \(version minor part"):
        load(write(tmp_path, "%YAML 1.3\n---\nstudy: tiny\n"))
    with pytest.raises(ConfigError, match=r"space.yaml:1: is YAML 1.1, in which 010 is 8"):
        load(write(tmp_path, "%YAML 1.1\n---\nstudy: tiny\n"))


def test_what_a_recipe_gets_wrong_has_the_line_of_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("epochs: 1\nweight_decay: fast\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine.yaml:2: training.weight_decay: 'fast' is not"):
        load(write(tmp_path), ("training.recipe=mine.yaml",))


def test_aliases_that_double_without_end_are_refused_in_a_line(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 2]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    with pytest.raises(ConfigError, match=r"space.yaml: holds more than 1,000,000 values"):
        load(write(tmp_path, "\n".join(lines)))


def test_brackets_without_end_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"space.yaml: is nested too deeply"):
        load(write(tmp_path, f"study: {'[' * 700}"))

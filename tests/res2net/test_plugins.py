"""Other people's parts: found, told apart, and refused with a remedy."""

import hashlib
import pickle
import sys
from pathlib import Path

import pytest

from res2net.plugins import PluginError, import_attribute, load_plugin

PART = "class Part:\n    pass\n\nPART = Part()\n"


def test_a_file_is_run_once_and_leaves_the_path_alone(tmp_path: Path) -> None:
    file, before = tmp_path / "part.py", list(sys.path)
    file.write_text(PART)
    one, other = load_plugin(f"{file}:PART"), load_plugin(f"{file}:Part")
    assert type(one.value) is other.value
    assert isinstance(pickle.loads(pickle.dumps(one.value)), other.value)
    assert sys.path == before
    assert one.name == f"{file}:PART"
    assert (one.source, one.version) == (file, None)
    assert one.digest == hashlib.sha256(PART.encode()).hexdigest()
    file.write_text("changed after it was run")
    assert load_plugin(f"{file}:PART").digest == one.digest
    assert one.value is import_attribute(f"{file}:PART")


def test_two_files_of_one_name_are_two_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.py").write_text(f"PART = {folder!r}")
    monkeypatch.chdir(tmp_path)
    assert [import_attribute(f"{f}/part.py:PART") for f in ("a", "b", "./a")] == ["a", "b", "a"]


def test_a_module_brings_its_version_and_the_digest_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = load_plugin("hypothesis.strategies:integers")
    assert installed.version == __import__("hypothesis").__version__
    package = tmp_path / "somebodys"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text(PART)
    monkeypatch.syspath_prepend(tmp_path)
    one = load_plugin("somebodys.inner:PART")
    assert (one.source, one.version) == (package / "inner" / "__init__.py", None)
    (package / "other.py").write_text("x = 1")
    assert load_plugin("somebodys.inner:PART").digest != one.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("res2net", "'res2net' is not a plugin; write package.module:attribute or"),
        ("a b:c", "is not a plugin"),
        ("module:", "is not a plugin"),
        (3, "3 is not a plugin"),
        ("no_such.module:X", r"ModuleNotFoundError: No module named 'no_such'\); install it"),
        ("{f}/gone.py:X", "there is no file .*gone.py; write its absolute path, or"),
        ("{f}/bad.py:X", r"bad.py:X: cannot be imported \(ZeroDivisionError: division.*corr"),
        ("{f}/part.py:Prat", "part.py has no attribute 'Prat'; did you mean 'Part'"),
        ("{f}/part.py:x", "has no attribute 'x'; it has PART, Part"),
        ("json:laods", "json has no attribute 'laods'; did you mean 'loads'"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text(PART)
    (tmp_path / "bad.py").write_text("1 / 0")
    where = text.format(f=tmp_path) if isinstance(text, str) else text
    for _ in range(2):  # a file that failed is run again, not taken half run
        with pytest.raises(PluginError, match=message):
            load_plugin(where)

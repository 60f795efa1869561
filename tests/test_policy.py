"""How the project is built, kept by machine: layers, sizes, documents that are true."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = sorted(p for d in ("res2net", "search", "analysis") for p in (ROOT / d).rglob("*.py"))
# Lowest first; a folder may import itself and what stands on a line above its own.
LEVELS = (
    {"res2net"},
    {"search.schema"},
    {"search.images"},
    {"search.scenes"},
    {"search.design"},
    {"search.space"},
    {"search.samplers", "search.schedulers"},
    {"search.study"},
    {"search.replay"},
    {"search.tasks"},
    {"search.engine"},
    {"search.executors", "search.profiling", "search.trackers"},
    {"search"},  # its commands
    {"analysis.statistics"},
    {"analysis.runs"},
    {"analysis.scaling"},
    {"analysis.questions"},
    {"analysis.plots"},
    {"analysis.cards"},
    {"analysis.pages", "analysis.inside"},
    {"analysis"},
)
ROOMS = set().union(*LEVELS)
ONLY_RAY = {
    f"search/executors/{name}.py"
    for name in ("actor", "connection", "measuring", "ray", "silence", "slots", "starting")
} | {"search/samplers/of_ray.py"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room_of(module: str) -> str:
    """The folder with a level of its own that a module lies in."""
    parts = module.split(".")
    return next(room for n in (2, 1) if (room := ".".join(parts[:n])) in ROOMS)


def level_of(room: str) -> int:
    return next(i for i, rooms in enumerate(LEVELS) if room in rooms)


def against_the_order(path: Path, root: Path = ROOT) -> list[str]:
    """The imports of a file that lead to a higher level, or aside to a room of its own one."""
    here = room_of(".".join(path.relative_to(root).with_suffix("").parts))
    ours = (
        name
        for name in imports_of(path)
        if name.split(".")[0] in ("res2net", "search", "analysis")
    )
    return sorted(
        f"{path.relative_to(root).as_posix()} imports {name}"
        for name in ours
        if room_of(name) != here and level_of(room_of(name)) >= level_of(here)
    )


def test_imports_run_one_way() -> None:
    assert not [wrong for path in PRODUCT for wrong in against_the_order(path)]
    searching = [path for path in PRODUCT if path.relative_to(ROOT).parts[0] == "search"]
    assert not {
        path for path in searching for name in imports_of(path) if name.startswith("analysis")
    }


def test_an_import_against_the_order_is_found(tmp_path: Path) -> None:
    path = tmp_path / "search" / "schema" / "broken.py"
    path.parent.mkdir(parents=True)
    path.write_text("from search.study.study import Study\nimport res2net\n", encoding="utf-8")
    assert against_the_order(path, tmp_path) == [
        "search/schema/broken.py imports search.study.study"
    ]


def test_a_file_holds_one_thing() -> None:
    long = [path for path in PRODUCT if path.read_text(encoding="utf-8").count("\n") > 300]
    assert not long
    functions = (
        (path, node)
        for path in PRODUCT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
    )
    assert not [
        f"{path}: {node.name}"
        for path, node in functions
        if (node.end_lineno or 0) - node.lineno >= 60
    ]


def test_nothing_else_knows_ray() -> None:
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in PRODUCT
        if any(name.partition(".")[0] == "ray" for name in imports_of(path))
    }
    assert knowing == ONLY_RAY


def test_analysis_needs_no_torch() -> None:
    """But for Grad-CAM, which runs a network."""
    allowed = (
        "search.schema.",
        "search.images.looks",
        "search.design.",
        "search.study.journal",
        "search.study.manifest",
        "search.study.events",
        "search.study.as_optuna",
        "search.study.checked",
        "search.study.confirmation",
        "search.study.differences",
        "search.study.loading",
        "search.scenes.",
    )
    for path in (ROOT / "analysis").rglob("*.py"):
        for name in imports_of(path):
            assert not name.startswith("torch") or path.name == "cam.py", path
            if name.startswith("search."):
                assert name.startswith(allowed), (path, name)


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_and_commands_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), target
        assert not anchor or anchor in anchors_of(path), f"{target}#{anchor}"
    for space in re.findall(r"spaces/\w+\.yaml", text):
        assert (ROOT / space).exists(), space
    for module in re.findall(r"python -m ([\w.]+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for verb in re.findall(r"make (run|test|slow|lint|bench|faults|figures|install)\b", text):
        assert re.search(rf"^{verb}:", makefile, re.MULTILINE), verb


@pytest.mark.parametrize("document", DOCUMENTS[1:], ids=lambda p: p.name)
def test_the_readme_leads_to_every_document(document: Path) -> None:
    assert f"](docs/{document.name})" in DOCUMENTS[0].read_text(encoding="utf-8")


def test_the_readme_is_two_screens() -> None:
    assert DOCUMENTS[0].read_text(encoding="utf-8").count("\n") <= 130


def test_every_dependency_is_pinned_where_it_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", pinned, re.MULTILINE), name

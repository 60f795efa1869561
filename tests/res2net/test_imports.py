"""What imports what in res2net: in one direction, and torch only where it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
    for p in (ROOT / "res2net").rglob("*.py")
}
WITH_TORCH = {"modules", "joining", "timing", "pooling", "squeeze_excitation", "checking",
              "conv_norm", "building", "backbone", "weights", "loading", "checkpoints",
              "finding", "fitting"}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """Modules that are imported whenever the file is; not those of functions and of types."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{name.name}" for name in node.names]
            submodules = [name for name in inside if name in FILES]
            yield from submodules
            if len(submodules) < len(inside):
                yield node.module


def test_imports_run_in_no_circle() -> None:
    graph = {name: set(imported(path)) & set(FILES) for name, path in FILES.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(FILES)


def test_torch_stays_where_modules_are_made() -> None:
    for name, path in FILES.items():
        knows = any(module.partition(".")[0] == "torch" for module in imported(path))
        assert not knows or name.rpartition(".")[2] in WITH_TORCH, name


def test_all_but_building_runs_without_torch() -> None:
    torchless = [n for n in FILES if n.rpartition(".")[2] not in {*WITH_TORCH, "__main__"}]
    torchless = [name for name in torchless if not name.startswith("res2net.weights.")]
    program = f"import sys, {', '.join(torchless)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
    assert {"res2net.cost", "res2net.blocks.depthwise.layers", "res2net.plugins"} <= {
        *torchless
    }

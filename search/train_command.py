"""The command `python -m search.train`: its options, and the space that it builds from them."""

import argparse
from collections.abc import Sequence

from rich.console import Console

from res2net import ArchitectureError
from res2net.exit_codes import exit_code_help
from search import session
from search.api import space_of
from search.preparation import open_space, prepare
from search.run_command import add_run_options, guarded, run_and_show
from search.schema.yaml import ConfigError, Location


def main(argv: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    return guarded(lambda console: _run(_parser().parse_args(argv), console, argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m search.train",
        description="Train one network: python -m search.train NAME --data cifar10 --epochs 9. "
        "Its folder is runs/train_NAME by default.",
        epilog=exit_code_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("network", help="name of a network, such as Res2NeXt-29-6c24w4s")
    parser.add_argument(
        "--data", required=True, metavar="NAME", help="data set, such as cifar100"
    )
    parser.add_argument("--epochs", type=int, required=True, metavar="N")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--recipe", metavar="NAME", help="a recipe, or the path of a recipe file"
    )
    add_run_options(parser)
    return parser


def _run(arguments: argparse.Namespace, console: Console, argv: Sequence[str]) -> int:
    session.deadline_of(arguments.time_limit)
    recipe = {"recipe": arguments.recipe} if arguments.recipe else {}
    training = {**recipe, "epochs": arguments.epochs}
    try:
        space = space_of(
            arguments.network, {"name": arguments.data}, training, seeds=arguments.seeds
        )
    except ArchitectureError as error:
        raise ConfigError(f"{arguments.network}: {error}") from error
    options: dict[Location, str] = {
        ("network",): arguments.network,
        ("data",): f"--data {arguments.data}",
        ("training", "epochs"): f"--epochs {arguments.epochs}",
        ("search", "seeds"): f"--seeds {arguments.seeds}",
        ("training", "recipe"): f"--recipe {arguments.recipe}",
    }
    opened = open_space(space, arguments.set, options=options)
    prepared = prepare(opened, folder=arguments.out)
    return run_and_show(prepared, arguments, console, ["python", "-m", "search.train", *argv])

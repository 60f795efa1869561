"""Thirty networks within 2.0 to 3.2 M multiply-adds, the widest of them sought for."""

import optuna
import optunahub

PACKAGE = "samplers/res2net_budget"


def main(space: str, registry: str | None = None) -> optuna.Study:
    """Search a space file; `registry` is a folder with a copy of the registry."""
    if registry is None:
        package = optunahub.load_module(PACKAGE)
    else:
        package = optunahub.load_local_module(PACKAGE, registry_root=registry)
    sampler = package.optuna_sampler(space, "tpe")
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(lambda trial: sampler.suggest(trial).scale, n_trials=30)
    return study

"""A space file is read strictly: each mistake is named with place, rule and remedy."""

import re
from pathlib import Path

import pytest

from search.schema.study_plan import StudyPlan
from search.schema.values import EachStage
from search.schema.yaml import ConfigError
from tests.search.images.trees import plant
from tests.search.spaces import PAPER, TINY, load, write

# What to replace in TINY, by what, and what the message must say (its line included).
MISTAKES = [
    ("scale: [1", "scales: [1", r"space.yaml:7: network.scales: is not a key; did you mean 'scale'"),
    ("  planes: 2\n", "  planes: 2\n  planes: 4\n", r":5: planes: occurs twice .* keep one"),
    ("epochs: 3", "epochs: three", r":12: training.epochs: 'three' is not a whole number"),
    ("[1, 2, 3]\n  width", "[]\n  width", r":7: network.scale: \[\] is an empty list"),
    ("[11, 20]", "[11, 30]", r":5: network.depth: .* no depth 30 .* nearest: 29 or 38"),
    ("scale: [1,", "scale: [0,", r":7: network.scale: .* contains 0, .* from 1 up"),
    ("cardinality: [1,", "cardinality: [-1,", r":6: network.cardinality: .* contains -1"),
    ("width: [1,", "width: [0,", r":8: network.width: .* contains 0"),
    ("width: [1, 2, 3]", "width: wide", r":8: network.width: 'wide' is not a width; .* fill"),
    ("width: [1, 2, 3]", "width: {from: 9, to: 4}", (
        r":8: network.width: goes down from 9 to 4"
    )),
    ("width: [1, 2, 3]", "width: {from: 9}", r":8: .* write {from: 4, to: 64, step: 2}"),
    ("width: [1, 2, 3]", "width: {from: x, to: 4}", r":8: .* from is 'x'"),
    ("macs: {max", "flops: {max", r":10: budget.flops: .* one multiply-add is two FLOPs.*"
     r"`macs: {max: 300K, min: 20K}`"),
    ("300K", "300k", r":10: budget.macs.max: '300k' is not an amount .* 4.0G"),
    ("300K", "10K", r":10: budget.macs: min 20,000 is above max 10,000"),
    ("{max: 300K, min: 20K}", "{}", r":10: budget.macs: sets no limit"),
    ("name: synthetic", "name: cifar1000", (
        r":11: data.name: 'cifar1000' is not a known data set; did you mean 'cifar100'"
    )),
    ("validation: 64", "validation: 256", r":11: data: .* more than the 256 training images"),
    ("lr: 0.1", "lr: 0", r":12: training.lr: 0 is not a number above 0"),
    ("lr: 0.1", "warmup: 3", r":12: training.warmup: 3 takes the whole training, 3 epochs"),
    ("lr: 0.1", "momentum: 0", r":12: training.momentum: 0 leaves nesterov"),
    ("lr: 0.1", "milestones: 3", r":12: training.milestones: 3 is not a list"),
    ("lr: 0.1", "nesterov: no", r":12: training.nesterov: 'no' is not true or false"),
    ("seed: 0", "objectives: [macs]", (
        r":13: search.objectives: .* must contain one that trials report \(val_error"
    )),
    ("trials: 3, ", "", r":13: search.trials: is missing; add it \(trials: 100\)"),
    ("study: tiny", "study: ../tiny", r":1: study: '../tiny' is not a name"),
    ("cpu: 1", "silence: 3s", r":14: resources.silence: .* workers report every few seconds; write at least 10s"),
    ("resources: {cpu: 1}", "resources: 3", r":14: resources: 3 is not a section"),
    ("resources: {cpu: 1}", "sheduler: {}", r":14: sheduler: is not a key; did you mean 'scheduler'"),
    ("resources: {cpu: 1}", "scheduler: {name: asha, grace: 3}", r":14: scheduler.grace: 3 leaves"),
    ("resources: {cpu: 1}", "scheduler: {name: asha, gracee: 1}", r"scheduler.gracee: .* did you mean 'grace'"),
    ("resources: {cpu: 1}", "scheduler: {name: asher}", (
        r":14: scheduler: 'asher' is not a known scheduler; did you mean 'asha'"
    )),
    ("resources: {cpu: 1}", "scheduler: {name: fifo, grace: 1}", (
        r":14: scheduler.grace: .* takes no keys"
    )),
    ("sampler: random", "sampler: randum", (
        r":13: search.sampler: 'randum' is not a known sampler; did you mean 'random'"
    )),
    ("sampler: random", "sampler: {name: tpe, start: 1}", r":13: search.sampler.start: is not a key"),
    ("resources: {cpu: 1}", "scheduler: {name: hyperband, brackets: 2}", r":14: scheduler.brackets: 2 is more than fit: .* at epoch 3 of 3; write at most 1"),
    ("resources: {cpu: 1}", "fidelity: {check: 4}", r":14: fidelity: has nothing to check: fifo stops no trial"),
    ("resources: {cpu: 1}", "scheduler: asha\nfidelity: {check: 4}", r":15: fidelity: compares 4 networks or more, and search.trials is 3; remove it"),
    ("lr: 0.1, precision: fp32}\nsearch: {", "lr: [0.1, 0.2], precision: fp32}\nscheduler: asha\nfidelity: {check: 4}\nsearch: {tune: [lr], ",
     r":14: fidelity: compares networks, but search.tune tries each .* remove one"),
    ("resources: {cpu: 1}", "scheduler: asha\nfidelity: {check: 3}", r":15: fidelity.check: 3 is "),
    ("resources: {cpu: 1}", "scheduler: {name: median, grace: 4}", r":14: scheduler.grace: 4 leaves"),
    ("resources: {cpu: 1}", "scheduler: {name: one_epoch, keep: 4}", r":14: scheduler.keep: 4 is more than search.trials 3"),
    ("seed: 0}", "seed: 0}\nscheduler: {name: one_epoch, keep: 400}", r":14: scheduler.keep: 400 is more than search.trials 3"),
    ("sampler: random, trials: 3, seed: 0}", "sampler: grid}\nscheduler: {name: one_epoch, keep: 400}", r":14: scheduler.keep: .*is more than search.trials \d\d"),
    ("resources: {cpu: 1}", "scheduler: {name: one_epoch, after: 3}", r":14: scheduler.after: 3 leaves"),
    ("resources: {cpu: 1}", "scheduler: {name: curves, share: 0.3}", r":14: scheduler.share: 0.3 of 3 epochs is less than grace 1.*write 0.34 or more"),
    ("skeleton: cifar", "version: v1b", r":3: network.version: 'v1b' exists only with imagenet"),
    ("skeleton: cifar", "skeleton: vgg", r":3: network.skeleton: 'vgg' is not a skeleton \(cifar, imag"),
    ("skeleton: cifar", "skeleton: [cifar, dla50]", r":5: network.depth: .*'dla' has no depth 50"),
    ("skeleton: cifar", "skeleton: [cifar, dla]", r":5: network.depth: .*'dla' has no depth 11"),
    ("skeleton: cifar", "skeleton: [cifar, dla60]", r":4: network.planes: 2 is not a multiple of 4"),
    ("  depth: [11, 20]\n", "", r":2: network.depth: is missing; add it .*or write skeleton: dla60"),
    ("scale: [1, 2, 3]", "scale: [[1, 2]]", r":7: network.scale: \[1, 2\] is not 3 whole"),
    ("scale: [1, 2, 3]", "scale: [[2, 2]]", r":7: network.scale: \[2, 2\] is not 3 whole"),
    ("skeleton: cifar", "skeleton: cifar0", r":3: network.skeleton: 'cifar0' is not a skeleton"),
    ("skeleton: cifar", "skeleton: cifar11", r":5: network.depth: .* has no effect"),
    ("scale: [1, 2, 3]", "scale: {from: 1, to: 20000000}", r":7: .* more than 100,000 values"),
    ("scale: [1, 2, 3]\n  width: [1, 2, 3]", "scale: {per_stage: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n"
     "  width: {from: 1, to: 50000}", (
         r":2: network: gives 145,800,000 combinations, more than"
     )),
    ("scale: [1, 2, 3]", "scale: {per_stage: []}", r":7: network.scale: is an empty list"),
    ("scale: [1, 2, 3]", "scale: {per_stage: [0]}", r":7: network.scale: contains 0"),
    ("scale: [1, 2, 3]", "scale: {per_stage: 1, step: 2}", r":7: network.scale: has the keys per_st"),
    ("scale: [1, 2, 3]", "scale: {per_stage: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]}",
     r":7: network.scale: has more than 100,000 combinations"),
    ("study: tiny", "- tiny", r":2: is not YAML|:1: is not a mapping"),
    ("[11, 20]", "[11, 20", r"is not YAML"),
    ("study: tiny", "study: t\x00iny", r":1: is not YAML"),
    ("{name: synthetic,", "{name: digits, name: synthetic,", r":11: name: occurs twice"),
    ("max: 300K", "max: 1.5", r":10: budget.macs.max: 1.5 is not whole; did you mean 1.5M"),
    ("max: 300K", "max: .inf", r":10: budget.macs.max: inf is not an amount"),
    ("max: 300K", "max: .nan", r":10: budget.macs.max: nan is not an amount"),
    ("lr: 0.1", "lr: .inf", r":12: training.lr: inf is not a number above 0"),
    ("width: [1, 2, 3]", "width: 99999999999999999999", r":8: network.width: .* not a whole"),
    ("width: [1, 2, 3]", "width: 1152921504606846976", r":2: network: .* too many to count"),
    ("width: [1, 2, 3]", "width: {from: 1, to: 1000000000}", r":8: .* more than 100,000 values"),
    ("cpu: 1", "gpu: 2", r":14: resources.gpu: 2 is above 1, but a trial trains on one GPU"),
    ("lr: 0.1, precision: fp32}", "warmup: 2}\nconfirm: {top: 1, seeds: 1, epochs: 2}",
     r":13: confirm.epochs: 2 is too few: warmup 2 takes the whole training"),
    ("lr: 0.1", "schedule: step, milestones: [2, 5]", (
        r":12: training.milestones: .* milestones 5 are beyond the 3"
    )),
    ("lr: 0.1", "schedule: step, milestones: [1.5]", (
        r":12: training.milestones: \[1.5\] contains a fraction of"
    )),
    ("lr: 0.1", "schedule: step, milestones: [0.5, 1.0]", (
        r":12: training.milestones: .* contains 1, wh"
    )),
    ("batch_size: 32", "batch_size: 500", r":12: training.batch_size: 500 is more than the 192 im"),
    ("lr: 0.1", "schedule: onecycle, warmup: 1", r":12: training.warmup: 1 is part of onecycle"),
    ("lr: 0.1", "accumulate: 1000", r":12: training.accumulate: 1000 cuts a batch of 32"),
    ("lr: 0.1", "crop: 2, resized_crop: [0.1, 1]", r":12: training.crop: 2 excludes resized_crop"),
    ("lr: 0.1", "resized_crop: [1, 0.1]", r":12: training.resized_crop: \[1, 0.1\] is in descending"),
    ("lr: 0.1", "mixup: 0.2, cutmix: 1", r":12: training.mixup: 0.2 excludes cutmix"),
    ("lr: 0.1", "jitter: [0.4, 0.4, 0.4, 0.9]", r":12: training.jitter.3: 0.9 is not at most 0.5"),
    ("lr: 0.1", "jitter: [0.4, 0.4]", (
        r":12: training.jitter.*: is not a list of the right length; write"
    )),
    ("lr: 0.1", "jitter: 0.4", r":12: training.jitter: 0.4 is not a list .*: brightness, contrast"),
    ("lr: 0.1", "betas: [0.9, 0.99, 0.999]", (
        r":12: training.betas: .* is not a list of the right length"
    )),
    ("lr: 0.1", "resized_crop: [0.4]", (
        r":12: training.resized_crop.*: is not a list of the right length"
    )),
    ("lr: 0.1", "crop: 8", r":12: training.crop: 8 px leave nothing of images of 8 px"),
    ("lr: 0.1", "cutout: 100", r":12: training.cutout: 100 px leave nothing"),
    ("lr: 0.1", "recipe: short, optimizer: adamw", r":12: training.optimizer: adamw would"),
    ("lr: 0.1", "ema: 1.0", r":12: training.ema: 1.0 is not below 1"),
    ("lr: 0.1", "execution: graphs", r":12: training.execution: 'graphs' needs a GPU"),
    ("max: 300K", 'max: "1.5"', r":10: budget.macs.max: '1.5' is not whole; did you mean 1.5M"),
    ("lr: 0.1", "recipe: short, optimizer: {name: adamw}", r":12: training.optimizer: .*not"),
    ("resources: {cpu: 1}", "trackers: [{name: wandb}]", r":14: trackers: .*not a tracker"),
    ("resources: {cpu: 1}", "zero_cost: {scores: [{name: naswot}]}", r"scores: .*not a list of scor"),
    ("resources: {cpu: 1}", "zero_cost: {}\ntask: {name: instances}", r"says nothing of an untrained"),
    ("  planes: 2\n", "  planes: 2\n  block: {name: res2net}\n", r":5: network.block: .*not a block"),
    ("lr: 0.1", "lr: 0.1, flip: &flip true, crop: *flip", r":12: training.crop: .*not a whole"),
    ("lr: 0.1", "recipe: quick", r":12: training.recipe: 'quick' is not a recipe; write one of"),
    ("validation: 64", "validation: 64, resolution: 32", (
        r":11: data.resolution: 32 is only for imagenet"
    )),
    ("validation: 64", "validation: 64, classes: 1", (
        r":11: data.classes: 1 is not a choice of classes"
    )),
    ("name: synthetic", "name: imagefolder", (
        r":11: data.resolution: .*is missing; add it, for example"
    )),
    ("name: synthetic", "name: imagenet, resize: 100", (
        r":11: data.resize: 100 is less than the resolution of 224"
    )),
    ("cpu: 1", "gpu: many", r":14: resources.gpu: 'many' is not a number of GPUs; .* or auto"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders as large as the spaces of trees need."""
    names = [f"n{number:08d}" for number in range(100)]
    return plant(tmp_path_factory.mktemp("tree"), names, train=60, val=1)


def where(path: Path, tree: Path) -> tuple[str, ...]:
    """What lets a space find its images here; nobody has trained weights for it."""
    text = path.read_text(encoding="utf-8")
    images = (f"data.root={tree}", "data.validation=1000") if "name: image" in text else ()
    return (*images, *(("transfer=null",) if "transfer:" in text else ()))


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TINY
    path = write(tmp_path, TINY.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert re.search(message, str(caught.value)), str(caught.value)


def test_fill_without_a_limit_is_refused(tmp_path: Path) -> None:
    text = TINY.replace("width: [1, 2, 3]", "width: fill").replace("max: 300K, ", "")
    with pytest.raises(ConfigError, match=r":8: network.width: 'fill' needs a limit to fill"):
        load(write(tmp_path, text))


def test_stages_cannot_be_varied_across_skeletons_of_three_and_four(tmp_path: Path) -> None:
    overrides = ("network.skeleton=[cifar, imagenet14]", "network.scale={per_stage: [1, 2]}")
    with pytest.raises(ConfigError, match=r"network\.scale: .* different numbers"):
        load(write(tmp_path), overrides)


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: -1").replace("seed: 0", "seeds: 0")
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("change", "others"),
    [
        (("seed: 0", "seeds: 0"), ["search.seeds"]),
        (("epochs: 3", "epochs: -3"), ["training.epochs"]),
        (("epochs: 3", "optimizer: adamw"), []),  # another recipe may have a rate for it
        (("epochs: 3", "crop: 4"), []),  # another may have no resized_crop, which excludes it
        (("seed: 0", "objectives: [params]"), []),  # of several sections
    ],
)
def test_so_it_is_beside_a_recipe_that_is_none(
    tmp_path: Path, change: tuple[str, str], others: list[str]
) -> None:
    text = TINY.replace("lr: 0.1", "recipe: quick").replace(*change)
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    said = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert said == ["training.recipe", *others]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml: cannot be read \(No such file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "search.trails=3",
            r"--set search.trails=3: search.trails: is not a key; did you mean",
        ),
        ("training.lr=-1", r"--set training.lr=-1: training.lr: -1 is not a number above 0"),
        ("search.trials", r"--set search.trials: is not key=value"),
        ("search.trials.x=3", r"--set search.trials.x=3: search.trials is not a section"),
        ("search.trials=[", r"--set search.trials=\[: is not YAML \("),
    ],
)
def test_a_bad_override_is_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(write(tmp_path), (override,))


def test_a_value_that_a_merge_key_brought_in_is_placed_near_it(tmp_path: Path) -> None:
    text = TINY.replace("study: tiny", "study: tiny\nbase: &base {lr: -1}").replace(
        "training: {epochs: 3, batch_size: 32, lr: 0.1, precision: fp32}",
        "training: {<<: *base, epochs: 3}",
    )
    with pytest.raises(ConfigError, match=r":13: training.lr: -1 is not a number above 0"):
        load(write(tmp_path, text))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_bytes(TINY.encode().replace(b"tiny", b"t\xe9ny"))
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path)


def test_overrides_lie_over_the_file(tmp_path: Path) -> None:
    config, _ = load(write(tmp_path), ("search.trials=7", "network.width={from: 2, to: 4}"))
    assert (config.search.trials, config.network.width) == (7, (2, 3, 4))


def test_dimensions_by_stage(tmp_path: Path) -> None:
    overrides = (
        "network.skeleton=[imagenet, dla60, biglittle50]",
        "network.planes=4",
        "network.depth=[14, [1, 1, 2, 1]]",
        "network.scale=[2, [1, 2, 4, 8]]",
        "network.cardinality={per_stage: [1, 2]}",
        "budget={}",
    )
    network = load(write(tmp_path), overrides)[0].network
    assert network.scale == (2, (1, 2, 4, 8))
    assert network.forms() == (
        ("imagenet", 14),
        ("imagenet", (1, 1, 2, 1)),
        ("dla", 60),
        ("biglittle", 50),
    )
    assert isinstance(network.cardinality, EachStage)
    assert len(network.cardinality.combinations(network.stages)) == 2**4


def test_yaml_1_2_and_amounts(tmp_path: Path) -> None:
    text = TINY.replace("lr: 0.1", "lr: 1e-3").replace("{max: 300K, min: 20K}", "{max: 4e9}")
    config, _ = load(write(tmp_path, text))
    assert config.training.lr == 0.001
    assert config.budget.macs is not None
    assert config.budget.macs.max == 4_000_000_000


def test_the_data_set_brings_its_habits(tmp_path: Path) -> None:
    config, _ = load(write(tmp_path, PAPER))
    assert (config.training.crop, config.training.flip) == (4, True)
    digits, _ = load(write(tmp_path, TINY.replace("synthetic", "digits")))
    assert (digits.training.crop, digits.training.flip) == (1, False)


SHIPPED = sorted((Path(__file__).parents[3] / "spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_config_survives_the_way_to_a_worker(path: Path, tree: Path) -> None:
    here = where(path, tree)
    config, _ = load(path, here)
    assert StudyPlan.model_validate(config.model_dump()) == config
    if "output_stride" in config.task.options:  # which not every skeleton can have
        here = (*here, "task=classification", "data={name: digits, validation: 100}")
    by_stage, _ = load(path, (*here, "budget={}", "search={sampler: random, trials: 1}", "training.lr=0.1", "network.scale={per_stage: [1, 2]}", "network.width=[4, [4, 5, 6, 7]]",
                              "network.skeleton=[imagenet14, dla60]", "network.depth=null"))  # fmt: skip
    assert StudyPlan.model_validate(by_stage.model_dump()) == by_stage


def test_the_share_that_is_advised_is_taken(tmp_path: Path) -> None:
    """29 / 100 is a little less than 0.29 in floats."""
    curves = ("training.epochs=100", "scheduler={name: curves, grace: 29, share: 0.28}")
    with pytest.raises(ConfigError, match=r"write 0.29 or more, or lower grace"):
        load(write(tmp_path), curves)
    load(write(tmp_path), (*curves, "scheduler.share=0.29"))


def test_a_key_missing_in_a_section_that_a_set_made_has_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path), ("confirm.options.x=1",))
    said = str(caught.value).splitlines()
    assert len(said) == 4
    assert all(line.startswith("--set confirm.options.x=1: confirm.") for line in said)


def test_the_spaces_that_ship_are_sound(tree: Path) -> None:
    assert len(SHIPPED) > 20
    for path in SHIPPED:
        config, _ = load(path, where(path, tree))
        assert config.study == path.stem
        assert path.read_text(encoding="utf-8").startswith("# "), "a header says what it asks"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("s3://AKIA:TOP@bucket/x: no", "s3://***@bucket/x: no"),
     ("s3://b/x?session_token=TOP&region=eu", "s3://b/x?session_token=***&region=eu"),
     ("s3://b/x?endpoint_override=me:TOP@host:9000", "s3://***@host:9000"),
     ("s3://k:p@ss/wo@rd@bucket: no", "s3://***@bucket: no"),
     ("--set s3://x: is not key=value; write", "--set s3://x: is not key=value; write"),
     ("s3://bucket/folder?region=eu: no", "s3://bucket/folder?region=eu: no"),
     ("me@host: key=3 is not known", "me@host: key=3 is not known")],
)  # fmt: skip
def test_no_message_shows_a_password(written: str, shown: str) -> None:
    assert str(ConfigError(written)) == shown

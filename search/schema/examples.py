"""An example of each section of the space file, for its reference; tests read each of them."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "the file": """\
        # What does it ask, how many candidates, what does it cost on which hardware?
        study: my_study
        network: {skeleton: cifar, planes: 16, depth: [20, 29], scale: [1, 2, 4], width: fill}
        budget: {macs: {max: 60M, min: 50M}}
        data: {name: cifar100, validation: 5000}
        training: {recipe: short, epochs: 30}
        search: {sampler: tpe, trials: 4, seeds: 3}
        keep: {best: 3}
    """,
    "network": """\
        network:
          skeleton: cifar              # or a list: [imagenet50, dla60]
          planes: 16
          depth: [20, 29, [2, 3, 2]]   # layers, or the blocks of each stage
          cardinality: [1, 2, 4]
          scale: [1, 2, [1, 2, 4]]     # one for all stages, or one for each
          width: {from: 4, to: 64}     # or [4, 8], or fill
          se: [false, true]            # {per_stage: [1, 2]}, of sizes: all combinations
    """,
    "budget": """\
        budget: {macs: {max: 4.0G, min: 3.6G}, params: {max: 40M}, latency: {max: 5ms}}
    """,
    "data": """\
        data: {name: cifar100, validation: 5000}
    """,
    "training": """\
        training:
          recipe: res2net_cifar
          epochs: 60
          ema: 0.999
          weight_decay: [1e-4, 5e-4]                    # several: a dimension of the space
          lr: {from: 0.02, to: 0.4, log: true, values: 5}   # or {rule: depth, lr: 0.1}
    """,
    "transfer": """\
        transfer: {from: runs/imagenette}   # or a list of runs, or .safetensors files of one
    """,
    "search": """\
        search: {sampler: axes, base: {scale: 2}, solve: depth, seeds: 3}
    """,
    "scheduler": """\
        scheduler: {name: asha, grace: 5, reduction: 3}   # or only a name: scheduler: fifo
    """,
    "zero_cost": """\
        search: {sampler: random, trials: 100}
        zero_cost: {scores: [naswot, synflow], keep: 25%, by: naswot, after: 10}
    """,
    "fidelity": """\
        search: {sampler: random, trials: 100}
        scheduler: {name: asha, grace: 5}
        fidelity: {check: 12, at_least: 0.3}
    """,
    "confirm": """\
        confirm: {top: 3, seeds: 5, epochs: 300}
    """,
    "analysis": """\
        analysis:
          margin: 0.5
          stopping: always_valid
          contrasts:
            scale_alone: {Res2NeXt-29-6c24w4s: 1, ResNeXt-29-6c24w: -1}
    """,
    "keep": """\
        keep: {best: 3}
    """,
    "execution": """\
        execution: {replay: [runs/a, runs/b, table.csv], workers: 4}   # or only: replay
    """,
    "trackers": """\
        trackers: [tensorboard, mlflow]
    """,
    "resources": """\
        resources: {gpu: 0.5, cpu: 2}
    """,
}

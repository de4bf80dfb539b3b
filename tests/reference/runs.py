"""A tiny training run: `python -m tests.reference.runs DATA RUN STEPS` saves at every step."""

import math
import sys
from pathlib import Path

import torch

from edgewise.reference import train
from edgewise.training import loop


def config(steps=6, **changes):
    return train.Config(**{"size": 48, "batch": 2, "width": 4, "steps": steps, **changes})


def run(data, folder, *, until=None, **changes):
    """Train up to the configuration's end, or `until` a step, from the run's checkpoint if any."""
    chosen = config(**changes)
    state = train.start(chosen, torch.device("cpu"))
    loop.take_up(state, folder, None, train.load_encoder)
    drawn = train.batches(data, chosen, step=state.step, workers=0)
    recipe = train.recipe(chosen)
    if until:
        recipe = loop.Recipe(
            config=chosen, learn=recipe.learn, rate_share=recipe.rate_share, steps=until
        )
    loop.train(state, drawn, recipe, minutes=math.inf, folder=folder, save_every=0)
    return state


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), Path(sys.argv[2]), steps=int(sys.argv[3]))

"""A studio in a process that can be killed: `python -m tests.studio.page_server PORT`.

Its engine answers by colour alone, as `tests.fakes.ColourEngine`, after a pause where one is asked
for. What is drawn red on blue is thus found exactly.
"""

import argparse
import time
from pathlib import Path

import uvicorn

from edgewise.refiner import Refiner
from edgewise.studio.app import create_app
from tests.fakes import ColourEngine


class SlowEngine(ColourEngine):
    """The same, after a pause."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def __call__(self, views):
        time.sleep(self.seconds)
        return super().__call__(views)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--pause", type=float, default=0.0)
    given = parser.parse_args()
    app = create_app(Refiner(SlowEngine(given.pause)), folder=given.folder)
    uvicorn.run(app, port=given.port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()

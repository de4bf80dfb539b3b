"""Options that several commands have, with one wording."""

from typing import Annotated

import typer

Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes, of one thread each.")]
WorkerThreads = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, help="Threads of a process; default: all cores, or 1 a worker."
    ),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads; default: all cores.")
]
Model = Annotated[str, typer.Option("--model", help="A network of `edgewise models`.")]
Device = Annotated[str, typer.Option("--device", help="cpu, or cuda with onnxruntime-gpu.")]
Soft = Annotated[bool, typer.Option("--soft", help="Write 8-bit grey instead of black and white.")]
OverviewOnly = Annotated[
    bool,
    typer.Option("--overview-only", help="Stop after the first look: fast, less exact edges."),
]
Careful = Annotated[
    bool,
    typer.Option(
        "--careful", help="Keep masks that would likely gain nothing: where most are exact."
    ),
]

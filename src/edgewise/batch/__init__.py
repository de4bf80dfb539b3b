"""Batch: refine many photos, from folders, buckets or a manifest, in processes or on a cluster.

    from edgewise.batch import Folders, Processes, run

    jobs = Folders("photos", "masks", "refined")
    for result in run(jobs, engine=Processes(workers=4), ledger="refined/ledger.jsonl"):
        ...

Nothing here prints. Local files need no extra; URLs, Parquet and Dask take `edgewise[batch]`.
"""

from edgewise.batch.claims import check
from edgewise.batch.cluster import Dask
from edgewise.batch.engines import Engine, Pool
from edgewise.batch.folders import Folders
from edgewise.batch.jobs import Job, Options
from edgewise.batch.manifest import Manifest
from edgewise.batch.processes import Processes
from edgewise.batch.run import Result, Rules, run
from edgewise.batch.worker import MaskRefiner, Opener, Report

__all__ = [
    "Dask",
    "Engine",
    "Folders",
    "Job",
    "Manifest",
    "MaskRefiner",
    "Opener",
    "Options",
    "Pool",
    "Processes",
    "Report",
    "Result",
    "Rules",
    "check",
    "run",
]

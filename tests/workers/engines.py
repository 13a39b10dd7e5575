"""The engines: what a notebook does to use one, and what has to run beside it.

Every notebook defines ``everywhere(function, *arguments)``, which calls the function in two workers or more at once and
returns the results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyter_oidc.demo.environment import free_port
from tests.support.clusters import dask_cluster, programs

Identity = Literal["kernel", "grant"]

WISH = '"orders", "files", "models", methods=["GET", "HEAD", "POST"]'
"""What ``{wish}`` stands for: all that a grant is made for."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to run functions elsewhere; its workers call as the ``identity`` says.

    ``beside`` runs the rest of a cluster, and yields what the names in the cells stand for. ``are_children`` says that
    the notebook's kernel starts the workers all the same. ``recipe`` is a heading of the documentation, and what its
    code leads to, by an expression.
    """

    name: str
    identity: Identity
    start: str
    stop: str
    beside: Callable[[Path], AbstractContextManager[dict[str, str]]] = lambda _: nullcontext({})
    are_children: bool = False
    recipe: tuple[str, str, str] | None = None


@contextmanager
def _dask_cluster(folder: Path) -> Iterator[dict[str, str]]:
    with dask_cluster(folder) as port:
        yield {"port": str(port)}


GATEWAY = """
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.address = "127.0.0.1:{private}"
c.Proxy.address = "127.0.0.1:{port}"
c.UnsafeLocalBackend.clusters_directory = {clusters!r}
c.LocalClusterConfig.scheduler_cmd = [{python!r}, "-m", "distributed.cli.dask_scheduler"]
c.LocalClusterConfig.worker_cmd = [{python!r}, "-m", "distributed.cli.dask_worker"]
"""
"""A gateway whose clusters are processes of this machine; its scheduler is reached through its proxy only."""


@contextmanager
def _dask_gateway(folder: Path) -> Iterator[dict[str, str]]:
    port, clusters, settings = str(free_port()), folder / "clusters", folder / "dask_gateway_config.py"
    clusters.mkdir()
    settings.write_text(
        GATEWAY.format(private=free_port(), port=port, clusters=str(clusters), python=sys.executable), encoding="utf-8"
    )
    with programs(folder, "dask-gateway.log", ["dask_gateway_server", "--config", str(settings)]):
        yield {"port": port}


@contextmanager
def _ray_cluster(folder: Path) -> Iterator[dict[str, str]]:
    port, client_port = str(free_port()), str(free_port())
    temporary = folder / "ray"
    start = [
        "start",
        "--head",
        "--port",
        port,
        "--num-cpus",
        "2",
        "--ray-client-server-port",
        client_port,
        "--include-dashboard=false",
        "--disable-usage-stats",
        "--object-store-memory=100000000",
        "--min-worker-port=0",
        "--max-worker-port=0",
    ]
    start += ["--temp-dir", str(temporary), "--block"]
    with programs(folder, "ray.log", ["ray.scripts.scripts", *start]):
        yield {
            "port": port,
            "client_port": client_port,
        }  # NOTE: Ray takes every address of this machine for its own one


@contextmanager
def _event_log(folder: Path) -> Iterator[dict[str, str]]:
    events = folder / "spark-events"
    events.mkdir()
    yield {"events": events.as_uri()}


@contextmanager
def _ipyparallel_cluster(folder: Path) -> Iterator[dict[str, str]]:
    profile = folder / "ipyparallel"
    profile.mkdir()
    controller = ["ipyparallel.controller", f"--ipython-dir={profile}", "--ip=127.0.0.1"]
    file = profile / "profile_default" / "security" / "ipcontroller-engine.json"
    engine = ["ipyparallel.engine", f"--ipython-dir={profile}", f"--file={file}", "--IPEngine.wait_for_url_file=30"]
    with programs(folder, "ipyparallel.log", controller, engine, engine):
        yield {"client": str(file.with_name("ipcontroller-client.json"))}


ENGINES = (
    Engine(
        "multiprocessing (spawn)",
        "kernel",
        """
import multiprocessing, tasks
from concurrent.futures import ProcessPoolExecutor
pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
def everywhere(function, *arguments):
    sent = getattr(tasks, function.__name__)
    return [job.result() for job in [pool.submit(sent, *arguments) for _ in range(2)]]
""",
        "pool.shutdown()",
    ),
    Engine(
        "joblib (loky)",
        "kernel",
        """
from joblib import Parallel, delayed
def everywhere(function, *arguments):
    return Parallel(n_jobs=2)(delayed(function)(*arguments) for _ in range(2))
""",
        "from joblib.externals.loky import get_reusable_executor\nget_reusable_executor().shutdown()",
    ),
    Engine(
        "Dask (LocalCluster)",
        "kernel",
        """
from dask.distributed import Client, LocalCluster
cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
client = Client(cluster)
def everywhere(function, *arguments):
    return list(client.run(function, *arguments).values())
""",
        "client.close()\ncluster.close()",
    ),
    Engine(
        "Dask (scheduler and workers elsewhere)",
        "grant",
        """
from dask.distributed import Client
client = Client("tcp://127.0.0.1:{port}", timeout=60)
client.wait_for_workers(2, timeout=60)
client.register_plugin(oidc.dask.Access({wish}))
def everywhere(function, *arguments):
    return list(client.run(function, *arguments).values())
""",
        "client.close()",
        _dask_cluster,
        recipe=("Files as a Dask dataframe", "round(float(total), 2)", "210.0"),
    ),
    Engine(
        "Dask Gateway",
        "grant",
        """
import time
from dask_gateway import Gateway
gateway = Gateway("http://127.0.0.1:{port}")
for attempt in range(60):
    try:
        gateway.list_clusters()
        break
    except Exception:
        time.sleep(1)
cluster = gateway.new_cluster()
client = cluster.get_client()
client.register_plugin(oidc.dask.Access({wish}))
cluster.scale(2)  # workers that join later get the plugin, too
client.wait_for_workers(2, timeout=60)
def everywhere(function, *arguments):
    return list(client.run(function, *arguments).values())
""",
        "client.close()\ncluster.shutdown()",
        _dask_gateway,
    ),
    Engine(
        "Ray",
        "grant",
        """
import time, ray
for attempt in range(60):
    try:
        ray.init("127.0.0.1:{port}", runtime_env=oidc.ray.runtime_env({wish}), log_to_driver=False)
        break
    except ConnectionError:
        time.sleep(1)
def everywhere(function, *arguments):
    sent = ray.remote(function)
    return ray.get([sent.remote(*arguments) for _ in range(2)])
""",
        "ray.shutdown()",
        _ray_cluster,
        recipe=("A streamed answer in a Ray task", "answers", "['Hello there.', 'Hello there.']"),
    ),
    Engine(
        "Ray (ray://)",
        "grant",
        """
import time, ray
grant = oidc.delegate({wish}, name="Ray")
for attempt in range(60):
    try:
        ray.init("ray://127.0.0.1:{client_port}")
        break
    except ConnectionError:
        time.sleep(1)
def everywhere(function, *arguments):
    def by_the_grant():
        grant.use()
        return function(*arguments)
    sent = ray.remote(by_the_grant)
    return ray.get([sent.remote() for _ in range(2)])
""",
        "ray.shutdown()",
        _ray_cluster,
    ),
    Engine(
        "Spark (local-cluster)",
        "grant",
        """
import os, sys
from pyspark.sql import SparkSession
os.environ["PYSPARK_PYTHON"] = sys.executable
builder = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
builder = builder.config("spark.eventLog.enabled", "true").config("spark.eventLog.dir", "{events}")
spark = oidc.spark.configure(builder, {wish}).getOrCreate()
def everywhere(function, *arguments):
    return spark.sparkContext.parallelize(range(2), 2).map(lambda _: function(*arguments)).collect()
""",
        "spark.stop()",
        _event_log,
        are_children=True,
        recipe=("JSON in Spark", "orders.count()", "4"),
    ),
    Engine(
        "ipyparallel",
        "grant",
        """
import ipyparallel, time
for attempt in range(60):
    try:
        client = ipyparallel.Client("{client}")
        break
    except (OSError, ipyparallel.error.TimeoutError):
        time.sleep(1)
client.wait_for_engines(2, timeout=60)
client[:].use_cloudpickle()
client[:].apply_sync(oidc.delegate({wish}, name="ipyparallel").use)
def everywhere(function, *arguments):
    return client[:].apply_sync(function, *arguments)
""",
        "client.close()",
        _ipyparallel_cluster,
    ),
)
"""In the order in which the check goes through them."""

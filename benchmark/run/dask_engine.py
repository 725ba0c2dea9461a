"""The engine on dask.distributed: processes on this machine, or a cluster that is already running.

What differs from dask's own settings, and why: a job may hold its process for minutes, so no worker is given up for
being silent; models and memory maps are not dask's to count, so memory is not limited; a worker takes one job at a
time and none ahead, so that one that ends takes no other with it.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.run.engine import Finished, LostJobError
from benchmark.threads import available_cores

if TYPE_CHECKING:
    from distributed import Client, SpecCluster
    from distributed.client import Future
    from typing_extensions import Self

GPU = "GPU"  # the resource that a worker with a GPU of its own declares
PATIENCE = 30.0  # for a scheduler to answer, and for its first worker [s]
GLANCE = 2.0  # how often it is seen whether the scheduler is still there while nothing is finished [s]
LOSSES = 3  # processes that may end during a job before it is given up
SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.allowed-failures": LOSSES,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.timeouts.connect": "30s",
    "distributed.admin.tick.limit": "1h",
}


class DaskEngine:
    """Workers behind a dask scheduler.

    Args:
        client: Connected.
        cluster: Started for this run, and ended with it; None where it is somebody else's.
        scratch: Folder of its workers, removed with it.
    """

    def __init__(self, client: Client, cluster: SpecCluster | None = None, scratch: str | None = None) -> None:
        self._client = client
        self._cluster = cluster
        self._scratch = scratch
        self._futures: dict[Future[Any], int] = {}
        self._coming: SimpleQueue[Future[Any]] = SimpleQueue()
        self._tickets = 0
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        self.workers = sum(worker["nthreads"] for worker in workers)
        self.gpus = sum(bool(worker["resources"].get(GPU)) for worker in workers)

    @classmethod
    def local(cls, count: int, gpus: int = 0, threads: int | None = None) -> Self:
        """Start processes on this machine, which only it can reach.

        Args:
            count: How many.
            gpus: GPUs of this machine; each of the first workers gets one of them, and sees no other.
            threads: In which each encodes on its processor; its share of the cores.
        """
        _check_installed()
        import dask
        from distributed import Client, Nanny, Scheduler, SpecCluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        given = str(threads or max(1, available_cores() // count))
        scratch = tempfile.mkdtemp(prefix="serbench-workers-")

        def worker(number: int) -> dict[str, Any]:
            has_gpu = number < gpus
            environment = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), given)
            if gpus:
                environment["CUDA_VISIBLE_DEVICES"] = str(number) if has_gpu else ""
            options = {
                "host": "127.0.0.1",
                "nthreads": 1,
                "memory_limit": 0,
                "local_directory": scratch,
                "resources": {GPU: 1} if has_gpu else {},
                "env": environment,
                "silence_logs": logging.CRITICAL,
                "dashboard": False,
            }
            return {"cls": Nanny, "options": options}

        with dask.config.set(SETTINGS):
            cluster = SpecCluster(
                workers={number: worker(number) for number in range(count)},
                scheduler={"cls": Scheduler, "options": {"host": "127.0.0.1", "port": 0, "dashboard": False}},
                silence_logs=logging.CRITICAL,
            )
            client = Client(cluster)
            client.wait_for_workers(count)
        return cls(client, cluster, scratch)

    @classmethod
    def connect(cls, address: str) -> Self:
        """Reach a scheduler that runs already.

        Args:
            address: "tcp://HOST:PORT" or "tls://HOST:PORT", or "file:PATH" of the scheduler file.

        Raises:
            MissingError: Nobody answers there, or no worker is there.
            UsageError: The address is none.
        """
        scheme, _, place = address.partition(":")
        if scheme not in ("file", "tcp", "tls") or not place:
            raise UsageError(
                f"no scheduler can be at {address!r}", "give file:PATH, tcp://HOST:PORT or tls://HOST:PORT"
            )
        if scheme == "file":
            _await_file(Path(place))
        _check_installed()
        from distributed import Client

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        where = {"scheduler_file": place} if scheme == "file" else {"address": address}
        try:
            client = Client(**where, timeout=PATIENCE)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error) or type(error).__name__
            raise MissingError(
                f"no scheduler answers at {address}: {reason}", "start one with dask scheduler"
            ) from error
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            client.close()
            raise MissingError(f"the scheduler at {address} has no worker", "start some with dask worker") from error
        return cls(client)

    def submit(self, job: Callable[..., Any], *arguments: object, gpu: bool = False) -> int:
        """As `Engine.submit`."""
        ticket = self._tickets
        self._tickets += 1
        resources = {GPU: 1} if gpu else None
        future = self._client.submit(job, *arguments, pure=False, resources=resources, priority=-ticket)
        self._futures[future] = ticket
        future.add_done_callback(self._coming.put)
        return ticket

    def completed(self) -> Iterator[Finished]:
        """As `Engine.completed`."""
        from distributed import KilledWorker

        while self._futures:
            try:
                future = self._coming.get(timeout=GLANCE)
            except Empty:
                # Of one that is gone the client waits for the return, and tells nobody.
                if self._client.status == "running":
                    continue
                raise _gone() from None
            ticket = self._futures.pop(future)
            if future.status == "finished":
                yield Finished(ticket, future.result(), None)
                continue
            error = future.exception() if future.status == "error" else None
            if isinstance(error, KilledWorker):
                lost = LostJobError(
                    f"{LOSSES + 1} processes ended while they were at it", "had they too little memory?"
                )
                yield Finished(ticket, None, lost)
            elif isinstance(error, Exception):
                yield Finished(ticket, None, error)
            else:
                raise _gone()

    def everywhere(self, job: Callable[..., Any], *arguments: object) -> Mapping[str, Any]:
        """As `Engine.everywhere`."""
        try:
            return dict(self._client.run(job, *arguments))
        except OSError as error:  # as dask's CommClosedError is one
            raise _gone() from error

    def close(self) -> None:
        """As `Engine.close`."""
        if self._client.status == "running":
            with contextlib.suppress(OSError):  # it goes just now
                self._client.cancel(list(self._futures), force=True)
        self._client.close(timeout=GLANCE)
        if self._cluster is not None:
            self._cluster.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _await_file(path: Path) -> None:
    """Wait for a scheduler that is just being started to write its file; dask itself would wait for ever."""
    end = time.monotonic() + PATIENCE
    while not path.is_file():
        if time.monotonic() > end:
            raise MissingError(f"there is no scheduler file {path}", f"dask scheduler --scheduler-file {path}")
        time.sleep(0.1)


def _gone() -> BenchError:
    return BenchError("the scheduler is gone", "what is finished is kept: start it and run again")


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401 - whether it can be
    except ImportError as error:
        raise MissingError("workers need dask.distributed", "pip install 'serbench[cluster]'") from error

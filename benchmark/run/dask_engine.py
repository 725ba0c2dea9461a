"""The engine on dask.distributed: processes on this machine, or a cluster that is already running.

What differs from dask's own settings, and why: a job may hold its process for minutes, so no worker is given up for
being silent; models and memory maps are not dask's to count, so memory is not limited; a worker takes one job at a
time and none ahead, so that one that ends takes no other with it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import resource_tracker
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError, MissingError, UsageError
from benchmark.io.files import made_by
from benchmark.io.leftovers import remove_scratch
from benchmark.run.engine import Finished, LostJobError
from benchmark.text import count
from benchmark.threads import available_cores

if TYPE_CHECKING:
    from distributed import Client, SpecCluster
    from distributed.client import Future
    from typing_extensions import Self

GPU = "GPU"  # the resource that a worker with a GPU of its own declares
PATIENCE = 30.0  # for a scheduler to answer, and for its first worker [s]
SCRATCH = "serbench-workers-"  # how the names of the folders of workers begin
BUSY = 10.0  # how long an answer may take before it is said what is waited for [s]
GLANCE = 2.0  # how often it is seen whether the scheduler is still there while nothing is finished [s]
LONELY = 300.0  # how long others are waited for when no worker is left that could go on [s]
FIRST = 1_000_000  # priority of what is asked before any work
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
        self._on_gpu: set[int] = set()
        self._coming: SimpleQueue[Future[Any]] = SimpleQueue()
        self._tickets = 0
        workers = self._present().values()
        self.workers = sum(worker["nthreads"] for worker in workers)
        self.gpus = sum(_has_gpu(worker) for worker in workers)

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
        remove_scratch(Path(tempfile.gettempdir()), SCRATCH)  # of runs that were killed
        scratch = tempfile.mkdtemp(prefix=SCRATCH + made_by())

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

        alone = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
        with contextlib.ExitStack() as started:
            started.callback(shutil.rmtree, scratch, ignore_errors=True)
            with dask.config.set({**SETTINGS, "temporary-directory": scratch}):
                with _interrupted_later():
                    cluster = started.enter_context(
                        SpecCluster(
                            workers={number: worker(number) for number in range(count)},
                            scheduler={"cls": Scheduler, "options": alone},
                            silence_logs=logging.CRITICAL,
                        )
                    )
                client = started.enter_context(Client(cluster))
                client.wait_for_workers(count)
            engine = cls(client, cluster, scratch)
            started.pop_all()
            return engine

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
        if gpu:
            self._on_gpu.add(ticket)
        future.add_done_callback(self._coming.put)
        return ticket

    def completed(self, tell: Callable[[str], None]) -> Iterator[Finished]:
        """As `Engine.completed`."""
        from distributed import KilledWorker

        lonely_since: float | None = None
        while self._futures:
            try:
                future = self._coming.get(timeout=GLANCE)
            except Empty:
                # Of one that is gone the client waits for the return, and tells nobody.
                if self._client.status != "running":
                    raise _gone() from None
                if self._can_go_on():
                    lonely_since = None
                    continue
                lonely_since = lonely_since or time.monotonic()
                tell(f"no worker is left that could go on: waiting {LONELY:.0f} s for one")
                if time.monotonic() - lonely_since > LONELY:
                    raise BenchError(
                        "no worker is left", "what is finished is kept: start some and run again"
                    ) from None
                continue
            lonely_since = None
            ticket = self._futures.pop(future)
            self._on_gpu.discard(ticket)
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

    def everywhere(self, job: Callable[..., Any], *arguments: object, tell: Callable[[str], None]) -> Mapping[str, Any]:
        """As `Engine.everywhere`: a job like others, so that a worker is not asked in the middle of one."""
        asked = {
            self._client.submit(job, *arguments, workers=[address], pure=False, priority=FIRST): address
            for address in self._present()
        }
        coming = SimpleQueue[Any]()
        for future in asked:
            future.add_done_callback(coming.put)
        found, since = {}, time.monotonic()
        while asked:
            try:
                future = coming.get(timeout=GLANCE)
            except Empty:
                if self._client.status != "running":
                    raise _gone() from None
                present = self._present()
                asked = {one: address for one, address in asked.items() if address in present}
                if asked and time.monotonic() - since > BUSY:
                    since = math.inf
                    tell(f"waiting for {count(len(asked), 'worker')}, busy with what another run gave them")
                continue
            address = asked.pop(future, None)
            if address is None or address not in self._present():
                continue
            if future.status not in ("finished", "error"):
                raise _gone()
            found[address] = future.result()
        return found

    def _present(self) -> Mapping[str, Mapping[str, Any]]:
        """What the scheduler knows of its workers, by address."""
        try:
            present: Mapping[str, Mapping[str, Any]] = self._client.scheduler_info(n_workers=-1)["workers"]
        except OSError as error:  # as dask's CommClosedError is one
            raise _gone() from error
        return present

    def _can_go_on(self) -> bool:
        """Whether there is a worker for some of what is left."""
        present = self._present().values()
        return any(map(_has_gpu, present)) if self._on_gpu >= set(self._futures.values()) else bool(present)

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
    end, hint = time.monotonic() + PATIENCE, f"dask scheduler --scheduler-file {path}"
    while not (is_there := path.is_file()) or not _tells_address(path):
        if time.monotonic() > end:
            raise MissingError(
                f"{path} is no scheduler file" if is_there else f"there is no scheduler file {path}", hint
            )
        time.sleep(0.1)


def _tells_address(path: Path) -> bool:
    """Whether a scheduler has written where it is."""
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and isinstance(told.get("address"), str)


def _has_gpu(worker: Mapping[str, Any]) -> bool:
    return bool(worker["resources"].get(GPU))


@contextlib.contextmanager
def _interrupted_later() -> Iterator[None]:
    """Let a Ctrl-C wait. Processes that are started meanwhile never see one: who started them ends them."""
    resource_tracker.ensure_running()  # it lets signals through again in whatever thread starts it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _gone() -> BenchError:
    return BenchError("the scheduler is gone", "what is finished is kept: start it and run again")


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401 - whether it can be
    except ImportError as error:
        raise MissingError("workers need dask.distributed", "pip install 'serbench[cluster]'") from error

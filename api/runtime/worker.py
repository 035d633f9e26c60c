"""The worker: wakes when work is committed, runs database jobs in batches and device jobs in threads."""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from api.runtime import queue
from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit
from inventory.ledger import DeviceHandler, Handler, Job, Retry, UnitOfWork

_log = logging.getLogger(__name__)

BATCH: Final = 100
MAX_ATTEMPTS: Final = 8
DEVICE_THREADS: Final = 16
_LONGEST_WAIT_S: Final = 3600.0


@dataclass(slots=True, kw_only=True)
class Worker:
    """Runs the jobs of one process.

    Attributes:
        handlers: database work by job kind: many jobs share one transaction, each in a savepoint of its own.
        device_handlers: work that talks to devices, by job kind: one thread each, no transaction open.
    """

    database: Database
    handlers: Mapping[str, Handler]
    device_handlers: Mapping[str, DeviceHandler]
    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _pool: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Take over what a dead process left running, then begin."""
        with self.database.begin() as uow:
            queue.hand_back(uow.connection)
        self._pool = ThreadPoolExecutor(DEVICE_THREADS, thread_name_prefix="device")
        self.database.on_commit(self._wake.set)
        self._thread = threading.Thread(target=self._loop, name="worker", daemon=True)
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch in hand and the device jobs under way, then end."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def run_ready(self) -> int:
        """Run every database job that is due, and the device jobs in this thread; return how many. For tests."""
        done = self._run_batch()
        for job in self._claim_device_jobs():
            self._run_device_job(job)
            done += 1
        return done

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                busy = self._run_batch()
                for job in self._claim_device_jobs():
                    self._submit(job)
                    busy += 1
            except Exception:  # noqa: BLE001 - see below; it is logged with its traceback
                # The loop is the last seam: a database that is away for a moment must not end the process's work.
                _log.exception("worker: the database did not take this round; trying again in a second")
                self._stop.wait(1.0)
                continue
            if not busy:
                self._wake.wait(self._idle_s())

    def _idle_s(self) -> float:
        with self.database.read() as connection:
            due_s = queue.next_due_s(connection)
        if due_s is None:
            return _LONGEST_WAIT_S
        # A due job that could not be claimed waits for its lane; the job in front of it will wake us.
        return max(0.05, min(due_s - time.time(), _LONGEST_WAIT_S))

    def _run_batch(self) -> int:
        with self.database.read() as connection:
            if not queue.ready(connection, self.handlers, now_s=time.time(), limit=1):
                return 0
        with self.database.begin() as uow:
            batch = queue.ready(uow.connection, self.handlers, now_s=time.time(), limit=BATCH)
            for job in batch:
                self._run_in_savepoint(job, uow)
        return len(batch)

    def _run_in_savepoint(self, job: Job, uow: UnitOfWork) -> None:
        if not isinstance(uow, LedgerUnit):
            raise TypeError("the worker runs on its own runtime's unit of work")
        mark = uow.mark()
        savepoint = uow.connection.begin_nested()
        try:
            retry = self.handlers[job.kind](job, uow)
        except Exception as error:  # noqa: BLE001 - see below; kept in the job row and logged
            # Any handler may have a bug; it must cost its own job only, and stay visible.
            savepoint.rollback()
            uow.forget(mark)
            _settle_failure(uow, job, error)
            return
        savepoint.commit()
        _settle(uow, job, retry)

    def _claim_device_jobs(self) -> list[Job]:
        with self.database.read() as connection:
            found = queue.ready(connection, self.device_handlers, now_s=time.time(), limit=BATCH)
        if found:
            with self.database.begin() as uow:
                queue.start(uow.connection, [job.job_id for job in found])
        return found

    def _submit(self, job: Job) -> None:
        if self._pool is not None:
            self._pool.submit(self._run_device_job, job).add_done_callback(_report)

    def _run_device_job(self, job: Job) -> None:
        try:
            retry = self.device_handlers[job.kind](job, self.database)
        except Exception as error:  # noqa: BLE001 - see below; kept in the job row and logged
            # As for database jobs: a bug costs its own job and stays visible.
            with self.database.begin() as uow:
                _settle_failure(uow, job, error)
        else:
            with self.database.begin() as uow:
                _settle(uow, job, retry)
        self.database.wake()


def _report(done: "Future[None]") -> None:
    error = done.exception()
    if error is not None:
        _log.error("worker: a device job could not be settled; it runs again after a restart", exc_info=error)


def _settle(uow: UnitOfWork, job: Job, retry: Retry | None) -> None:
    if retry is None:
        queue.finish(uow.connection, job.job_id)
    else:
        queue.postpone(uow.connection, job, run_at_s=uow.now.timestamp() + retry.delay_s, reason=retry.reason)


def _settle_failure(uow: UnitOfWork, job: Job, error: Exception) -> None:
    park = job.attempt >= MAX_ATTEMPTS
    _log.error(
        "job %s (%s, lane %s) failed in attempt %d of %d%s",
        *(job.job_id, job.kind, job.lane, job.attempt, MAX_ATTEMPTS, "; parked" if park else ""),
        exc_info=error,
    )
    pause_s = min(0.1 * 2**job.attempt, 60.0)
    reason = f"{type(error).__name__}: {error}"
    queue.postpone(uow.connection, job, run_at_s=uow.now.timestamp() + pause_s, reason=reason, park=park)

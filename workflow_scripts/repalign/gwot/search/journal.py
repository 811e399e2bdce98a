"""Trials that survive a killed job: one finished trial is one line of an Optuna journal.

A trial is written once, when it is finished, while its worker holds the lock of its batch. Locks are those of the
operating system (`filelock.FileLock`, not `SoftFileLock`): they are freed when a process is killed, on a local disk at
once and on NFS when the server learns of it, so no file left behind can block a later run.
"""

import hashlib
import json
from contextlib import contextmanager, nullcontext
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from repalign.errors import InputError

POLL = 0.005  # seconds between attempts to get a lock that others hold for milliseconds


class JournalLock:
    """Optuna's lock of the journal file; also cuts off the half-written line of a killed writer."""

    def __init__(self, path):
        self._path = path
        self._lock = FileLock(f"{path}.lock", poll_interval=POLL)

    def acquire(self):
        self._lock.acquire()
        with open(self._path, "rb+") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
        return True

    def release(self):
        self._lock.release()


def fingerprint(*parts):
    """Short digest of arrays and JSON-serialisable settings."""
    digest = hashlib.sha256()
    for part in parts:
        if hasattr(part, "tobytes"):
            digest.update(str((part.shape, part.dtype)).encode() + part.tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
    return digest.hexdigest()[:16]


class Journal:
    """The finished trials of one search, in memory or in a journal file.

    Parameters
    ----------
    path : path or None
        Journal file, made with its folder where missing; None keeps the trials in memory.
    settings : str
        Fingerprint of data and settings; a file with another one is refused.
    stages : sequence of str
        Rounds of the search; each is an Optuna study in which a slot has at most one trial.

    Raises
    ------
    InputError
        The file belongs to a search with other data or settings, or is no journal.
    """

    def __init__(self, path, settings, stages=("trials",)):
        self.path = None if path is None else Path(path)
        if self.path is None:
            storage = optuna.storages.InMemoryStorage()
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            lock = JournalLock(self.path)
            try:
                storage = JournalStorage(JournalFileBackend(str(self.path), lock_obj=lock))
            except (ValueError, KeyError) as error:
                raise InputError(
                    f"{self.path} is not an Optuna journal ({error}); delete it and rerun."
                ) from error
        with self._lock("open") if self.path else nullcontext(), quiet():
            self._studies = {
                stage: optuna.create_study(storage=storage, study_name=stage, load_if_exists=True)
                for stage in stages
            }
            first = next(iter(self._studies.values()))
            known = first.user_attrs.get("settings")
            if known is None:
                first.set_user_attr("settings", settings)
        if known not in (None, settings):
            raise InputError(
                f"{self.path} holds trials of a search with other data or settings; "
                "delete it or name another storage."
            )

    @property
    def stages(self):
        """Names of the rounds, first to last."""
        return tuple(self._studies)

    def records(self, stage):
        """Finished trials of a stage as `{slot: record}`."""
        with quiet():
            trials = self._studies[stage].get_trials(deepcopy=False)
        return {trial.user_attrs["trial"]: dict(trial.user_attrs) for trial in trials}

    def add(self, stage, record):
        """Log one finished trial of a stage."""
        complete = record["status"] == "complete"
        value = record["epsilon"]
        trial = create_trial(
            state=TrialState.COMPLETE if complete else TrialState.FAIL,
            value=record["loss"] if complete else None,
            params={"epsilon": value},
            distributions={"epsilon": optuna.distributions.FloatDistribution(value, value)},
            user_attrs=record,
        )
        with quiet():
            self._studies[stage].add_trial(trial)

    @contextmanager
    def claim(self, name):
        """Yield True if this process holds a piece of work alone until the block ends, else False."""
        if self.path is None:
            yield True
            return
        lock = self._lock(name)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _lock(self, name):
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / f"{name}.lock", poll_interval=POLL)

    @property
    def folder(self):
        """Folder beside the journal for locks and the best plan so far."""
        return self.path.with_name(self.path.name + ".work")


@contextmanager
def quiet():
    """Keep Optuna's messages out of the caller's log."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)

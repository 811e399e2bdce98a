"""Trials that survive a killed job: one finished trial is one line of an Optuna journal.

A trial is written once, when it is finished, while its worker holds the lock of its slot. The lock belongs to the
process, so a kill frees the slot at once, and nobody repeats or loses what the journal holds.
"""

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from repalign.errors import InputError


class ProcessLock:
    """Advisory lock that dies with its process; cuts off the half-written line of a killed writer."""

    def __init__(self, path):
        self._path = str(path)
        self._handle = None

    def acquire(self):
        self._handle = os.open(self._path + ".lock", os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with open(self._path, "rb+") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
        return True

    def release(self):
        os.close(self._handle)
        self._handle = None


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
            lock = ProcessLock(self.path)
            try:
                storage = JournalStorage(JournalFileBackend(str(self.path), lock_obj=lock))
            except (ValueError, KeyError) as error:
                raise InputError(
                    f"{self.path} is not an Optuna journal ({error}); delete it and rerun."
                ) from error
        with self._exclusive("open"), quiet():
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
        with self._lock_file(name) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _exclusive(self, name):
        if self.path is None:
            yield
            return
        with self._lock_file(name) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _lock_file(self, name):
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            yield handle
        finally:
            os.close(handle)

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

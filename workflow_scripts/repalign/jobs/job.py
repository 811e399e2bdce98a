"""The frame of every script: a log file, and one clear sentence when the input is at fault."""

import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from repalign.errors import InputError
from repalign.jobs import finished

FORMAT = "%(asctime)s %(levelname)s %(message)s"


@contextmanager
def job(snakemake):
    """Yield a logger to the job's log file; turn an error into one sentence on stderr and exit status 1.

    The sentence of an `InputError` is shown, since the user can do something about it. Anything else is a bug: its
    traceback goes to the log, and stderr says where that is. A job whose results were kept when its group failed
    (`repalign.jobs.finished`) restores them and exits with status 0.

    Parameters
    ----------
    snakemake : the object that Snakemake gives a script
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    logger = logging.getLogger("repalign")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        kept = finished.folder_of_job(snakemake)
        if kept and finished.restore(kept, snakemake.output):
            logger.info("finished before, in a group that failed: its results are restored")
            raise SystemExit(0)
        yield logger
        if kept:
            finished.keep(kept, snakemake.output)
    except InputError as error:
        logger.error("%s", error)
        sys.stderr.write(f"repalign: {error}\n")
        raise SystemExit(1) from None
    except Exception as error:
        logger.error("%s", traceback.format_exc())
        sys.stderr.write(f"repalign: unexpected {type(error).__name__}: {error} (traceback in {path})\n")
        raise SystemExit(1) from None
    finally:
        logger.removeHandler(handler)
        handler.close()

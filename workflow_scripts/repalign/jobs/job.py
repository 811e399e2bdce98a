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

    `InputError` is the user's to mend: its sentence is shown. Anything else is a defect: its traceback goes to the
    log and stderr says where. A job that its group has finished before (`repalign.jobs.finished`) ends here, and well.

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
        place = finished.place_of(snakemake)
        if place and finished.restore(place, snakemake.output):
            logger.info("finished before, in a group that failed: its results are put back")
            raise SystemExit(0)
        yield logger
        if place:
            finished.keep(place, snakemake.output)
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

"""Download large files: interrupted downloads are resumed, failures retried, checksums verified."""

import os
import time
from pathlib import Path

import requests

from repalign.errors import InputError
from repalign.storage.checksums import sha256_of

# A dropped connection loses less than this much of what has arrived.
CHUNK = 1 << 16
# Faults that may pass; any other status of 400 and above is final.
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


class _Retry(Exception):
    """A failure that is worth another attempt; `resumable` if what has arrived so far can be kept."""

    def __init__(self, reason, resumable=True, wait=0.0):
        super().__init__(reason)
        self.resumable, self.wait = resumable, wait


def verify(path, sha256):
    """Raise `InputError` if the sha256 of `path` does not begin with `sha256`; return the full sha256."""
    found = sha256_of(path)
    if sha256 and not found.startswith(sha256.lower()):
        raise InputError(
            f"{path} has the sha256 {found}, not {sha256}; delete it and rerun, or correct the checksum."
        )
    return found


def fetch(url, path, *, sha256="", attempts=6, timeout=30.0, backoff=1.0, progress=None):
    """Download one file, resuming what an earlier attempt or an earlier run left.

    Bytes are written to `<path>.part`, which is renamed when it is complete. If `path` exists, it is checked and kept.
    Parts of two versions of a file are never joined: a resumed request names the entity tag (ETag) of the part, and
    a part without one is downloaded again from the start.

    Parameters
    ----------
    url : str
    path : path
    sha256 : str
        Of the whole file, or its first digits; empty where it is unknown.
    attempts : int
        How many attempts in a row may bring nothing new; any progress resets the count.
    timeout : float
        Seconds without data after which an attempt is given up.
    backoff : float
        Seconds before the second attempt; doubled each time, at most 60.
    progress : callable or None
        `progress(new bytes, total bytes or None)`.

    Returns
    -------
    Path of the complete, checked file.

    Raises
    ------
    InputError
        The server refuses, the connection keeps failing, or the checksum is wrong twice.
    """
    path = Path(path)
    if path.exists():
        verify(path, sha256)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part, tag = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.etag")
    failures, wrong = 0, 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(url, part, tag, timeout, progress)
            if sha256 and not sha256_of(part).startswith(sha256.lower()):
                raise _Retry(
                    f"the downloaded file has the sha256 {sha256_of(part)}, not {sha256}", resumable=False
                )
            break
        except (requests.RequestException, _Retry) as error:
            gained = part.exists() and part.stat().st_size > before
            if not getattr(error, "resumable", True):
                part.unlink(missing_ok=True)
                tag.unlink(missing_ok=True)
                gained, wrong = False, wrong + 1
            failures = 0 if gained else failures + 1
            if failures >= attempts or wrong >= 2:
                raise InputError(
                    f"{url} could not be downloaded to {path} ({_reason(error)}); rerun to resume, or put the file "
                    "there by hand."
                ) from error
            wait = max(min(60.0, backoff * 2 ** max(0, failures - 1)), getattr(error, "wait", 0.0))
            time.sleep(wait)
    os.replace(part, path)
    tag.unlink(missing_ok=True)
    return path


def _reason(error):
    return str(error) if isinstance(error, _Retry) else type(error).__name__


def _attempt(url, part, tag, timeout, progress):
    """One request: append what is missing to `part`, or start it again."""
    offset = part.stat().st_size if part.exists() and tag.exists() else 0
    # No compression: ranges and lengths must count the bytes of the file itself.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": tag.read_text()}
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == 416:
            raise _Retry("the file on the server is shorter than what has arrived", resumable=False)
        if response.status_code in TRANSIENT:
            wait = response.headers.get("Retry-After", "")
            raise _Retry(f"HTTP {response.status_code}", wait=float(wait) if wait.isdigit() else 0.0)
        if response.status_code >= 400:
            raise InputError(
                f"{url} answers HTTP {response.status_code}; check the address and whether you may access it, or put "
                f"the file at {str(part).removesuffix('.part')} by hand."
            )
        if response.status_code != 206:
            offset = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise _Retry("the server resumed at the wrong position", resumable=False)
        length = response.headers.get("Content-Length")
        total = offset + int(length) if length is not None else None
        validator = response.headers.get("ETag", "")
        if validator and not validator.startswith("W/"):
            tag.write_text(validator)
        else:
            tag.unlink(missing_ok=True)
        with open(part, "r+b" if offset else "wb") as file:
            file.seek(offset)
            file.truncate()
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                if progress:
                    progress(len(chunk), total)
    size = part.stat().st_size
    if total is not None and size != total:
        raise _Retry(f"{size} of {total} bytes arrived", resumable=size < total)

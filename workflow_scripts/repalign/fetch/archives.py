"""Unpack downloaded zip archives safely: inside the target folder, within size limits, completely or not at all."""

import multiprocessing
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path, PurePosixPath

from repalign.errors import InputError, listed
from repalign.storage.artefacts import atomic

CHUNK = 1 << 20
AES = 99


def unpack(archive, folder, *, password=None, max_bytes=20 * 2**30, max_ratio=200, jobs=1, progress=None):
    """Unpack a zip archive into a new folder.

    Members are written to a temporary folder beside `folder`, which takes its name when all are there.

    Parameters
    ----------
    archive : path
    folder : path
        Must not exist yet.
    password : str or None
        For archives with the traditional zip encryption, which Python decrypts at a few MB/s in each process.
    max_bytes : int
        The most that all members together may unpack to.
    max_ratio : float
        How many times larger than its compressed form a member of 1 MB or more may be (photographs hardly compress;
        a zip bomb has ratios of 1,000 and more).
    jobs : int
        Number of processes; always one on systems other than Linux.
    progress : callable or None
        `progress(members done, number of members)`.

    Returns
    -------
    Path of `folder`.

    Raises
    ------
    InputError
        Not a zip file, a damaged or encrypted member, a wrong password, a member that would leave the folder, a
        link, or more bytes than allowed; nothing is left behind.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already; delete it to unpack {archive} again.")
    members = _checked_members(archive, password, max_bytes, max_ratio)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        # mkdtemp makes folders that only the user can read; the result gets the usual permissions.
        root = Path(temporary) / "root"
        root.mkdir()
        done = 0
        batches = [members[i : i + 64] for i in range(0, len(members), 64)]
        if jobs == 1 or sys.platform != "linux":
            for batch in batches:
                done += _extract(archive, batch, root, password)
                if progress:
                    progress(done, len(members))
        else:
            # Forked, since other start methods import the calling script again, which cannot be imported.
            context = multiprocessing.get_context("fork")
            with ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool:
                futures = [pool.submit(_extract, archive, batch, root, password) for batch in batches]
                try:
                    for future in futures:
                        done += future.result()
                        if progress:
                            progress(done, len(members))
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        root.rename(folder)
    return folder


def unpack_member(archive, name, target, *, check=None, max_bytes=4 * 2**30, max_ratio=200):
    """Take one file out of a zip archive, wherever in it the file lies.

    Parameters
    ----------
    archive : path
    name : str
        The file's name, with as much of its path as is needed to make it unique.
    target : path
        The file to write, atomically.
    check : callable or None
        `check(path)` raises an error if the unpacked file is not the right one.
    max_bytes, max_ratio
        As in `unpack`.

    Returns
    -------
    str, the full name of the member.

    Raises
    ------
    InputError
        As `unpack`; none or several members of that name.
    """
    members = _checked_members(archive, None, max_bytes, max_ratio)
    wanted = PurePosixPath(name).parts
    found = [member for member in members if PurePosixPath(member).parts[-len(wanted) :] == wanted]
    # Archives made on a Mac hold a metadata file for every file.
    found = [member for member in found if not member.startswith("__MACOSX/")]
    if len(found) != 1:
        raise InputError(
            f"{archive} holds {len(found)} files called {name}, not one ({listed(found or members, 5)}); correct the "
            "downloads sheet."
        )
    with tempfile.TemporaryDirectory() as folder:
        _extract(archive, found, Path(folder), None)
        with atomic(target) as temporary:
            shutil.copyfile(Path(folder) / found[0], temporary)
            if check:
                check(temporary)
    return found[0]


def _checked_members(archive, password, max_bytes, max_ratio):
    try:
        with zipfile.ZipFile(archive) as file:
            infos = [info for info in file.infolist() if not info.filename.endswith("/")]
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(
            f"{archive} is not a readable zip archive ({error}); delete it and download it again."
        ) from error
    seen = set()
    for info in infos:
        what = f"{archive} holds '{info.filename}'"
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise InputError(
                f"{what}, which would be written outside the target folder; do not use this archive."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(f"{what}, which is a link; do not use this archive.")
        if info.file_size >= 2**20 and info.file_size > max_ratio * info.compress_size:
            raise InputError(
                f"{what}, which unpacks to {info.file_size / max(1, info.compress_size):.0f} times its size, more "
                f"than the {max_ratio} allowed; do not use this archive."
            )
        if info.flag_bits & 1 and password is None:
            raise InputError(f"{archive} is encrypted; give its password.")
        if info.compress_type == AES:
            raise InputError(f"{archive} is encrypted with AES, which needs 7-Zip: unpack it by hand (7z x).")
        if path in seen:
            raise InputError(f"{what} twice; do not use this archive.")
        seen.add(path)
    if not infos:
        raise InputError(f"{archive} holds no files; delete it and download it again.")
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise InputError(
            f"{archive} unpacks to {total / 2**30:.1f} GiB, more than the {max_bytes / 2**30:.1f} GiB allowed; raise "
            "max_bytes if that size is right."
        )
    return [info.filename for info in infos]


def _extract(archive, members, root, password):
    secret = None if password is None else password.encode()
    with zipfile.ZipFile(archive) as file:
        for name in members:
            target = root / name.replace("\\", "/")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                # zipfile stops at the declared size, which was checked, and compares the CRC at the end.
                with file.open(name, pwd=secret) as source, open(target, "xb") as sink:
                    shutil.copyfileobj(source, sink, CHUNK)
            except RuntimeError as error:
                raise InputError(f"{archive} cannot be opened with the password given; check it.") from error
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                if secret is not None:
                    raise InputError(
                        f"{archive} has a member '{name}' that cannot be read ({error}); check the password, or "
                        "download the archive again."
                    ) from error
                raise InputError(
                    f"{archive} is damaged at '{name}' ({error}); delete it and download it again."
                ) from error
    return len(members)

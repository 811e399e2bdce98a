"""Download an archive of the THINGS data and unpack it; the password is taken from the environment, never stored."""

import os
from pathlib import Path

from repalign.errors import InputError
from repalign.fetch.archives import unpack
from repalign.fetch.downloads import fetch
from repalign.jobs.job import job
from repalign.study.study import PASSWORD
from tqdm import tqdm

with job(snakemake) as log:
    row, folder = snakemake.params.row, Path(snakemake.output[0])
    password = os.environ.get(PASSWORD) if row["kind"] == "password_zip" else None
    if row["kind"] == "password_zip" and not password:
        raise InputError(
            f"{row['path']} needs the password that the THINGS project shows to those who accept its terms "
            f"(https://osf.io/jum2f); set the environment variable {PASSWORD}, or things_password in the config."
        )
    archive = folder.with_name(folder.name + ".zip")
    with tqdm(unit="B", unit_scale=True, desc=row["path"]) as bar:

        def progress(gained, total):
            bar.total = total
            bar.update(gained)

        fetch(row["url"], archive, sha256=row.get("sha256", ""), progress=progress)
    log.info("%s from %s", archive, row["url"])
    unpack(archive, folder, password=password, jobs=snakemake.threads)
    archive.unlink()

"""Download one file of the THINGS data."""

from repalign.fetch.downloads import fetch
from repalign.jobs.job import job
from tqdm import tqdm

with job(snakemake) as log:
    row = snakemake.params.row
    with tqdm(unit="B", unit_scale=True, desc=row["path"]) as bar:

        def progress(gained, total):
            bar.total = total
            bar.update(gained)

        path = fetch(row["url"], snakemake.output[0], sha256=row.get("sha256", ""), progress=progress)
    log.info("%s from %s", path, row["url"])

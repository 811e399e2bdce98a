"""Take one file out of a downloaded archive."""

from repalign.fetch.archives import unpack_member
from repalign.fetch.downloads import verify
from repalign.jobs.job import job

with job(snakemake) as log:
    row, archive, target = snakemake.params.row, snakemake.input[0], snakemake.output[0]
    member = row["url"].partition(":")[2]
    name = unpack_member(archive, member, target, check=lambda path: verify(path, row.get("sha256", "")))
    log.info("%s from %s in %s", target, name, archive)

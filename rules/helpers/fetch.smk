# Where a download comes from and where it goes.


def downloads_of(*kinds):
    """Paths of the downloads of some kinds, as a regular expression."""
    return alternatives(path for path, row in DOWNLOADS.items() if row["kind"] in kinds)


def source_of(path):
    """The file in things_dir that a download is made from."""
    return f"{config['things_dir']}/{DOWNLOADS[path]['url'].partition(':')[0]}"

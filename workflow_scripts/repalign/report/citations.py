"""How to cite what a study used."""

import re


def citations(entries, models, humans, used):
    """The references of a study, each with the models it describes.

    Parameters
    ----------
    entries : list of dict: `reference`, `url`, and one of `always` (True), `study` (a word in `used`), or `match` (a
        regular expression on the fields of a sheet row, joined by spaces)
    models, humans : dict of name to sheet row
    used : set of words: what the study computed, such as `things`, `convexity`, `naive_transform`

    Returns
    -------
    (list of dict: reference, url, names; list of models that no entry describes)
    """
    found, unknown = [], []
    rows = {name: " ".join(map(str, row.values())).lower() for name, row in {**models, **humans}.items()}
    described = set()
    for entry in entries:
        names = []
        if "match" in entry:
            names = [name for name, text in rows.items() if re.search(entry["match"], text)]
            described.update(names)
        if names or entry.get("always") or entry.get("study") in used:
            found.append({"reference": entry["reference"], "url": entry.get("url", ""), "names": names})
    unknown = [
        name
        for name, row in models.items()
        if name not in described and row["paradigm"] not in ("human", "random")
    ]
    return found, unknown

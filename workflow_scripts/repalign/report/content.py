"""The figures, tables and thumbnails of a study as the page shows them."""

from pathlib import Path

import pandas as pd

from repalign.labels import shown
from repalign.report.page import picture, thumbnail
from repalign.storage.artefacts import read_table

ROWS = 200  # of a table on the page; the file has all
IMAGES = (".jpg", ".jpeg", ".png", ".webp")


def figure_entries(titles, folder):
    """Picture, caption and files of every figure.

    Parameters
    ----------
    titles : dict of figure name to title
    folder : path of `figures`, a sister of the folder of the page
    """
    entries = []
    for name, title in titles.items():
        files = sorted(path for path in Path(folder).glob(f"{name}.*") if path.suffix != ".rst")
        url, width, height = picture(Path(folder) / f"{name}.png")
        caption = (Path(folder) / f"{name}.rst").read_text(encoding="utf-8").strip()
        entries.append(
            {
                **{
                    "name": name,
                    "title": title,
                    "caption": caption,
                    "url": url,
                    "width": width,
                    "height": height,
                },
                "files": [f"../figures/{path.name}" for path in files],
            }
        )
    return entries


def table_entries(names, folder):
    """The first rows of every table, as text, and its files."""
    entries = []
    for name in names:
        table = read_table(Path(folder) / f"{name}.tsv")
        cells = [["" if pd.isna(x) else f"{x:.4g}" if isinstance(x, float) else str(x) for x in row] for row in
                 table.head(ROWS).itertuples(index=False)]  # fmt: skip
        entries.append(
            {
                **{"title": shown(name).capitalize(), "columns": list(table.columns), "rows": cells},
                "left_out": max(0, len(table) - ROWS),
                "files": [f"../tables/{name}.tsv", f"../tables/{name}.tex"],
            }
        )
    return entries


def thumbnails(folder, objects):
    """The first image of every object as a data URL; nothing where the study shows no images.

    Parameters
    ----------
    folder : path of a folder with a folder or a file for each object; empty for none
    objects : list of str
    """
    found = {}
    for name in objects if folder else ():
        inside = Path(folder) / name
        candidates = sorted(inside.iterdir()) if inside.is_dir() else sorted(Path(folder).glob(f"{name}.*"))
        if images := [p for p in candidates if p.suffix.lower() in IMAGES and not p.name.startswith(".")]:
            found[name] = thumbnail(images[0])
    return found

"""The real THINGS files, for tests marked `things`: read from beside the checkout, in unique_id order."""

import numpy as np
import pandas as pd


class Things:
    """Embeddings, triplets and categories, all in unique_id order."""

    def __init__(self, folder, reference):
        self.folder, self.reference = folder, reference
        self.names = (self.folder / "unique_id.txt").read_text().split()
        position = {name: i for i, name in enumerate(self.names)}
        self.from_file_order = np.array(
            [position[n] for n in (self.folder / "file_order.txt").read_text().split()]
        )

    def embedding(self, name):
        if name == "spose66":
            return np.loadtxt(self.folder / "human" / "spose_embedding_66d_sorted.txt")
        rows = np.load(self.folder / "models" / f"{name}.npy")
        reordered = np.empty_like(rows)
        reordered[self.from_file_order] = rows
        return reordered

    def triplets(self):
        return self.from_file_order[np.loadtxt(self.folder / "triplets" / "triplets_100k.txt", dtype=int)]

    def exclusive_categories(self):
        table = pd.read_csv(self.folder / "categories" / "category_mat_exclusive.csv")
        table = table.select_dtypes("number").drop(columns=["Unnamed: 0"], errors="ignore")
        return table.drop(columns=["others"])

    def manual_categories(self):
        table = pd.read_csv(self.folder / "categories" / "category_mat_manual.tsv", sep="\t")
        return table.select_dtypes("number")

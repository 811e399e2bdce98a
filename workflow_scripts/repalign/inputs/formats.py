"""The files of features that can be read; apart from their reader, since every job looks at the list."""

FORMATS = (".npy", ".npz", ".safetensors", ".txt", ".csv", ".tsv")

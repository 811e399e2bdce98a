"""Networks of every library through one interface: load, preprocess, name the layers, read them in one pass.

`repalign.models.load` opens a model, `repalign.models.extraction` runs images through it.
"""

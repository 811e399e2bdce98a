"""Hostile and broken files, one by one: each is refused with exactly the sentence of tests/bad_input/files.tsv."""

import csv
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from repalign.errors import InputError
from repalign.fetch.archives import unpack
from repalign.fetch.downloads import fetch, verify
from repalign.inputs import images
from repalign.inputs.features import read_precomputed
from repalign.inputs.objects import read_order
from repalign.inputs.pixels import read_rgb
from repalign.inputs.preprocessing import declared
from repalign.inputs.things import read_concepts, read_human, read_repeated_triplets, read_triplets
from repalign.models.training_state import find_state
from repalign.models.weights import read_state
from repalign.storage.artefacts import read_arrays, read_table, write_arrays, write_table
from small_files import (
    CATEGORIES,
    NPY,
    NPZ,
    OBJECTS,
    ORDER,
    TABLE_OF_NUMBERS,
    TENSORS,
    X,
    npy,
    npz,
    saved,
    tensors,
)

TABLE = Path(__file__).parents[2] / "bad_input/files.tsv"
D = np.array([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]], dtype=float)
MARK = "opened_by_a_pickle"


class Evil:
    def __reduce__(self):
        return os.mkdir, (MARK,)


def zipped(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def link():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return zipped((info, "/etc/passwd"))


EVIL = np.array([Evil()] * 4, dtype=object)
NAN_DIAGONAL = np.where(np.eye(4, dtype=bool), np.nan, D)
DOGS_FIRST = {"repalign": '{"objects": ["dog", "cat", "bee", "ant"]}'}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 98\n"
GOOD = "size=224; mean=0.5; std=0.5; channels=rgb; range=1"
BAD_TEXT = b"\xff\xfe\x00\x80"


# What reads a file: its name and content in, anything but InputError out is a fault.
def features(name, content, layer="f", order=ORDER):
    path = write(name, content)
    return read_precomputed(path, [layer], OBJECTS, write("order.txt", order) if order else None)


def named(name, content):
    return features(name, content, order=None)


def order(name, content):
    return read_order(write(name, content))


def triplets(name, content):
    return read_triplets(write(name, content), OBJECTS, write("order.txt", ORDER))


def repeated(name, content):
    return read_repeated_triplets(write(name, content), OBJECTS, write("order.txt", ORDER))


def human(name, content):
    return read_human(write(name, content), "dissimilarity", OBJECTS, write("order.txt", ORDER))


def human_named(name, content):
    return read_human(write(name, content), "dissimilarity", OBJECTS)


def human_embedding(name, content):
    return read_human(write(name, content), "embedding", OBJECTS, write("order.txt", ORDER))


def excluding(name, content):
    order = "object,exclude\n" + ",0\n".join(OBJECTS) + ",0\nelk,1\n"
    return read_triplets(write(name, content), OBJECTS, write("order.csv", order))


def categories(name, content):
    return read_concepts(write("order.txt", ORDER), write(name, content))


def memberships(name, content):
    files = {"memberships_path": write(name, content), "memberships_order": write("order.txt", ORDER)}
    return read_concepts(write("order.txt", ORDER), write("c.csv", CATEGORIES), **files)


def concepts(name, content):
    return read_concepts(
        write("order.txt", ORDER), write("c.csv", CATEGORIES), concepts_path=write(name, content)
    )


def archive(name, content):
    return unpack(write(name, content), Path("unpacked"))


def checkpoint(name, content):
    return read_state(write(name, content))


def fitting(name, content):
    return find_state(checkpoint(name, content), torch.nn.Linear(2, 2), path=name, model="m")


def image(name, content):
    """The reason that stands in the sentence about an image."""
    try:
        return read_rgb(write(name, content))
    except ValueError as error:
        raise InputError(str(error)) from error


def picture(dtype):
    return saved(lambda f: Image.fromarray(np.arange(9).reshape(3, 3).astype(dtype)).save(f, "TIFF"))


def image_folders(name, content):
    for folder in content:
        (Path(name) / folder).mkdir(parents=True)
    return images.index_images(name, ["ant", "music_box"])


def image_files(name, content):
    return images.image_files([write(file, b"x") for file in content])


def preprocessing(fields, text):
    row = {"source": "checkpoint", "identifier": "timm:a", "preprocessing": text} | fields
    return declared(row, "models.tsv, model one")


def table(name, content):
    return read_table(write(name, content))


def arrays(name, content):
    return read_arrays(write(name, content))


def changed_table(name, content):
    """A table that was written, and then cut or altered in place."""
    write_table(Path(name), pd.DataFrame({"a": range(1000), "b": 0.5}))
    with open(name, "r+b") as file:
        content(file)
    return read_table(name)


def changed_arrays(name, content):
    write_arrays(Path(name), {"f": X}, {})
    with open(name, "r+b") as file:
        content(file)
    return read_arrays(name)


def cut(file):
    file.seek(-20, 2)
    file.truncate()


def cut_at_a_line(file):
    lines = file.read().splitlines(keepends=True)
    file.truncate(sum(map(len, lines[:500])))


def flip(file):
    file.seek(-20, 2)
    byte = file.read(1)
    file.seek(-20, 2)
    file.write(bytes([byte[0] ^ 1]))


def image_folder(name, content):
    (Path(name) / content).mkdir(parents=True)
    return images.index_images(name, OBJECTS)


def url(name, content):
    return fetch(content, Path(name), attempts=1, timeout=2)


def checksum(name, content):
    return verify(write(name, content), "0123456789abcdef")


def missing(name, read):
    return read(Path(name))


CASES = {
    "npy: an object whose pickle runs a command": (features, "f.npy", npy(EVIL)),
    "npy: a bare pickle": (features, "f.npy", pickle.dumps(Evil())),
    "npy: cut short": (features, "f.npy", NPY[:-8]),
    "npy: cut in its header": (features, "f.npy", NPY[:20]),
    "npy: empty": (features, "f.npy", b""),
    "npy: a header of more rows than there are": (features, "f.npy", NPY.replace(b"(4, 3)", b"(9, 3)")),
    "npy: a header that runs Python": (
        features,
        "f.npy",
        NPY.replace(b"(4, 3), }" + b" " * 20, b"__import__('os').abort()}"[:29].ljust(29)),
    ),
    "npy: complex numbers": (features, "f.npy", npy(X * 1j)),
    "npy: truth values": (features, "f.npy", npy(X > 3)),
    "npy: text": (features, "f.npy", npy(X.astype(str))),
    "npy: no features": (features, "f.npy", npy(X[:, :0])),
    "npy: one feature": (features, "f.npy", npy(X[:, :1])),
    "npy: no rows": (features, "f.npy", npy(X[:0])),
    "npy: a row too few": (features, "f.npy", npy(X[:3])),
    "npy: four dimensions": (features, "f.npy", npy(X[None, None])),
    "npy: NaN": (features, "f.npy", npy(np.where(X == 5, np.nan, X))),
    "npy: infinite in float32": (features, "f.npy", npy(X + 1e300)),
    "npy: constant rows": (features, "f.npy", npy(X * 0)),
    "npy: an order of too few names": (lambda n, c: features(n, c, order="ant\nbee\n"), "f.npy", NPY),
    "npy: no order": (named, "f.npy", NPY),
    "npy: a name with spaces, quotes and a newline": (features, "a 'b\" \n$(c).npy", NPY[:-8]),
    "npz: cut short": (features, "f.npz", NPZ[:-30]),
    "npz: cut in the middle": (features, "f.npz", NPZ[:100]),
    "npz: pickled features": (features, "f.npz", npz(f=EVIL)),
    "npz: pickled names": (named, "f.npz", npz(f=X, objects=EVIL)),
    "npz: members that are no arrays": (features, "f.npz", zipped(("f.npy", "x"))),
    "npz: another layer": (lambda n, c: features(n, c, layer="../f"), "f.npz", NPZ),
    "safetensors: cut short": (features, "f.safetensors", TENSORS[:-9]),
    "safetensors: cut in its header": (features, "f.safetensors", TENSORS[:6]),
    "safetensors: empty": (features, "f.safetensors", b""),
    "safetensors: a header of an exabyte": (features, "f.safetensors", struct.pack("<Q", 2**60) + b"{}"),
    "safetensors: metadata that is no JSON": (named, "f.safetensors", tensors({"repalign": "{no"})),
    "safetensors: metadata that is a list": (named, "f.safetensors", tensors({"repalign": "[1]"})),
    "safetensors: a number for names": (named, "f.safetensors", tensors({"repalign": '{"objects": 4}'})),
    "csv: a word for a number": (named, "f.csv", TABLE_OF_NUMBERS.replace("1,3", "x,3")),
    "csv: a formula": (named, "f.csv", TABLE_OF_NUMBERS.replace("1,3", "=cmd|'/C calc'!A0,3")),
    "csv: a cell too many": (named, "f.csv", TABLE_OF_NUMBERS.replace("1,3", "1,3,4")),
    "csv: a cell too few": (named, "f.csv", TABLE_OF_NUMBERS.replace("1,3", "1")),
    "csv: a quote that never ends": (named, "f.csv", TABLE_OF_NUMBERS.replace("1,3", '"1,3')),
    "csv: empty": (named, "f.csv", ""),
    "csv: a binary file": (named, "f.csv", NPY),
    "csv: names only": (named, "f.csv", ORDER),
    "csv: a header only": (named, "f.csv", "object,a,b\n"),
    "csv: an object twice": (named, "f.csv", TABLE_OF_NUMBERS.replace("bee", "ant")),
    "csv: an unknown object": (named, "f.csv", TABLE_OF_NUMBERS.replace("bee", "wasp; rm -rf ~")),
    "csv: a missing object": (named, "f.csv", TABLE_OF_NUMBERS.replace("bee,1,3\n", "")),
    "txt: words": (features, "f.txt", "ant 1 2\n"),
    "txt: rows of unequal length": (features, "f.txt", "1 2\n3\n4 5\n6 7\n"),
    "txt: empty": (features, "f.txt", ""),
    "txt: a binary file": (features, "f.txt", BAD_TEXT * 9),
    "features: an ending that is not read": (features, "f.pkl", pickle.dumps(Evil())),
    "features: a missing file": (missing, "f.npy", lambda p: read_precomputed(p, ["f"], OBJECTS)),
    "features: a folder": (missing, ".", lambda p: read_precomputed(p, ["f"], OBJECTS)),
    "order: a missing file": (missing, "o.txt", read_order),
    "order: not UTF-8": (order, "o.txt", "größe\n".encode("latin1")),
    "order: empty": (order, "o.txt", ""),
    "order: an empty line": (order, "o.txt", "ant\n\nbee\n"),
    "order: a name twice": (order, "o.txt", "ant\nant\n"),
    "order: two spellings of one name": (order, "o.txt", "music box\nmusic_box\n"),
    "order: a table without names": (order, "o.csv", "foo,bar\n1,2\n"),
    "order: an empty table": (order, "o.csv", ""),
    "order: a table of unequal rows": (order, "o.csv", "object,b\na,1\nb,1,2\n"),
    "order: a binary table": (order, "o.csv", BAD_TEXT),
    "features: a matrix of dissimilarities": (features, "f.npy", npy(D)),
    "features: a matrix with NaN on its diagonal": (features, "f.npy", npy(NAN_DIAGONAL)),
    "features: one triangle of a matrix": (features, "f.npy", npy(np.triu(D))),
    "features: a matrix of similarities": (features, "f.npy", npy(9 - D)),
    "features: a matrix in a table": (features, "f.csv", pd.DataFrame(D).to_csv()),
    "features: a matrix under a layer's name": (features, "f.npz", npz(f=D)),
    "features: a condensed matrix": (features, "f.npy", npy(D[np.triu_indices(4, 1)])),
    "features: row numbers in front": (features, "f.npy", npy(np.column_stack([range(4), X]))),
    "features: features by objects": (features, "f.npy", npy(X.T)),
    "features: half precision that NumPy does not know": (features, "f.npy", npy(X.astype("f2").view("V2"))),
    "features: names that contradict the order": (features, "f.csv", TABLE_OF_NUMBERS[8:] + "ant,1,2\n"),
    "features: fewer names than the order": (features, "f.csv", TABLE_OF_NUMBERS[8:]),
    "npz: names that contradict the order": (features, "f.npz", npz(f=X, objects=OBJECTS[::-1])),
    "npz: labels that contradict the order": (features, "f.npz", npz(f=X, labels=OBJECTS[::-1])),
    "safetensors: names that contradict the order": (features, "f.safetensors", tensors(DOGS_FIRST)),
    "safetensors: plain names that contradict": (
        features,
        "f.safetensors",
        tensors({"objects": "dog,cat,bee,ant"}),
    ),
    "csv: a first column of row numbers, named": (features, "f.csv", "a,b,c\n0,1,2\n1,1,3\n2,5,5\n3,7,8\n"),
    "csv: row numbers in another order": (features, "f.csv", "2,1,2\n1,1,3\n3,5,5\n0,7,8\n"),
    "csv: an index in another order": (features, "f.csv", ",x,y\n2,1,2\n1,1,3\n3,5,5\n0,7,8\n"),
    "csv: two decimal marks": (features, "f.csv", "1,5;2.5\n1;3\n5;5\n7;8\n"),
    "csv: separators of thousands": (features, "f.csv", "1.000,5;2\n1;3\n5;5\n7;8\n"),
    "csv: Latin-1": (named, "f.csv", TABLE_OF_NUMBERS.replace("ant", "größe").encode("latin1")),
    "csv: UTF-16 without its mark": (named, "f.csv", TABLE_OF_NUMBERS.encode("utf-16-le")),
    "npy: a Git LFS pointer": (features, "f.npy", LFS),
    "npz: a page of a web server": (features, "f.npz", "<!DOCTYPE html><html>"),
    "safetensors: a Git LFS pointer": (features, "f.safetensors", LFS),
    "csv: a Git LFS pointer": (features, "f.csv", LFS),
    "txt: a page of a web server": (features, "f.txt", "\n<html>404</html>"),
    "npy: records": (features, "f.npy", npy(pd.DataFrame(X).to_records())),
    "human: a Git LFS pointer": (human, "h.mat", LFS),
    "order: a Git LFS pointer": (order, "o.txt", LFS),
    "order: a mark that says neither yes nor no": (order, "o.csv", "object,exclude\nant,perhaps\n"),
    "order: a column twice": (order, "o.csv", "object,object\nant,ant\n"),
    "order: everything excluded": (order, "o.csv", "object,exclude\nant,1\n"),
    "triplets: an index too large": (triplets, "t.txt", "0 1 9\n"),
    "triplets: an index below 0": (triplets, "t.txt", "0 1 -1\n"),
    "triplets: an object twice": (triplets, "t.txt", "0 1 2\n0 1 1\n"),
    "triplets: two columns": (triplets, "t.txt", "0 1\n"),
    "triplets: words": (triplets, "t.txt", "ant bee cat\n"),
    "triplets: fractions": (triplets, "t.txt", "0 1 1.5\n"),
    "triplets: NaN": (triplets, "t.txt", "0 1 nan\n"),
    "triplets: a number beyond integers": (triplets, "t.txt", "0 1 1e30\n"),
    "triplets: empty": (triplets, "t.txt", ""),
    "triplets: no order": (missing, "t.txt", lambda p: read_triplets(p, OBJECTS)),
    "triplets: cut short": (triplets, "t.npy", NPY[:50]),
    "triplets: none without an excluded object": (excluding, "t.txt", "0 1 4\n4 2 3\n"),
    "triplets: row numbers that may be objects": (triplets, "t.txt", "0 1 2 3\n1 2 3 0\n2 3 0 1\n3 0 1 2\n"),
    "triplets: text": (triplets, "t.npy", npy(X[:, :3].astype(str))),
    "repeated triplets: a fourth position": (repeated, "r.tsv", "1 2 3 4\n"),
    "repeated triplets: counted from 0": (repeated, "r.tsv", "0 2 3 1\n"),
    "repeated triplets: three columns": (repeated, "r.tsv", "1 2 3\n"),
    "human: not symmetric": (human, "h.npy", npy(D + np.triu(D))),
    "human: not square": (human, "h.npy", npy(D[:, :3])),
    "human: similarities": (human, "h.npy", npy(9 - D)),
    "human: NaN": (human, "h.npy", npy(np.where(D == 5, np.nan, D))),
    "human: a row too few": (human, "h.npy", npy(D[:3, :3])),
    "human: a value on the diagonal": (human, "h.npy", npy(D + np.diag([0, 0.5, 0, 0]))),
    "human: similarities of one": (human, "h.npy", npy(1 - D / 9)),
    "human: condensed, of other objects": (human, "h.npy", npy(np.arange(10.0))),
    "human: condensed, with a diagonal missing a value": (human, "h.npy", npy(np.arange(9.0))),
    "human: text": (human, "h.npy", npy(D.astype(str))),
    "human: the same for every pair": (human, "h.npy", npy(1 - np.eye(4))),
    "human: names that contradict the order": (human, "h.csv", pd.DataFrame(D, OBJECTS[::-1]).to_csv()),
    "human: columns in another order than rows": (
        human,
        "h.csv",
        pd.DataFrame(D, OBJECTS, OBJECTS[::-1]).to_csv(),
    ),
    "human: an unknown name": (
        human_named,
        "h.csv",
        pd.DataFrame(D, [*OBJECTS[:3], "fox"], [*OBJECTS[:3], "fox"]).to_csv(),
    ),
    "human: no names": (human_named, "h.npy", npy(D)),
    "human: two matrices": (human, "h.npz", npz(a=D, b=D)),
    "human: an embedding that is a matrix": (human_embedding, "h.npy", npy(D)),
    "human: no MATLAB file": (human, "h.mat", b"MATLAB 5.0 MAT-file" + BAD_TEXT * 50),
    "human: an empty MATLAB file": (human, "h.mat", b""),
    "human: a workbook": (human, "h.xlsx", zipped(("xl", "x"))),
    "categories: two for one object": (categories, "c.csv", CATEGORIES.replace("1,0", "1,1", 1)),
    "categories: none for one object": (categories, "c.csv", CATEGORIES.replace("1,0", "0,0", 1)),
    "categories: a number above 1": (categories, "c.csv", CATEGORIES.replace("1,0", "2,0", 1)),
    "categories: words": (categories, "c.csv", CATEGORIES.replace("1,0", "yes,no", 1)),
    "categories: a missing object": (categories, "c.csv", CATEGORIES.replace("dog,0,1\n", "")),
    "categories: an unknown object": (categories, "c.csv", CATEGORIES.replace("dog", "fox")),
    "categories: empty": (categories, "c.csv", ""),
    "categories: a binary file": (categories, "c.csv", NPY),
    "categories: a name with the separator": (categories, "c.csv", CATEGORIES.replace("a,b", "a;b,c")),
    "categories: no names": (categories, "c.csv", "a,b\n1,0\n1,0\n0,1\n0,1\n"),
    "categories: a column twice": (categories, "c.csv", CATEGORIES.replace("a,b", "a,a")),
    "memberships: names that contradict the order": (
        memberships,
        "m.tsv",
        "\ta\tb\nbee\t1\t0\nant\t1\t0\ncat\t1\t0\ndog\t1\t0\n",
    ),
    "memberships: too few rows": (memberships, "m.tsv", "a\tb\n1\t0\n"),
    "memberships: empty cells": (memberships, "m.tsv", "a\tb\n1\t\n" + "1\t0\n" * 3),
    "concepts: no column of ids": (concepts, "k.tsv", "id\tword\n1\t2\n"),
    "concepts: a missing object": (concepts, "k.tsv", "uniqueID\tWord\nant\tant\n"),
    "zip: a member above the folder": (archive, "a.zip", zipped(("../evil", "x"))),
    "zip: an absolute member": (archive, "a.zip", zipped(("/etc/evil", "x"))),
    "zip: a member above, with backslashes": (archive, "a.zip", zipped(("..\\evil", "x"))),
    "zip: a member on another drive": (archive, "a.zip", zipped(("C:/evil", "x"))),
    "zip: a member without a name": (archive, "a.zip", zipped((".", "x"))),
    "zip: a link": (archive, "a.zip", link()),
    "zip: a bomb": (archive, "a.zip", zipped(("a", b"\0" * 2**22))),
    "zip: no files": (archive, "a.zip", zipped()),
    "zip: something else": (archive, "a.zip", "<html>404</html>"),
    "zip: cut short": (archive, "a.zip", zipped(("a", "x" * 1000))[:-10]),
    "checkpoint: a pickle that runs a command": (checkpoint, "w.pth", saved(lambda f: torch.save(Evil(), f))),
    "checkpoint: a bare pickle": (checkpoint, "w.pth", pickle.dumps(Evil())),
    "checkpoint: cut short": (
        checkpoint,
        "w.pth",
        saved(lambda f: torch.save({"a": torch.ones(9)}, f))[:-60],
    ),
    "checkpoint: empty": (checkpoint, "w.pth", b""),
    "checkpoint: a page of a web server": (checkpoint, "w.pth", "<html>404</html>"),
    "checkpoint: a Git LFS pointer": (checkpoint, "w.pth", LFS),
    "checkpoint: a Git LFS pointer of safetensors": (checkpoint, "w.safetensors", LFS),
    "checkpoint: a JSON text": (checkpoint, "w.safetensors", '{"error": "gone"}'),
    "checkpoint: a zip archive of something else": (checkpoint, "w.pth", zipped(("net/readme.txt", "x"))),
    "checkpoint: a gzip archive": (checkpoint, "w.pth", b"\x1f\x8b\x08"),
    "checkpoint: a file of Keras": (checkpoint, "w.pth", b"\x89HDF\r\n"),
    "checkpoint: an array": (checkpoint, "w.pth", NPY),
    "checkpoint: an image": (checkpoint, "w.pth", b"\x89PNG\r\n"),
    "checkpoint: a whole network": (
        checkpoint,
        "w.pth",
        saved(lambda f: torch.save(torch.nn.Linear(2, 2), f)),
    ),
    "checkpoint: nothing that fits": (
        fitting,
        "w.pth",
        saved(lambda f: torch.save({"state_dict": {"a.b": torch.ones(9)}}, f)),
    ),
    "checkpoint: safetensors cut short": (checkpoint, "w.safetensors", TENSORS[:-9]),
    "download: a file of this machine": (url, "f", "file:///etc/passwd"),
    "download: no address": (url, "f", "example"),
    "download: a shell in the address": (url, "f", "http://127.0.0.1:9/$(touch x)"),
    "download: another sha256": (checksum, "f.bin", "x"),
    "images: no folder": (missing, "images", lambda p: images.index_images(p, OBJECTS)),
    "images: two of one name": (image_files, "a", ("a_01b.jpg", "a_01b.png")),
    "images: one name in capitals": (image_files, "a", ("a_01b.JPG", "a_01b.jpg")),
    "images: two folders of one object": (image_folders, "images", ("music box", "music_box")),
    "images: hidden files only": (image_folders, "images", ("ant/._a.png/",)),
    "images: the folder of an unknown object": (image_folder, "images", "wasp"),
    "images: an object without images": (image_folder, "images", "ant"),
    "image: 8 bits in 16": (image, "a.png", picture(np.uint16)),
    "image: 32-bit integers": (image, "a.tif", picture(np.int32)),
    "image: fractions": (image, "a.tif", picture(np.float32)),
    "image: a Git LFS pointer": (image, "a.jpg", LFS),
    "image: a page of a web server": (image, "a.jpg", "<html>404</html>"),
    "image: empty": (image, "a.jpg", b""),
    "preprocessing: not asked for": (preprocessing, {"source": "precomputed"}, "imagenet"),
    "preprocessing: not declared": (preprocessing, {"weights": "w.pth"}, ""),
    "preprocessing: not declared, in torchvision": (
        preprocessing,
        {"source": "torchvision", "weights": "w.PTH"},
        "",
    ),
    "preprocessing: not declared, in open_clip": (
        preprocessing,
        {"source": "open_clip", "weights": "w.pt"},
        "",
    ),
    "preprocessing: declared twice": (preprocessing, {"identifier": "timm:a:imagenet"}, "imagenet"),
    "preprocessing: an unknown preset": (preprocessing, {}, "imagenet1k"),
    "preprocessing: a size that is none": (preprocessing, {}, "imagenet@0"),
    "preprocessing: half of it": (preprocessing, {}, "size=224; mean=0.5"),
    "preprocessing: an unknown key": (preprocessing, {}, GOOD + "; crop=3"),
    "preprocessing: a key twice": (preprocessing, {}, GOOD + "; size=3"),
    "preprocessing: two numbers": (preprocessing, {}, GOOD.replace("mean=0.5", "mean=0.5,0.5")),
    "preprocessing: words for numbers": (preprocessing, {}, GOOD.replace("mean=0.5", "mean=usual")),
    "preprocessing: pixels that are none": (preprocessing, {}, GOOD.replace("224", "2.5")),
    "preprocessing: another order of channels": (preprocessing, {}, GOOD.replace("rgb", "gbr")),
    "preprocessing: another range": (preprocessing, {}, GOOD.replace("range=1", "range=2")),
    "preprocessing: nothing to divide by": (preprocessing, {}, GOOD.replace("std=0.5", "std=0")),
    "preprocessing: a mean of 0 to 255 in a range of 1": (
        preprocessing,
        {},
        GOOD.replace("mean=0.5", "mean=127"),
    ),
    "preprocessing: a mean of 0 to 1 in a range of 255": (
        preprocessing,
        {},
        GOOD.replace("range=1", "range=255"),
    ),
    "preprocessing: a centre larger than its image": (preprocessing, {}, GOOD + "; resize=200"),
    "result: a parquet table cut short": (changed_table, "a.parquet", cut),
    "result: a table cut within a line": (changed_table, "a.tsv", cut),
    "result: a table cut at a line": (changed_table, "a.tsv", cut_at_a_line),
    "result: arrays cut short": (changed_arrays, "a.safetensors", cut),
    "result: arrays with one bit flipped": (changed_arrays, "a.safetensors", flip),
    "result: an empty parquet table": (table, "a.parquet", b""),
    "result: a table that others cut": (table, "a.tsv", "a\tb\n1\t"),
    "result: missing arrays": (missing, "a.safetensors", read_arrays),
    "result: a missing table": (missing, "a.parquet", read_table),
}


def write(name, content):
    path = Path(name)
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return path


def expected():
    with open(TABLE, encoding="utf-8", newline="") as file:
        return {row["case"]: row["message"] for row in csv.DictReader(file, delimiter="\t")}


def test_the_table_and_the_cases_are_the_same():
    assert list(expected()) == list(CASES)


@pytest.mark.parametrize("case", CASES)
def test_every_bad_file_is_refused_in_its_sentence(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read, name, content = CASES[case]
    with pytest.raises(InputError) as caught:
        read(name, content)
    assert str(caught.value) == expected()[case].replace("\\n", "\n")
    assert not Path(MARK).exists()
    assert not Path("unpacked").exists()


def test_bad_images_are_named(tmp_path):
    """What stands in the sentence about an image that cannot be read."""
    from repalign.inputs.images import ImageSet
    from repalign.models.decoding import _Images

    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.png")
    contents = {
        "cut.png": (tmp_path / "whole.png").read_bytes()[:900],
        "empty.png": b"",
        "page.jpg": b"<html>",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    names = ("gone.png", *contents, "../whole.png")
    image_set = ImageSet(names, tuple(tmp_path / name for name in names), names, ("",) * len(names))
    dataset = _Images(image_set, lambda image: torch.zeros(1))
    reasons = [dataset[row][1] for row in range(len(names))]
    assert all(isinstance(reason, str) and "\n" not in reason for reason in reasons), reasons


if __name__ == "__main__":  # prints the table of what is said now, to compare with the one that is kept
    import tempfile

    print("case\tmessage")
    for case, (read, name, content) in CASES.items():
        os.chdir(tempfile.mkdtemp())
        try:
            result = read(name, content)
            print(f"{case}\tACCEPTED {str(result)[:60]!r}")
        except InputError as error:
            print(f"{case}\t" + str(error).replace("\n", "\\n"))
        except Exception as error:
            print(f"{case}\tFAULT {type(error).__name__} {str(error)[:90]!r}")

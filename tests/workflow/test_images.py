"""The rules that fetch data, list images and read networks, on small data."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import timm
import torch
import yaml
from conftest import copy_workflow, planted, snakemake
from repalign.storage.artefacts import read_arrays, read_table

pytestmark = pytest.mark.slow

STUDY = """
study: images
models: models.tsv
things_dir: results/images/world
world: {objects: 60, triplets: 3000, repeated_triplets: 50}
images: {folder: images, references: null, categories: category, per_category: 3, average_all: true, per_object: 3}
image_sets: [behaviour, category, all]
convexity: {models: [], finetuned: {self_supervised: null}}
"""
COLUMNS = (
    "model source identifier weights revision paradigm objective architecture train_data train_images layers pooling "
    "readout order"
)
ROWS = [
    "one timm test_vit random:0 - random - - - - blocks.{0..1},pre_logits class_token - -",
    "two checkpoint timm:test_resnet:imagenet@32 two.pth - self_supervised - - - - layer4,pre_logits average - -",
]
EMBEDDINGS = "results/images/embeddings/{}/{}.safetensors"


def write_sheet(folder, rows):
    lines = [COLUMNS, *rows]
    cells = [["" if cell == "-" else cell for cell in line.split()] for line in lines]
    (folder / "models.tsv").write_text("\n".join("\t".join(line) for line in cells) + "\n")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A checkout in which two networks were read for all image sets."""
    folder = copy_workflow(tmp_path_factory.mktemp("images"))
    (folder / "images.yaml").write_text(STUDY)
    write_sheet(folder, ROWS)
    state = timm.create_model("test_resnet", num_classes=0).state_dict()
    torch.save({"state_dict": {f"module.encoder.{k}": v for k, v in state.items()}}, folder / "two.pth")
    read = [("behaviour", "one"), ("behaviour", "two"), ("category", "two"), ("all", "two")]
    targets = [EMBEDDINGS.format(*pair) for pair in read]
    snakemake(folder, "--configfile", "images.yaml", "--quiet", "rules", "--", *targets)
    return folder


def test_embeddings_carry_their_images_and_objects(study):
    concepts = read_table(study / "results/images/inputs/concepts.tsv")
    arrays, metadata = read_arrays(study / EMBEDDINGS.format("behaviour", "one"))
    assert list(arrays) == metadata["layers"] == ["blocks.0", "blocks.1", "pre_logits"]
    assert metadata["objects"] == concepts["object"].tolist()
    assert all(image.endswith("_01b") for image in metadata["images"])
    assert {len(array) for array in arrays.values()} == {60}
    _, category = read_arrays(study / EMBEDDINGS.format("category", "two"))
    table = read_table(study / "results/images/inputs/images/category.tsv")
    assert category["images"] == table["image"].tolist()
    assert table.groupby("category").size().eq(3).all()
    home = concepts.set_index("object")["category"]
    assert (home[table["object"]].to_numpy() == table["category"].to_numpy()).all()
    means, averaged = read_arrays(study / EMBEDDINGS.format("all", "two"))
    assert averaged["objects"] == concepts["object"].tolist()
    assert len(averaged["images"]) == 180
    assert len(means["layer4"]) == 60


def test_embeddings_say_what_made_them(study):
    _, metadata = read_arrays(study / EMBEDDINGS.format("behaviour", "two"))
    network = metadata["network"]
    assert network["sha256"] == hashlib.sha256((study / "two.pth").read_bytes()).hexdigest()
    assert set(network["versions"]) == {"timm", "torch", "python"}
    assert "32" in network["preprocessing"]
    assert metadata["row"]["identifier"] == "timm:test_resnet:imagenet@32"


def test_a_changed_row_reads_that_model_anew_and_no_other(study, tmp_path):
    folder = shutil.copytree(study, tmp_path / "study", symlinks=True)
    write_sheet(folder, [ROWS[0].replace("random:0", "random:1"), ROWS[1]])
    targets = [EMBEDDINGS.format("behaviour", m) for m in ("one", "two")]
    output = snakemake(folder, "-n", "--configfile", "images.yaml", "--", *targets).output
    assert output.count("rule extract_embeddings:") == 1
    assert "model=one" in output
    assert "rule index_images" not in output
    assert "rule render_images" not in output


def test_a_model_that_reads_images_needs_a_folder_of_them(study, tmp_path):
    folder = shutil.copytree(study, tmp_path / "study", symlinks=True)
    (folder / "images.yaml").write_text(
        STUDY.replace(STUDY[STUDY.index("images: {") : STUDY.index("image_sets")], "images: null\n")
    )
    run = snakemake(folder, "-n", "--configfile", "images.yaml", check=False)
    assert run.returncode != 0
    assert "models.tsv: one reads images, but the config has images: null" in run.output


def test_an_unknown_layer_stops_its_job_with_the_nearest_names(study, tmp_path):
    folder = shutil.copytree(study, tmp_path / "study", symlinks=True)
    write_sheet(folder, [ROWS[0].replace("blocks.{0..1}", "block.1"), ROWS[1]])
    run = snakemake(
        folder, "--configfile", "images.yaml", "--", EMBEDDINGS.format("behaviour", "one"), check=False
    )
    assert run.returncode != 0
    assert "repalign: Model one has no layer 'block.1'; the nearest are blocks.1" in run.output
    assert not list((folder / EMBEDDINGS.format("behaviour", "one")).parent.glob(".*"))


def test_euclidean_convexity_is_of_what_the_classifier_reads_though_the_sheet_does_not_list_it(
    study, tmp_path
):
    folder = shutil.copytree(study, tmp_path / "study", symlinks=True)
    torch.save(timm.create_model("test_resnet", num_classes=6).state_dict(), folder / "three.pth")
    three = "three checkpoint timm:test_resnet:imagenet@32 three.pth - supervised - - - - layer3 average - -"
    write_sheet(folder, [three, ROWS[1]])
    (folder / "members.yaml").write_text("convexity: {euclidean: {members: predicted}}\n")
    targets = [f"results/images/convexity/euclidean/{model}.tsv" for model in ("three", "two")]
    snakemake(folder, "--configfile", "images.yaml", "members.yaml", "--quiet", "rules", "--", *targets)
    table = read_table(folder / targets[0])
    assert set(table["layer"]) in ({"layer4"}, {"pre_logits"})  # pooled, they are the same
    # A linear classifier's own regions are convex.
    assert (table["value"] == 1).all()
    # The second network ends without a classifier.
    assert read_table(folder / targets[1]).empty


# --- fetching ---


@pytest.fixture
def published(tmp_path):
    """A server on this machine with a file and two archives, and the sheet that names them."""
    root = tmp_path / "published"
    root.mkdir()
    (root / "names.txt").write_text("aardvark\n")
    with zipfile.ZipFile(root / "folder.zip", "w") as archive:
        archive.writestr("categories/table.tsv", "a\tb\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=root))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    digest = hashlib.sha256((root / "names.txt").read_bytes()).hexdigest()
    yield {
        "names.txt": ("file", f"{url}/names.txt", digest),
        "category_level": ("zip", f"{url}/folder.zip", ""),
        "images": ("password_zip", f"{url}/folder.zip", ""),
    }
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def fetch(checkout, published, *arguments, **environment):
    lines = ["path\tkind\turl\tsha256"]
    lines += ["\t".join((path, *row)) for path, row in published.items()]
    (checkout / "downloads.tsv").write_text("\n".join(lines) + "\n")
    (checkout / "fetch.yaml").write_text(yaml.safe_dump({**planted(checkout), "downloads": "downloads.tsv"}))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "fetch.yaml", *arguments]
    command += ["--", "fetch_things"]
    environment = {k: v for k, v in os.environ.items() if k != "THINGS_PASSWORD"} | environment
    run = subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=environment)
    run.output = run.stdout + run.stderr
    return run


def test_published_data_is_fetched_once_and_used_in_place(checkout, published):
    run = fetch(checkout, published, THINGS_PASSWORD="open sesame")
    assert run.returncode == 0, run.output
    things = checkout / "results/demo/world"
    assert (things / "names.txt").read_text() == "aardvark\n"
    assert (things / "category_level/categories/table.tsv").exists()
    assert (things / "images/categories/table.tsv").exists()
    assert not list(things.glob("*.zip"))
    again = fetch(checkout, published, "-n")
    assert "rule fetch_file" not in again.output


@pytest.mark.parametrize("by", ["environment", "config"])
def test_the_password_is_written_nowhere(checkout, published, by):
    secret = "open sesame of the config"
    (checkout / "secret.yaml").write_text(f"things_password: {secret}\n" if by == "config" else "{}\n")
    environment = {"THINGS_PASSWORD": secret} if by == "environment" else {}
    only = {"images": published["images"]}
    run = fetch(checkout, only, "--configfile", "fetch.yaml", "secret.yaml", **environment)
    assert run.returncode == 0, run.output
    assert secret not in run.output
    (checkout / "secret.yaml").unlink()
    files = [path for path in checkout.rglob("*") if path.is_file()]
    assert [path for path in files if ".snakemake" in path.parts]
    assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_data_that_is_on_the_cluster_already_is_not_fetched(checkout, published):
    things = checkout / "results/demo/world"
    things.mkdir(parents=True)
    (things / "names.txt").write_text("put here by hand\n")
    output = fetch(checkout, published, "-n").output
    assert "rule fetch_archive" in output
    assert "rule fetch_file" not in output


def test_the_password_is_asked_for(checkout, published):
    run = fetch(checkout, {"images": published["images"]})
    assert run.returncode != 0
    assert "set the environment variable THINGS_PASSWORD" in run.output
    assert not (checkout / "results/demo/world/images").exists()

"""Files of a repository on the Hugging Face hub, or of a local folder in the same layout."""

import json
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from repalign.errors import InputError
from repalign.models.weights import WeightsFile, refuse_other_files
from repalign.storage.checksums import sha256_of

# Small files first; weights in the first of these kinds that the repository has.
CONFIGURATION = ["*.json", "*.txt", "*.model"]
WEIGHTS = ["*.safetensors", "*.bin", "*.pt", "*.pth"]


def is_commit(revision):
    """Whether `revision` is a hub commit (40 hex digits) rather than a sha256."""
    return len(revision) == 40


def local_folder(identifier):
    """The folder that an identifier names, or None for a name of the hub or of a library's registry."""
    path = identifier.removeprefix("local-dir:")
    if Path(path).is_dir():
        return Path(path)
    if identifier != path or path.startswith(("./", "../", "/")) or path.count("/") > 1:
        raise InputError(f"There is no model folder {path}; correct the column identifier.")
    return None


def snapshot(repository, revision, *, names=()):
    """Download what is needed of a repository at a commit.

    Parameters
    ----------
    repository : str
        `organisation/name`.
    revision : str
        Commit; empty for the present state, whose commit is then reported.
    names : sequence of str
        Weight files to try, in this order; empty for the first kind there is.

    Returns
    -------
    (folder, WeightsFile)
    """
    for pattern in list(names) or WEIGHTS:
        try:
            folder = Path(
                snapshot_download(
                    repository, revision=revision or None, allow_patterns=[*CONFIGURATION, pattern]
                )
            )
        except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
            raise InputError(
                f"The hub has no '{repository}'{f' at {revision}' if revision else ''} that you may read; correct "
                "identifier or revision, or log in (hf auth login) where the model is gated."
            ) from error
        except LocalEntryNotFoundError as error:
            raise InputError(
                f"'{repository}' is neither in the hub's cache nor can the hub be reached; where there is internet, "
                "run `snakemake fetch_networks` with the same HF_HOME."
            ) from error
        if files := _files(folder, pattern):
            return folder, WeightsFile(files[0], sha256_of(files[0]), folder.name)
    raise InputError(f"'{repository}' on the hub holds no weights ({', '.join(list(names) or WEIGHTS)}).")


def _files(folder, pattern):
    """Files by name; hidden ones, which macOS leaves beside others, are left out."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def folder_config(folder, name):
    """A JSON file of a model folder."""
    try:
        return json.loads((Path(folder) / name).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"The model folder {folder} has no readable {name}; save the model anew.") from error


def folder_weights(folder):
    """The weights file of a local folder."""
    for pattern in WEIGHTS:
        if files := _files(Path(folder), pattern):
            refuse_other_files(files[0])
            return WeightsFile(files[0], sha256_of(files[0]))
    raise InputError(f"The folder {folder} holds no weights ({', '.join(WEIGHTS)}).")

"""Files that stand where another should be: a Git LFS pointer, the error page of a web server, nothing."""

from repalign.errors import InputError

LFS = b"version https://git-lfs"
PAGES = (b"<!doctype html", b"<html", b"<head", b"<?xml")


def placeholder(path):
    """What a file is in place of itself, and the way out; None where it may be itself."""
    with open(path, "rb") as file:
        start = file.read(512)
    if not start:
        return "empty", "save or fetch it anew"
    if start.startswith(LFS):
        return "a Git LFS pointer", "run `git lfs pull` where it comes from"
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(PAGES):
        return "a page of a web server", "fetch the file itself"
    return None


def refuse_placeholder(path):
    """`InputError` where a file is not what its name says but stands in its place."""
    if found := placeholder(path):
        raise InputError(f"{path} is {found[0]}; {found[1]}.")

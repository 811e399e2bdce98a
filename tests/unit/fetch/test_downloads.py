"""Downloads against a server on this machine that is slow, drops connections and serves wrong bytes."""

import hashlib
import os
import struct
import threading
import time
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from repalign.errors import InputError
from repalign.fetch.archives import unpack, unpack_member
from repalign.fetch.downloads import CHUNK, fetch

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.plan, self.content, self.tag = [], [], CONTENT, '"v1"'
        self.ranges = True
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, name="file.bin"):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    """Serves one file; `server.plan` says what goes wrong with each request in turn."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        fault = server.plan.pop(0) if server.plan else ""
        self.answer(server, fault)

    def answer(self, server, fault):
        if isinstance(fault, int):
            self.send_response(fault)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        content, start = server.content, 0
        if fault == "wrong":
            content = b"\xff" + content[1:]
        requested = self.headers.get("Range")
        if server.ranges and requested and self.headers.get("If-Range") == server.tag:
            start = int(requested.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        if server.ranges:
            self.send_header("ETag", server.tag)
        self.end_headers()
        body = content[start:]
        if fault == "drop":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.close()
        elif fault == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            time.sleep(0.6)
        elif fault == "slow":
            for i in range(0, len(body), 1 << 17):
                time.sleep(0.02)
                self.wfile.write(body[i : i + (1 << 17)])
        else:
            self.wfile.write(body)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


def get(server, path, **options):
    return fetch(server.url(), path, **{"backoff": 0.001, "timeout": 0.3, **options})


def only(path):
    return sorted(p.name for p in path.parent.iterdir()) == [path.name]


def test_a_slow_server_is_waited_for(server, tmp_path):
    server.plan = ["slow"]
    steps = []
    path = get(server, tmp_path / "f", sha256=SHA256, progress=lambda *step: steps.append(step))
    assert path.read_bytes() == CONTENT
    assert sum(gained for gained, _ in steps) == len(CONTENT)
    assert {total for _, total in steps} == {len(CONTENT)}
    assert only(path)


def test_dropped_and_stalled_connections_are_resumed(server, tmp_path):
    server.plan = ["drop", "drop", "stall", 503]
    path = get(server, tmp_path / "f", sha256=SHA256)
    assert path.read_bytes() == CONTENT
    offsets = [int(r["Range"][6:-1]) for r in server.requests if "Range" in r]
    assert len(server.requests) == 5
    assert offsets == sorted(offsets)
    assert len(CONTENT) // 2 - CHUNK <= offsets[0] <= len(CONTENT) // 2
    assert offsets[-1] > len(CONTENT) // 2
    assert only(path)


def test_a_later_run_resumes_what_an_earlier_one_left(server, tmp_path):
    server.plan = ["drop"] + [503] * 9
    with pytest.raises(InputError, match=r"could not be downloaded.*HTTP 503.*rerun to resume"):
        get(server, tmp_path / "f", sha256=SHA256, attempts=3)
    assert not (tmp_path / "f").exists()
    server.plan, server.requests = [], []
    assert get(server, tmp_path / "f", sha256=SHA256).read_bytes() == CONTENT
    assert int(server.requests[0]["Range"][6:-1]) >= len(CONTENT) // 2 - CHUNK


def test_parts_of_two_versions_are_never_joined(server, tmp_path):
    server.plan = ["drop", 503, 503, 503]
    with pytest.raises(InputError):
        get(server, tmp_path / "f", attempts=2)
    server.plan, server.tag, server.content = [], '"v2"', CONTENT[::-1]
    assert get(server, tmp_path / "f").read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_starts_anew(server, tmp_path):
    server.ranges, server.plan = False, ["drop", "drop"]
    assert get(server, tmp_path / "f", sha256=SHA256).read_bytes() == CONTENT
    assert not any("Range" in request for request in server.requests)


def test_wrong_bytes_are_fetched_once_more_and_then_refused(server, tmp_path):
    server.plan = ["wrong"]
    assert get(server, tmp_path / "f", sha256=SHA256).read_bytes() == CONTENT
    server.plan, server.requests = ["wrong"] * 9, []
    with pytest.raises(InputError, match="downloaded file has the sha256"):
        get(server, tmp_path / "g", sha256=SHA256)
    assert len(server.requests) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f"]


def test_a_refusal_is_final(server, tmp_path):
    server.plan = [404]
    with pytest.raises(InputError, match="answers HTTP 404"):
        get(server, tmp_path / "f")
    assert len(server.requests) == 1


def test_an_unreachable_server_is_given_up(tmp_path):
    with pytest.raises(InputError, match="ConnectionError"):
        fetch("http://127.0.0.1:9/x", tmp_path / "f", attempts=2, backoff=0.001, timeout=0.2)


def test_what_is_there_is_checked_and_kept(server, tmp_path):
    (tmp_path / "f").write_bytes(CONTENT)
    get(server, tmp_path / "f", sha256=SHA256[:8])
    assert server.requests == []
    (tmp_path / "f").write_bytes(b"other")
    with pytest.raises(InputError, match="has the sha256"):
        get(server, tmp_path / "f", sha256=SHA256)


# --- archives ---


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def nothing_left(tmp_path):
    return [p.name for p in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_archives_are_unpacked_whole(tmp_path, jobs):
    members = {f"images/{i % 5}/{i}.bin": os.urandom(2000) for i in range(150)}
    archive = make_zip(tmp_path / "a.zip", members)
    steps = []
    folder = unpack(archive, tmp_path / "out", jobs=jobs, progress=lambda *s: steps.append(s))
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == members
    assert steps[-1] == (150, 150)
    with pytest.raises(InputError, match="exists already"):
        unpack(archive, folder)


def test_one_member_is_taken_wherever_it_lies(tmp_path):
    members = {
        "03_level/table.tsv": b"a",
        "__MACOSX/03_level/table.tsv": b"shadow",
        "b/x.txt": b"1",
        "c/x.txt": b"2",
    }
    archive = make_zip(tmp_path / "a.zip", members)
    assert unpack_member(archive, "table.tsv", tmp_path / "new/table.tsv") == "03_level/table.tsv"
    assert (tmp_path / "new/table.tsv").read_bytes() == b"a"
    assert unpack_member(archive, "c/x.txt", tmp_path / "x.txt") == "c/x.txt"
    with pytest.raises(InputError, match=r"a.zip holds 2 files called x.txt, not one \(b/x.txt, c/x.txt\)"):
        unpack_member(archive, "x.txt", tmp_path / "y.txt")

    def refuse(path):
        raise InputError("wrong")

    with pytest.raises(InputError, match="wrong"):
        unpack_member(archive, "table.tsv", tmp_path / "y.txt", check=refuse)
    assert not (tmp_path / "y.txt").exists()


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil"])
def test_members_outside_the_target_are_refused(tmp_path, name):
    archive = make_zip(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    with pytest.raises(InputError, match="outside the target"):
        unpack(archive, tmp_path / "out")
    assert nothing_left(tmp_path)
    assert not (tmp_path.parent / "evil").exists()


def test_links_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert nothing_left(tmp_path)


def test_zip_bombs_are_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"bomb": b"\0" * 5_000_000})
    with pytest.raises(InputError, match="times its size"):
        unpack(archive, tmp_path / "out")
    many = make_zip(tmp_path / "a.zip", {str(i): os.urandom(10_000) for i in range(20)})
    with pytest.raises(InputError, match=r"more than the 0\.0 GiB allowed"):
        unpack(many, tmp_path / "out", max_bytes=100_000)
    assert nothing_left(tmp_path)


def test_a_bomb_that_lies_about_its_size_is_stopped(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"bomb": b"\0" * 5_000_000})
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 900_000)
    archive.write_bytes(data)
    with pytest.raises(InputError, match="damaged at 'bomb'"):
        unpack(archive, tmp_path / "out")
    assert nothing_left(tmp_path)


def test_damaged_archives_are_named(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {str(i): os.urandom(5000) for i in range(3)})
    data = bytearray(archive.read_bytes())
    data[3000] ^= 255
    archive.write_bytes(data)
    with pytest.raises(InputError, match="damaged at '0'"):
        unpack(archive, tmp_path / "out")
    archive.write_bytes(data[:8000])
    with pytest.raises(InputError, match="not a readable zip"):
        unpack(archive, tmp_path / "out")
    assert nothing_left(tmp_path)


def zip_crypto(data, password, name=b"photo.jpg"):
    """A zip archive with one stored member under the traditional encryption (APPNOTE 6.1), made by its definition."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value, byte):
        return ~zlib.crc32(bytes([byte]), ~value & 0xFFFFFFFF) & 0xFFFFFFFF

    def update(byte):
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    checksum = zlib.crc32(data)
    out = bytearray()
    for byte in bytes(11) + bytes([checksum >> 24]) + data:
        k = keys[2] | 2
        out.append(byte ^ ((k * (k ^ 1)) >> 8 & 255))
        update(byte)
    fields = (20, 1, 0, 0, 33, checksum, len(out), len(data), len(name), 0)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields) + name
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, 0) + name
    start = len(local) + len(out)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start, 0)
    return local + bytes(out) + central + end


def test_password_archives(tmp_path):
    data = os.urandom(3000)
    archive = tmp_path / "a.zip"
    archive.write_bytes(zip_crypto(data, b"open sesame"))
    with pytest.raises(InputError, match="is encrypted; give its password"):
        unpack(archive, tmp_path / "out")
    with pytest.raises(InputError, match="password"):
        unpack(archive, tmp_path / "out", password="wrong")
    assert nothing_left(tmp_path)
    folder = unpack(archive, tmp_path / "out", password="open sesame")
    assert (folder / "photo.jpg").read_bytes() == data

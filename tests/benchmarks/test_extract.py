"""Archives are unpacked within their folder, or refused with the reason."""

import io
import random
import stat
import struct
import tarfile
import zipfile

import pytest

from edgewise.benchmarks.extract import Limits, extract, is_archive
from edgewise.errors import InputError, OutputError
from tests.test_files import file_size_limit

FILES = {"a.png": b"A" * 3000, "sub/b.png": b"B"}
NOISE = random.Random(0).randbytes(250_000)


def make_zip(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path, files, mode="w:gz", **options):
    with tarfile.open(path, mode, **options) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def found(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refuses(archive, folder, words, **limits):
    with pytest.raises(InputError, match=words):
        extract(archive, folder / "out", limits=Limits(**limits))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_of_every_compression_is_unpacked(tmp_path, mode):
    archive = make_tar(tmp_path / "x", FILES, mode)
    assert is_archive(archive)
    assert extract(archive, tmp_path / "out") == 2
    assert found(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]
)
def test_zip_is_unpacked_with_or_without_folder_entries(tmp_path, compression):
    archive = make_zip(tmp_path / "x", {"sub/": b"", **FILES}, compression)
    assert is_archive(archive)
    assert extract(archive, tmp_path / "out") == 2
    assert found(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:/evil", "C:evil"]
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_path_that_leads_out_is_refused(tmp_path, make, name):
    archive = make(tmp_path / "x", {"good": b"1", name: b"2"})
    refuses(archive, tmp_path, "leads out of the folder")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"x", "good"}


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refuses(tmp_path / "x", tmp_path, "link or device, 'link'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "x", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    refuses(tmp_path / "x", tmp_path, "link or device")


def test_more_files_than_allowed_are_refused(tmp_path):
    refuses(make_zip(tmp_path / "x", FILES), tmp_path, "more than 1 files", files=1)


def test_more_bytes_than_allowed_are_refused_as_they_come(tmp_path):
    archive = make_zip(tmp_path / "x", {"bomb": bytes(10_000_000)})
    assert archive.stat().st_size < 20_000
    refuses(archive, tmp_path, "more bytes than allowed", bytes=5_000_000)
    assert (tmp_path / "out" / "bomb").stat().st_size <= 5_000_000


def test_limits_count_all_files_together(tmp_path):
    archive = make_tar(tmp_path / "x", {"a": bytes(60), "b": bytes(60)})
    refuses(archive, tmp_path, "more bytes", bytes=100)
    assert extract(archive, tmp_path / "fits", limits=Limits(bytes=120)) == 2


def test_one_name_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "x", "w") as archive:
        archive.addfile(tarfile.TarInfo("sub/a"))
        archive.addfile(tarfile.TarInfo("sub/a"))
    refuses(tmp_path / "x", tmp_path, "a twice")


def test_damaged_contents_are_told(tmp_path):
    archive = make_zip(tmp_path / "x", FILES, zipfile.ZIP_STORED)
    damaged = archive.read_bytes().replace(b"A" * 100, b"Z" * 100, 1)
    archive.write_bytes(damaged)
    refuses(archive, tmp_path, "damaged or cut off")


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_cut_off_tar_is_told(tmp_path, mode):
    archive = make_tar(tmp_path / "x", {"a": bytes(range(256)) * 1000}, mode)
    archive.write_bytes(archive.read_bytes()[:-200])
    refuses(archive, tmp_path, "damaged or cut off|no archive")


@pytest.mark.parametrize("end", [-8, -1])
def test_a_wrong_checksum_at_the_end_of_gzip_is_told(tmp_path, end):
    archive = make_tar(tmp_path / "x", FILES)
    data = bytearray(archive.read_bytes())
    data[end] ^= 1
    archive.write_bytes(data)
    refuses(archive, tmp_path, "damaged or cut off")


@pytest.mark.parametrize("bytes_left", [0, 1, 300, 511])
def test_a_plain_tar_that_is_cut_off_in_a_header_is_told(tmp_path, bytes_left):
    archive = make_tar(tmp_path / "x", FILES, "w")
    second = archive.read_bytes().index(b"sub/b.png")
    archive.write_bytes(archive.read_bytes()[: second + bytes_left])
    refuses(archive, tmp_path, "damaged or cut off")


def test_a_damaged_header_does_not_end_a_tar(tmp_path):
    archive = make_tar(tmp_path / "x", FILES, "w")
    archive.write_bytes(archive.read_bytes().replace(b"sub/b.png", b"sub/c.png"))
    refuses(archive, tmp_path, "damaged or cut off")


@pytest.mark.parametrize(
    ("make", "magic"),
    [
        (lambda path: make_zip(path, FILES, zipfile.ZIP_BZIP2), b"1AY&SY"),
        (lambda path: make_tar(path, {"a": NOISE}, "w:bz2", compresslevel=1), b""),
    ],
)
def test_damage_that_is_an_error_of_the_system_elsewhere_is_told(tmp_path, make, magic):
    archive = make(tmp_path / "x")
    data = bytearray(archive.read_bytes())
    at = data.index(magic) if magic else len(data) // 2
    data[at : at + 6] = bytes(6)
    archive.write_bytes(data)
    refuses(archive, tmp_path, "damaged or cut off")


@pytest.mark.parametrize("size", [100, 2_000_000])
def test_a_full_disk_is_not_taken_for_damage(tmp_path, size):
    archive = make_zip(tmp_path / "x", {"a": bytes(size)})
    with file_size_limit(50), pytest.raises(OutputError, match=r"out/a: cannot be written"):
        extract(archive, tmp_path / "out")


def test_an_encrypted_zip_is_told(tmp_path):
    archive = make_zip(tmp_path / "x", {"a": b"1"}, zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(signature) + place
        data[at : at + 2] = struct.pack("<H", 1)
    archive.write_bytes(data)
    refuses(archive, tmp_path, "encrypted")


@pytest.mark.parametrize("data", [b"", b"<html>no</html>", b"PK\3\4 cut"])
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert not is_archive(tmp_path / "x")
    refuses(tmp_path / "x", tmp_path, "is no archive")


def test_limits_below_one_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        Limits(files=0)

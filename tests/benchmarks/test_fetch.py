"""Fetching and importing install a row whole, from the first source that is any good."""

import os
import stat
import tarfile
import zipfile
from dataclasses import replace

import pytest

from edgewise.benchmarks.catalog import find
from edgewise.benchmarks.drive import FetchError
from edgewise.benchmarks.fetch import Options, bring, fetch, terms_to_accept
from edgewise.benchmarks.layouts import count
from edgewise.benchmarks.ledger import FILE, LOCK
from edgewise.errors import InputError, OutputError
from tests.benchmarks import miniature
from tests.benchmarks.host import QUOTA, File

ACCEPT = Options(accept_terms=True)
BLOCK = 2**16


@pytest.fixture
def big_zip(tmp_path):
    return miniature.zipped(miniature.big(tmp_path / "made"), "BIG/")


def row_at(host, *keys, name="big", path="open?id="):
    """A row of the catalog whose links lead to the host."""
    return replace(miniature.small(name), links=tuple(f"{host.url}/{path}{key}" for key in keys))


def inputs_at(host, *keys, name="big-pspnet"):
    return row_at(host, *keys, name=name, path="drive/folders/")


def left(store):
    """What a store has, but for its rows and ledger."""
    return sorted(set(os.listdir(store.root)) - {"big", "big-pspnet", FILE, LOCK})


# Fetching


def test_a_dataset_is_fetched_and_unpacked(host, web, store, big_zip):
    host.files["a"] = File(big_zip, large=True)
    row = row_at(host, "a")
    done = fetch(row, store, web, options=ACCEPT)
    assert done.files == 6
    assert done.link == row.links[0]
    assert store.is_complete(row)
    assert left(store) == ["downloads"]
    assert os.listdir(store.root / "downloads") == []


def test_what_is_here_is_not_fetched(host, web, store):
    row = row_at(host, "a")
    miniature.big(store.folder(row))
    assert fetch(row, store, web, options=ACCEPT).files == 0
    assert host.asked == []


def test_downloads_are_kept_if_wanted(host, web, store, big_zip):
    host.files["a"] = File(big_zip)
    fetch(row_at(host, "a"), store, web, options=Options(accept_terms=True, keep_downloads=True))
    (kept,) = [path for path in (store.root / "downloads").rglob("*") if path.is_file()]
    assert kept.read_bytes() == big_zip


def test_a_plain_link_is_fetched_too(host, web, store, tmp_path):
    data = miniature.zipped(miniature.ade20k(tmp_path / "made"), "ADEChallengeData2016/")
    host.files["ADE.zip"] = File(data)
    row = row_at(host, "ADE.zip", name="ade20k", path="plain/")
    assert fetch(row, store, web).files == 4
    assert store.is_complete(row)


# Terms


def test_terms_must_be_accepted_once(host, web, store, big_zip):
    host.files["a"] = File(big_zip)
    row = row_at(host, "a")
    assert "commercial" in terms_to_accept(row, store)
    with pytest.raises(InputError, match=r"commercial purposes.*--accept-terms"):
        fetch(row, store, web)
    assert host.asked == []
    fetch(row, store, web, options=ACCEPT)
    assert terms_to_accept(row, store) == ""
    assert terms_to_accept(find("big-pspnet"), store) == ""


def test_rows_without_terms_ask_nothing(store):
    assert terms_to_accept(find("pascal"), store) == ""


# The backup


def bad_archive(tmp_path, kind):
    path = tmp_path / f"{kind}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BIG/test/2_cat_im.jpg", b"x")
        if kind == "outside":
            archive.writestr("../../evil", b"x")
        elif kind == "link":
            info = zipfile.ZipInfo("BIG/test/2_cat_gt.png")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    data = path.read_bytes()
    return data[:-30] if kind == "cut" else data


def bad_gzip(folder):
    """A tar.gz of good files whose checksum is another."""
    path = folder / "x.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(miniature.big(folder / "BIG"), "BIG")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    return bytes(data)


def masks_zip(folder):
    return miniature.zipped(miniature.masks(folder, ["a"], "_mask.png"))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda _: File(page=QUOTA), "quota"),
        (lambda _: File(page="<html><title>Moved</title></html>"), "Moved"),
        (lambda _: File(b"<html><title>Moved</title></html>"), "Moved"),
        (lambda _: File(b"not a zip"), "no archive"),
        (lambda _: File(b"z" * 99, errors=[503] * 9), "503"),
        (lambda path: File(bad_archive(path, "outside")), "leads out"),
        (lambda path: File(bad_archive(path, "link")), "link or device"),
        (lambda path: File(bad_archive(path, "cut")), "no archive"),
        (lambda path: File(bad_gzip(path)), "damaged or cut off"),
        (
            lambda path: File(miniature.zipped(miniature.masks(path / "m", "a", "_mask.png"))),
            "no file",
        ),
    ],
)
def test_a_bad_first_link_is_told_and_the_backup_taken(
    host, web, store, tmp_path, big_zip, bad, words
):
    host.files["a"] = bad(tmp_path)
    host.files["b"] = File(big_zip)
    row = row_at(host, "a", "b")
    done = fetch(row, store, web, options=ACCEPT)
    assert done.link == row.links[1]
    assert words in done.failures[0]
    assert store.is_complete(row)
    assert not (tmp_path / "evil").exists()
    assert not any(path.name == "evil" for path in tmp_path.rglob("*"))


def test_with_both_links_bad_nothing_is_installed(host, web, store, tmp_path):
    host.files["a"] = File(page=QUOTA)
    host.files["b"] = File(bad_archive(tmp_path, "outside"))
    row = row_at(host, "a", "b")
    with pytest.raises(FetchError, match=r"big: .*quota.*; then the backup: .*leads out"):
        fetch(row, store, web, options=ACCEPT)
    assert not store.folder(row).exists()
    assert store.ledger.checksum("b") is None
    host.files["b"] = File(miniature.zipped(miniature.big(tmp_path / "good")))
    assert fetch(row, store, web, options=ACCEPT).files == 6  # the bad archive is not met again


def test_a_broken_fetch_goes_on_the_next_time(host, web, store, big_zip):
    data = big_zip + bytes(4 * BLOCK)  # a zip may have more behind it, but not so much
    host.files["a"] = File(data[: -4 * BLOCK], cuts=[0] * 4)
    row = row_at(host, "a")
    with pytest.raises(FetchError, match="tried 4 times"):
        fetch(row, store, web, options=ACCEPT)
    assert not store.folder(row).exists()
    assert fetch(row, store, web, options=ACCEPT).files == 6


def test_an_archive_in_another_layout_is_kept_for_the_user(host, web, store, tmp_path, big_zip):
    have = miniature.big(tmp_path / "have")
    (have / "test").rename(have / "objects")
    host.files["a"] = File(miniature.zipped(have))
    row = row_at(host, "a")
    with pytest.raises(FetchError, match=r"no folder says .*; what came is kept: (\S+)") as caught:
        fetch(row, store, web, options=ACCEPT)
    (kept,) = [path for path in (store.root / "downloads").rglob("*") if path.is_file()]
    assert str(kept.parent) in str(caught.value)
    assert kept.read_bytes() == host.files["a"].data
    assert not store.folder(row).exists()


# Checksums


def test_a_file_must_be_the_one_of_the_first_time(host, web, store, tmp_path, big_zip):
    host.files["a"] = File(big_zip)
    row = row_at(host, "a")
    fetch(row, store, web, options=ACCEPT)
    before = (store.folder(row) / "test" / "003_tv_gt.png").read_bytes()
    changed = miniature.big(tmp_path / "changed")
    miniature.save(miniature.grey(~miniature.disc()), changed / "test" / "003_tv_gt.png")
    host.files["a"] = File(miniature.zipped(changed), tag='"v2"')
    with pytest.raises(
        FetchError, match=r"has sha256 \w{64}, not \w{64} as before.*--new-checksum"
    ):
        fetch(row, store, web, options=Options(accept_terms=True, again=True))
    assert (store.folder(row) / "test" / "003_tv_gt.png").read_bytes() == before
    fetch(row, store, web, options=Options(accept_terms=True, again=True, new_checksum=True))
    assert (store.folder(row) / "test" / "003_tv_gt.png").read_bytes() != before
    fetch(row, store, web, options=Options(accept_terms=True, again=True))


# Folders of several networks


def zips_of(tmp_path, *networks):
    names = miniature.BIG_NAMES["test"]
    return {
        network: miniature.zipped(miniature.masks(tmp_path / network, names))
        for network in networks
    }


def test_of_a_folder_of_networks_ones_own_is_fetched(host, web, store, tmp_path):
    for network, data in zips_of(tmp_path, "deeplabv3+", "pspnet").items():
        host.files[network[:3]] = File(data)
    host.folders["top"] = [("file", "dee", "deeplabv3+.zip"), ("file", "psp", "pspnet.zip")]
    row = inputs_at(host, "top")
    assert fetch(row, store, web, options=ACCEPT).files == 2
    assert not any("id=dee" in path for path, _ in host.asked)
    assert store.ledger.checksum("psp")


def test_masks_that_lie_in_drive_folders_are_fetched_one_by_one(host, web, store, tmp_path):
    masks = miniature.masks(tmp_path / "made", miniature.BIG_NAMES["test"])
    host.folders["top"] = [("folder", "psp", "PSPNet"), ("folder", "fcn", "FCN-8s")]
    host.folders["psp"] = [("file", path.stem, path.name) for path in masks.iterdir()]
    host.folders["fcn"] = [("file", "other", "002_person_seg.png")]
    for path in masks.iterdir():
        host.files[path.stem] = File(path.read_bytes())
    row = inputs_at(host, "top")
    assert fetch(row, store, web, options=ACCEPT).files == 2
    assert store.is_complete(row)


def test_of_one_archive_of_all_networks_ones_own_is_taken(host, web, store, tmp_path):
    for network in ("FCN", "PSP"):
        miniature.masks(tmp_path / "made" / network, miniature.BIG_NAMES["test"])
    miniature.save(miniature.grey(miniature.disc() & False), tmp_path / "made/FCN/003_tv_seg.png")
    host.files["all"] = File(miniature.zipped(tmp_path / "made"))
    host.folders["top"] = [("file", "all", "BIG_inputs.zip")]
    assert fetch(inputs_at(host, "top"), store, web, options=ACCEPT).files == 2
    mask = (store.root / "big-pspnet" / "003_tv_seg.png").read_bytes()
    assert mask == (tmp_path / "made" / "PSP" / "003_tv_seg.png").read_bytes()


def test_a_folder_without_the_network_says_what_it_has(host, web, store):
    host.folders["top"] = [("file", "a", "deeplab.zip")]
    with pytest.raises(FetchError, match=r"nothing of pspnet in this folder: deeplab\.zip"):
        fetch(inputs_at(host, "top"), store, web, options=ACCEPT)


def test_an_empty_folder_is_told(host, web, store):
    host.folders["top"] = []
    with pytest.raises(FetchError, match="empty"):
        fetch(inputs_at(host, "top"), store, web, options=ACCEPT)


# Importing


def test_a_folder_is_imported_by_copy_or_by_link(store, tmp_path):
    row = miniature.small("big")
    have = miniature.big(tmp_path / "have")
    bring(row, [have], store)
    assert store.is_complete(row)
    bring(row, [have], store, link=True, replace=True)
    photo = store.folder(row) / "val" / "001_cat_im.jpg"
    assert photo.is_symlink()
    assert photo.read_bytes() == (have / "val" / "001_cat_im.jpg").read_bytes()


def test_archives_in_parts_are_imported_together(store, tmp_path):
    row = miniature.small("pascal")
    for number, name in enumerate(miniature.PASCAL_NAMES):
        miniature.save(miniature.photo(), tmp_path / str(number) / "in" / f"{name}_im.png")
        (tmp_path / f"{number}.zip").write_bytes(miniature.zipped(tmp_path / str(number)))
    bring(row, [tmp_path / "0.zip", tmp_path / "1.zip"], store)
    assert count(row, store.folder(row)) == {"all": 2}


def test_splits_can_be_imported_one_after_the_other(store, tmp_path):
    row = miniature.small("big")
    have = miniature.big(tmp_path / "have")
    for split in ("val", "test"):
        (have / split).rename(tmp_path / f"{split}-x".replace("val", "one").replace("test", "two"))
    bring(row, [tmp_path / "one-x"], store, split="val")
    bring(row, [tmp_path / "two-x"], store, split="test")
    assert store.is_complete(row)


@pytest.mark.parametrize("name", ["none", "text.zip"])
def test_what_cannot_be_imported_is_told(store, tmp_path, name):
    (tmp_path / "text.zip").write_text("no")
    with pytest.raises(InputError, match=f"{name}: (there is no such|is no archive)"):
        bring(find("big"), [tmp_path / name], store)
    assert not store.folder(find("big")).exists()


def test_what_an_archive_lacks_is_told_by_its_name(store, tmp_path):
    """Not by that of the folder that it was unpacked into, which is gone."""
    miniature.save(miniature.photo(), tmp_path / "in" / "photo.png")
    (tmp_path / "a.zip").write_bytes(miniature.zipped(tmp_path / "in"))
    with pytest.raises(InputError) as caught:
        bring(find("pascal"), [tmp_path / "a.zip"], store)
    assert str(caught.value).startswith(f"{tmp_path / 'a.zip'}: no file of pascal in it")


def test_a_row_is_not_linked_to_itself(store):
    row = miniature.small("big")
    miniature.big(store.folder(row))
    for path in (store.folder(row), store.root):
        with pytest.raises(InputError, match="lie there already"):
            bring(row, [path], store, link=True)
    assert store.is_complete(row)
    assert not any(path.is_symlink() for path in store.folder(row).rglob("*"))


def test_an_archive_in_the_rows_own_folder_is_not_thrown_away(store, big_zip):
    row = miniature.small("big")
    archive = store.folder(row) / "BIG.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(big_zip)
    with pytest.raises(InputError, match="lie there already"):
        bring(row, [archive], store, replace=True)
    bring(row, [archive], store)
    assert store.is_complete(row)
    assert archive.read_bytes() == big_zip


def test_an_archive_cannot_be_linked(store, tmp_path, big_zip):
    (tmp_path / "x.zip").write_bytes(big_zip)
    with pytest.raises(InputError, match="only the files of a folder can be linked"):
        bring(find("big"), [tmp_path / "x.zip"], store, link=True)


def test_a_store_that_cannot_be_written_is_told(web, tmp_path, big_zip):
    from edgewise.benchmarks.store import Store

    (tmp_path / "file").write_text("in the way")
    (tmp_path / "x.zip").write_bytes(big_zip)
    with pytest.raises(OutputError):
        bring(find("big"), [tmp_path / "x.zip"], Store(tmp_path / "file"))

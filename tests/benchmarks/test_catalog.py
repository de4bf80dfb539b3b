"""The catalog has every dataset, input set and published result of the benchmark's page."""

from collections import Counter

import pytest

from edgewise.benchmarks.catalog import datasets, find, find_network, networks, row_name, rows
from edgewise.benchmarks.drive import parse_link
from edgewise.benchmarks.layouts import LAYOUTS
from edgewise.errors import InputError


def test_each_cell_of_the_page_is_a_row():
    kinds = Counter((row.dataset, row.role) for row in rows().values())
    assert kinds == {
        ("big", "dataset"): 1,
        ("big", "inputs"): 4,
        ("big", "refined"): 4,
        ("pascal", "dataset"): 1,
        ("pascal", "inputs"): 4,
        ("pascal", "refined"): 4,
        ("ade20k", "dataset"): 1,
        ("ade20k", "inputs"): 3,
        ("ade20k", "split"): 3,
        ("ade20k", "refined"): 3,
    }


def test_counts_are_those_published():
    assert find("big").counts == {"val": 50, "test": 100}
    assert find("big").count == 150
    assert find("pascal").count == 500
    assert find("big-fcn8s").counts == {"test": 100}
    assert find("ade20k-encnet-split").count is None


def test_datasets_have_a_backup_link():
    assert len(find("big").links) == len(find("pascal").links) == 2


def test_every_link_is_one_that_can_be_fetched():
    for row in rows().values():
        kinds = {link.kind for url in row.links if (link := parse_link(url))}
        if row.name == "ade20k":
            assert row.links[0].endswith(".zip")
        elif row.role == "dataset":
            assert kinds == {"either", "file"}
        else:
            assert kinds == {"folder"}


def test_no_two_kinds_of_data_share_a_link():
    owners = {}
    for row in rows().values():
        for link in row.links:
            owners.setdefault(link, set()).add((row.dataset, row.role))
    assert all(len(kinds) == 1 for kinds in owners.values())


def test_the_terms_of_big_hold_for_what_was_made_of_it():
    for row in rows().values():
        assert bool(row.terms) == (row.dataset == "big")
        assert row.licence
        assert row.layout
        assert (row.dataset, row.role) in LAYOUTS


def test_names_are_made_of_dataset_network_and_role():
    assert row_name("big", "pspnet", "inputs") == "big-pspnet"
    assert row_name("ade20k", "encnet", "split") == "ade20k-encnet-split"
    assert datasets() == ["big", "pascal", "ade20k"]
    assert all(row.network in (None, *networks()) for row in rows().values())


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no 'bog' .* big, big-deeplabv3plus"):
        find("bog")
    with pytest.raises(InputError, match=r"no network 'encnet' for big; there is: deeplabv3plus"):
        find_network("encnet", "big")

"""A command of training ends in one line where edgewise refuses what it was given."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.errors import InputError, ModelError
from edgewise.training import command


class Refusing(torch.utils.data.Dataset):
    def __getitem__(self, index):
        raise InputError("a_im.jpg: is not a picture")

    def __len__(self):
        return 1


def _refuse():
    raise ModelError("net.pt: cannot be read")


def _draw():
    next(iter(torch.utils.data.DataLoader(Refusing(), num_workers=1)))


@pytest.mark.parametrize(
    ("main", "line"),
    [(_refuse, "net.pt: cannot be read"), (_draw, "a_im.jpg: is not a picture")],
)
def test_a_refusal_is_one_line(main, line, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.run(main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"edgewise: {line}\n"


def test_an_interrupted_command_ends_without_words(capsys):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        command.run(stop)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == ""

"""A file that is no checkpoint is refused in a line."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from edgewise.errors import ModelError
from edgewise.training import checkpoint


def _cut(path):
    torch.save({"weight": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "cannot be read: No such file"),
        (lambda path: path.write_bytes(b""), "is no checkpoint of PyTorch's"),
        (_cut, "is no checkpoint of PyTorch's, or a damaged one"),
        (lambda path: torch.save(torch.zeros(3), path), "holds no weights by name"),
    ],
)
def test_what_is_no_checkpoint_is_told(tmp_path, write, message):
    path = tmp_path / "net.pt"
    write(path)
    with pytest.raises(ModelError, match=message) as caught:
        checkpoint.read(path)
    assert "\n" not in str(caught.value)

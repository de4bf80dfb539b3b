"""Many clients at once: each gets its own right answer, or is told to come back."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from edgewise.refiner import Refiner
from edgewise.studio.limits import Limits
from tests.fakes import ColourEngine, disc, red_on_blue
from tests.studio.serving import decoded, files, serving

CLIENTS = 16
SHAPE = (40, 56)


def pair(number):
    """A photo and a coarse mask unlike those of other numbers."""
    truth = disc(SHAPE, (20, 15 + number), 11)
    return red_on_blue(truth), disc(SHAPE, (20, 15 + number), 9)


@pytest.mark.parametrize("waiting", [CLIENTS, 1])
def test_sixteen_clients_get_the_librarys_results(waiting):
    refiner = Refiner(ColourEngine())
    expected = [refiner.refine(*pair(number)).mask for number in range(CLIENTS)]

    def ask(number):
        with httpx.Client(base_url=address, timeout=120, trust_env=False) as client:
            photo, mask = pair(number)
            answer = client.post("/refine", files=files(photo, mask))
            while answer.status_code == 503:
                assert int(answer.headers["retry-after"]) >= 1
                answer = client.post("/refine", files=files(photo, mask))
            return answer

    with serving(limits=Limits(waiting=waiting)) as client:
        address = client.base_url
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(ask, range(CLIENTS)))
        assert client.get("/health").json()["jobs"] == 0
    for number, answer in enumerate(answers):
        assert answer.status_code == 200
        np.testing.assert_array_equal(decoded(answer.content), expected[number])

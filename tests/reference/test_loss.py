"""The six terms have the values that one works out by hand."""

import math

import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")

from edgewise.errors import InputError
from edgewise.reference.loss import cascade_loss, gradient, terms
from edgewise.reference.network import Answers

LN2 = math.log(2)
TRUTH = torch.tensor([[[[0.0, 0.0, 1.0]]]])


def answers(logits):
    return Answers(*[torch.full_like(TRUTH, value) for value in logits])


def root(square):
    return math.sqrt(square + 1e-4)


def test_the_gradient_of_three_pixels():
    # The 3x3 mean over zeros outside gives 0, 1/9, 1/9; only the Sobel kernel's middle row meets
    # it, 1/2 of left less right: -1/18, -1/18, 1/18. Above and below there is nothing.
    step = root((1 / 18) ** 2)
    assert gradient(TRUTH).flatten().tolist() == pytest.approx([step, step, step])
    # One half everywhere: means 1/9, 1/6, 1/9; -1/12, 0, 1/12.
    half = gradient(torch.full_like(TRUTH, 0.5)).flatten().tolist()
    assert half == pytest.approx([root((1 / 12) ** 2), 0.01, root((1 / 12) ** 2)])


def test_the_gradient_goes_up_and_down_too():
    assert torch.allclose(gradient(TRUTH).transpose(2, 3), gradient(TRUTH.transpose(2, 3)))


def test_answers_of_one_half():
    # Cross entropy ln 2, absolute error 1/2, squared error 1/4 at every pixel.
    step, side = root((1 / 18) ** 2), root((1 / 12) ** 2)
    edges = (2 * (side - step) + (step - 0.01)) / 3
    expected = [
        LN2,
        LN2,
        LN2 / 2 + 1 / 8 + 1 / 16,
        LN2,
        LN2 / 2 + 1 / 8 + 1 / 16,
        1 / 2 + 1 / 4 + 5 * edges,
    ]
    values = terms(answers([0] * 6), TRUTH).tolist()
    assert values == pytest.approx(expected, rel=1e-5)
    assert float(cascade_loss(answers([0] * 6), TRUTH)) == pytest.approx(sum(expected), rel=1e-5)


def test_each_term_is_of_its_own_answer():
    # Logits of ln 3 are 3/4 everywhere: of three pixels two are wrong by 3/4 and one by 1/4.
    entropy = (2 * math.log(4) + math.log(4 / 3)) / 3
    l1, l2 = 7 / 12, (2 * 9 / 16 + 1 / 16) / 3
    at8, at4 = entropy, entropy / 2 + l1 / 4 + l2 / 4
    plain = terms(answers([0] * 6), TRUTH)
    for index, expected in enumerate([at8, at8, at4, at8, at4]):
        logits = [0.0] * 6
        logits[index] = math.log(3)
        values = terms(answers(logits), TRUTH)
        assert float(values[index]) == pytest.approx(expected, rel=1e-5)
        others = [i for i in range(6) if i != index]
        assert torch.equal(values[others], plain[others])


def test_a_soft_truth_is_cut_for_the_entropy_alone():
    soft = torch.full_like(TRUTH, 0.75)
    value = float(terms(answers([math.log(3)] * 6), soft)[2])
    assert value == pytest.approx(0.5 * math.log(4 / 3), rel=1e-5)  # no error left but entropy


def test_a_skipped_look_is_told():
    with pytest.raises(InputError, match="the first look was skipped"):
        cascade_loss(answers([0] * 6)._replace(first8=None), TRUTH)


def test_the_right_answer_costs_next_to_nothing():
    logits = (TRUTH * 2 - 1) * 40
    assert float(cascade_loss(Answers(*[logits] * 6), TRUTH)) < 1e-6

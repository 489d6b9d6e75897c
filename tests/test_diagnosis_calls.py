"""What is noted of a call: enough for an explanation, not the inputs themselves."""

import numpy as np
import torch

from course_utils.calls.evidence import Argument, describe_call


def test_shapes_numbers_and_the_kind_of_entries_are_noted() -> None:
    x = np.array([[0.0, -1000.0, np.inf]])
    call = describe_call("f", (x, "mean"), {"p": 0.3})
    assert call.name == "f"
    assert call.arguments == (
        Argument("", (1, 3), largest=1000.0, zeros=True, infinite=True),
        Argument("", text="mean"),
        Argument("p", number=0.3),
    )


def test_equal_arguments_have_equal_fingerprints() -> None:
    first = describe_call("f", (np.ones(3),), {"p": [1, torch.ones(2)]})
    same = describe_call("f", (np.ones(3),), {"p": [1, torch.ones(2)]})
    other = describe_call("f", (np.ones(3),), {"p": [1, torch.zeros(2)]})
    assert first.fingerprint == same.fingerprint != other.fingerprint


def test_a_stream_of_random_numbers_has_no_fingerprint() -> None:
    for generator in (np.random.default_rng(0), torch.Generator()):
        assert describe_call("f", (np.ones(3), generator), {}).fingerprint is None


def test_every_dtype_of_tensor_can_be_noted() -> None:
    tensors = (
        torch.ones(2, dtype=torch.bfloat16), torch.ones(2, requires_grad=True),
        torch.ones(2, dtype=torch.complex64).conj(), torch.ones(0), torch.tensor(True),
    )  # fmt: skip
    shapes = [argument.shape for argument in describe_call("f", tensors, {}).arguments]
    assert shapes == [(2,), (2,), (2,), (0,), ()]

"""What the exceptions that students meet most often mean, and what to look for.

NumPy's and torch's messages name what broke inside the library. A line here says what it comes of
in a student's code. Nothing of a message is quoted in it, so it may be said of a hidden test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

# What stands in the exception, and what is said of it; the first that fits.
_MEANINGS: list[tuple[str, str]] = [
    (
        r"FloatingPointError: overflow encountered in (exp|exp2|expm1)",
        "An exp overflows: e to the 800th is more than a float64 holds. Shift what goes into exp, "
        "or use a form that only takes exp of negative numbers.",
    ),
    (
        r"FloatingPointError: (overflow|divide by zero|invalid value)",
        "A number runs over, is divided by zero or becomes NaN on the way, and NumPy is asked to "
        "say so. Look for an exp of large numbers, a log of 0, 0/0 and inf − inf.",
    ),
    (
        r"matmul: Input operand|mat1 and mat2 shapes cannot be multiplied|shapes .* not aligned"
        r"|size mismatch, got|inconsistent tensor size|Expected size for first two dimensions",
        "Two factors of a matrix product do not fit. Write down their shapes: are they in the "
        "right order, and is a transpose missing or one too many?",
    ),
    (
        r"could not be broadcast together|must match the size of tensor"
        r"|shape mismatch: |output with shape .* doesn't match the broadcast shape",
        "Two arrays meet entry by entry whose shapes do not fit. Which axis is missing or has the "
        "wrong length? A reduction with keepdims leaves an axis of length 1 to meet the others.",
    ),
    (
        r"a leaf Variable that requires grad is being used in an in-place operation",
        "A parameter is changed in place while autograd is watching: put the step under "
        "torch.no_grad().",
    ),
    (
        r"modified by an inplace operation",
        "A tensor that the backward pass needs was changed in place after it was used: make a new "
        "one instead.",
    ),
    (
        r"Trying to backward through the graph a second time",
        "backward() runs twice through one graph. Is the loss made anew in each step, and is "
        "nothing of an earlier step still part of it?",
    ),
    (
        r"does not require grad and does not have a grad_fn",
        "backward() is called on something without a graph: was it detached, made under "
        "torch.no_grad(), or are all parameters frozen?",
    ),
    (
        r"Can't call numpy\(\) on Tensor that requires grad",
        "A tensor that belongs to a graph is turned into an array. Stay in torch, or detach it "
        "where only its value is wanted.",
    ),
    (
        r"expected scalar type|must have the same dtype|expected m1 and m2 to have the same dtype"
        r"|same dtype, but got|dtype of input .* different",
        "Tensors of different dtypes meet: make new ones with dtype=x.dtype (and device=x.device).",
    ),
    (
        r"Expected all tensors to be on the same device|is not on the expected device"
        r"|on different devices",
        "Tensors of different devices meet: make new ones with device=x.device, and move batches "
        "to the model's.",
    ),
    (
        r"'NoneType' object|argument of type 'NoneType'|with 'NoneType'|and 'NoneType'",
        "Something is None that should be a value: a function without return, a .grad before any "
        "backward(), or a method such as list.sort() that works in place.",
    ),
    (
        r"only integer|arrays used as indices must be of integer|indices must be (long|integer)"
        r"|tensors used as indices must be",
        "An index is not a whole number: indices need an integer dtype.",
    ),
    (
        r"IndexError: .*out of (bounds|range)|index \d+ is out of",
        "An index lies outside its array. Count from 0, and look at what the index may be at the "
        "edge: an empty batch, the last step, a class that does not occur.",
    ),
    (
        r"ambiguous\. Use a\.any|Boolean value of Tensor with more than one value is ambiguous",
        "A whole array stands where one truth value is asked for: in an if, in and/or, or in "
        "max(…). Use np.where, np.maximum (torch.where, torch.maximum) for entries.",
    ),
    (
        r"UnboundLocalError",
        "A variable is read that was not given a value on this path: is it set only inside an if "
        "or a loop that was passed over?",
    ),
    (
        r"RecursionError",
        "The function calls itself too deeply: Python stops at about 1,000 levels. A long chain "
        "needs a loop with a list of its own.",
    ),
    (
        r"ZeroDivisionError",
        "A plain division by zero: which count or sum can be 0 here?",
    ),
    (
        r"assignment destination is read-only",
        "An array is written to that is only lent. Work on a copy.",
    ),
    (
        r"AssertionError",
        "An assert in your own code refuses this input. What is asked for takes it.",
    ),
]  # fmt: skip


def explained(failed: Sequence[TestOutcome]) -> Diagnosis | None:
    """What an exception means, where one meaning fits all that were raised; None where none does.

    What was raised is quoted from a public test.
    """
    raised = [outcome for outcome in failed if outcome.status is Status.ERROR]
    meanings = {meaning(outcome) for outcome in raised}
    if len(meanings) != 1:
        return None
    said = meanings.pop()
    if not said:
        return None
    seen = tuple(filter(None, (outcome.quoted(outcome.message) for outcome in raised)))[:1]
    return Diagnosis(str(Status.ERROR), said, seen, named=False)


def meaning(outcome: TestOutcome) -> str:
    """What a test's exception means; empty where nothing is known of it."""
    raised = next((one.raised for one in reversed(outcome.trace) if one.raised), outcome.message)
    return next((said for sign, said in _MEANINGS if re.search(sign, raised)), "")

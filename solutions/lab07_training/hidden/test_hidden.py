"""Lab 07, the tests that students do not see: other settings, and splits of the grader's own."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.plugin import load_module
from course_utils.testing import assert_close, exercise

public = load_module(Path(__file__).parents[1] / "test_public.py")
TRAINING = public.TRAINING


# Exercise: transfer


@exercise("transfer", stated="The given layers without the old head")
def test_as_many_classes_as_before(student, reference, old_network):
    """The head is a new one where the new task has as many classes as the old one."""
    state, X, _ = old_network(6, 4, 9, 3)
    logits, weight, bias = student.run(public.new_logits, state, 3, X)
    assert_close(logits, F.linear(reference.features(state, X), weight, bias), name="the logits")
    assert not torch.equal(weight, state["4.weight"]), "the head is the one of the old task"


@exercise("transfer", about="detail", weight=0.5, stated="in training mode, and a torch.optim.SGD")
def test_head_switches(student, old_network):
    """The model is in training mode at first, and follows eval()."""
    state, X, y = old_network(5, 8, 12, 4)
    what = ["in training mode", "head in training mode after eval()"]
    seen = student.run(public.after_training, state, 4, X, y, what)
    assert seen["in training mode"], "the model comes in evaluation mode"
    assert not seen["head in training mode after eval()"], "the head stays in training mode"


# Exercise: speedup


@exercise("speedup", stated="It is called before each of the clock's readings")
def test_seconds_for_other_repeats(student, device_costs):
    """The time is shared among all examples of all passes."""
    costs = device_costs()
    seen = student.run(public.on_a_clock, 13, None, 2, costs)
    call, example, _ = costs["cpu"]
    assert_close(
        np.array(seen["seconds"]), np.array([(call + 13 * example) / 13]), rtol=1e-4,
        name="the seconds per example",
    )


@exercise("speedup", about="detail", weight=0.5, stated="The model stays there")
def test_model_stays(student, device_costs):
    """The caller's model stays on the CPU."""
    seen = student.run(public.on_a_clock, 8, [4], 3, device_costs())
    assert seen["stays"], "the model that was handed in has been moved to the device"


# Exercise: standardize


@exercise("standardize", stated="Its columns' means and standard deviations")
def test_a_single_row(student, reference, tables):
    """A single row is scaled as a whole table is."""
    X_train, X_other = tables(11, 1, 5)
    expected = reference.standardize(X_train, X_other)[1]
    assert_close(student.standardize(X_train, X_other)[1], expected, name="the row", rtol=0.09)


@exercise("standardize", about="form", weight=0.5, stated="dtypes kept")
def test_standardize_keeps_float32(student, reference, tables):
    """float32 stays float32."""
    X_train, X_other = tables(12, 5, 3, dtype=torch.float32)
    expected = reference.standardize(X_train, X_other)
    found = student.standardize(X_train, X_other)
    assert_close(found[0], expected[0], name="the training table", rtol=1e-4)
    assert_close(found[1], expected[1], name="the other table", rtol=1e-4)


# Exercise: confusion_matrix


@exercise("confusion_matrix", stated="The row is the true class, the column is the predicted one")
def test_many_classes(student, reference, guesses):
    """Twelve classes, many examples."""
    targets, said = guesses(300, 12)
    found = student.confusion_matrix(targets, said, 12)
    assert_close(found, reference.confusion_matrix(targets, said, 12), name="the matrix")


@exercise("confusion_matrix", about="edge", weight=0.5, stated="n ≥ 0")
def test_no_examples(student, reference, device):
    """Without examples all counts are 0."""
    none = torch.zeros(0, dtype=torch.int64, device=device)
    found = student.confusion_matrix(none, none, 3)
    assert_close(found, reference.confusion_matrix(none, none, 3), name="the matrix")


# Exercise: train_tabular


@exercise("train_tabular", stated="the classes of the test rows", **TRAINING)
def test_tabular_accuracy_elsewhere(student, trainings, rng, device):
    """The mean accuracy over other splits is at least 90 %."""
    share = public.rows_told(
        student, trainings, rng, device, which="table, hidden", splits=6, enough=0.95
    )
    public.assert_share(share, 0.9, 0.75)


@exercise("train_tabular", about="detail", stated="the classes of the test rows", **TRAINING)
def test_tabular_accuracy_95_elsewhere(student, trainings, rng, device):
    """The mean accuracy over other splits is at least 95 %."""
    share = public.rows_told(
        student, trainings, rng, device, which="table, hidden", splits=6, enough=0.95
    )
    public.assert_share(share, 0.95, 0.75)


@exercise(
    "train_tabular", about="detail", weight=2, stated="to the weights of the best epoch", **TRAINING
)
def test_best_weights_predict(student, trainings, rng, device):
    """With three labels in ten wrong and much patience, the best epoch's weights predict well.

    A network that is left to learn the wrong labels by heart is right in two cases of three.
    """
    share = public.rows_told(
        student, trainings, rng, device, which="wrong labels", splits=4, flipped=0.3, enough=0.8,
        patience=150, max_epochs=300,
    )
    assert share >= 0.8, f"the mean accuracy is {100 * share:.1f} %: the last epoch's weights?"


@exercise("train_tabular", about="edge", weight=0.5, stated="at the latest", **TRAINING)
def test_limit_of_epochs(student, rng, device):
    """Training ends after max_epochs epochs, where patience would let it go on."""
    X, y, X_test, _ = public.split_of("table", rng, 100, 20, device)
    seen = student.run(public.epochs_trained, X, y, X_test, 1, 50, 12)
    assert seen["ended"] == "at the limit", "twelve epochs were asked for, others were trained"


@exercise("train_tabular", about="form", weight=0.5, stated="int64 (m,) on X_test's", **TRAINING)
def test_table_kinds(student, rng, device):
    """The predictions are int64, one a row, and the losses a list of floats; for one row too."""
    for m in (1, 30):
        X, y, X_test, _ = public.split_of("table", rng, 100, m, device)
        kind = student.run(public.table_kinds, X, y, X_test, 3)
        assert kind == ["torch.int64", [m], device.type, True], f"what comes back is {kind}"


# Exercise: train_digits


@exercise("train_digits", stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_90_elsewhere(student, trainings, rng, device):
    """The mean accuracy over the grader's splits is at least 90 %."""
    share = public.digits_read(
        student, trainings, rng, device, which="digits, hidden", splits=3, test=497
    )
    public.assert_share(share, 0.90, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_94_elsewhere(student, trainings, rng, device):
    """The mean accuracy over the grader's splits is at least 94 %."""
    share = public.digits_read(
        student, trainings, rng, device, which="digits, hidden", splits=3, test=497
    )
    public.assert_share(share, 0.94, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_96_elsewhere(student, trainings, rng, device):
    """The mean accuracy over the grader's splits is at least 96 %."""
    share = public.digits_read(
        student, trainings, rng, device, which="digits, hidden", splits=3, test=497
    )
    public.assert_share(share, 0.96, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_97_elsewhere(student, trainings, rng, device):
    """The mean accuracy over the grader's splits is at least 97 %."""
    share = public.digits_read(
        student, trainings, rng, device, which="digits, hidden", splits=3, test=497
    )
    public.assert_share(share, 0.97, 0.3)


@exercise("train_digits", about="edge", weight=0.5, stated="m ≥ 1", **TRAINING)
def test_a_single_image(student, rng, device):
    """A single image gets its answer."""
    X, y, X_test, _ = public.split_of("digits", rng, 101, 1, device)
    kind = student.run(public.digits_kind, X, y, X_test, 3)
    assert kind[1] == [1], f"the predictions for one image have the shape {kind[1]}"

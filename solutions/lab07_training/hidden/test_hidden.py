"""Lab 07, hidden tests: the same claims in other settings, and the edges."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.testing import Mismatch, agree, assert_close, exercise, probe, public_tests

public = public_tests(__file__)
TRAINING = public.TRAINING

# Exercise: losses_agree


@exercise("losses_agree", part="classes", stated="whatever comes after it")
def test_class_loss_of_images(student, reference, rng, device):
    """class_loss with two extra axes (N, C, d1, d2), the classes not the longest of them."""
    logits, targets = public.class_data(rng, device, 4, 3, 2, 5)
    agree(student, reference, "class_loss", logits, targets, called="the loss")


@exercise("losses_agree", part="yes or no", about="edge", stated="right for logits of any size")
def test_binary_loss_of_large_logits(student, reference, device):
    """Logits of ±300 on the wrong side: the loss is about 300, neither infinite nor cut off."""
    logits = torch.tensor([300.0, -300.0, 2.0, 0.0], dtype=torch.float64, device=device)
    targets = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64, device=device)
    agree(student, reference, "binary_loss", logits, targets, called="the loss", rtol=1e-6)


@exercise("losses_agree", part="yes or no", about="edge", weight=0.5, stated="(N,) or (N, 1)")
def test_binary_loss_of_one_example(student, reference, rng, device):
    """A batch of one example, (1, 1) and (1,): its loss is the mean."""
    logits = torch.as_tensor(rng.normal(size=(1, 1)), device=device)
    targets = torch.ones(1, dtype=torch.float64, device=device)
    agree(student, reference, "binary_loss", logits, targets, called="the loss", rtol=1e-6)


@exercise("losses_agree", part="yes or no", stated="(N,) or (N, 1)")
def test_binary_loss_in_single_precision(student, reference, rng, device):
    """float32 logits (N, 1), as models return them."""
    logits, targets = public.binary_data(rng, device, 11)
    assert_close(
        student.binary_loss(logits[:, None].float(), targets.float()),
        reference.binary_loss(logits.float(), targets.float()), name="the loss",
    )


# Exercise: Mean


@exercise("Mean", part="Mean", stated="divided by the sum of the weights")
def test_mean_with_fractional_weights(student, reference, rng):
    """Fractional weights, below 1 and above."""
    a, b, c = public.batch_values(rng)
    script = [["update", a, 0.25], ["update", b, 0.5], ["update", c, 2.5], ["compute"]]
    public.drive(student, reference, "Mean", {}, script, "the mean")


@exercise("Mean", part="Mean", about="edge", stated="NaN where nothing was counted")
def test_mean_of_nothing(student, reference):
    """Before the first update, and after a reset, the mean is NaN."""
    script = [["compute"], ["update", 3.0], ["reset"], ["compute"]]
    public.drive(student, reference, "Mean", {}, script, "the mean of nothing")


@exercise("Mean", part="MeanSquaredError", about="edge", stated="compute(), reset(), precision")
def test_squared_error_of_nothing(student, reference):
    """Before the first update the mean squared error is NaN."""
    public.drive(student, reference, "MeanSquaredError", {}, [["compute"]], "the mean of nothing")


@exercise("Mean", part="MeanSquaredError", stated="paired one to one whatever their shapes")
def test_squared_error_of_a_row(student, reference, rng, device):
    """A target (n, 1) fits a pred (n,)."""
    batches = public.regression_batches(rng, device, ())
    script = [["update", p, t[:, None]] for p, t in batches] + [["compute"]]
    public.drive(student, reference, "MeanSquaredError", {}, script, "the mean squared error")


@exercise(
    "Mean", part="MeanSquaredError", about="form", stated="precision and graph: as for Mean"
)
def test_squared_error_is_a_number(student, rng):
    """compute returns a float, and no graph is kept."""
    pred, target = (torch.as_tensor(rng.normal(size=4)) for _ in range(2))
    seen = student.run(public.metric_kind, "MeanSquaredError", {}, [pred, target])
    assert seen["a plain number"], "compute gives something else than a Python float"
    assert not seen["a graph is kept"], (
        "the sums hold on to the graph of every batch: take .detach() or float(…) first"
    )


# Exercise: Accuracy


@exercise("Accuracy", about="detail", stated="preds and targets (n, L)")
def test_labels_with_a_threshold_of_their_own(student, reference, rng, device):
    """Multilabel answers from probabilities, threshold 0.3."""
    right = yes = 0
    while right == yes:  # else who says yes to everything is right as often
        batches = [(torch.sigmoid(z) * 0.6, t) for z, t in public.label_batches(rng, device)]
        right = sum(int(((preds > 0.3) == (t == 1)).sum()) for preds, t in batches)
        yes = sum(int(t.sum()) for _, t in batches)
    options = {"task": "multilabel", "from_logits": False, "threshold": 0.3}
    public.drive(student, reference, "Accuracy", options, public.updates(batches), "the accuracy")


@exercise("Accuracy", about="detail", stated="ignore_index: places with this target do not count")
def test_ignored_labels(student, reference, rng, device):
    """Multilabel with ignore_index=7, and binary with −1: ignored ones are in neither count."""
    batches = public.label_batches(rng, device)
    for _, targets in batches:
        targets[0] = 7
        targets[-1, 2] = 7
    options = {"task": "multilabel", "ignore_index": 7}
    public.drive(student, reference, "Accuracy", options, public.updates(batches), "the accuracy")
    batches = public.binary_batches(rng, device)
    for _, targets in batches:
        targets[-1] = -1
    options = {"task": "binary", "ignore_index": -1}
    public.drive(student, reference, "Accuracy", options, public.updates(batches), "the accuracy")


@exercise("Accuracy", about="detail", stated="(n, C, d1, …)")
def test_accuracy_of_images(student, reference, rng, device):
    """Multiclass with two extra axes, and ignored pixels."""
    batches = public.class_batches(rng, device, 5, 2)
    for _, targets in batches:
        targets[:, 0] = 255
    options = {"task": "multiclass", "ignore_index": 255}
    public.drive(student, reference, "Accuracy", options, public.updates(batches), "the accuracy")


@exercise("Accuracy", about="edge", stated="above this number")
def test_accuracy_at_the_threshold(student, reference, device):
    """A probability that equals the threshold is not above it."""
    preds = torch.tensor([0.0, 0.0, 2.0], dtype=torch.float64, device=device)
    targets = torch.tensor([0, 0, 1], device=device)
    script = public.updates([(preds, targets)])
    public.drive(student, reference, "Accuracy", {"task": "binary"}, script, "the accuracy")


@exercise("Accuracy", about="edge", stated="NaN where nothing was counted")
def test_accuracy_of_nothing(student, reference):
    """Before the first update the accuracy is NaN."""
    options = {"task": "multiclass"}
    public.drive(student, reference, "Accuracy", options, [["compute"]], "the accuracy of nothing")


# Exercise: train_one_epoch


@exercise("train_one_epoch", stated="One pass over the loader")
def test_two_epochs_of_adamw(student, reference, rng, device):
    """Two epochs of AdamW: the parameters are the reference loop's."""
    plan = public.make_plan(
        rng, optimizer=["AdamW", {"lr": 0.05, "weight_decay": 0.1}], epochs=2, batch=3
    )
    public.compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", about="detail", stated="all parameters together")
def test_short_gradients_are_not_clipped(student, reference, rng, device):
    """A gradient that is shorter than max_norm stays as it is."""
    plan = public.make_plan(rng, max_norm=1e4)
    public.compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", about="edge", stated="any iterable of batches (inputs, targets)")
def test_epoch_over_a_stream(student, reference, rng, device):
    """A loader without a length and without a data set."""
    plan = public.make_plan(rng, loader="stream")
    public.compare_epoch(student, reference, plan, "losses", device, "the losses")


@exercise("train_one_epoch", about="detail", stated="No batch's graph is kept")
def test_epoch_keeps_no_graph(student, rng, device):
    """When a batch's step is done its graph is let go."""
    plan = public.make_plan(rng, batch=1)
    if not student.run(public.epoch_facts, plan, "graphs", str(device)):
        raise Mismatch(
            "the graphs of all batches are kept until the end of the epoch: a sum of losses that "
            "are tensors holds on to them. loss.item() is a number", kind="value",
        )


@probe
def modes_after_an_epoch(student, inputs, device):
    """In which mode an epoch leaves a model that comes in training mode, module by module."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5)).double().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = [(inputs, inputs)]
    student.train_one_epoch(model, loader, torch.nn.functional.mse_loss, optimizer, device)
    return [module.training for module in model.modules()]


@exercise("train_one_epoch", about="detail", weight=0.5, stated="left in training mode")
def test_epoch_ends_in_training_mode(student, rng, device):
    """The model is left in training mode."""
    seen = student.run(modes_after_an_epoch, torch.as_tensor(rng.normal(size=(3, 2))), str(device))
    if not all(seen):
        raise Mismatch("the model is not left in training mode after the epoch", kind="value")


# Exercise: evaluate


@exercise("evaluate", stated="The model's loss and metrics on a data set")
def test_evaluate_moves_no_statistics(student, reference, rng, device):
    """Batch norm's running statistics stay as they are."""
    plan = public.make_evaluation(rng)
    public.compare_evaluation(
        student, reference, plan, "statistics", device, "batch norm's running mean"
    )


@exercise("evaluate", about="detail", weight=4,
          stated="each module in it is given back in the mode in which it came")
def test_evaluate_leaves_frozen_layers(student, rng, device):
    """In a model of which some modules are in training mode and some are not, none has changed."""
    plan = public.make_evaluation(rng, modes=public.SOME_FROZEN)
    seen = student.run(public.evaluation_facts, plan, "modes", str(device))
    wrong = sum(a != b for a, b in zip(seen, public.SOME_FROZEN, strict=True))
    if wrong:
        raise Mismatch(
            f"{wrong} of the model's 7 modules came in another mode than they have now",
            kind="value",
        )


@exercise("evaluate", about="edge", stated="any iterable of batches (inputs, targets)")
def test_evaluate_a_list(student, reference, rng, device):
    """A loader that is a list of batches."""
    plan = public.make_evaluation(rng, modes=public.ALL_EVAL, loader="list")
    public.compare_evaluation(student, reference, plan, "loss", device, "the loss")


@exercise("evaluate", about="form", weight=0.5, stated="the mean over the examples, a float")
def test_evaluate_returns_numbers(student, rng, device):
    """The loss is a plain float."""
    plan = public.make_evaluation(rng)
    seen = student.run(public.evaluation_facts, plan, "kind", str(device))
    assert seen, "something else than a Python float comes back; float(…) makes one of a tensor"


@exercise("evaluate", about="form", weight=0.5, stated='"loss", the mean over the examples')
def test_evaluate_without_metrics(student, rng, device):
    """Without metrics the dict has the loss alone; with two it has three entries."""
    plan = public.make_evaluation(rng)
    seen = student.run(public.evaluation_facts, plan, "keys", str(device))
    assert seen == ["loss"], f"the dict has {len(seen)} entries where no metrics were given"
    plan["metrics"] = True
    seen = student.run(public.evaluation_facts, plan, "keys", str(device))
    assert seen == ["again", "loss", "total"], "the metrics' names are not the dict's keys"


# Exercise: break_it


@exercise("break_it", part="shows", stated="whatever the random numbers")
def test_shows_under_other_numbers(student, rng):
    """Under other random numbers too."""
    public.check_shows(student, int(rng.integers(10_000, 20_000)))


@exercise("break_it", part="hides", stated="the random numbers")
def test_hides_under_other_numbers(student, rng):
    """Under other random numbers too."""
    public.check_hides(student, int(rng.integers(10_000, 20_000)))


# Exercise: warmup_cosine


@exercise("warmup_cosine", stated="how many epochs the run has")
def test_longer_warmup(student, reference, rng, device):
    """Seven epochs of warm-up, of twenty."""
    public.compare_rates(student, reference, [float(rng.uniform(0.01, 0.09))], 7, 20, device)


@exercise("warmup_cosine", about="edge", stated="may be 0")
def test_no_warmup(student, reference, rng, device):
    """With W = 0 the cosine begins at once; with W = 1 in the second epoch."""
    for warmup in (0, 1):
        public.compare_rates(student, reference, [float(rng.uniform(0.1, 0.9))], warmup, 6, device)


# Exercise: checkpoint


@exercise("checkpoint", stated="all that the rest of a run depends on")
def test_resume_everything(student, rng, device):
    """AdamW, a schedule, shuffling and dropout at once."""
    plan = public.make_resumption(
        rng, optimizer=["AdamW", {"lr": 0.02, "weight_decay": 0.05}], decay=0.8, shuffle=True,
        dropout=0.3, before=2, after=4,
    )
    public.compare_resumption(student, plan, device)


@exercise("checkpoint", about="detail", stated="the model may have buffers and dropout")
def test_buffers_come_back(student, rng, device):
    """Batch norm's running statistics are in the file, too."""
    plan = public.make_resumption(rng, after=0)
    seen = student.run(public.resumed, plan, "buffers", str(device))
    expected = public._resumed(None, {**plan}, "reference buffers", str(device))
    assert_close(seen, expected, name="the model's buffers", oracle="saved")


# Exercise: fit


@exercise("fit", stated="those before an interruption included")
def test_fit_resumes_after_a_power_cut(student, reference, rng, device):
    """The power goes in the middle of an epoch, twice: the run ends as if it had not."""
    plan = public.make_run(
        rng, shuffle=True, dropout=0.3, checkpoints=True, pieces=[[6, 1], [6, 2], [6, None]],
    )
    public.compare_run(
        student, reference, plan, "history and weights", device, "losses, then weights"
    )


@exercise("fit", about="edge", stated="epochs: at most so many epochs")
def test_fit_of_a_finished_run(student, reference, rng, device):
    """A run that is at its end is not trained further when it is called again."""
    scores = public.walk_of(rng, [5, 4, 3, 2, 2.5, 2.6, 1.0, 0.9, 0.8, 0.7, 0.6])
    for patience, pieces, end in ((9, [4, 4], 4), (2, [6, 8], 6)):
        options = {"patience": patience}
        seen = student.run(public.walk_in_pieces, scores, options, pieces, str(device))
        expected = public._walk_in_pieces(reference, scores, options, [end], str(device))
        assert_close(
            seen, expected, name="after the second call", rtol=1e-6, oracle="in one call"
        )


@exercise("fit", stated="None: no checkpoints")
def test_fit_with_a_large_rate(student, reference, rng, device):
    """A rate so large that early epochs differ much, shuffled, without checkpoints."""
    plan = public.make_run(rng, lr=0.005, decay=0.6, shuffle=True, pieces=[[4, None]])
    public.compare_run(
        student, reference, plan, "history and weights", device, "losses, then weights"
    )


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
        name="the seconds per example", oracle="by the clock",
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
    agree(student, reference, "confusion_matrix", targets, said, 12, called="the matrix")


@exercise("confusion_matrix", about="edge", weight=0.5, stated="n ≥ 0")
def test_no_examples(student, reference, device):
    """Without examples all counts are 0."""
    none = torch.zeros(0, dtype=torch.int64, device=device)
    agree(student, reference, "confusion_matrix", none, none, 3, called="the matrix")


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
    "train_tabular", about="detail", weight=3, stated="to the weights of the best epoch", **TRAINING
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
    assert seen["ended"] == "at the limit", "max_epochs was 12; another number of losses came back"


@exercise("train_tabular", about="form", weight=0.5, stated="int64 (m,) on X_test's", **TRAINING)
def test_table_kinds(student, rng, device):
    """The predictions are int64, one a row, and the losses a list of floats; for one row too."""
    for m in (1, 30):
        X, y, X_test, _ = public.split_of("table", rng, 100, m, device)
        kind = student.run(public.table_kinds, X, y, X_test, 3)
        dtype, shape, place, plain = kind
        assert (dtype, shape, place) == ("torch.int64", [m], device.type), (
            f"the predictions for {m} rows are {dtype} of shape {shape} on {place}"
        )
        assert plain, "the losses are something else than a list of floats"


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

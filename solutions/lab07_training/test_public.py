"""Lab 07, the tests that you can read: transfer learning, timing, a table, and the capstone.

Where a network of your own is trained, a test looks at its predictions for examples whose labels
it has kept to itself. A training is made once and serves every claim about it.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import StandardScaler

from course_utils.testing import assert_close, assert_unmodified, exercise, probe

# A test in which a network of the student's is trained.
TRAINING = {"seconds": 20, "trains": True}

HINTS = {
    "transfer": [
        "Two things change in training: parameters, by the optimizer, and running statistics, by "
        "the forward pass. Each is frozen in its own way.",
        "`*features, old = backbone` takes the old head off. `requires_grad_(False)` works on a "
        "whole module; override `train(self, mode=True)`: first super().train(mode), then "
        "self.backbone.eval().",
        "A backbone that ends in Linear(8, 3), with num_classes=5: the optimizer holds 8·5 + 5 = "
        "45 numbers, and model.train().backbone.training is False.",
    ],
    "speedup": [
        "Draw the line of time: what may stand between the two readings of the clock, and what may "
        "not?",
        "One pass, wait, read; `repeats` passes, wait, read. Divide by all examples that have gone "
        "through in between.",
        "A device that needs 2 ms for a batch of 4, with repeats=5: 10 ms lie between the "
        "readings, and an example takes 0.5 ms.",
    ],
    "standardize": [
        "Which two rows of numbers does the model have to remember from its training set?",
        "X_train.mean(0) and X_train.std(0, correction=0), used for both tables. Replace a "
        "standard deviation of 0 by 1 before you divide.",
        "X_train = [[0.], [4.]]: mean 2, standard deviation 2. X_other = [[10.]] becomes 4.",
    ],
    "confusion_matrix": [
        "Every example is a pair (true class, predicted class). Count the pairs.",
        "K·true + predicted numbers the pairs from 0 to K² − 1; torch.bincount counts them, with "
        "minlength=K·K. One-hot matrices do it as well: Tᵀ P.",
        "targets 0, 0, 1 and predictions 0, 1, 1 with K = 3: rows [1, 1, 0], [0, 1, 0], [0, 0, 0].",
    ],
    "train_tabular": [
        "First write the loop without stopping, and return the list of validation losses. Look at "
        "it.",
        "Count the epochs since the lowest loss; a new lowest one sets the count to 0 and copies "
        "the weights (copy.deepcopy). Scale X_test with the training rows' statistics.",
        "patience 2 and the losses 3, 2, 2.5, 2.6: training ends here, and the weights of the "
        "second epoch predict.",
    ],
    "train_digits": [
        "Get a simple network right first: scaled images, Adam, twenty epochs. Print the "
        "accuracy on validation images after every epoch.",
        "Then what pictures need: reshape to (n, 1, 8, 8), two convolutions with batch norm and "
        "ReLU, one max-pooling, a linear layer. AdamW, batches of 50, a learning rate that rises "
        "to 0.01 and falls to 0.",
        "Such a network of 32 and 64 channels reads 98.6 % after 6 epochs. Do not forget "
        "torch.manual_seed(seed) and model.eval().",
    ],
}

DERIVATION = {
    "transfer": "the section on transfer: the table of what is frozen in which way",
    "speedup": "the section on the GPU: the line of time, and equation (S)",
    "standardize": "the section on the table, 'Whose mean?'",
    "confusion_matrix": "equation (C): rows are the truth",
    "train_tabular": "the four steps above the exercise",
    "train_digits": "the capstone, 'Where to begin'",
}


class Reference:
    """torch and scikit-learn with the exercises' signatures."""

    @staticmethod
    def features(state, X):
        """What comes before the old head, in evaluation mode; state as `old_network` draws it."""
        linear = F.linear(X, state["0.weight"], state["0.bias"])
        statistics = state["1.running_mean"], state["1.running_var"]
        return F.relu(F.batch_norm(linear, *statistics, state["1.weight"], state["1.bias"]))

    @staticmethod
    def head_step(features, targets, weight, bias, lr):
        """Weight and bias after one step of SGD on the cross-entropy."""
        parameters = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
        F.cross_entropy(F.linear(features, *parameters), targets).backward()
        torch.optim.SGD(parameters, lr=lr).step()
        return [p.detach() for p in parameters]

    @staticmethod
    def standardize(X_train, X_other):
        scaler = StandardScaler().fit(X_train.cpu().double())
        return tuple(
            torch.as_tensor(scaler.transform(X.cpu().double())).to(X) for X in (X_train, X_other)
        )

    @staticmethod
    def confusion_matrix(targets, predictions, num_classes):
        truth, said = (F.one_hot(labels, num_classes) for labels in (targets, predictions))
        return (truth[:, :, None] * said[:, None, :]).sum(0)


# Exercise: transfer. Probes: they run next to your code and return what they see.


@probe(values=True)
def new_logits(student, state, classes, X):
    """Logits in evaluation mode, and the new head's parameters."""
    d_out, d_in = state["0.weight"].shape
    backbone = torch.nn.Sequential(
        torch.nn.Linear(d_in, d_out), torch.nn.BatchNorm1d(d_out), torch.nn.ReLU(),
        torch.nn.Dropout(0.8), torch.nn.Linear(d_out, 3),
    ).to(X.device, X.dtype)
    backbone.load_state_dict(state)
    model, _ = student.transfer(backbone, classes)
    model.eval()
    return [t.detach() for t in (model(X), model.head.weight, model.head.bias)]


@probe(values=True)
def head_after_a_step(student, state, classes, X, y, lr):
    """The new head's parameters before and after one step of the optimizer."""
    d_out, d_in = state["0.weight"].shape
    backbone = torch.nn.Sequential(
        torch.nn.Linear(d_in, d_out), torch.nn.BatchNorm1d(d_out), torch.nn.ReLU(),
        torch.nn.Dropout(0.8), torch.nn.Linear(d_out, 3),
    ).to(X.device, X.dtype)
    backbone.load_state_dict(state)
    model, optimizer = student.transfer(backbone, classes, lr)
    before = [p.detach().clone() for p in (model.head.weight, model.head.bias)]
    model.train()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(X), y).backward()
    optimizer.step()
    return [before, [p.detach() for p in (model.head.weight, model.head.bias)]]


@probe
def after_training(student, state, classes, X, y, what):
    """Train for three steps, with an own optimizer over everything too; say what has changed."""
    d_out, d_in = state["0.weight"].shape
    backbone = torch.nn.Sequential(
        torch.nn.Linear(d_in, d_out), torch.nn.BatchNorm1d(d_out), torch.nn.ReLU(),
        torch.nn.Dropout(0.8), torch.nn.Linear(d_out, 3),
    ).to(X.device, X.dtype)
    backbone.load_state_dict(state)
    model, optimizer = student.transfer(backbone, classes, 0.1)
    frozen, trained = list(model.backbone.parameters()), list(model.head.parameters())
    seen = {"in training mode": model.training}
    if what == ["fresh"]:  # no train() has been called on it yet
        model(X)
    else:
        seen["train() returns the model"] = model.train() is model
    kept = [p.detach().clone() for p in (*frozen, *trained)]
    for one in (optimizer, torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)):
        for _ in range(0 if what == ["fresh"] else 3):
            one.zero_grad()
            torch.nn.functional.cross_entropy(model(X), y).backward()
            one.step()
        if one is optimizer:
            now = [p.detach().clone() for p in (*frozen, *trained)]
            moved = [not torch.equal(a, b) for a, b in zip(kept, now, strict=True)]
            seen["frozen parameters moved"] = any(moved[: len(frozen)])
            seen["head moved"] = all(moved[len(frozen) :])
    again = [p.detach() for p in frozen]
    seen["moved by another optimizer"] = any(
        not torch.equal(a, b) for a, b in zip(kept[: len(frozen)], again, strict=True)
    )
    running = model.backbone[1]
    seen["statistics moved"] = not (
        torch.equal(running.running_mean, state["1.running_mean"])
        and torch.equal(running.running_var, state["1.running_var"])
    )
    with torch.no_grad():
        seen["answers vary"] = not torch.equal(model(X), model(X))
    seen["held"] = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    seen["fresh"] = seen["statistics moved"] or seen["answers vary"]
    model.eval()
    seen["head in training mode after eval()"] = model.training or model.head.training
    return {name: seen[name] for name in what}


@probe
def head_is_made(student, device, dtype):
    """Where the new head lies and in which precision, for a backbone that lies there."""
    backbone = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))
    model, _ = student.transfer(backbone.to(device, getattr(torch, dtype)), 3)
    return sorted({f"{p.device.type} {p.dtype}" for p in model.head.parameters()})


# Exercise: speedup. A device with a queue: work is put into it at once, and done one by one.


def _on_a_clock(student, rows, sizes, repeats, costs):
    """Time a model on devices that are made up; costs: of a call, an example and a first call.

    With sizes: what `speedup` gives for the meta device, which does nothing but say where a tensor
    lies. Without: seconds per example for a batch of so many rows.
    """
    import math

    now, done, met = [1.0], {"cpu": 3.0, "meta": 4.0}, set()
    seen = {"graph": False, "devices": True}

    class Work(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2, 2))

        def forward(self, x):
            here = x.device.type
            call, example, first = costs[here]
            seen["graph"] = seen["graph"] or torch.is_grad_enabled()
            seen["devices"] = seen["devices"] and self.weight.device.type == here
            cost = call + example * len(x) + (0.0 if (here, len(x)) in met else first)
            met.add((here, len(x)))
            now[0] += 1e-7
            done[here] = max(done[here], now[0]) + cost
            return x @ self.weight

    def clock():
        return now[0]

    def wait(place):
        now[0] = max(now[0], done[torch.device(place).type])

    model, X = Work(), torch.ones(rows, 2)
    if sizes is None:
        took = student.seconds_per_example(model, X, repeats=repeats, clock=clock, wait=wait)
        return {"seconds": [float(took)], "graph": seen["graph"]}
    found = student.speedup(model, X, sizes, "meta", repeats=repeats, clock=clock, wait=wait)
    return {
        "sizes": [int(size) for size in found],
        "times": [float(value) for value in found.values()],
        "with its inputs": seen["devices"],
        "stays": model.weight.device.type == "cpu",
        "graph": seen["graph"],
        "finite": all(math.isfinite(value) for value in found.values()),
    }


on_a_clock = probe(values=True)(_on_a_clock)


@probe
def graph_while_timing(student, rows, repeats, costs):
    """Whether the passes that are timed keep a graph."""
    import time

    enabled = []

    class Work(torch.nn.Module):
        def forward(self, x):
            enabled.append(torch.is_grad_enabled())
            return x

    student.seconds_per_example(
        Work(), torch.ones(rows, 2), repeats=repeats, clock=time.perf_counter,
        wait=lambda place: None,
    )
    return any(enabled)


# Exercises: train_tabular and train_digits.


@lru_cache(maxsize=2)
def labelled(name):
    """The examples and labels of a set."""
    load = {"digits": load_digits, "table": load_breast_cancer}[name]
    rows, labels = load(return_X_y=True)
    return torch.as_tensor(rows, dtype=torch.float32), torch.as_tensor(labels)


def split_of(name, rng, train, test, device):
    """X_train, y_train, X_test, y_test: some examples of a set, drawn without replacement."""
    rows, labels = labelled(name)
    order = torch.as_tensor(rng.permutation(len(rows)))
    parts = order[:train], order[train : train + test]
    return [t[part].to(device) for part in parts for t in (rows, labels)]


def once(student, trainings, name, make, enough):
    """What `make` returns: the share of right predictions. It is made once in a run of the tests,
    for whichever test asks first, and the others find it there.

    Two networks that are equally good differ in what they say of single images. So what the
    diagnosis gets to see of a training is how good it was, and of one that is good enough only
    that.
    """
    if name not in trainings:
        share, fault = None, None
        try:
            share, seen = make()
            summary = "good enough" if share >= enough else seen
            student.trace[:] = [summary]
            student.calls[:] = [replace(student.calls[0], summary=True, fingerprint=None)]
        except Exception as error:
            fault = error
        trainings[name] = share, fault, list(student.trace), list(student.calls)
    share, fault, trace, calls = trainings[name]
    student.trace[:], student.calls[:] = trace, calls
    if fault is not None:
        raise fault
    return share


def digits_read(student, trainings, rng, device, *, which, splits, test):
    """The mean accuracy on some splits of the digits; about 1,300 images train the network."""

    def make():
        right, shares = [], []
        for _ in range(splits):
            X, y, X_test, y_test = split_of("digits", rng, 1797 - test, test, device)
            said = student.train_digits(X, y, X_test, int(rng.integers(2**31)))
            assert_predictions(said, y_test)
            right.append(float((said == y_test).double().mean()))
            shares.append(float(said.bincount(minlength=10).max()) / test)
        return sum(right) / splits, [*right, *shares]

    return once(student, trainings, which, make, enough=0.97)


def rows_told(student, trainings, rng, device, *, which, splits, flipped=0.0, enough, **options):
    """The mean accuracy on some splits of the table, some training labels being wrong."""

    def make():
        right, shares = [], []
        for _ in range(splits):
            X, y, X_test, y_test = split_of("table", rng, 400, 169, device)
            wrong = torch.as_tensor(rng.uniform(size=400) < flipped, device=device)
            seed = int(rng.integers(2**31))
            answer = student.train_tabular(X, torch.where(wrong, 1 - y, y), X_test, seed, **options)
            said = predictions_of(answer)
            assert_predictions(said, y_test)
            right.append(float((said == y_test).double().mean()))
            shares.append(float((said == 1).double().mean()))
        return sum(right) / splits, [*right, *shares]

    return once(student, trainings, which, make, enough=enough)


def predictions_of(answer):
    """The first of the two things that train_tabular returns."""
    pair = isinstance(answer, (list, tuple)) and len(answer) == 2
    assert pair, "two things should come back: the predictions and the list of losses"
    return answer[0]


def assert_predictions(said, targets):
    """One class a row, before it is compared with the labels."""
    assert isinstance(said, torch.Tensor), "the predictions are no tensor"
    assert said.shape == targets.shape, (
        f"the predictions have the shape {list(said.shape)}; one class for each of the "
        f"{len(targets)} rows would be {list(targets.shape)}"
    )
    assert not said.is_floating_point(), (
        "the predictions are fractions, not classes: argmax gives the place of the largest logit, "
        "max its value"
    )
    assert said.device == targets.device, f"the predictions lie on {said.device}"


def assert_share(share, needed, chance):
    """Whether the mean accuracy is high enough; what to look at, where it is no better than
    chance."""
    advice = (
        ". No better than guessing: do inputs and labels still belong together after shuffling? "
        "Does the loss fall, and is it finite?"
        if share < chance
        else ""
    )
    assert share >= needed, f"the mean accuracy is {100 * share:.1f} %{advice}"


def _digits_in_company(student, X, y, X_test, bright, shuffled, seed, allowed):
    """Whether the answers to some images change with the images that stand beside them.

    Whoever ignores the seed is not meant here: everything is seeded before each training.
    """

    def read(*images):
        torch.manual_seed(1), np.random.seed(1)
        said = student.train_digits(X.clone(), y.clone(), torch.cat(images), seed)
        return torch.as_tensor(said)

    def differ(some, others):
        return float((some[: len(X_test)] != others[: len(X_test)]).double().mean()) > allowed

    alone, twice = read(X_test), read(X_test, X_test)
    return {
        "bright": differ(read(X_test, bright), alone),
        "shuffled": differ(read(X_test, shuffled), alone),
        "twice": differ(twice, twice[len(X_test) :]),
    }


digits_in_company = probe(_digits_in_company)


def _digits_again(student, X, y, X_test, seeds, allowed):
    """Whether trainings with these seeds give the same answers, other random draws in between."""
    said = []
    for seed in seeds:
        said.append(torch.as_tensor(student.train_digits(X.clone(), y.clone(), X_test, seed)))
        torch.rand(7), np.random.rand(7)
    return float((said[0] != said[1]).double().mean()) <= allowed


digits_again = probe(_digits_again)


@probe
def digits_kind(student, X, y, X_test, seed):
    """Dtype, shape and device of the predictions."""
    said = student.train_digits(X, y, X_test, seed)
    return [str(said.dtype), list(said.shape), str(said.device.type)]


@probe
def epochs_trained(student, X, y, X_test, seed, patience, max_epochs):
    """How many losses came back, and after how many epochs the lowest one did."""
    _, losses = student.train_tabular(X, y, X_test, seed, patience, max_epochs)
    losses = [float(loss) for loss in losses]
    after = len(losses) - losses.index(min(losses)) - 1 if losses else -1
    ended = "at the limit" if len(losses) == max_epochs else "before it"
    return {"after": after if ended == "before it" else "-", "ended": ended}


@probe
def table_in_company(student, X, y, X_test, others, seed, allowed):
    """Whether the answers to some rows change with the rows that stand beside them.

    Whoever ignores the seed is not meant here: everything is seeded before each training.
    """
    said = []
    for rows in (X_test.clone(), torch.cat([X_test, others])):
        torch.manual_seed(1), np.random.seed(1)
        answer = student.train_tabular(X.clone(), y.clone(), rows, seed)
        said.append(torch.as_tensor(answer[0]))
    changed = said[0] != said[1][: len(X_test)]
    return float(changed.double().mean()) > allowed


@probe
def table_again(student, X, y, X_test, seeds, allowed):
    """Whether trainings with these seeds have the same losses, other random draws in between."""
    losses = []
    for seed in seeds:
        _, found = student.train_tabular(X.clone(), y.clone(), X_test, seed, 1, 3)
        losses.append([float(loss) for loss in found])
        torch.rand(7), np.random.rand(7)
    pairs = list(zip(*losses, strict=False))
    apart = max((abs(a - b) for a, b in pairs), default=0.0)
    return len(losses[0]) == len(losses[1]) and apart <= allowed


@probe
def table_kinds(student, X, y, X_test, seed):
    """What the predictions are, and whether the losses are a list of floats."""
    said, losses = student.train_tabular(X, y, X_test, seed, 2, 5)
    plain = isinstance(losses, list) and all(type(loss) is float for loss in losses)
    return [str(said.dtype), list(said.shape), str(said.device.type), plain]


# Fixtures


@pytest.fixture(scope="session")
def trainings():
    """The trainings that this run of the tests has made."""
    return {}


@pytest.fixture
def old_network(rng, device):
    """Draws the parameters and running statistics of a network for another task, and a batch."""

    def draw(d_in, d_out, n, classes):
        def tensor(values):
            return torch.as_tensor(values, dtype=torch.float32, device=device)

        state = {
            "0.weight": tensor(rng.normal(size=(d_out, d_in))),
            "0.bias": tensor(rng.normal(size=d_out)),
            "1.weight": tensor(rng.uniform(0.5, 2, d_out)),
            "1.bias": tensor(rng.uniform(0.5, 1, d_out)),
            "1.running_mean": tensor(rng.normal(size=d_out)),
            "1.running_var": tensor(rng.uniform(2, 4, d_out)),
            "1.num_batches_tracked": torch.tensor(7, device=device),
            "4.weight": tensor(rng.normal(size=(3, d_out))),
            "4.bias": tensor(rng.normal(size=3)),
        }
        X = tensor(3 + 2 * rng.normal(size=(n, d_in)))
        return state, X, torch.as_tensor(rng.integers(0, classes, n), device=device)

    return draw


@pytest.fixture
def device_costs(rng):
    """Seconds of a call, an example and a first call, on two devices."""

    def draw():
        return {
            place: [float(c) for c in (rng.uniform(2, 3), rng.uniform(*each), rng.uniform(50, 90))]
            for place, each in {"cpu": (2.0, 3.0), "meta": (0.1, 0.2)}.items()
        }

    return draw


@pytest.fixture
def tables(rng, device):
    """Draws two tables whose columns differ in size and place, the second far from the first."""

    def draw(n, m, d, dtype=torch.float64):
        scale, centre = 10.0 ** rng.integers(-2, 3, d), rng.uniform(2, 5, d)
        first = (rng.normal(size=(n, d)) + centre) * scale
        second = (3 * rng.normal(size=(m, d)) - centre) * scale
        return [torch.as_tensor(t, dtype=dtype, device=device) for t in (first, second)]

    return draw


@pytest.fixture
def guesses(rng, device):
    """Draws classes and guesses of them, with more of some pairs than of others."""

    def draw(n, classes):
        truth = rng.choice(classes, n, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
        said = np.where(rng.uniform(size=n) < 0.5, truth, (truth + 1) % classes)
        # Of the pair (0, 1) there are more than of (1, 0), whatever was drawn.
        truth, said = np.append(truth, [0] * n), np.append(said, [1] * n)
        return [torch.as_tensor(t, device=device) for t in (truth, said)]

    return draw


def noise(device):
    """The share of predictions that may differ between two trainings that are the same."""
    return 0.0 if torch.device(device).type == "cpu" else 0.02


# Exercise: transfer


@exercise("transfer", stated="the given layers without the old head")
def test_new_head_on_old_features(student, reference, old_network):
    """The logits are the new head's, on the features that the old head had."""
    state, X, _ = old_network(5, 8, 7, 4)
    logits, weight, bias = student.run(new_logits, state, 4, X)
    assert_close(logits, F.linear(reference.features(state, X), weight, bias), name="the logits")


@exercise("transfer", stated="Its parameters need no")
def test_backbone_parameters_stay(student, old_network):
    """Training leaves the backbone's parameters as they are, whichever optimizer is used."""
    state, X, y = old_network(5, 8, 12, 4)
    what = ["frozen parameters moved", "moved by another optimizer"]
    seen = student.run(after_training, state, 4, X, y, what)
    assert not seen["frozen parameters moved"], "your optimizer has changed the backbone"
    assert not seen["moved by another optimizer"], (
        "an optimizer that was given all of the model's parameters has changed the backbone: they "
        "still ask for a gradient"
    )


@exercise("transfer", stated="holds the head's parameters and no others")
def test_head_is_trained(student, reference, old_network):
    """One step moves the head by lr times its gradient."""
    state, X, y = old_network(5, 8, 12, 4)
    before, after = student.run(head_after_a_step, state, 4, X, y, 0.7)
    expected = reference.head_step(reference.features(state, X), y, *before, 0.7)
    assert_close(after[0], expected[0], name="the head's weight after a step")
    assert_close(after[1], expected[1], name="the head's bias after a step")


@exercise("transfer", weight=1.5, stated="after train() too")
def test_backbone_stays_in_eval(student, old_network):
    """After model.train() the running statistics do not move, and dropout is off."""
    state, X, y = old_network(5, 8, 12, 4)
    seen = student.run(after_training, state, 4, X, y, ["statistics moved", "answers vary"])
    assert not seen["statistics moved"], (
        "the running mean or variance of the backbone has moved: the loop's model.train() has "
        "reached it"
    )
    assert not seen["answers vary"], "dropout in the backbone is on after model.train()"


@exercise("transfer", about="detail", stated="from the beginning")
def test_backbone_in_eval_from_the_beginning(student, old_network):
    """The backbone is in evaluation mode before anybody calls train()."""
    state, X, y = old_network(5, 8, 12, 4)
    seen = student.run(after_training, state, 4, X, y, ["fresh"])
    assert not seen["fresh"], "a new model's backbone is still in training mode"


@exercise("transfer", about="detail", stated="holds the head's parameters and no others")
def test_optimizer_holds_the_head(student, old_network):
    """The optimizer holds the head's weight and bias, and nothing else."""
    state, X, y = old_network(5, 8, 12, 4)
    held = student.run(after_training, state, 4, X, y, ["held"])["held"]
    assert held == 8 * 4 + 4, f"the optimizer holds {held} numbers; the head has {8 * 4 + 4}"


@exercise("transfer", about="detail", weight=0.5, stated="returns the model")
def test_train_returns_the_model(student, old_network):
    """train() returns the model, as every Module's does."""
    state, X, y = old_network(5, 8, 12, 4)
    seen = student.run(after_training, state, 4, X, y, ["train() returns the model"])
    assert seen["train() returns the model"], "model.train() returns something else"


@exercise("transfer", about="form", weight=0.5, stated="on the device of the old head")
def test_head_device(student):
    """The new head is made on the old head's device."""
    (place,) = student.run(head_is_made, "meta", "float32")
    assert place.startswith("meta"), (
        "the new head was made without saying where, so with a backbone on the GPU it would lie "
        "on the CPU"
    )


@exercise("transfer", about="form", weight=0.5, stated="in the dtype")
def test_head_dtype(student, device):
    """The new head has the old head's dtype."""
    (place,) = student.run(head_is_made, str(device), "float64")
    assert place.endswith("float64"), f"with a float64 backbone the head is {place.split('.')[1]}"


# Exercise: speedup


@exercise("speedup", stated="It is called before each of the clock's readings", weight=1.5)
def test_seconds_per_example(student, device_costs):
    """Only the passes are timed, all of them: no first call, and nothing that is still queued."""
    costs = device_costs()
    seen = student.run(on_a_clock, 4, None, 5, costs)
    call, example, _ = costs["cpu"]
    assert_close(
        np.array(seen["seconds"]), np.array([(call + 4 * example) / 4]), rtol=1e-4,
        name="the seconds per example",
    )


@exercise("speedup", stated="(seconds per example on the CPU) / (seconds per example there)")
def test_speedup_by_batch_size(student, device_costs):
    """For each batch size: the CPU's seconds over the device's, each after a warm-up."""
    costs = device_costs()
    sizes = [2, 16, 9]
    seen = student.run(on_a_clock, 20, sizes, 3, costs)
    assert seen["sizes"] == sizes, f"for the batch sizes {sizes} the dict has {seen['sizes']}"
    expected = [
        (costs["cpu"][0] + size * costs["cpu"][1]) / (costs["meta"][0] + size * costs["meta"][1])
        for size in sizes
    ]
    assert_close(np.array(seen["times"]), np.array(expected), rtol=1e-4, name="the speedup")


@exercise("speedup", about="detail", stated="without a graph", weight=0.5)
def test_timed_without_a_graph(student, device_costs):
    """The passes keep no graph: what is timed is a prediction."""
    graph = student.run(graph_while_timing, 3, 2, device_costs())
    assert not graph, "gradients are switched on while the passes are timed"


# Exercise: standardize


@exercise("standardize", stated="the only ones that are used", weight=1.5)
def test_training_statistics_for_both(student, reference, tables):
    """Both tables are scaled with the training table's means and standard deviations."""
    X_train, X_other = tables(9, 6, 4)
    expected = reference.standardize(X_train, X_other)
    found = student.standardize(X_train, X_other)
    assert_close(found[0], expected[0], name="the training table", rtol=0.09)
    # Dividing by n − 1 makes 6 % here, the statistics of the other table whole factors.
    assert_close(found[1], expected[1], name="the other table", rtol=0.09)


@exercise("standardize", about="detail", stated="divided by n,")
def test_divided_by_n(student, reference, tables):
    """The variance is the mean of the squares: divided by n."""
    X_train, X_other = tables(4, 5, 3)
    expected = reference.standardize(X_train, X_other)
    assert_close(student.standardize(X_train, X_other)[1], expected[1], name="the other table")


@exercise("standardize", about="edge", stated="is centred and not divided")
def test_constant_column(student, reference, tables):
    """A column that is constant in training becomes 0, and finite in the other table."""
    X_train, X_other = tables(8, 5, 3)
    X_train[:, 1] = 2.0
    found = student.standardize(X_train, X_other)[1]
    expected = reference.standardize(X_train, X_other)[1]
    assert_close(found[:, 1], expected[:, 1], name="the constant column")


@exercise("standardize", about="arguments", weight=0.5, stated="new tensors")
def test_standardize_leaves_its_arguments(student, tables):
    """The tables themselves are left as they are."""
    student.standardize(*tables(8, 5, 3))
    assert_unmodified(student)


# Exercise: confusion_matrix


@exercise("confusion_matrix", stated="Counts by true and by predicted class")
def test_counts(student, reference, guesses):
    """Every pair (true class, predicted class) is counted, rows being the truth."""
    targets, said = guesses(40, 4)
    found = student.confusion_matrix(targets, said, 4)
    assert_close(found, reference.confusion_matrix(targets, said, 4), name="the matrix")


@exercise("confusion_matrix", about="detail", stated="classes that do not occur")
def test_classes_that_do_not_occur(student, reference, guesses):
    """A class that does not occur has a row and a column of zeros."""
    targets, said = guesses(30, 3)
    found = student.confusion_matrix(targets, said, 6)
    assert_close(found, reference.confusion_matrix(targets, said, 6), name="the matrix")


@exercise("confusion_matrix", about="form", weight=0.5, stated="int64 tensor (K, K)")
def test_counts_are_integers(student, reference, guesses):
    """The counts are int64."""
    targets, said = guesses(30, 3)
    found = student.confusion_matrix(targets, said, 3)
    assert_close(found, reference.confusion_matrix(targets, said, 3), name="the matrix")


# Exercise: train_tabular


@exercise("train_tabular", stated="the classes of the test rows", **TRAINING)
def test_tabular_accuracy(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 90 %."""
    share = rows_told(student, trainings, rng, device, which="table", splits=6, enough=0.95)
    assert_share(share, 0.9, 0.75)


@exercise("train_tabular", about="detail", stated="the classes of the test rows", **TRAINING)
def test_tabular_accuracy_95(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 95 %."""
    share = rows_told(student, trainings, rng, device, which="table", splits=6, enough=0.95)
    assert_share(share, 0.95, 0.75)


@exercise(
    "train_tabular", about="detail", weight=1.5, **TRAINING,
    stated="training ends when the validation loss has not been lower than the lowest before",
)
def test_stops_in_time(student, rng, device):
    """Training ends `patience` epochs after the lowest validation loss."""
    X, y, X_test, _ = split_of("table", rng, 300, 20, device)
    for patience in (3, 8):
        seen = student.run(epochs_trained, X, y, X_test, 1, patience, 300)
        assert seen["ended"] == "at the limit" or seen["after"] == patience, (
            f"with patience {patience}, training ended {seen['after']} epochs after the lowest loss"
        )


@exercise(
    "train_tabular", about="detail", weight=1.5, **TRAINING,
    stated="the validation loss after every",
)
def test_stops_where_nothing_can_be_learnt(student, rng, device):
    """With labels drawn by lot nothing can be learnt, and training stops early."""
    X, _, X_test, _ = split_of("table", rng, 100, 20, device)
    y = torch.as_tensor(rng.permutation(100) % 2, device=device)
    seen = student.run(epochs_trained, X, y, X_test, 1, 60, 600)
    assert seen["ended"] == "before it", (
        "the loss went on falling for 600 epochs: is it measured on rows that are trained on?"
    )


@exercise(
    "train_tabular", about="detail", weight=1.5, **TRAINING,
    stated="its prediction does not depend on the",
)
def test_rows_are_judged_by_themselves(student, rng, device):
    """A row's prediction does not depend on the other test rows."""
    X, y, X_test, _ = split_of("table", rng, 300, 100, device)
    changed = student.run(table_in_company, X, y, X_test, 20 * X_test, 3, noise(device))
    assert not changed, (
        "the predictions change with the rows beside them: has the test table been scaled with "
        "statistics of its own?"
    )


@exercise("train_tabular", about="detail", stated="The same seed gives the same result", **TRAINING)
def test_table_same_seed(student, rng, device):
    """The same seed gives the same losses."""
    X, y, X_test, _ = split_of("table", rng, 200, 20, device)
    same = student.run(table_again, X, y, X_test, [5, 5], 1e-9 if noise(device) == 0 else 1e-3)
    assert same, "two trainings with the same seed have different losses"


@exercise("train_tabular", about="detail", weight=0.5, stated="another seed", **TRAINING)
def test_table_another_seed(student, rng, device):
    """Another seed gives another training."""
    X, y, X_test, _ = split_of("table", rng, 200, 20, device)
    same = student.run(table_again, X, y, X_test, [5, 6], 0.0)
    assert not same, "two seeds give the same losses, to the last digit"


@exercise("train_tabular", about="arguments", weight=0.5, stated="left as they are", **TRAINING)
def test_table_is_left_alone(student, rng, device):
    """The tables are left as they are."""
    X, y, X_test, _ = split_of("table", rng, 100, 20, device)
    student.run(table_kinds, X, y, X_test, 3)
    assert_unmodified(student)


# Exercise: train_digits


@exercise("train_digits", stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_90(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 90 %."""
    share = digits_read(student, trainings, rng, device, which="digits", splits=3, test=500)
    assert_share(share, 0.90, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_94(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 94 %."""
    share = digits_read(student, trainings, rng, device, which="digits", splits=3, test=500)
    assert_share(share, 0.94, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_96(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 96 %."""
    share = digits_read(student, trainings, rng, device, which="digits", splits=3, test=500)
    assert_share(share, 0.96, 0.3)


@exercise("train_digits", about="detail", weight=1.5, stated="90 %, 94 %, 96 %, 97 %", **TRAINING)
def test_digits_97(student, trainings, rng, device):
    """The mean accuracy over several splits is at least 97 %."""
    share = digits_read(student, trainings, rng, device, which="digits", splits=3, test=500)
    assert_share(share, 0.97, 0.3)


@exercise(
    "train_digits", about="detail", weight=2, **TRAINING,
    stated="its prediction does not depend on the other images",
)
def test_images_are_judged_by_themselves(student, rng, device):
    """An image's prediction does not depend on the other test images."""
    X, y, X_test, _ = split_of("digits", rng, 200, 100, device)
    bright = torch.full((500, 64), 16.0, device=device)
    # Other pictures with the same numbers in them, so with the same mean.
    order = np.argsort(rng.uniform(size=(500, 64)), axis=1)
    shuffled = X_test.repeat(5, 1).gather(1, torch.as_tensor(order, device=device))
    seen = student.run(
        digits_in_company, X, y, X_test, bright, shuffled, 3, noise(device)
    )
    assert not seen["twice"], (
        "the same image, twice in one test set, is read in two ways: is dropout still on?"
    )
    assert not seen["shuffled"], (
        "what is read depends on the images beside it: does batch norm still use the statistics of "
        "the batch?"
    )
    assert not seen["bright"], (
        "what is read depends on how bright the images beside it are: have the test images been "
        "scaled with statistics of their own?"
    )


@exercise(
    "train_digits", about="detail", stated="The same seed gives the same predictions", **TRAINING
)
def test_digits_same_seed(student, rng, device):
    """The same seed gives the same predictions."""
    X, y, X_test, _ = split_of("digits", rng, 100, 600, device)
    same = student.run(digits_again, X, y, X_test, [5, 5], noise(device))
    assert same, "two trainings with the same seed give different predictions"


@exercise("train_digits", about="detail", weight=0.5, stated="another seed trains", **TRAINING)
def test_digits_another_seed(student, rng, device):
    """Another seed trains another network."""
    X, y, X_test, _ = split_of("digits", rng, 100, 600, device)
    same = student.run(digits_again, X, y, X_test, [5, 6], 0.0)
    assert not same, "two seeds give the same predictions for 600 images: is the seed used?"


@exercise("train_digits", about="form", weight=0.5, stated="int64 tensor (m,)", **TRAINING)
def test_digits_kind(student, rng, device):
    """The predictions are int64, on X_test's device."""
    X, y, X_test, _ = split_of("digits", rng, 100, 30, device)
    dtype, _, place = student.run(digits_kind, X, y, X_test, 3)
    # Fractions in the place of classes are what the claims about accuracy speak of.
    assert "int" not in dtype or dtype == "torch.int64", f"the predictions are {dtype}, not int64"
    assert place == device.type, f"the predictions lie on {place}"


@exercise("train_digits", about="arguments", weight=0.5, stated="left as they are", **TRAINING)
def test_digits_are_left_alone(student, rng, device):
    """Images and labels are left as they are."""
    X, y, X_test, _ = split_of("digits", rng, 100, 30, device)
    student.run(digits_kind, X, y, X_test, 3)
    assert_unmodified(student)

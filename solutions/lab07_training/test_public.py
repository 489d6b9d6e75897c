"""Lab 07, the tests that you can read: losses, metrics, the loop, whole runs, what they serve.

The oracle is torch, executed. What a loop computes batch by batch, the reference computes on all
the data at once where it can; where it has to walk, it takes gradients from torch.autograd.grad.
The last batch is always smaller, and its examples are unlike the others, so that it shows how they
are weighted.

Where a network of your own is trained, a test looks at its predictions for examples whose labels it
has kept to itself. A training is made once and serves every claim about it.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import StandardScaler

from course_utils.testing import Mismatch, agree, assert_close, assert_unmodified, exercise, probe

# A test in which a network of the student's is trained.
TRAINING = {"seconds": 20, "trains": True}

HINTS = {
    "losses_agree": [
        "The second row of the table takes what the first one makes of logits.",
        "log_softmax along the classes' axis, then nll_loss. For yes and no: give the targets the "
        "logits' shape and dtype, then use the loss that takes logits.",
        "class_loss of logits [[2, 0, 0]] and target 0 is 0.2395; binary_loss of the logit 3 and "
        "target 1 is 0.0486.",
    ],
    "Mean": [
        "Keep the two sums of formula (1) as plain numbers.",
        "A tensor of k values with the weight 2 adds 2·(their sum) above and 2·k below. For the "
        "squared error give the target pred's shape before you subtract.",
        "After update(2.0, 3) and update(6.0, 1) the mean is 3.0.",
    ],
    "Accuracy": [
        "Answers first, then two counts: how many are right, and how many there are.",
        "Binary and multilabel: sigmoid of the logits, then '> threshold'. Multiclass: argmax over "
        "axis 1. Then mask what is ignored in both counts.",
        "Logits (3, 1, −1) with threshold 0.8 answer yes, no, no: σ(1) is 0.731.",
    ],
    "train_one_epoch": [
        "model.train() first. Then for each batch: move, zero, forward, backward, clip, step.",
        "Clip between backward and step: before, the new gradients are not there; after, it is "
        "too late. Weight each batch's loss with the number of its examples.",
        "Batch losses 1, 1 and 4 from 4, 4 and 2 examples: the epoch's loss is 1.6.",
    ],
    "evaluate": [
        "Before the loop: note the modes, reset the metrics, switch to eval. After it: modes back.",
        "model.modules() walks over every module inside; each has its own .training. The loop runs "
        "under torch.no_grad().",
        "A model in training mode whose second layer is frozen in evaluation mode comes back as "
        "[True, True, False].",
    ],
    "break_it": [
        "Which layers do something else in training mode? What do they read there?",
        "Batch norm reads the batch's mean in training, and running_mean in evaluation. You may "
        "set running_mean to any numbers.",
        "BatchNorm1d(2) with running_mean (0, 100): in evaluation every row's answer is class 0.",
    ],
    "warmup_cosine": [
        "Write the factor η_t/η₀ as a function of t, and give it to LambdaLR.",
        "In epoch t = W − 1 the rising part is 1. The cosine's argument goes from 0 at t = W to π "
        "at t = T.",
        "W = 4, T = 8: factors 0.25, 0.5, 0.75, 1, 1, 0.854, 0.5, 0.146.",
    ],
    "checkpoint": [
        "Three objects have a state_dict(). Two things are random. One thing is the run.",
        "Save: model, optimizer, scheduler, generator.get_state(), torch.get_rng_state(), "
        "the GPUs' states, run. Load them in the same places, and return run.",
        "With momentum lost, the first resumed step is about (1 − μ) of what it should be.",
    ],
    "fit": [
        "Keep one dict for the run: epoch, best, waited, weights, history. It is what the "
        "checkpoint saves and what a resumed run begins with.",
        "while epochs are left and patience is not gone: train, evaluate, scheduler.step(), "
        "history, best or waited, save. At the end load the best weights.",
        "patience 2, validation losses 3, 2, 2.5, 2.6: four epochs, and the weights of the second.",
    ],
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
    "losses_agree": "Part A: the table of losses, and which axis holds the classes",
    "Mean": "Part A, formula (1): two sums, divided at the end",
    "Accuracy": "Part A, Exercise 3: what an answer is, and which places count",
    "train_one_epoch": "Part B, the three questions of Exercise 4",
    "evaluate": "Part B, Exercise 5: evaluation changes nothing",
    "break_it": "Part B: what the two modes of a layer read",
    "warmup_cosine": "Part C, formula (2)",
    "checkpoint": "Part C, Exercise 8: what an epoch reads that earlier ones left behind",
    "fit": "Part C, Exercise 9: the order of an epoch's book-keeping",
    "transfer": "Part D, formula (3), and the two ways of freezing",
    "speedup": "Part D: where to wait, and formula (4)",
    "standardize": "formula (5): whose mean, and whose standard deviation",
    "confusion_matrix": "formula (6): rows are the truth",
    "train_tabular": "Exercise 14: split, standardise, train, stop early",
    "train_digits": "Exercise 15: what pictures need, and how to measure",
}


# -- the reference


class Reference:
    """torch with the exercises' signatures."""

    class_loss = staticmethod(F.cross_entropy)

    @staticmethod
    def binary_loss(logits, targets):
        return torch.nn.BCEWithLogitsLoss()(logits.flatten(), targets.flatten().to(logits.dtype))

    class Mean:
        """Keeps all values, and averages them at once."""

        def __init__(self):
            self.reset()

        def reset(self):
            self.kept = []

        def update(self, value, weight=1.0):
            value = torch.as_tensor(value).detach().double().cpu()
            weight = torch.as_tensor(weight).double().cpu()
            self.kept.append([part.flatten() for part in torch.broadcast_tensors(value, weight)])

        def compute(self):
            if not self.kept:
                return float("nan")
            values, weights = (torch.cat(parts) for parts in zip(*self.kept, strict=True))
            return float(values @ weights / weights.sum())

    class MeanSquaredError(Mean):
        def update(self, pred, target):
            squares = F.mse_loss(
                pred.double().flatten(), target.double().flatten(), reduction="none"
            )
            super().update(squares)

    class Accuracy:
        """Keeps all batches, and looks at them at once."""

        def __init__(self, task, from_logits=True, threshold=0.5, ignore_index=-100):
            self.task, self.ignore_index = task, ignore_index
            # A probability is above the threshold where the logit is above the threshold's logit.
            bound = torch.tensor(threshold, dtype=torch.float64)
            self.bound = torch.logit(bound) if from_logits else bound
            self.reset()

        def reset(self):
            self.right = []

        def update(self, preds, targets):
            if self.task == "multiclass":
                answers = preds.topk(1, dim=1).indices.squeeze(1).flatten()
            else:
                answers = torch.gt(preds.double(), self.bound.to(preds.device)).flatten()
            targets = targets.flatten()
            kept = torch.nonzero(targets.ne(self.ignore_index)).squeeze(1)
            self.right.append(answers[kept].long().eq(targets[kept].long()).double().cpu())

        def compute(self):
            return float(torch.cat(self.right).mean()) if self.right else float("nan")

    @staticmethod
    def train_one_epoch(model, loader, loss_fn, optimizer, device, max_norm=None):
        model.train()
        parameters = list(model.parameters())
        losses, sizes = [], []
        for inputs, targets in loader:
            loss = loss_fn(model(inputs.to(device)), targets.to(device))
            for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                p.grad = g
            torch.nn.utils.clip_grad_norm_(parameters, np.inf if max_norm is None else max_norm)
            optimizer.step()
            losses.append(float(loss))
            sizes.append(len(inputs))
        return float(np.average(losses, weights=sizes))

    @staticmethod
    def evaluate(model, loader, loss_fn, device, metrics=None):
        """On a copy of the model, with all batches as one."""
        inputs, targets = (torch.cat(parts).to(device) for parts in zip(*loader, strict=True))
        with torch.no_grad():
            outputs = copy.deepcopy(model).eval()(inputs)
            values = {"loss": float(loss_fn(outputs, targets))}
        for name, metric in (metrics or {}).items():
            metric.reset()
            metric.update(outputs, targets)
            values[name] = metric.compute()
        return values

    @staticmethod
    def warmup_cosine(optimizer, warmup, total):
        schedulers = torch.optim.lr_scheduler
        cosine = schedulers.CosineAnnealingLR
        if warmup == 0:
            return cosine(optimizer, total)
        rise = schedulers.LinearLR(optimizer, 1 / warmup, 1.0, max(warmup - 1, 1))
        return schedulers.SequentialLR(
            optimizer, [rise, cosine(optimizer, total - warmup)], milestones=[warmup]
        )

    @staticmethod
    def fit(
        model, train_loader, valid_loader, loss_fn, optimizer, scheduler, device, *,
        epochs, patience, max_norm=None, path=None, generator=None,
    ):  # fmt: skip
        """All epochs first; then torch's plateau scheduler says when patience was lost, and which
        epoch was the best. There is no checkpoint: this run is never interrupted.
        """
        history, kept = [], []
        for _ in range(epochs):
            (lr, *_) = scheduler.get_last_lr()
            train = Reference.train_one_epoch(
                model, train_loader, loss_fn, optimizer, device, max_norm
            )
            valid = Reference.evaluate(model, valid_loader, loss_fn, device)["loss"]
            history.append({"lr": lr, "train": train, "valid": valid})
            kept.append(copy.deepcopy(model.state_dict()))
            scheduler.step()
        watched = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            watched, patience=patience - 1, threshold=0.0, threshold_mode="abs"
        )
        bests = []
        for row in history:
            plateau.step(row["valid"])
            bests.append(plateau.best)
            if watched.param_groups[0]["lr"] < 1.0:
                break
        model.load_state_dict(kept[bests.index(bests[-1])])
        return history[: len(bests)]

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


# -- probes: they run next to your code; what they are given says which model and which data


def _metric(student, name, options, script):
    """A metric driven by a script of ["update", …], ["compute"], ["reset"]; what it computed."""
    metric = getattr(student, name)(**options)
    computed = []
    for action, *arguments in script:
        result = getattr(metric, action)(*arguments)
        if action == "compute":
            computed.append(result)
    return computed


def _metric_kind(student, name, options, batch):
    """What compute returns, and whether the metric holds on to a graph."""
    metric = getattr(student, name)(**options)
    preds = batch[0].clone().requires_grad_()
    metric.update(preds * 1.0, *batch[1:])

    def graphs(value):
        if isinstance(value, torch.Tensor):
            return value.requires_grad
        if isinstance(value, (list, tuple)):
            return any(graphs(item) for item in value)
        return any(graphs(item) for item in vars(value).values()) if hasattr(
            value, "__dict__") else False

    value = metric.compute()
    return {"a plain number": isinstance(value, float), "a graph is kept": graphs(metric)}


def _epoch(student, plan, what, device):
    """Trains one model for some epochs; of what can be seen afterwards, what is asked for."""
    nn = torch.nn
    torch.manual_seed(0)
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    middle = nn.BatchNorm1d(4) if plan["norm"] else nn.Tanh()
    model = nn.Sequential(first, middle, second).double()
    with torch.no_grad():
        for p, value in zip(
            [first.weight, first.bias, second.weight, second.bias], plan["weights"], strict=True
        ):
            p.copy_(value)
    model.to(device).train(plan["mode"] == "train")
    parameters = list(model.parameters())
    if plan["stale"]:
        for p in parameters:
            p.grad = torch.full_like(p, 5.0)
    kind, options = plan["optimizer"]
    optimizer = getattr(torch.optim, kind)(parameters, **options)
    rows = torch.utils.data.TensorDataset(plan["inputs"], plan["targets"])
    if plan["loader"] == "DataLoader":
        loader = torch.utils.data.DataLoader(rows, batch_size=plan["batch"])
    else:
        class Stream:
            # Batches as they come: no length, no data set.
            def __iter__(self):
                return iter(torch.utils.data.DataLoader(rows, batch_size=plan["batch"]))
        loader = Stream()
    outputs_alive, alive = [], []

    def loss_fn(outputs, targets):
        alive.append(sum(ref() is not None for ref in outputs_alive))
        loss = torch.nn.functional.poisson_nll_loss(outputs, targets)
        if what == "graphs":
            import weakref

            class Mark:
                pass

            class Watched(torch.autograd.Function):
                @staticmethod
                def forward(context, x):
                    context.mark = Mark()
                    outputs_alive.append(weakref.ref(context.mark))
                    return x.clone()

                @staticmethod
                def backward(context, upstream):
                    return upstream

            loss = Watched.apply(loss)
        return loss

    arguments = [] if plan["max_norm"] is None else [plan["max_norm"]]
    losses = [
        student.train_one_epoch(model, loader, loss_fn, optimizer, device, *arguments)
        for _ in range(plan["epochs"])
    ]
    return {
        "parameters": lambda: [p.detach().clone() for p in parameters],
        "buffers": lambda: [b.clone() for b in model.buffers()],
        "losses": lambda: losses,
        "kind": lambda: isinstance(losses[0], float),
        "mode": lambda: model.training,
        "graphs": lambda: max(alive) <= 2,  # the last batch's may be there until the next one's
    }[what]()


def _moved(student, name, inputs, targets, device):
    """Whether batches reach the model's pretended device: what is moved there carries a tag."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves

    class Tagged(torch.Tensor):
        pass

    class Accelerator(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            named = [
                str(leaf).split(":")[0] for leaf in tree_leaves((args, kwargs or {}))
                if isinstance(leaf, (str, torch.device))
            ]
            there = device.split(":")[0] in named
            if isinstance(result, torch.Tensor) and there and not result.requires_grad:
                return result.as_subclass(Tagged)
            return result

    seen = {"inputs": True, "targets": True}

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones((), dtype=torch.float64, device=device))

        def forward(self, x):
            seen["inputs"] &= isinstance(x, Tagged)
            return self.scale * x.as_subclass(torch.Tensor).to(self.scale.device)

    def loss_fn(outputs, labels):
        seen["targets"] &= isinstance(labels, Tagged)
        labels = labels.as_subclass(torch.Tensor).to(outputs.device)
        return torch.nn.functional.mse_loss(outputs, labels)

    model = Model()
    loader = [(inputs[:3], targets[:3]), (inputs[3:], targets[3:])]
    with Accelerator():
        if name == "train_one_epoch":
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
            student.train_one_epoch(model, loader, loss_fn, optimizer, device)
        else:
            student.evaluate(model, loader, loss_fn, device)
    return seen


def _evaluation(student, plan, what, device):
    """Evaluates a model with batch norm and dropout; of what can be seen, what is asked for."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Tanh(), nn.Dropout(0.5)),
        nn.Linear(4, 2),
    ).double()
    with torch.no_grad():
        for p, value in zip(
            [model[0].weight, model[0].bias, model[3].weight, model[3].bias], plan["weights"],
            strict=True,
        ):
            p.copy_(value)
        model[1].running_mean.copy_(plan["running_mean"])
    model.to(device)
    modules = list(model.modules())
    for module, mode in zip(modules, plan["modes"], strict=True):
        module.training = mode
    seen = {"graph": False}
    if plan["loader"] == "list":
        starts = range(0, len(plan["inputs"]), plan["batch"])
        loader = [
            (plan["inputs"][i : i + plan["batch"]], plan["targets"][i : i + plan["batch"]])
            for i in starts
        ]
    else:
        rows = torch.utils.data.TensorDataset(plan["inputs"], plan["targets"])
        loader = torch.utils.data.DataLoader(rows, batch_size=plan["batch"])

    def loss_fn(outputs, targets):
        seen["graph"] |= outputs.requires_grad
        return torch.nn.functional.poisson_nll_loss(outputs, targets)

    class Total:
        def __init__(self):
            self.value = 1e6  # left over from another data set

        def reset(self):
            self.value = 0.0

        def update(self, outputs, targets):
            self.value += float((2 * outputs - targets).sum())

        def compute(self):
            return self.value

    metrics = {"total": Total(), "again": Total()}
    calls = [[metrics]] if plan["metrics"] else [[]]
    results = [
        student.evaluate(model, loader, loss_fn, device, *arguments)
        for arguments in calls * plan["calls"]
    ]
    return {
        "loss": lambda: [result["loss"] for result in results],
        "metrics": lambda: [[result["total"], result["again"]] for result in results],
        "keys": lambda: sorted(results[0]),
        "kind": lambda: isinstance(results[0]["loss"], float),
        "modes": lambda: [module.training for module in modules],
        "statistics": lambda: model[1].running_mean.clone(),
        "graph": lambda: seen["graph"],
    }[what]()


def _rates(student, rates, warmup, total, steps, device):
    """The rates that a scheduler sets in each epoch, one list a parameter group."""
    groups = [{"params": [torch.nn.Parameter(torch.ones(2, device=device))], "lr": lr}
              for lr in rates]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    scheduler = student.warmup_cosine(optimizer, warmup, total)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        for group in groups:
            group["params"][0].grad = torch.zeros(2, device=device)
        optimizer.step()
        scheduler.step()
    return [list(lrs) for lrs in zip(*seen, strict=True)]


def _resumed(student, plan, what, device):
    """A run that is saved, goes on, and is then resumed with new objects from the file.

    The loop is this probe's own: only saving and loading is the student's.
    """
    import contextlib
    import os
    import tempfile

    nn = torch.nn

    def made(seed):
        torch.manual_seed(seed)
        layers = [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Dropout(plan["dropout"]), nn.Linear(5, 1)]
        model = nn.Sequential(*layers).double().to(device)
        kind, options = plan["optimizer"]
        optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda t: plan["decay"] ** t
        )
        generator = torch.Generator().manual_seed(seed)
        return model, optimizer, scheduler, generator

    inputs, targets = plan["inputs"].to(device), plan["targets"].to(device)

    def train(objects, epochs):
        model, optimizer, scheduler, generator = objects
        model.train()
        for _ in range(epochs):
            order = torch.arange(len(inputs))
            if plan["shuffle"]:
                order = torch.randperm(len(inputs), generator=generator)
            for batch in order.to(device).split(plan["batch"]):
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(model(inputs[batch]), targets[batch])
                loss.backward()
                optimizer.step()
            scheduler.step()

    def weights(objects):
        return [p.detach().clone() for p in objects[0].parameters()]

    objects = made(plan["seed"])
    train(objects, plan["before"])
    progress = {"epoch": plan["before"], "best": plan["best"], "waited": 2,
                "weights": {"w": plan["inputs"][:2].clone()}, "history": [{"lr": plan["best"]}]}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = "checkpoint.pt"
        if not what.startswith("reference"):
            student.save_checkpoint(path, *objects, progress)
            if not os.path.exists(path):
                raise FileNotFoundError("after saving there is no file at path")
        train(objects, plan["after"])
        if what.startswith("reference"):
            kept = [b.clone() for b in objects[0].buffers()]
            return kept if what == "reference buffers" else weights(objects)
        others = made(plan["seed"] + 1)
        if plan["own random"]:
            torch.manual_seed(plan["seed"] + 2)
        back = student.load_checkpoint(path, *others)
        buffers = [b.clone() for b in others[0].buffers()]
        train(others, plan["after"])
    return {
        "resumed": lambda: weights(others),
        "same": lambda: all(
            bool(torch.equal(a, b))
            for a, b in zip(weights(objects), weights(others), strict=True)
        ),
        "buffers": lambda: buffers,
        "run": lambda: back,
    }[what]()


def _scripted(student, scores, options, what, device):
    """fit on a model of one weight that walks through given values, which are its own scores.

    In epoch t the training batch has the gradient that takes the weight to scores[t]; the
    validation loss is the weight itself.
    """
    model = torch.nn.Linear(1, 1, bias=False).double().to(device)
    torch.nn.init.constant_(model.weight, scores[0] + 1.0)
    one = torch.ones(1, 1, dtype=torch.float64)

    class Script:
        dataset = (0,)

        def __init__(self):
            self.epoch = 0

        def __len__(self):
            return 1

        def __iter__(self):
            before = scores[self.epoch - 1] if self.epoch else scores[0] + 1.0
            yield one, one * (before - scores[self.epoch])
            self.epoch += 1

    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 1.0)
    script = Script()
    valid = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(one, one))
    history = student.fit(
        model, script, valid, lambda outputs, targets: (outputs * targets).mean(),
        optimizer, scheduler, device, epochs=len(scores), **options,
    )
    return {
        "epochs": lambda: len(history),
        "trained": lambda: script.epoch,
        "weight": lambda: float(model.weight),
        "valid": lambda: [epoch["valid"] for epoch in history],
    }[what]()


def _walk_in_pieces(student, scores, options, pieces, device):
    """As _scripted, with a checkpoint: fit is called with new objects for each piece of the walk.

    Each piece ends at an epoch of its own; the last one's history and weight are returned.
    """
    import contextlib
    import tempfile

    one = torch.ones(1, 1, dtype=torch.float64)
    walked = [0]

    class Script:
        dataset = (0,)

        def __len__(self):
            return 1

        def __iter__(self):
            before = scores[walked[0] - 1] if walked[0] else scores[0] + 1.0
            yield one, one * (before - scores[walked[0]])
            walked[0] += 1

    valid = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(one, one))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for epochs in pieces:
            model = torch.nn.Linear(1, 1, bias=False).double().to(device)
            torch.nn.init.constant_(model.weight, scores[0] + 1.0)
            optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
            scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 1.0)
            history = student.fit(
                model, Script(), valid, lambda outputs, targets: (outputs * targets).mean(),
                optimizer, scheduler, device, epochs=epochs, path="run.pt",
                generator=torch.Generator(), **options,
            )
    return {"epochs": len(history), "weight": float(model.weight)}


def _run(student, plan, what, device):
    """fit on a small regression, in pieces: each ends at its own epoch, or with the power cut."""
    import contextlib
    import tempfile

    nn = torch.nn

    class PowerCut(Exception):
        pass

    class Loader(torch.utils.data.DataLoader):
        # Shuffles with its generator; the power goes in the second batch of an epoch.
        cut = None
        epoch = 0

        def __iter__(self):
            for number, batch in enumerate(super().__iter__()):
                if self.epoch == self.cut and number == 1:
                    raise PowerCut
                yield batch
            self.epoch += 1

    inputs, targets = plan["inputs"], plan["targets"]
    data = torch.utils.data.TensorDataset(inputs[: plan["split"]], targets[: plan["split"]])
    held_out = torch.utils.data.TensorDataset(inputs[plan["split"] :], targets[plan["split"] :])

    def piece(seed, epochs, cut, path):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Dropout(plan["dropout"]),
                              nn.Linear(6, 1)).double().to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=plan["lr"], momentum=0.8)
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda t: plan["decay"] ** t
        )
        generator = torch.Generator().manual_seed(seed)
        loader = Loader(data, batch_size=4, shuffle=plan["shuffle"], generator=generator)
        loader.cut = cut
        options = {} if path is None else {"path": path, "generator": generator}
        if plan["max_norm"] is not None:
            options["max_norm"] = plan["max_norm"]
        # A generator of its own, so that evaluation draws no random numbers of the run's.
        valid = torch.utils.data.DataLoader(held_out, batch_size=5, generator=torch.Generator())
        history = None
        with contextlib.suppress(PowerCut):
            history = student.fit(
                model, loader, valid, torch.nn.functional.mse_loss, optimizer,
                scheduler, device, epochs=epochs, patience=plan["patience"], **options,
            )
        return history, [p.detach().clone() for p in model.parameters()]

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        path = "run.pt" if plan["checkpoints"] else None
        for number, (epochs, cut) in enumerate(plan["pieces"]):
            history, weights = piece(plan["seed"] + number, epochs, cut, path)
    if what == "same":  # both runs here, in one process: they may be compared bit for bit
        _, whole = piece(plan["seed"], plan["pieces"][-1][0], None, None)
        return all(bool(torch.equal(a, b)) for a, b in zip(weights, whole, strict=True))
    return {
        "losses": lambda: [[e["train"], e["valid"]] for e in history],
        "rates": lambda: [e["lr"] for e in history],
        "history and weights": lambda: [[[e["train"], e["valid"]] for e in history], weights],
    }[what]()


def _answers(student, name, seed):
    """A model's answers in training mode, under several seeds, and in evaluation mode."""
    model, x = getattr(student, name)()
    kinds = [type(module).__name__ for module in model.modules()]
    kept = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        training = []
        for number in range(12):
            model.load_state_dict(kept)
            torch.manual_seed(seed + number)
            training.append(model.train()(x.clone()).argmax(1))
        model.load_state_dict(kept)
        evaluation = model.eval()(x.clone())
    rates = [module.p for module in model.modules() if type(module).__name__ == "Dropout"]
    return {
        "training": torch.stack(training), "evaluation": evaluation.argmax(1),
        "finite": bool(torch.isfinite(evaluation).all()),
        "noisy": "BatchNorm1d" in kinds or any(rate > 0 for rate in rates),
        "shape": list(evaluation.shape), "rows": len(x),
    }


metric = probe(values=True)(_metric)
metric_kind = probe(_metric_kind)
epoch = probe(values=True)(_epoch)
epoch_facts = probe(_epoch)
moved = probe(_moved)
evaluation = probe(values=True)(_evaluation)
evaluation_facts = probe(_evaluation)
rates_of = probe(values=True)(_rates)
resumed = probe(values=True)(_resumed)
resumed_facts = probe(_resumed)
scripted = probe(_scripted)
walk_in_pieces = probe(_walk_in_pieces)
run_of = probe(values=True)(_run)
run_facts = probe(_run)
answers_of = probe(_answers)


# -- data


def weights_of(rng: np.random.Generator) -> list[torch.Tensor]:
    """Two layers, 3 → 4 → 2, whose outputs lie around 1.2, and never below 0 at the start."""

    def draw(shape: tuple[int, ...], low: float, high: float) -> torch.Tensor:
        signs = rng.choice([-1.0, 1.0], shape)
        return torch.as_tensor(signs * rng.uniform(low, high, shape))

    bias = torch.as_tensor(rng.uniform(1.0, 1.4, 2))
    return [draw((4, 3), 0.2, 0.5), draw((4,), 0.1, 0.3), draw((2, 4), 0.05, 0.14), bias]


def make_plan(rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """Ten examples in batches of four: 4, 4 and 2. The last two have targets unlike the others.

    All targets are so large that no batch's gradient is shorter than 2 in the first epoch.
    """
    inputs = torch.as_tensor(rng.normal(size=(10, 3)))
    targets = torch.as_tensor(rng.uniform(16, 20, size=(10, 2)))
    targets[8:] += 40.0
    plan = {
        "weights": weights_of(rng), "inputs": inputs, "targets": targets, "batch": 4,
        "optimizer": ["SGD", {"lr": 0.01}], "epochs": 1, "norm": False, "mode": "train",
        "stale": False, "max_norm": None, "loader": "DataLoader",
    }
    return {**plan, **changes}


def compare_epoch(
    student: Any, reference: Any, plan: dict[str, Any], what: str, device: Any, name: str
) -> None:
    """Assert that an epoch ends as the reference's does."""
    seen = student.run(epoch, plan, what, str(device))
    assert_close(seen, _epoch(reference, plan, what, str(device)), name=name)


ALL_TRAIN, ALL_EVAL = [True] * 7, [False] * 7
SOME_FROZEN = [True, True, False, True, True, False, True]


def make_evaluation(rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """As make_plan, for a model with batch norm, whose running mean is not the data's."""
    plan = make_plan(rng)
    plan["running_mean"] = torch.as_tensor(rng.uniform(1.0, 2.0, 4))
    plan.update(modes=ALL_TRAIN, calls=1, metrics=False)
    return {**plan, **changes}


def compare_evaluation(
    student: Any, reference: Any, plan: dict[str, Any], what: str, device: Any, name: str
) -> None:
    """Assert that an evaluation ends as the reference's does."""
    seen = student.run(evaluation, plan, what, str(device))
    assert_close(seen, _evaluation(reference, plan, what, str(device)), name=name)


def make_resumption(rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """A run of three epochs, then a checkpoint, then three more."""
    inputs = torch.as_tensor(rng.normal(size=(12, 3)))
    plan = {
        "inputs": inputs, "targets": torch.as_tensor(rng.normal(2.0, 1.0, size=(12, 1))),
        "batch": 4, "seed": int(rng.integers(10_000)), "before": 3, "after": 3, "dropout": 0.0,
        "optimizer": ["SGD", {"lr": 0.05, "momentum": 0.9}], "decay": 1.0, "shuffle": False,
        "own random": False, "best": float(rng.uniform(0.1, 0.9)),
    }
    return {**plan, **changes}


def compare_resumption(student: Any, plan: dict[str, Any], device: Any) -> None:
    """Assert that a resumed run ends where the uninterrupted one does, to the last bit on a CPU."""
    seen = student.run(resumed, plan, "resumed", str(device))
    expected = _resumed(None, plan, "reference", str(device))
    name = "three epochs after resuming, the model's parameters"
    assert_close(seen, expected, name=name, rtol=1e-7, oracle="without interruption")
    assert device.type != "cpu" or student.run(resumed_facts, plan, "same", str(device)), (
        "the resumed run ends very near to the uninterrupted one, but not in the same numbers"
    )


def make_run(rng: np.random.Generator, **changes: Any) -> dict[str, Any]:
    """A regression with 20 examples to train on, and 9 to validate.

    It goes on getting better, whatever the noise: the targets lie far from 0, and the network's
    bias is on its way there.
    """
    inputs = torch.as_tensor(rng.normal(size=(29, 3)))
    targets = inputs.sum(1, keepdim=True) + 8.0
    plan = {
        "inputs": inputs, "targets": targets, "split": 20, "seed": int(rng.integers(10_000)),
        "dropout": 0.0, "lr": 0.002, "decay": 0.8, "shuffle": False, "max_norm": None,
        "patience": 50, "checkpoints": False, "pieces": [[5, None]],
    }
    return {**plan, **changes}


def compare_run(
    student: Any, reference: Any, plan: dict[str, Any], what: str, device: Any, name: str
) -> None:
    """Assert that fit does what the reference does in one piece."""
    seen = student.run(run_of, plan, what, str(device))
    whole = {**plan, "pieces": [[plan["pieces"][-1][0], None]], "checkpoints": False}
    expected = _run(reference, whole, what, str(device))
    if plan["checkpoints"]:
        assert_close(seen, expected, name=name, rtol=1e-7, oracle="without interruption")
    else:
        assert_close(seen, expected, name=name, rtol=1e-7)


def drive(
    student: Any, reference: Any, name: str, options: dict[str, Any], script: list[Any], what: str
) -> None:
    """Assert that a metric computes what the reference does, in whatever precision it divides."""
    seen = student.run(metric, name, options, script)
    assert_close(seen, _metric(reference, name, options, script), name=what, rtol=1e-5)


# Exercise: losses_agree


def class_data(
    rng: np.random.Generator, device: Any, *shape: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of this shape and classes for them; every class occurs."""
    logits = torch.as_tensor(rng.normal(scale=3.0, size=shape), device=device)
    places = (shape[0], *shape[2:])
    numbers = np.arange(int(np.prod(places))) % shape[1]
    return logits, torch.as_tensor(rng.permutation(numbers).reshape(places), device=device)


@exercise("losses_agree", part="classes", stated="axis 1 holds the classes")
def test_class_loss(student, reference, rng, device):
    """class_loss of logits (N, C) is torch's cross-entropy."""
    logits, targets = class_data(rng, device, 7, 4)
    agree(student, reference, "class_loss", logits, targets, called="the loss")


@exercise("losses_agree", part="classes", stated="(N, C) or (N, C, d1, …)")
def test_class_loss_of_sequences(student, reference, rng, device):
    """class_loss of logits (N, C, d1): a class for each of d1 places in every example."""
    logits, targets = class_data(rng, device, 5, 4, 6)
    agree(student, reference, "class_loss", logits, targets, called="the loss")


@exercise(
    "losses_agree", part="classes", about="detail", stated="a place with −100 does not count"
)
def test_class_loss_ignores(student, reference, rng, device):
    """Places whose target is −100 are left out, also of what the sum is divided by."""
    logits, targets = class_data(rng, device, 5, 4, 3)
    targets[:, 0] = -100
    targets[0] = -100
    agree(student, reference, "class_loss", logits, targets, called="the loss")


@exercise(
    "losses_agree", part="classes", about="by hand", stated="without calling it", weight=0.5,
    forbid=["torch.nn.functional.cross_entropy", "torch.nn.CrossEntropyLoss"],
)
def test_class_loss_in_two_steps(student, reference, rng, device):
    """class_loss does it in two steps, without calling cross_entropy."""
    logits, targets = class_data(rng, device, 4, 3)
    agree(student, reference, "class_loss", logits, targets, called="the loss")


def binary_data(rng: np.random.Generator, device: Any, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of both signs, and targets that are neither all alike nor what the logits say.

    Neither with the targets exchanged nor with each logit against each target the loss would be
    the same. The logits are double; who makes float32 of the targets gets a loss in float32, which
    is right.
    """
    logits = rng.permutation(np.linspace(-3, 4, n))
    targets = np.arange(n) % 3 == 0
    same = np.array([logits.sum() / 2, logits.mean() * targets.sum()])
    while np.min(np.abs(logits[targets].sum() - same)) < 0.3:
        targets = rng.permutation(targets)
    return (
        torch.as_tensor(logits, device=device),
        torch.as_tensor(targets.astype(float), device=device),
    )


@exercise("losses_agree", part="yes or no", stated="Binary cross-entropy of logits")
def test_binary_loss(student, reference, rng, device):
    """binary_loss of logits (N,) is torch's binary cross-entropy with logits."""
    logits, targets = binary_data(rng, device, 8)
    agree(student, reference, "binary_loss", logits, targets, called="the loss", rtol=1e-6)


@exercise("losses_agree", part="yes or no", stated="paired with the logits one to one")
def test_binary_loss_of_a_column(student, reference, rng, device):
    """Logits (N, 1) and targets (N,) are paired one to one, not each with each."""
    logits, targets = binary_data(rng, device, 8)
    assert_close(
        student.binary_loss(logits[:, None], targets), reference.binary_loss(logits, targets),
        name="the loss of a column of logits", rtol=1e-6,
    )


@exercise(
    "losses_agree", part="yes or no", about="detail", stated="of any dtype (bool and int, too)"
)
def test_binary_loss_of_any_targets(student, reference, rng, device):
    """Targets may be booleans or integers."""
    logits, targets = binary_data(rng, device, 9)
    for dtype in (torch.bool, torch.int64):
        assert_close(
            student.binary_loss(logits, targets.to(dtype)), reference.binary_loss(logits, targets),
            name=f"the loss with targets of {dtype}", rtol=1e-6,
        )


# Exercise: Mean


def batch_values(rng: np.random.Generator) -> list[float]:
    """Values of three batches; the last one's is far from the others."""
    return [*rng.uniform(1.0, 2.0, 2).tolist(), float(rng.uniform(8.0, 9.0))]


@exercise("Mean", part="Mean", stated="divided by the sum of the weights")
def test_mean_is_weighted(student, reference, rng):
    """Values with the weights 4, 4 and 1: their weighted mean."""
    a, b, c = batch_values(rng)
    script = [["update", a, 4], ["update", b, 4], ["update", c, 1], ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean")


@exercise("Mean", part="Mean", about="detail", stated="a tensor of which every entry counts")
def test_mean_of_tensors(student, reference, rng, device):
    """Of a tensor every entry counts, with one weight for all of them or one for each."""
    few, many = (torch.as_tensor(rng.normal(m, 1, s), device=device) for m, s in ((9, 2), (1, 6)))
    each = torch.as_tensor(rng.uniform(0.5, 4.0, 6), device=device)
    script = [["update", few], ["update", many, 3], ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean")
    script = [["update", few, 0.5], ["update", many, each], ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean with a weight for each entry")


@exercise("Mean", part="Mean", about="detail", stated="It changes nothing: updates may follow")
def test_mean_goes_on(student, reference, rng):
    """compute changes nothing: it may be asked twice, and updates go on."""
    a, b, c = batch_values(rng)
    script = [["update", a, 2], ["compute"], ["compute"], ["update", b, 3], ["update", c, 1],
              ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean")


@exercise("Mean", part="Mean", about="detail", stated="reset(): forget everything")
def test_mean_forgets(student, reference, rng):
    """After reset nothing is left of what was before, neither the values nor their weights."""
    a, b, c = batch_values(rng)
    script = [["update", c, 5], ["reset"], ["update", a, 2], ["update", b, 1], ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean after a reset")


@exercise("Mean", part="Mean", about="detail", stated="The sums are kept in double precision")
def test_mean_of_half_precision(student, reference, device):
    """Thousands of numbers in half precision are not summed in half precision."""
    values = torch.full((3000,), 50.0, dtype=torch.float16, device=device)
    script = [["update", values], ["update", values / 2], ["compute"]]
    drive(student, reference, "Mean", {}, script, "the mean of float16 numbers")


@exercise("Mean", part="Mean", about="form", stated="divided by the sum of the weights, a float")
def test_mean_is_a_number(student, rng):
    """compute returns a float, and no graph is kept."""
    values = torch.as_tensor(rng.normal(size=4))
    seen = student.run(metric_kind, "Mean", {}, [values])
    assert seen["a plain number"], "compute gives something else than a Python float"
    assert not seen["a graph is kept"], (
        "the sums hold on to the graph of every batch: take .detach() or float(…) first"
    )


def regression_batches(
    rng: np.random.Generator, device: Any, shape: tuple[int, ...]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three batches of 4, 4 and 2 predictions and targets; the last ones are far off."""
    batches = []
    for n, off in ((4, 1.0), (4, 1.0), (2, 6.0)):
        target = rng.normal(size=(n, *shape))
        pred = target + rng.choice([-1.0, 1.0], target.shape) * rng.uniform(
            0.5 * off, off, target.shape
        )
        batches.append(
            (torch.as_tensor(pred, device=device), torch.as_tensor(target, device=device))
        )
    return batches


@exercise("Mean", part="MeanSquaredError", stated="over all elements since the last reset")
def test_squared_error(student, reference, rng, device):
    """The mean squared error over all elements of batches of 4, 4 and 2 rows."""
    script = [["update", p, t] for p, t in regression_batches(rng, device, (3,))] + [["compute"]]
    drive(student, reference, "MeanSquaredError", {}, script, "the mean squared error")


@exercise("Mean", part="MeanSquaredError", stated="a target (n,) fits a pred (n, 1)")
def test_squared_error_of_a_column(student, reference, rng, device):
    """A pred (n, 1) and a target (n,) are paired one to one, not each with each."""
    script = [["update", p[:, None], t] for p, t in regression_batches(rng, device, ())]
    script.append(["compute"])
    drive(student, reference, "MeanSquaredError", {}, script, "the mean squared error")


@exercise("Mean", part="MeanSquaredError", about="detail", stated="tensors of any dtype")
def test_squared_error_of_any_dtype(student, reference, rng, device):
    """Predictions in half precision and whole numbers as targets: computed in double precision."""
    pred = torch.as_tensor(rng.uniform(300, 400, 6), device=device).half()
    target = torch.as_tensor(rng.integers(-9, 9, 6), device=device)
    script = [["update", pred, target], ["update", pred / 2, target], ["compute"]]
    drive(student, reference, "MeanSquaredError", {}, script, "the mean squared error")


@exercise("Mean", part="MeanSquaredError", about="detail", stated="compute(), reset(), precision")
def test_squared_error_forgets(student, reference, rng, device):
    """compute changes nothing, and after reset nothing is left."""
    one, two, three = (["update", p, t] for p, t in regression_batches(rng, device, (2,)))
    script = [three, ["compute"], one, ["compute"], ["reset"], one, two, ["compute"]]
    drive(student, reference, "MeanSquaredError", {}, script, "the mean squared error")


# Exercise: Accuracy


def binary_batches(
    rng: np.random.Generator, device: Any, probabilities: bool = False
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of 8, 8 and 3 binary answers, of which 6, 5 and 0 are right.

    The first batch's logits lie all between 0.1 and 0.9, so they might be taken for probabilities.
    """
    batches = []
    for signs, right in (("++++++++", 6), ("+----+++", 5), ("+-+", 0)):
        n = len(signs)
        logits = np.array([float(f"{sign}1") for sign in signs]) * rng.uniform(0.6, 0.9, n)
        logits[: 5 if n == right + 2 else 1] *= 0.4  # above 0, and below ½
        if right < 6:
            logits[1:] *= 3.0
        targets = ((logits > 0) ^ (np.arange(n) >= right)).astype(np.int64)
        order = rng.permutation(n)
        values = torch.as_tensor(logits[order], device=device)
        if probabilities:
            values = torch.sigmoid(values)
        batches.append((values, torch.as_tensor(targets[order], device=device)))
    return batches


def class_batches(
    rng: np.random.Generator, device: Any, *extra: int
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of 8, 8 and 3 examples of 5 classes; in the last one no answer is right."""
    batches = []
    for n, share in ((8, 0.75), (8, 0.6), (3, 0.0)):
        logits = rng.normal(size=(n, 5, *extra))
        answers = logits.argmax(1)
        total = answers.size
        wrong = (np.arange(total) >= share * total).reshape(answers.shape)
        targets = (answers + wrong * rng.integers(1, 5, answers.shape)) % 5
        batches.append(
            (torch.as_tensor(logits, device=device), torch.as_tensor(targets, device=device))
        )
    return batches


def label_batches(
    rng: np.random.Generator, device: Any
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Six examples with 4 labels each, of which one is wrong; and one of which three are wrong.

    Label 1 is never wrong; its logits lie above 0 and below ½.
    """
    batches = []
    for n in (6, 1):
        logits = rng.choice([-1.0, 1.0], (n, 4)) * rng.uniform(0.6, 3.0, (n, 4))
        logits[:, 1] = rng.uniform(0.1, 0.4, n)
        wrong = np.arange(4) == rng.choice([0, 2, 3], (n, 1))
        if n == 1:
            wrong = np.arange(4) != 1
        targets = ((logits > 0) ^ wrong).astype(np.int64)
        batches.append(
            (torch.as_tensor(logits, device=device), torch.as_tensor(targets, device=device))
        )
    return batches


def updates(batches: list[tuple[torch.Tensor, torch.Tensor]]) -> list[Any]:
    """A script that takes all batches in and then computes."""
    return [*(["update", preds, targets] for preds, targets in batches), ["compute"]]


@exercise("Accuracy", stated="whether update is given logits")
def test_binary_accuracy(student, reference, rng, device):
    """Binary, from logits: the probability σ(z) is above ½, also where all logits are in [0, 1]."""
    script = updates(binary_batches(rng, device))
    drive(student, reference, "Accuracy", {"task": "binary"}, script, "the accuracy")


@exercise("Accuracy", stated="preds (n, C) or (n, C, d1, …), targets class numbers (n,)")
def test_class_accuracy(student, reference, rng, device):
    """Multiclass: the largest logit is the answer; batches of 8, 8 and 3 count by their size."""
    script = updates(class_batches(rng, device))
    drive(student, reference, "Accuracy", {"task": "multiclass"}, script, "the accuracy")


@exercise("Accuracy", stated="each of the n · L labels counts separately")
def test_label_accuracy(student, reference, rng, device):
    """Multilabel: each label of each example is an answer of its own."""
    script = updates(label_batches(rng, device))
    drive(student, reference, "Accuracy", {"task": "multilabel"}, script, "the accuracy")


@exercise("Accuracy", about="detail", stated="or, if False, probabilities")
def test_accuracy_of_probabilities(student, reference, rng, device):
    """Binary, from_logits=False: what comes is a probability already."""
    options = {"task": "binary", "from_logits": False}
    script = updates(binary_batches(rng, device, probabilities=True))
    drive(student, reference, "Accuracy", options, script, "the accuracy")


@exercise(
    "Accuracy", about="detail", weight=2, stated="where the probability is above this number"
)
def test_accuracy_with_a_threshold(student, reference, rng, device):
    """threshold=0.8: yes where σ(z) is above 0.8, which is where z is above 1.386."""
    logits = torch.as_tensor([0.2, 0.6, 0.9, 1.2, 1.6, 2.5], dtype=torch.float64, device=device)
    logits = logits[torch.as_tensor(rng.permutation(6), device=device)]
    targets = torch.zeros(6, dtype=torch.int64, device=device)
    options = {"task": "binary", "threshold": 0.8}
    drive(student, reference, "Accuracy", options, updates([(logits, targets)]), "the accuracy")
    options = {"task": "binary", "threshold": 0.8, "from_logits": False}
    script = updates([(torch.sigmoid(logits), targets)])
    drive(student, reference, "Accuracy", options, script, "the accuracy of probabilities")


@exercise("Accuracy", about="detail", stated="places with this target do not count")
def test_accuracy_ignores(student, reference, rng, device):
    """Places with −100 are in neither count."""
    batches = class_batches(rng, device)
    for _, targets in batches:
        targets[1:3] = -100
    script = updates(batches)
    drive(student, reference, "Accuracy", {"task": "multiclass"}, script, "the accuracy")


@exercise("Accuracy", about="detail", stated="ignore_index: places with this target do not count")
def test_accuracy_ignores_a_class(student, reference, rng, device):
    """Places whose target is the class ignore_index do not count, even where it is answered."""
    right = counted = 0
    while counted == 2 * right:  # else as many answers are right as wrong
        batches = class_batches(rng, device)
        answer = int(batches[0][0][0].argmax())  # a class that is answered, and rightly
        counted = sum(int((targets != answer).sum()) for _, targets in batches)
        right = sum(
            int(((logits.argmax(1) == targets) & (targets != answer)).sum())
            for logits, targets in batches
        )
    script = updates(batches)
    options = {"task": "multiclass", "ignore_index": answer}
    name = f"the accuracy with class {answer} ignored"
    drive(student, reference, "Accuracy", options, script, name)


@exercise("Accuracy", about="detail", stated="preds (n, C) or (n, C, d1, …)")
def test_accuracy_of_sequences(student, reference, rng, device):
    """Multiclass with an extra axis: every place of every example is an answer."""
    script = updates(class_batches(rng, device, 3))
    drive(student, reference, "Accuracy", {"task": "multiclass"}, script, "the accuracy")


@exercise("Accuracy", about="detail", stated="preds (n,) or (n, 1), targets (n,) of 0 and 1")
def test_accuracy_of_a_column(student, reference, rng, device):
    """Binary logits (n, 1) and targets (n,) are paired one to one, not each with each."""
    script = updates([(z[:, None], t) for z, t in binary_batches(rng, device)])
    drive(student, reference, "Accuracy", {"task": "binary"}, script, "the accuracy")


@exercise("Accuracy", about="detail", stated="reset(): forget everything")
def test_accuracy_forgets(student, reference, rng, device):
    """compute changes nothing, and after reset nothing is left, of either count."""
    one, two, three = (["update", z, t] for z, t in class_batches(rng, device))
    script = [three, ["compute"], one, ["compute"], ["reset"], two, ["compute"]]
    drive(student, reference, "Accuracy", {"task": "multiclass"}, script, "the accuracy")


@exercise("Accuracy", about="form", weight=0.5, stated="right answers divided by answers, a float")
def test_accuracy_is_a_number(student, rng):
    """compute returns a float."""
    preds = torch.as_tensor(rng.normal(size=6))
    seen = student.run(metric_kind, "Accuracy", {"task": "binary"}, [preds, (preds > 0).long()])
    assert seen["a plain number"], "compute gives something else than a Python float"


# Exercise: train_one_epoch


@exercise("train_one_epoch", stated="one step of the optimizer a batch")
def test_epoch_takes_the_steps(student, reference, rng, device):
    """After an epoch of SGD with momentum the parameters are the reference loop's."""
    plan = make_plan(rng, optimizer=["SGD", {"lr": 0.01, "momentum": 0.8}])
    compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", stated="left in training mode; it may come in evaluation mode")
def test_epoch_is_in_training_mode(student, reference, rng, device):
    """A model with batch norm that comes in evaluation mode is trained in training mode."""
    plan = make_plan(rng, norm=True, mode="eval")
    compare_epoch(student, reference, plan, "buffers", device, "batch norm's statistics")
    compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", stated="an nn.Module on device, left in training mode")
def test_epoch_stays_in_training_mode(student, reference, rng, device):
    """A model with batch norm that comes in training mode is trained in it."""
    plan = make_plan(rng, norm=True)
    compare_epoch(student, reference, plan, "buffers", device, "batch norm's statistics")


@exercise("train_one_epoch", about="detail", stated="The mean over the examples of the losses")
def test_epoch_reports_the_mean(student, reference, rng, device):
    """What is returned is the mean over the examples, though the last batch is smaller."""
    compare_epoch(student, reference, make_plan(rng), "losses", device, "the losses")


@exercise(
    "train_one_epoch", about="detail", weight=2,
    stated="Gradients that are there at the start do not count",
)
def test_epoch_ignores_old_gradients(student, reference, rng, device):
    """Gradients that are there at the start count for nothing."""
    plan = make_plan(rng, stale=True)
    compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", about="detail", weight=4, stated="a longer one is scaled down to it")
def test_epoch_clips(student, reference, rng, device):
    """max_norm=0.5: each batch's gradient is scaled down to the norm 0.5 before its step."""
    plan = make_plan(rng, max_norm=0.5, optimizer=["SGD", {"lr": 0.1, "momentum": 0.5}])
    compare_epoch(student, reference, plan, "parameters", device, "the parameters")


@exercise("train_one_epoch", about="form", stated="batches are moved there")
def test_epoch_moves_batches(student, rng, device):
    """Inputs and targets are moved to the device that is passed."""
    inputs = torch.as_tensor(rng.normal(size=(5, 2)))
    seen = student.run(moved, "train_one_epoch", inputs, 2 * inputs, str(device))
    assert seen["inputs"], "the model gets inputs that were not moved to device"
    assert seen["targets"], "the loss gets targets that were not moved to device"


@exercise("train_one_epoch", about="form", weight=0.5, stated="computed on the way, a float")
def test_epoch_returns_a_number(student, rng, device):
    """The loss is a plain float."""
    seen = student.run(epoch_facts, make_plan(rng), "kind", str(device))
    assert seen, "something else than a Python float comes back; float(…) makes one of a tensor"


# Exercise: evaluate


@exercise("evaluate", stated="in evaluation mode")
def test_evaluate_in_evaluation_mode(student, reference, rng, device):
    """A model in training mode is evaluated in evaluation mode: running statistics, no dropout."""
    plan = make_evaluation(rng, batch=10)
    compare_evaluation(student, reference, plan, "loss", device, "the loss")


@exercise("evaluate", stated="each module in it is given back in the mode in which it came")
def test_evaluate_gives_training_mode_back(student, rng, device):
    """A model that came in training mode is in training mode again."""
    plan = make_evaluation(rng)
    seen = student.run(evaluation_facts, plan, "modes", str(device))
    if seen != ALL_TRAIN:
        raise Mismatch(
            f"the model came in training mode, and {seen.count(False)} of its 7 modules are in "
            "evaluation mode now", kind="value",
        )


@exercise("evaluate", about="detail", stated="the mean over the examples, a float")
def test_evaluate_weights_examples(student, reference, rng, device):
    """The loss is the mean over the examples, though the last batch is smaller."""
    plan = make_evaluation(rng, modes=ALL_EVAL)
    compare_evaluation(student, reference, plan, "loss", device, "the loss")


@exercise("evaluate", about="detail", stated="each module in it is given back in the mode")
def test_evaluate_leaves_evaluation_mode(student, rng, device):
    """A model that came in evaluation mode stays in it."""
    plan = make_evaluation(rng, modes=ALL_EVAL)
    seen = student.run(evaluation_facts, plan, "modes", str(device))
    if seen != ALL_EVAL:
        raise Mismatch(
            f"the model came in evaluation mode, and {seen.count(True)} of its 7 modules are in "
            "training mode now", kind="value",
        )


@exercise("evaluate", about="detail", stated="under each metric's name its value")
def test_evaluate_feeds_metrics(student, reference, rng, device):
    """Metrics are reset, updated with (outputs, targets) of each batch; their values come back."""
    plan = make_evaluation(rng, modes=ALL_EVAL, metrics=True, calls=2, batch=5)
    compare_evaluation(student, reference, plan, "metrics", device, "the metrics' values")


@exercise("evaluate", about="detail", stated="none is built on the way")
def test_evaluate_builds_no_graph(student, rng, device):
    """No graph is built."""
    seen = student.run(evaluation_facts, make_evaluation(rng), "graph", str(device))
    if seen:
        raise Mismatch("the outputs carry a graph: switch gradients off for the loop", kind="value")


@exercise("evaluate", about="form", stated="batches are moved there")
def test_evaluate_moves_batches(student, rng, device):
    """Inputs and targets are moved to the device that is passed."""
    inputs = torch.as_tensor(rng.normal(size=(5, 2)))
    seen = student.run(moved, "evaluate", inputs, 2 * inputs, str(device))
    assert seen["inputs"], "the model gets inputs that were not moved to device"
    assert seen["targets"], "the loss gets targets that were not moved to device"


# Exercise: break_it


def look_at(student: Any, name: str, seed: int) -> tuple[Any, Any]:
    """The answers of the student's model in training mode (a row a seed) and in evaluation mode."""
    seen = student.run(answers_of, name, seed)
    if len(seen["shape"]) != 2 or seen["rows"] < 2 or not seen["finite"]:
        raise Mismatch(
            f"{name} should give a model with finite logits (n, K) for an X of several rows",
            kind="value",
        )
    if name == "where_it_hides" and not seen["noisy"]:
        raise Mismatch("the model holds neither a BatchNorm1d nor a Dropout with p > 0",
                       kind="value")
    return np.asarray(seen["training"]), np.asarray(seen["evaluation"])


def check_shows(student: Any, seed: int) -> None:
    """Assert that without eval() at least half of the answers are others, under every seed."""
    training, evaluation = look_at(student, "where_it_shows", seed)
    if len(evaluation) < 4:
        raise Mismatch(f"X has {len(evaluation)} rows; it should have 4 or more", kind="value")
    share = float((training != evaluation).mean(1).min())
    if share < 0.5:
        raise Mismatch(
            f"under some random numbers only {share:.0%} of the answers differ between the two "
            "modes; half of them or more should, whatever the random numbers", kind="value",
        )


def check_hides(student: Any, seed: int) -> None:
    """Assert that without eval() all answers are the same, under every seed."""
    training, evaluation = look_at(student, "where_it_hides", seed)
    share = float((training != evaluation).mean(1).max())
    if share > 0:
        raise Mismatch(
            f"{share:.0%} of the answers differ between the two modes, and none should",
            kind="value",
        )
    if len(set(evaluation.tolist())) < 2:
        raise Mismatch("all rows get the same answer: an X that tells nothing", kind="value")


@exercise("break_it", part="shows", stated="answers at least half of the rows otherwise")
def test_forgetting_eval_shows(student, rng):
    """Without model.eval() at least half of the answers are others."""
    check_shows(student, int(rng.integers(10_000)))


@exercise("break_it", part="hides", stated="and yet all answers agree")
def test_forgetting_eval_hides(student, rng):
    """A model with batch norm or dropout, and yet no answer depends on the mode."""
    check_hides(student, int(rng.integers(10_000)))


# Exercise: warmup_cosine


def compare_rates(
    student: Any, reference: Any, rates: list[float], warmup: int, total: int, device: Any
) -> None:
    """Assert that the scheduler sets torch's rates in each of the run's epochs."""
    arguments = (rates, warmup, total, total, str(device))
    seen = student.run(rates_of, *arguments)
    name = f"with W = {warmup} and T = {total}, the rates of group"
    expected_rates = _rates(reference, *arguments)
    for number, (row, expected) in enumerate(zip(seen, expected_rates, strict=True), 1):
        assert_close(row, expected, name=f"{name} {number}", rtol=1e-6, atol=1e-9)


@exercise("warmup_cosine", stated="how many epochs the rate rises")
def test_warmup_then_cosine(student, reference, rng, device):
    """The rates of nine epochs, three of warm-up and six of a cosine."""
    compare_rates(student, reference, [float(rng.uniform(0.1, 0.9))], 3, 9, device)


@exercise("warmup_cosine", about="detail", stated="each of its parameter groups keeps its own η₀")
def test_groups_keep_their_rates(student, reference, rng, device):
    """Two parameter groups with different rates: both follow the schedule, each from its own."""
    low, high = rng.uniform(0.01, 0.02), rng.uniform(0.1, 0.9)
    compare_rates(student, reference, [float(high), float(low)], 2, 7, device)


# Exercise: checkpoint


@exercise("checkpoint", stated="Write to a file all that the rest of a run depends on")
def test_resume_with_momentum(student, rng, device):
    """SGD with momentum 0.9: a resumed run takes the same steps as an uninterrupted one."""
    compare_resumption(student, make_resumption(rng), device)


@exercise("checkpoint", stated="the torch.Generator that shuffles the examples")
def test_resume_with_shuffling(student, rng, device):
    """Shuffled examples: the resumed run sees them in the order of the uninterrupted one."""
    plan = make_resumption(rng, shuffle=True, optimizer=["SGD", {"lr": 0.05}])
    compare_resumption(student, plan, device)


@exercise("checkpoint", stated="The global generators of torch")
def test_resume_with_dropout(student, rng, device):
    """Dropout: the resumed run drops what the uninterrupted one drops."""
    plan = make_resumption(rng, dropout=0.5, optimizer=["SGD", {"lr": 0.05}])
    plan["own random"] = True
    compare_resumption(student, plan, device)


@exercise("checkpoint", stated="all that the rest of a run depends on")
def test_resume_with_a_schedule(student, rng, device):
    """A decaying learning rate: it goes on falling from where it was."""
    plan = make_resumption(rng, decay=0.7, optimizer=["SGD", {"lr": 0.1}])
    compare_resumption(student, plan, device)


@exercise("checkpoint", about="detail", stated="The dict run, as it was saved")
def test_run_comes_back(student, rng, device):
    """load_checkpoint returns the dict run: numbers, lists, dicts and tensors."""
    plan = make_resumption(rng, after=1)
    seen = student.run(resumed_facts, plan, "run", str(device))
    expected = {"epoch": plan["before"], "best": plan["best"], "waited": 2,
                "weights": {"w": plan["inputs"][:2]}, "history": [{"lr": plan["best"]}]}
    assert_close(seen, expected, name="the dict run", oracle="saved")


# Exercise: fit

# Small set-backs before each new best, with half recoveries; at 2 there are three in a row.
SETBACKS = [5, 4, 4.6, 4.5, 3, 3.6, 3.5, 2, 2.5, 2.7, 2.6, 1, 1.5, 1.7, 1.6, 1.8, 1.9, 2.0, 2.1]


def compare_walk(
    student: Any, reference: Any, scores: list[float], patience: int, what: str, device: Any,
    name: str,
) -> None:
    """Assert that on these validation losses fit ends as the reference does."""
    arguments = (scores, {"patience": patience}, what, str(device))
    assert_close(
        student.run(scripted, *arguments), _scripted(reference, *arguments), name=name, rtol=1e-6
    )


def walk_of(rng: np.random.Generator, scores: list[float]) -> list[float]:
    """The scores in a random unit."""
    unit = float(rng.uniform(0.5, 2.0))
    return [unit * score for score in scores]


@exercise("fit", stated="a list with a dict")
def test_fit_trains_and_evaluates(student, reference, rng, device):
    """Five epochs: the training and validation losses of each are the reference's."""
    compare_run(student, reference, make_run(rng), "losses", device, "the losses")


@exercise("fit", stated="after how many epochs in a row without a new best validation loss")
def test_fit_loses_patience(student, reference, rng, device):
    """Training stops after `patience` epochs in a row without a new best, and not before."""
    scores = walk_of(rng, SETBACKS)
    compare_walk(student, reference, scores, 3, "epochs", device, "the number of epochs")


@exercise("fit", stated="The model has the weights (and buffers) of the best epoch")
def test_fit_gives_the_best_weights(student, reference, rng, device):
    """In the end the model has the weights of the best epoch, not of the last."""
    scores = walk_of(rng, SETBACKS[:10])
    compare_walk(student, reference, scores, 4, "weight", device, "the weight in the end")


@exercise("fit", stated="as if it had not been interrupted", trains=True)
def test_fit_resumes(student, reference, rng, device):
    """Two epochs, then new objects and the same file: the history and the weights are those of a
    run in one piece."""
    plan = make_run(rng, shuffle=True, dropout=0.4, checkpoints=True, pieces=[[2, None], [5, None]])
    compare_run(student, reference, plan, "history and weights", device, "losses, then weights")
    assert device.type != "cpu" or student.run(run_facts, plan, "same", str(device)), (
        "the resumed run ends very near to the uninterrupted one, but not in the same numbers"
    )


@exercise("fit", about="detail", stated="the rate of the first parameter group")
def test_fit_schedules_once_an_epoch(student, reference, rng, device):
    """The history's rates: the scheduler is stepped once an epoch, after it."""
    compare_run(student, reference, make_run(rng), "rates", device, "the rates")


@exercise("fit", about="detail", stated="max_norm: as in train_one_epoch")
def test_fit_clips(student, reference, rng, device):
    """max_norm is handed on: gradients are clipped."""
    plan = make_run(rng, max_norm=0.1)
    compare_run(student, reference, plan, "losses", device, "the losses with max_norm = 0.1")


@exercise("fit", about="edge", stated="a tie is not better")
def test_fit_ties(student, reference, rng, device):
    """An equal validation loss is not a better one."""
    scores = walk_of(rng, [4, 3, 3, 3, 3, 2, 1])
    compare_walk(student, reference, scores, 3, "epochs", device, "the number of epochs")


@exercise("fit", about="detail", stated="as if it had not been interrupted")
def test_fit_resumes_impatience(student, reference, rng, device):
    """What was known of the best epoch, and the patience that was lost, survive an interruption."""
    scores = walk_of(rng, [5, 4, 4.5, 4.6, 3, 3.5, 3.6, 3.7, 2])
    for pieces in ([6, 7], [5, 6], [4, 7, 9]):
        arguments = (scores, {"patience": 3}, pieces, str(device))
        seen = student.run(walk_in_pieces, *arguments)
        expected = _walk_in_pieces(reference, scores, {"patience": 3}, pieces[-1:], str(device))
        assert_close(
            seen, expected, name="after an interruption", rtol=1e-6, oracle="without one"
        )


# -- part D: transfer, timing, a table, the capstone

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
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(2, 2))  # it says where the model lies

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
            student.seen_as(summary)
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
def slopes_used(student, X, y, X_test, seed):
    """Whether backward has read anything that a forward pass had kept for it."""
    read = []

    def kept(tensor):
        read.append(True)
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.detach(), kept):
            student.train_digits(X, y, X_test, seed)
    except RuntimeError as error:  # torch.func takes slopes too, and cannot be watched like this
        if "saved tensor hooks" not in str(error):
            raise
        return True
    return bool(read)


@probe
def digits_kind(student, X, y, X_test, seed):
    """Dtype, shape and device of the predictions."""
    said = student.train_digits(X, y, X_test, seed)
    return [str(said.dtype), list(said.shape), str(said.device.type)]


@probe
def epochs_trained(student, X, y, X_test, seed, patience, max_epochs):
    """How many losses came back, after how many epochs the lowest one did, and how low they went.

    On labels drawn by lot, only the loss of rows that are trained on comes near to 0.
    """
    _, losses = student.train_tabular(X, y, X_test, seed, patience, max_epochs)
    losses = [float(loss) for loss in losses]
    after = len(losses) - losses.index(min(losses)) - 1 if losses else -1
    ended = "at the limit" if len(losses) == max_epochs else "before it"
    near_zero = bool(losses) and losses[-1] < 0.4
    return {
        "after": after if ended == "before it" else "-", "ended": ended, "near_zero": near_zero,
    }


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
        name="the seconds per example", oracle="by the clock",
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
    assert_close(np.array(seen["times"]), np.array(expected), rtol=1e-4, name="the speedup",
                 oracle="by the clock")


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
    agree(student, reference, "confusion_matrix", targets, said, 4, called="the matrix")


@exercise("confusion_matrix", about="detail", stated="classes that do not occur")
def test_classes_that_do_not_occur(student, reference, guesses):
    """A class that does not occur has a row and a column of zeros."""
    targets, said = guesses(30, 3)
    agree(student, reference, "confusion_matrix", targets, said, 6, called="the matrix")


@exercise("confusion_matrix", about="form", weight=0.5, stated="int64 tensor (K, K)")
def test_counts_are_integers(student, reference, guesses):
    """The counts are int64."""
    targets, said = guesses(30, 3)
    agree(student, reference, "confusion_matrix", targets, said, 3, called="the matrix")


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
        "training went on for 600 epochs: is the loss measured on rows that are trained on?"
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


@exercise("train_digits", stated="Train a network on digits by torch's gradients", **TRAINING)
def test_digits_are_learnt(student, rng, device):
    """What reads the digits is a network, trained by torch's gradients."""
    X, y, X_test, _ = split_of("digits", rng, 100, 30, device)
    assert student.run(slopes_used, X, y, X_test, 3), (
        "no gradient was computed: a network that this call trains is asked for, not a comparison "
        "with known images or another library's model"
    )


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

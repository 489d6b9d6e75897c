"""Lab 07: other right implementations, torch's built-ins among them; all get full marks."""

import copy
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix as by_sklearn
from sklearn.preprocessing import StandardScaler
from torch import nn

from course_utils.testing import variant

# Exercise: losses_agree


@variant("losses_agree", replaces="class_loss", built_in=True)
def built_in_class_loss(logits, targets):
    return F.cross_entropy(logits, targets)


@variant("losses_agree", replaces="class_loss")
def by_modules(logits, targets):
    return nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), targets)


@variant("losses_agree", replaces="class_loss")
def by_logsumexp(logits, targets):
    log_probs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return F.nll_loss(log_probs, targets)


@variant("losses_agree", replaces="class_loss")
def with_rows_of_classes(logits, targets):
    rows = logits.movedim(1, -1).reshape(-1, logits.shape[1])
    targets = targets.reshape(-1)
    rows, targets = rows[targets != -100], targets[targets != -100]
    log_probs = torch.log_softmax(rows, dim=-1)
    return -log_probs[torch.arange(len(targets)), targets].mean()


@variant("losses_agree", replaces="binary_loss")
def by_softplus(logits, targets):
    z, y = logits.flatten(), targets.flatten().to(logits.dtype)
    return (F.softplus(z) - z * y).mean()


@variant("losses_agree", replaces="binary_loss")
def by_module_on_squeezed(logits, targets):
    if logits.ndim == 2:
        logits = logits.squeeze(1)
    return nn.BCEWithLogitsLoss()(logits, targets.to(logits))


@variant("losses_agree", replaces="binary_loss")
def by_logsigmoid(logits, targets):
    signed = torch.where(targets.reshape(logits.shape) == 1, logits, -logits)
    return -F.logsigmoid(signed).mean()


@variant("losses_agree", replaces="binary_loss")
def with_float_targets(logits, targets):
    """Torch then computes in float32, even where the logits are double."""
    return F.binary_cross_entropy_with_logits(logits.reshape(-1), targets.reshape(-1).float())


# Exercise: Mean


@variant("Mean")
class MeanByLists:
    """Keeps everything, and divides in the end."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.sums, self.weights = [], []

    def update(self, value, weight=1.0):
        values = torch.as_tensor(value).detach().double().cpu().flatten()
        weights = torch.as_tensor(weight).double().cpu().flatten().expand(len(values))
        self.sums.append((values * weights).sum().item())
        self.weights.append(weights.sum().item())

    def compute(self):
        if not self.weights:
            return math.nan
        return math.fsum(self.sums) / math.fsum(self.weights)


@variant("Mean")
class MeanByRunningAverage:
    """Moves the mean towards each new one, by the new one's share."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.mean, self.seen = float("nan"), 0.0

    def update(self, value, weight=1.0):
        value = torch.as_tensor(value).detach().to(torch.float64)
        weight = torch.ones_like(value) * torch.as_tensor(weight, device=value.device)
        fresh = float(weight.sum())
        new = float((weight * value).sum()) / fresh
        self.seen += fresh
        old = new if self.seen == fresh else self.mean
        self.mean = old + (new - old) * fresh / self.seen

    def compute(self):
        return self.mean


@variant("Mean", replaces="MeanSquaredError")
class SquaredErrorByTwoSums:
    def __init__(self):
        self.reset()

    def reset(self):
        self.squares = 0.0
        self.count = 0

    def update(self, pred, target):
        error = pred.detach().double().flatten() - target.detach().double().flatten()
        self.squares += (error**2).sum().item()
        self.count += error.numel()

    def compute(self):
        return self.squares / self.count if self.count > 0 else float("nan")


@variant("Mean", replaces="MeanSquaredError")
class SquaredErrorByLoss:
    """torch's loss of each batch, weighted with its elements."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.total, self.count = torch.zeros((), dtype=torch.float64), 0

    def update(self, pred, target):
        with torch.no_grad():
            loss = F.mse_loss(pred.double(), target.reshape(pred.shape).double(), reduction="sum")
        self.total = self.total + loss.cpu()
        self.count += pred.numel()

    def compute(self):
        return (self.total / self.count).item()


# Exercise: Accuracy


@variant("Accuracy")
class AccuracyByMasking:
    """Masks first, then compares what is left."""

    def __init__(self, task, from_logits=True, threshold=0.5, ignore_index=-100):
        self.task, self.ignore_index = task, ignore_index
        self.from_logits, self.threshold = from_logits, threshold
        self.reset()

    def reset(self):
        self.right = self.counted = 0

    def update(self, preds, targets):
        if self.task == "multiclass":
            answers = preds.max(1).indices
        else:
            if self.from_logits:
                preds = preds.sigmoid()
            answers = (preds > self.threshold).long()
        answers, targets = answers.flatten(), targets.flatten()
        kept = targets != self.ignore_index
        self.right += (answers[kept] == targets[kept]).sum().item()
        self.counted += int(kept.sum())

    def compute(self):
        return self.right / self.counted if self.counted else math.nan


@variant("Accuracy")
class AccuracyByLogitOfTheThreshold:
    """Compares logits with the threshold's logit, and keeps one list of hits."""

    def __init__(self, task, from_logits=True, threshold=0.5, ignore_index=-100):
        self.multiclass = task == "multiclass"
        self.bound = math.log(threshold / (1 - threshold)) if from_logits else threshold
        self.ignored = ignore_index
        self.hits = []

    def reset(self):
        self.hits = []

    def update(self, preds, targets):
        if self.multiclass:
            answers = torch.softmax(preds, dim=1).argmax(dim=1)
        else:
            answers = torch.where(preds > self.bound, 1, 0)
        for answer, target in zip(
            answers.flatten().tolist(), targets.flatten().tolist(), strict=True
        ):
            if target != self.ignored:
                self.hits.append(answer == target)

    def compute(self):
        return sum(self.hits) / len(self.hits) if self.hits else float("nan")


# Exercise: train_one_epoch


@variant("train_one_epoch")
def zeroed_between(model, loader, loss_fn, optimizer, device, max_norm=None):
    """Zeroes before backward, and weighs the losses in the end."""
    model.train()
    losses, sizes = [], []
    for batch in loader:
        x, y = (tensor.to(device, non_blocking=True) for tensor in batch)
        outputs = model(x)
        loss = loss_fn(outputs, y)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), math.inf if max_norm is None else max_norm)
        optimizer.step()
        losses.append(loss.item())
        sizes.append(x.shape[0])
    return sum(loss * n for loss, n in zip(losses, sizes, strict=True)) / sum(sizes)


@variant("train_one_epoch")
def zeroed_at_both_ends(model, loader, loss_fn, optimizer, device, max_norm=None):
    """Zeroes once at the start, and after each step."""
    model.train(True)
    model.zero_grad()
    total = torch.zeros((), dtype=torch.float64)
    seen = 0
    for x, y in loader:
        x = torch.as_tensor(x, device=device)
        y = torch.as_tensor(y, device=device)
        loss = loss_fn(model(x), y)
        loss.backward()
        if max_norm is not None:
            parameters = [p for p in model.parameters() if p.grad is not None]
            norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
            for p in parameters:
                p.grad *= torch.clamp(max_norm / (norm + 1e-6), max=1.0)
        optimizer.step()
        model.zero_grad()
        total += loss.detach().cpu() * len(y)
        seen += len(y)
    return (total / seen).item()


@variant("train_one_epoch")
def by_closure(model, loader, loss_fn, optimizer, device, max_norm=None):
    """The optimizer calls for its gradients itself."""
    model.train()
    weighted, seen = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)

        def gradients(inputs=inputs, targets=targets):
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = loss_fn(outputs, targets)
            loss.backward()
            if max_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            return loss

        weighted += float(optimizer.step(gradients)) * len(inputs)
        seen += len(inputs)
    return weighted / seen


# Exercise: evaluate


@variant("evaluate")
def on_a_copy(model, loader, loss_fn, device, metrics=None):
    """A copy is evaluated, so that nothing of the model can change."""
    metrics = {} if metrics is None else metrics
    judged = copy.deepcopy(model).eval()
    for metric in metrics.values():
        metric.reset()
    total = count = 0
    for inputs, targets in loader:
        with torch.inference_mode():
            inputs, targets = inputs.to(device), targets.to(device)
            outputs = judged(inputs)
            total += loss_fn(outputs, targets).item() * len(targets)
            for metric in metrics.values():
                metric.update(outputs, targets)
        count += len(targets)
    values = {"loss": total / count}
    for name, metric in metrics.items():
        values[name] = metric.compute()
    return values


@variant("evaluate")
@torch.no_grad()
def decorated(model, loader, loss_fn, device, metrics=None):
    """no_grad as a decorator, modes in a list."""
    modules = list(model.modules())
    before = [module.training for module in modules]
    for metric in (metrics or {}).values():
        metric.reset()
    model.eval()
    losses, sizes = [], []
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        outputs = model(inputs)
        losses.append(loss_fn(outputs, targets).item())
        sizes.append(len(inputs))
        for metric in (metrics or {}).values():
            metric.update(outputs, targets)
    for module, mode in zip(modules, before, strict=True):
        module.training = mode
    results = {name: metric.compute() for name, metric in (metrics or {}).items()}
    results["loss"] = sum(a * n for a, n in zip(losses, sizes, strict=True)) / sum(sizes)
    return results


# Exercise: break_it


@variant("break_it", replaces="where_it_shows")
def sure_dropout():
    """Dropout with p = 1 leaves the bias alone."""
    model = nn.Sequential(nn.Dropout(1.0), nn.Linear(2, 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
        model[1].bias.copy_(torch.tensor([0.5, 0.0]))
    return model, torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [3.0, 0.0]])


@variant("break_it", replaces="where_it_shows")
def shifted_batch():
    """The batch lies far from the data that the statistics are of."""
    model = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        model[1].bias.zero_()
    return model, torch.tensor([[5.0], [6.0], [7.0], [8.0]])


@variant("break_it", replaces="where_it_hides")
def dropout_that_decides_nothing():
    """Dropout hits a feature that no answer depends on."""
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, 1.0]]))
        model[1].bias.copy_(torch.tensor([0.5, 0.0]))

    class Parted(nn.Module):
        def __init__(self):
            super().__init__()
            self.noisy = model

        def forward(self, x):
            return self.noisy(x) + torch.stack([-10 * x[:, 0], 0 * x[:, 0]], 1)

    return Parted(), torch.tensor([[1.0, 0.0], [-1.0, 0.0], [2.0, 1.0]])


@variant("break_it", replaces="where_it_hides")
def statistics_of_the_batch():
    """The running statistics are set to those of the batch."""
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 9.0], [9.0, 4.0]])
    model = nn.BatchNorm1d(2)
    model.running_mean.copy_(x.mean(0))
    model.running_var.copy_(x.var(0, unbiased=False))
    return model, x


# Exercise: warmup_cosine


@variant("warmup_cosine")
def two_schedulers(optimizer, warmup, total):
    """torch's own pieces, one after the other."""
    schedulers = torch.optim.lr_scheduler
    if warmup == 0:
        return schedulers.CosineAnnealingLR(optimizer, total)
    rise = schedulers.LinearLR(optimizer, 1 / warmup, 1.0, max(1, warmup - 1))
    fall = schedulers.CosineAnnealingLR(optimizer, total - warmup)
    return schedulers.SequentialLR(optimizer, [rise, fall], [warmup])


@variant("warmup_cosine")
def one_formula(optimizer, warmup, total):
    """The smaller of the two, written as one expression."""

    def factor(epoch):
        done = max(epoch - warmup, 0) / (total - warmup)
        rising = min((epoch + 1) / max(warmup, 1), 1.0)
        return rising * 0.5 * (1 + math.cos(math.pi * done))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=factor)


@variant("warmup_cosine")
def table_of_factors(optimizer, warmup, total):
    """All factors first; sin² is half a cosine, too."""
    factors = [(epoch + 1) / warmup for epoch in range(warmup)]
    rest = total - warmup
    factors += [math.sin(math.pi / 2 * (1 - epoch / rest)) ** 2 for epoch in range(rest + 1)]
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: factors[min(epoch, total)]
    )


# Exercise: checkpoint


@variant("checkpoint", replaces="save_checkpoint")
def save_checkpoint_as_list(path, model, optimizer, scheduler, generator, run):
    """Everything under other names, written to another file first; read by the solution's keys."""
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    state = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    state.update(
        run=copy.deepcopy(run), generator=generator.get_state().clone(),
        random=torch.random.get_rng_state(), random_cuda=torch.cuda.get_rng_state_all(),
    )
    torch.save(state, f"{path}.new")
    os.replace(f"{path}.new", path)


@variant("checkpoint", replaces="load_checkpoint")
def load_checkpoint_in_another_order(path, model, optimizer, scheduler, generator):
    state = torch.load(path, map_location=torch.device("cpu"), weights_only=True)
    scheduler.load_state_dict(state["scheduler"])
    optimizer.load_state_dict(state["optimizer"])
    model.load_state_dict(state["model"])
    torch.random.set_rng_state(state["random"])
    torch.cuda.set_rng_state_all(state["random_cuda"])
    generator.set_state(state["generator"])
    return dict(state["run"])


# Exercise: fit


@variant("fit")
def by_for_loop(
    model, train_loader, valid_loader, loss_fn, optimizer, scheduler, device, *,
    epochs, patience, max_norm=None, path=None, generator=None,
):  # fmt: skip
    """A for loop that begins where the run was; the books are separate lists."""
    history, best, best_epoch, weights = [], math.inf, 0, copy.deepcopy(model.state_dict())
    if path is not None and os.path.exists(path):
        books = load_checkpoint(path, model, optimizer, scheduler, generator)  # noqa: F821
        history, best, best_epoch, weights = (
            books["history"], books["best"], books["best_epoch"], books["weights"],
        )  # fmt: skip
    for number in range(len(history), epochs):
        if number - best_epoch >= patience:
            break
        row = {"lr": scheduler.get_last_lr()[0]}
        row["train"] = train_one_epoch(  # noqa: F821
            model, train_loader, loss_fn, optimizer, device, max_norm
        )
        row["valid"] = evaluate(model, valid_loader, loss_fn, device)["loss"]  # noqa: F821
        history.append(row)
        scheduler.step()
        if row["valid"] < best:
            best, best_epoch = row["valid"], number + 1
            weights = {name: t.detach().clone() for name, t in model.state_dict().items()}
        if path is not None:
            books = {"history": history, "best": best, "best_epoch": best_epoch,
                     "weights": weights}
            save_checkpoint(path, model, optimizer, scheduler, generator, books)  # noqa: F821
    model.load_state_dict(weights)
    return history


@variant("fit")
def by_history_alone(
    model, train_loader, valid_loader, loss_fn, optimizer, scheduler, device, *,
    epochs, patience, max_norm=None, path=None, generator=None,
):  # fmt: skip
    """Who is best, and for how long, is read from the history."""
    run = {"history": [], "weights": {}}
    if path and Path(path).is_file():  # noqa: F821
        run = load_checkpoint(path, model, optimizer, scheduler, generator)  # noqa: F821

    def impatient():
        scores = [row["valid"] for row in run["history"]]
        return bool(scores) and len(scores) - 1 - scores.index(min(scores)) >= patience

    while len(run["history"]) < epochs and not impatient():
        row = {"lr": optimizer.param_groups[0]["lr"]}
        row["train"] = train_one_epoch(  # noqa: F821
            model, train_loader, loss_fn, optimizer, device, max_norm=max_norm
        )
        row["valid"] = evaluate(model, valid_loader, loss_fn, device)["loss"]  # noqa: F821
        if all(row["valid"] < old["valid"] for old in run["history"]):
            run["weights"] = copy.deepcopy(model.state_dict())
        run["history"].append(row)
        scheduler.step()
        if path:
            save_checkpoint(path, model, optimizer, scheduler, generator, run)  # noqa: F821
    model.load_state_dict(run["weights"])
    return run["history"]


# Exercise: transfer


@variant("transfer", replaces="Transfer")
class FrozenAtEveryPass(nn.Module):
    """Says eval() whenever it is used, and takes detached features."""

    def __init__(self, backbone, num_classes):
        super().__init__()
        old = backbone[-1]
        self.backbone = backbone[:-1]
        for parameter in self.backbone.parameters():
            parameter.requires_grad = False
        self.head = nn.Linear(old.weight.shape[1], num_classes).to(old.weight)

    def train(self, mode=True):
        return super().train(mode)

    def forward(self, x):
        with torch.no_grad():
            features = self.backbone.eval()(x)
        return self.head(features)


@variant("transfer")
def optimizer_of_what_asks_for_gradients(backbone, num_classes, lr=0.1):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(*list(backbone.children())[:-1]).eval()
            last = backbone[len(backbone) - 1]
            self.head = nn.Linear(
                last.in_features, num_classes, dtype=last.weight.dtype, device=last.weight.device
            )
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name.startswith("head"))

        def train(self, mode=True):
            self.training = mode
            self.head.train(mode)
            return self

        def forward(self, x):
            return self.head(self.backbone(x))

    model = Model()
    parameters = filter(lambda p: p.requires_grad, model.parameters())
    return model, torch.optim.SGD(parameters, lr=lr)


# Exercise: speedup


@variant("speedup", replaces="seconds_per_example")
def median_of_the_passes(model, X, repeats=5, clock=time.perf_counter, wait=None):
    wait = wait or (lambda place: None)
    times = []
    with torch.inference_mode():
        for _ in range(repeats + 1):
            wait(X.device)
            before = clock()
            model(X)
            wait(X.device)
            times.append(clock() - before)
    return float(np.median(times[1:])) / X.shape[0]


@variant("speedup")
def device_first(model, X, batch_sizes, place, **options):
    def seconds(net, rows):
        return median_of_the_passes(net, rows, **options)

    on_device = {n: seconds(copy.deepcopy(model).to(place), X[:n].to(place)) for n in batch_sizes}
    return {n: seconds(model, X[:n]) / on_device[n] for n in batch_sizes}


# Exercise: standardize


@variant("standardize", built_in=True)
def by_scikit_learn(X_train, X_other):
    scaler = StandardScaler().fit(X_train.cpu().double())
    return [torch.as_tensor(scaler.transform(X.cpu().double())).to(X) for X in (X_train, X_other)]


@variant("standardize", built_in=True)
def by_batch_norm(X_train, X_other):
    mean, var = X_train.mean(0), X_train.var(0, unbiased=False)
    var = var.masked_fill(var == 0, 1.0)
    return tuple(F.batch_norm(X, mean, var, eps=0.0) for X in (X_train, X_other))


@variant("standardize")
def root_of_mean_square(X_train, X_other):
    centre = X_train.sum(0) / len(X_train)
    spread = ((X_train - centre) ** 2).mean(0).sqrt()
    spread[spread == 0] = 1
    return (X_train - centre) / spread, (X_other - centre) / spread


# Exercise: confusion_matrix


@variant("confusion_matrix", built_in=True)
def by_sklearn_metrics(targets, predictions, num_classes):
    if len(targets) == 0:
        return targets.new_zeros(num_classes, num_classes)
    counts = by_sklearn(targets.cpu(), predictions.cpu(), labels=range(num_classes))
    return torch.as_tensor(counts, device=targets.device)


@variant("confusion_matrix")
def by_accumulation(targets, predictions, num_classes):
    counts = targets.new_zeros(num_classes, num_classes)
    return counts.index_put_((targets, predictions), torch.ones_like(targets), accumulate=True)


@variant("confusion_matrix")
def by_loop(targets, predictions, num_classes):
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=targets.device)
    for truth, said in zip(targets.tolist(), predictions.tolist(), strict=True):
        counts[truth, said] += 1
    return counts


# Exercise: train_tabular


@variant("train_tabular")
def logistic_regression_in_batches(X_train, y_train, X_test, seed, patience=10, max_epochs=300):
    """One linear layer, SGD with momentum, mini-batches, scaled by all of the training rows."""
    generator = torch.Generator().manual_seed(seed)
    place = X_train.device
    mean, std = X_train.mean(0), X_train.std(0).clamp(min=1e-12)
    X, X_test = (X_train - mean) / std, (X_test - mean) / std
    order = torch.randperm(len(X), generator=generator).to(place)
    cut = int(0.8 * len(X))
    fit, valid = order[:cut], order[cut:]
    weight = (0.1 * torch.randn(X.shape[1], generator=generator)).to(place).requires_grad_()
    bias = torch.zeros((), device=place, requires_grad=True)
    optimizer = torch.optim.SGD([weight, bias], lr=0.05, momentum=0.9, weight_decay=1e-3)
    losses, best = [], None
    for _ in range(max_epochs):
        for batch in fit[torch.randperm(cut, generator=generator).to(place)].split(64):
            optimizer.zero_grad()
            logits = X[batch] @ weight + bias
            F.binary_cross_entropy_with_logits(logits, y_train[batch].float()).backward()
            optimizer.step()
        with torch.no_grad():
            logits = X[valid] @ weight + bias
            loss = F.binary_cross_entropy_with_logits(logits, y_train[valid].float()).item()
        if not losses or loss < min(losses):
            best = weight.detach().clone(), bias.detach().clone()
        losses.append(loss)
        if len(losses) - 1 - losses.index(min(losses)) >= patience:
            break
    return (X_test @ best[0] + best[1] > 0).long(), losses


@variant("train_tabular")
def dropout_and_a_state_dict(X_train, y_train, X_test, seed, patience=10, max_epochs=300):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        n = len(X_train)
        held = torch.rand(n, device=X_train.device).argsort() < n // 5
        mean = X_train[~held].mean(0, keepdim=True)
        std = X_train[~held].std(0, keepdim=True) + 1e-9
        net = nn.Sequential(
            nn.Linear(X_train.size(1), 32), nn.Tanh(), nn.Dropout(0.2), nn.Linear(32, 2)
        ).to(X_train.device)
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=1e-3)
        losses, lowest, since = [], float("inf"), 0
        for _ in range(max_epochs):
            net.train()
            optimizer.zero_grad()
            F.cross_entropy(net((X_train[~held] - mean) / std), y_train[~held]).backward()
            optimizer.step()
            net.eval()
            with torch.no_grad():
                loss = F.cross_entropy(net((X_train[held] - mean) / std), y_train[held]).item()
            losses.append(loss)
            since += 1
            if loss < lowest:
                lowest, since = loss, 0
                state = {name: t.clone() for name, t in net.state_dict().items()}
            if since == patience:
                break
        net.load_state_dict(state)
        with torch.no_grad():
            return net((X_test - mean) / std).argmax(-1), losses


# Exercise: train_digits


@variant("train_digits")
def one_convolution_and_dropout(X_train, y_train, X_test, seed):
    """No normalization: one convolution, dropout, a hidden layer; a cosine from a high rate."""
    np_rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    convolution, hidden, out = nn.Conv2d(1, 32, 3), nn.Linear(288, 64), nn.Linear(64, 10)
    layers = nn.ModuleList([convolution, hidden, out]).to(X_train.device)

    def logits(x, p):
        h = F.max_pool2d(convolution(x.view(-1, 1, 8, 8) / 16).relu(), 2).flatten(1)
        return out(hidden(F.dropout(h, p, training=p > 0)).relu())

    epochs, size = 14, 64
    optimizer = torch.optim.Adam(layers.parameters(), lr=0.01)
    steps = epochs * -(-len(X_train) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
    for _ in range(epochs):
        order = torch.as_tensor(np_rng.permutation(len(X_train)), device=X_train.device)
        for batch in order.split(size):
            optimizer.zero_grad(set_to_none=False)
            F.nll_loss(logits(X_train[batch], 0.3).log_softmax(1), y_train[batch]).backward()
            optimizer.step()
            schedule.step()
    return logits(X_test, 0.0).detach().sort(dim=1).indices[:, -1]


@variant("train_digits")
def convolutions_without_a_schedule(X_train, y_train, X_test, seed):
    """Larger convolutions, dropout, SGD with momentum; the learning rate falls in steps."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10),
        ).to(X_train.device)
        data = torch.utils.data.TensorDataset(X_train / 8 - 1, y_train)
        loader = torch.utils.data.DataLoader(data, batch_size=50, shuffle=True)
        for lr in (0.1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.004):
            optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.5)
            for x, y in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(x), y, label_smoothing=0.05).backward()
                optimizer.step()
        net.eval()
        with torch.inference_mode():
            return net(X_test / 8 - 1).max(1).indices.clone()

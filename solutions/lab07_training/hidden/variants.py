"""Lab 07: other right implementations, torch's and scikit-learn's built-ins among them; all get
full marks."""

import copy
import time

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix as by_sklearn
from sklearn.preprocessing import StandardScaler
from torch import nn

from course_utils.testing import variant

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

"""Lab 05: other right implementations, torch's built-ins among them; all get full marks."""

import copy
import math
from contextlib import contextmanager

import sympy as sp
import torch
import torch.nn.functional as F

from course_utils.testing import variant

# Exercise: dropout_moments


@variant("dropout_moments", replaces="masked_mean")
def mean_by_cases(z, p):
    return 0 * p + z * (1 - p)


@variant("dropout_moments", replaces="masked_var")
def variance_from_second_moment(z, p):
    return (1 - p) * z**2 - ((1 - p) * z) ** 2


@variant("dropout_moments", replaces="dropout_scale")
def scale_as_power(p):
    return (1 - p) ** -1


@variant("dropout_moments", replaces="scaled_var")
def scaled_variance_from_second_moment(z, p):
    return z**2 / (1 - p) - z**2


# Exercise: dropout


@contextmanager
def seeded_from(generator):
    """Inside, torch's global generator is seeded from the one that was passed."""
    device = "cpu" if generator is None else generator.device
    seed = int(torch.randint(2**31, (1,), generator=generator, device=device))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@variant("dropout", built_in=True)
def functional_under_forked_rng(x, p=0.5, training=True, generator=None):
    with seeded_from(generator):
        return F.dropout(x, p, training)


@variant("dropout")
def by_bernoulli(x, p=0.5, training=True, generator=None):
    if not training or p == 0:
        return x.clone()
    if p == 1:
        return torch.zeros_like(x)
    mask = torch.bernoulli(torch.full(x.shape, 1 - p, device=x.device), generator=generator)
    return x * (mask / (1 - p)).to(x.dtype)


@variant("dropout")
def in_place_on_a_copy(x, p=0.5, training=True, generator=None):
    out = x.clone()
    if training:
        dropped = torch.rand(x.T.shape if x.ndim == 2 else x.shape, generator=generator,
                             device=x.device) < p
        out = out.masked_fill_(dropped.T if x.ndim == 2 else dropped, 0)
        if p < 1:
            out = out.mul_(1 / (1 - p))
    return out


@variant("dropout")
def row_by_row(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    flat = x.reshape(-1)
    pieces = []
    for piece in flat.split(10_000):
        noise = torch.empty(piece.shape, device=x.device).uniform_(generator=generator)
        pieces.append(torch.where(noise < 1 - p, piece / max(1 - p, 1e-30), 0 * piece))
    return torch.cat(pieces).reshape(x.shape)


@variant("dropout")
def where_kept(x, p=0.5, training=True, generator=None):
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = torch.rand(x.shape, generator=generator, device=x.device) > p
    return torch.where(mask, x / (1 - p), 0.0)


@variant("dropout")
def mask_in_xs_dtype(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = (torch.rand(x.shape, generator=generator, device=x.device) > p).to(x.dtype)
    return mask * x / (1.0 - p)


@variant("dropout")
def keep_probability_first(x, p=0.5, training=True, generator=None):
    keep = 1 - p
    if not training or keep == 1:
        return x
    if keep == 0:
        return torch.zeros_like(x)
    mask = (torch.rand(x.shape, generator=generator, device=x.device) < keep).to(x.dtype)
    return x * mask / keep


@variant("dropout")
def scale_in_front(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    scale = 1 / (1 - p)
    dropped = torch.rand(x.shape, generator=generator, device=x.device) < p
    return x.masked_fill(dropped, 0.0) * scale


# Exercise: dropout_backward


@variant("dropout_backward")
def by_torch_masked_scale(upstream, mask, p):
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return torch.ops.aten.native_dropout_backward(upstream, mask.bool(), scale)


@variant("dropout_backward", built_in=True)
def by_autograd(upstream, mask, p):
    z = torch.ones_like(upstream).requires_grad_()
    y = z * mask.to(upstream.dtype) / (1 - p if p < 1 else 1)
    return torch.autograd.grad(y, z, upstream)[0]


@variant("dropout_backward")
def backward_by_where(upstream, mask, p):
    return torch.where(mask.bool(), upstream / max(1 - p, 1e-30), torch.zeros_like(upstream))


@variant("dropout_backward")
def backward_by_keep_probability(upstream, mask, p):
    keep = 1 - p
    if keep == 0:
        return torch.zeros_like(upstream)
    return (upstream * mask / keep).to(upstream.dtype)


# Exercise: Dropout


@variant("Dropout", built_in=True)
class torch_layer(torch.nn.Dropout):  # noqa: N801 - a variant's name
    def __init__(self, p=0.5, generator=None):
        super().__init__(p)
        self.generator = generator

    def forward(self, x):
        with seeded_from(self.generator):
            return super().forward(x)


@variant("Dropout")
class layer_by_train(torch.nn.Module):  # noqa: N801
    def __init__(self, p=0.5, generator=None):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError("p must be a probability")
        self.keep, self.source = 1 - p, generator

    def forward(self, x):
        if self.training:
            mask = torch.rand(x.shape, generator=self.source, device=x.device) < self.keep
            return x * mask / self.keep if self.keep else x * 0
        return x


@variant("Dropout")
class layer_with_own_mask(torch.nn.Module):  # noqa: N801
    def __init__(self, p=0.5, generator=None):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError("p must be a probability")
        self.p = p
        self.generator = generator

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        mask = torch.rand(x.shape, generator=self.generator, device=x.device) > self.p
        return x * mask / (1.0 - self.p)


# Exercise: drop_connect


@variant("drop_connect")
def functional_on_the_weight(x, weight, bias=None, p=0.5, training=True, generator=None):
    with seeded_from(generator):
        return F.linear(x, F.dropout(weight, p, training), bias)


@variant("drop_connect")
def addmm_with_bernoulli(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training:
        probabilities = torch.full(weight.T.shape, 1 - p, device=weight.device)
        mask = torch.bernoulli(probabilities, generator=generator).T.to(weight.dtype)
        weight = weight * (mask / (1 - p) if p < 1 else mask)
    if bias is None:
        return torch.einsum("ni,oi->no", x, weight)
    return torch.addmm(bias, x, weight.T)


@variant("drop_connect")
def guard_in_front(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training and p == 1:
        weight = torch.zeros_like(weight)
    elif training:
        mask = (torch.rand(weight.shape, generator=generator, device=weight.device) > p)
        weight = weight * mask / (1 - p)
    return F.linear(x, weight, bias)


# Exercise: map_l2


@variant("map_l2", replaces="log_prior")
def log_of_the_density(theta, sigma):
    return sp.log(sp.exp(-(theta**2) / (2 * sigma**2)) / sp.sqrt(2 * sp.pi * sigma**2))


@variant("map_l2", replaces="map_objective")
def objective_with_constant(l_1, l_2, l_3, theta, sigma):
    density = sp.exp(-(theta**2) / (2 * sigma**2)) / sp.sqrt(2 * sp.pi * sigma**2)
    return -sp.log(sp.exp(-(l_1 + l_2 + l_3))) - sp.log(density)


@variant("map_l2", replaces="lambda_for_sum")
def lambda_as_curvature(sigma):
    theta = sp.Symbol("t", real=True)
    return sp.diff(theta**2 / (2 * sigma**2), theta, 2)


@variant("map_l2", replaces="lambda_for_mean")
def lambda_for_mean_by_quotient(sigma, n):
    return sigma**-2 / n


# Exercise: l2_penalty


@variant("l2_penalty")
def by_torch_norm(model):
    weights = [w.reshape(-1) for w in model.parameters() if w.ndim >= 2]
    return torch.linalg.vector_norm(torch.cat(weights)) ** 2 / 2


@variant("l2_penalty")
def by_mse_loss(model):
    total = torch.zeros((), device=next(model.parameters()).device)
    for w in model.parameters():
        if w.dim() > 1:
            total = total + F.mse_loss(w, torch.zeros_like(w), reduction="sum")
    return 0.5 * total


@variant("l2_penalty")
def by_dot_products(model):
    flat = [w.flatten() for w in model.parameters() if len(w.shape) != 1]
    return 0.5 * torch.stack([w @ w for w in flat]).sum()


# Exercise: l1_step


@variant("l1_step", built_in=True)
def by_softshrink(theta, lr, lam):
    return F.softshrink(theta, lr * lam)


@variant("l1_step")
def by_relu(theta, lr, lam):
    return torch.relu(theta - lr * lam) - torch.relu(-theta - lr * lam)


@variant("l1_step")
def sign_times_rest(theta, lr, lam):
    return torch.sign(theta) * torch.clamp(torch.abs(theta) - lr * lam, min=0)


@variant("l1_step")
def entry_by_entry(theta, lr, lam):
    out = theta.clone()
    flat = out.view(-1)
    for i, value in enumerate(flat.tolist()):
        flat[i] = value - math.copysign(min(lr * lam, abs(value)), value)
    return out


@variant("l1_step")
def by_where_outside(theta, lr, lam):
    moved = theta - lr * lam * torch.sign(theta)
    return torch.where(theta.abs() > lr * lam, moved, 0.0)


# Exercise: EarlyStopping


@variant("EarlyStopping")
class by_plateau_scheduler:  # noqa: N801
    """torch's ReduceLROnPlateau knows when it has lost patience."""

    def __init__(self, patience, min_delta=0.0, mode="min"):
        self.optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, mode=mode, patience=patience - 1, threshold=min_delta,
            threshold_mode="abs",
        )
        self.copy = None

    @property
    def best(self):
        return self.plateau.best

    def step(self, score, model):
        before = self.plateau.best
        self.plateau.step(score)
        if self.plateau.best != before:
            self.copy = copy.deepcopy(model.state_dict())
        return self.optimizer.param_groups[0]["lr"] < 1

    def restore(self, model):
        model.load_state_dict(self.copy)


@variant("EarlyStopping")
class by_history:  # noqa: N801
    """Keeps a whole copy of the model, and the epoch of the best score."""

    def __init__(self, patience, min_delta=0.0, mode="min"):
        self.patience, self.min_delta, self.higher = patience, min_delta, mode == "max"
        self.best, self.best_epoch, self.epoch, self.model = None, 0, 0, None

    def step(self, score, model):
        self.epoch += 1
        gain = 0.0
        if self.best is not None:
            gain = score - self.best if self.higher else self.best - score
        if self.best is None or gain > self.min_delta:
            self.best, self.best_epoch, self.model = score, self.epoch, copy.deepcopy(model)
        return self.epoch - self.best_epoch >= self.patience

    def restore(self, model):
        with torch.no_grad():
            own, kept = model.state_dict(), self.model.state_dict()
            for name, tensor in own.items():
                tensor.copy_(kept[name])


@variant("EarlyStopping")
class two_comparisons:  # noqa: N801
    def __init__(self, patience, min_delta=0.0, mode="min"):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = float("inf") if mode == "min" else -float("inf")
        self.counter = 0

    def step(self, score, model):
        if self.mode == "min":
            improved = score < self.best - self.min_delta
        else:
            improved = score > self.best + self.min_delta
        if improved:
            self.best = score
            self.state = copy.deepcopy(model.state_dict())
            self.counter = 0
        else:
            self.counter += 1
        return self.counter >= self.patience

    def restore(self, model):
        model.load_state_dict(self.state)


# Exercise: mixup


@variant("mixup")
def by_lerp(x, y, lam, generator=None):
    order = torch.argsort(torch.rand(len(x), generator=generator, device=x.device))
    return torch.lerp(x[order], x, lam), torch.lerp(y[order], y, lam)


@variant("mixup")
def mixed_one_by_one(x, y, lam, generator=None):
    order = torch.randperm(len(x), generator=generator, device=x.device).tolist()
    mixed = [x[i] * lam + x[j] * (1 - lam) for i, j in enumerate(order)]
    targets = [y[i] * lam + y[j] * (1 - lam) for i, j in enumerate(order)]
    return torch.stack(mixed), torch.stack(targets)


@variant("mixup")
def line_by_line(x, y, lam, generator=None):
    index = torch.randperm(x.size(0), generator=generator, device=x.device)
    mixed_x = lam * x + (1 - lam) * x[index, :]
    mixed_y = lam * y + (1 - lam) * y[index, :]
    return mixed_x, mixed_y


# Exercise: cutout


@variant("cutout")
def by_dilation(x, size, generator=None):
    """A single pixel, dilated by torch's max_pool2d, is the box."""
    n, _, height, width = x.shape
    if size == 0:
        return x.clone()
    pixel = torch.randint(height * width, (n,), generator=generator, device=x.device)
    centre = F.one_hot(pixel, height * width).to(x.dtype).reshape(n, 1, height, width)
    before, after = size - 1 - size // 2, size // 2  # a pixel sees centres after and before it
    padded = F.pad(centre, (before, after, before, after))
    return x * (F.max_pool2d(padded, size, stride=1) == 0)


@variant("cutout")
def image_by_image(x, size, generator=None):
    out = x.clone()
    height, width = x.shape[-2:]
    for image in out:
        cx = int(torch.randint(0, width, (), generator=generator, device=x.device))
        cy = int(torch.randint(0, height, (), generator=generator, device=x.device))
        top, left = cy - size // 2, cx - size // 2
        image[:, max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = 0.0
    return out


@variant("cutout")
def by_masks(x, size, generator=None):
    n, _, height, width = x.shape
    cy = torch.randint(height, (n, 1, 1, 1), generator=generator, device=x.device)
    cx = torch.randint(width, (n, 1, 1, 1), generator=generator, device=x.device)
    rows = torch.arange(height, device=x.device).reshape(1, 1, -1, 1) - (cy - size // 2)
    columns = torch.arange(width, device=x.device).reshape(1, 1, 1, -1) - (cx - size // 2)
    hole = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
    return x.masked_fill(hole, 0.0)


@variant("cutout")
def mask_of_ones(x, size, generator=None):
    n, _, h, w = x.shape
    mask = torch.ones(n, 1, h, w, dtype=x.dtype, device=x.device)
    for i in range(n):
        y = torch.randint(0, h, (1,), generator=generator, device=x.device).item()
        x_ = torch.randint(0, w, (1,), generator=generator, device=x.device).item()
        y1, x1 = max(y - size // 2, 0), max(x_ - size // 2, 0)
        y2, x2 = min(y - size // 2 + size, h), min(x_ - size // 2 + size, w)
        mask[i, :, y1:y2, x1:x2] = 0
    return x * mask


# Exercise: cutmix


@variant("cutmix")
def by_where(x, y, lam, generator=None):
    """A mask of the box, torch.where for the pixels, the mask's mean for the labels."""
    height, width = x.shape[-2:]
    rows, columns = int(height * math.sqrt(1 - lam)), int(width * math.sqrt(1 - lam))
    cx = torch.randint(width, (), generator=generator, device=x.device)
    cy = torch.randint(height, (), generator=generator, device=x.device)
    down = torch.arange(height, device=x.device) - (cy - rows // 2)
    across = torch.arange(width, device=x.device) - (cx - columns // 2)
    box = ((down >= 0) & (down < rows))[:, None] & ((across >= 0) & (across < columns))
    order = torch.randperm(len(x), generator=generator, device=x.device)
    share = box.to(y.dtype).mean()
    return torch.where(box, x[order], x), torch.lerp(y, y[order], share)


@variant("cutmix")
def by_clamped_corners(x, y, lam, generator=None):
    order = torch.argsort(torch.rand(len(x), generator=generator, device=x.device))
    size = torch.tensor(x.shape[-2:])
    sides = (size * (1 - lam) ** 0.5).int()
    draw = torch.rand(2, generator=generator, device=x.device).cpu()
    start = (draw * size).int() - sides // 2
    top, left = start.clamp(min=0).tolist()
    bottom, right = torch.minimum(start + sides, size).tolist()
    out = x.clone()
    out[..., top:bottom, left:right] = x[order][..., top:bottom, left:right]
    own = 1 - (bottom - top) * (right - left) / int(size.prod())
    return out, own * y + (1 - own) * y[order]


@variant("cutmix")
def corners_clipped(x, y, lam, generator=None):
    h, w = x.size(2), x.size(3)
    cut_rat = math.sqrt(1.0 - lam)
    cut_h, cut_w = int(h * cut_rat), int(w * cut_rat)
    cy = torch.randint(h, (1,), generator=generator, device=x.device).item()
    cx = torch.randint(w, (1,), generator=generator, device=x.device).item()
    y1, x1 = max(cy - cut_h // 2, 0), max(cx - cut_w // 2, 0)
    y2, x2 = min(cy - cut_h // 2 + cut_h, h), min(cx - cut_w // 2 + cut_w, w)
    index = torch.randperm(x.size(0), generator=generator, device=x.device)
    out = x.clone()
    out[:, :, y1:y2, x1:x2] = x[index, :, y1:y2, x1:x2]
    lam = 1 - (y2 - y1) * (x2 - x1) / (h * w)
    return out, lam * y + (1 - lam) * y[index]


# Exercise: ensemble_variance


@variant("ensemble_variance", replaces="uncorrelated_var")
def sum_of_variances_times_square(var, n):
    return (1 / n) ** 2 * n * var


@variant("ensemble_variance", replaces="correlated_var")
def variances_and_covariances(var, n, rho):
    return (n * var + n * (n - 1) * rho * var) / n**2


# Exercise: ensemble_predict


@variant("ensemble_predict")
def by_mixture_distribution(models, X):
    """torch.distributions knows what a uniform mixture of classifiers predicts."""
    modes = [model.training for model in models]
    with torch.inference_mode():
        logits = torch.stack([model.eval()(X) for model in models], dim=1)
    for model, mode in zip(models, modes, strict=True):
        model.train(mode)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits.new_ones(len(models))),
        torch.distributions.Categorical(logits=logits),
    )
    classes = torch.arange(logits.shape[-1], device=X.device)
    return torch.stack([mixture.log_prob(k) for k in classes], -1).exp()


@variant("ensemble_predict")
@torch.no_grad()
def stacked_softmax(models, X):
    probabilities = []
    for model in models:
        mode = model.training
        probabilities.append(F.softmax(model.train(False)(X), dim=1))
        model.train(mode)
    return torch.stack(probabilities).mean(dim=0)


# Exercise: break_it


@variant("break_it", replaces="where_they_agree")
def agree_on_a_row():
    return 0.5, torch.arange(1, 6, dtype=torch.float64)


@variant("break_it", replaces="where_they_differ")
def differ_below_a_half():
    return 0.2, torch.full((3, 4, 2), 7.0)


# Exercise: bug_hunt


@variant("bug_hunt", replaces="failing_input")
def many_examples():
    return torch.zeros(50), torch.ones(2, 3), 0.5


@variant("bug_hunt", replaces="map_loss")
def by_torch_normal(nll, theta, sigma):
    prior = torch.distributions.Normal(torch.zeros_like(theta), sigma)
    return nll.sum() - (prior.log_prob(theta) - prior.log_prob(torch.zeros_like(theta))).sum()


@variant("bug_hunt", replaces="map_loss")
def one_loss_after_another(nll, theta, sigma):
    total = 0.5 * theta.pow(2).sum() / sigma**2
    for loss in nll:
        total = total + loss
    return total


# Exercise: classic_dropout


@variant("classic_dropout")
def classic_by_where(x, p=0.5, training=True, generator=None):
    if training:
        dropped = torch.rand(x.shape, generator=generator, device=x.device) < p
        return torch.where(dropped, torch.zeros_like(x), x)
    return x - p * x


@variant("classic_dropout")
def classic_by_bernoulli(x, p=0.5, training=True, generator=None):
    mask = torch.full_like(x, 1 - p)
    return x * torch.bernoulli(mask, generator=generator) if training else x * mask


# Exercise: random_shift


@variant("random_shift")
def shift_by_roll(x, largest, generator=None):
    """Roll, then clear what came in again at the other side."""
    out = x.clone()
    moves = torch.randint(
        -largest, largest + 1, (len(x), 2), generator=generator, device=x.device
    )
    for image, (down, right) in zip(out, moves.tolist(), strict=True):
        image[:] = image.roll((down, right), (1, 2))
        image[:, : max(down, 0)] = 0
        image[:, image.shape[1] + min(down, 0) :] = 0
        image[:, :, : max(right, 0)] = 0
        image[:, :, image.shape[2] + min(right, 0) :] = 0
    return out


@variant("random_shift")
def shift_by_slices(x, largest, generator=None):
    """Copies the part that stays into a picture of zeros."""
    out = torch.zeros_like(x)
    height, width = x.shape[-2:]
    for i in range(len(x)):
        down, right = (
            int(torch.randint(2 * largest + 1, (1,), generator=generator, device=x.device))
            - largest
            for _ in range(2)
        )
        rows = slice(max(down, 0), height + min(down, 0))
        columns = slice(max(right, 0), width + min(right, 0))
        from_rows = slice(max(-down, 0), height + min(-down, 0))
        from_columns = slice(max(-right, 0), width + min(-right, 0))
        out[i, :, rows, columns] = x[i, :, from_rows, from_columns]
    return out


# Exercise: mixup_share


@variant("mixup_share")
def share_by_numpy(alpha, generator):
    """NumPy draws, from a seed that the generator gives."""
    import numpy as np

    seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


@variant("mixup_share")
def share_by_two_powers(alpha, generator):
    """Jöhnk: of u^(1/α) and w^(1/α) whose sum is at most 1, the first's share of the sum."""
    while True:
        u, w = torch.rand(
            2, generator=generator, device=generator.device, dtype=torch.float64
        ).tolist()
        u, w = u ** (1 / alpha), w ** (1 / alpha)
        if 0 < u + w <= 1:
            return u / (u + w)


# Exercise: bootstrap


@variant("bootstrap")
def bootstrap_by_floor(n, generator):
    drawn = torch.rand(n, generator=generator, device=generator.device, dtype=torch.float64)
    return (n * drawn).long()


@variant("bootstrap")
def bootstrap_by_multinomial(n, generator):
    weights = torch.ones(n, device=generator.device)
    return torch.multinomial(weights, n, replacement=True, generator=generator)


# Exercise: average_checkpoints


@variant("average_checkpoints")
def average_in_a_loop(states):
    """Adds up in a copy of the first."""
    averaged = {name: tensor.clone() for name, tensor in states[0].items()}
    for state in states[1:]:
        for name, tensor in state.items():
            if tensor.is_floating_point():
                averaged[name] += tensor
            else:
                averaged[name] = tensor.clone()
    return {
        name: tensor / len(states) if tensor.is_floating_point() else tensor
        for name, tensor in averaged.items()
    }


@variant("average_checkpoints")
def average_by_weights(states):
    """A weighted sum, with the same weight for all."""
    share = 1 / len(states)
    return {
        name: sum(share * state[name] for state in states) if last.dtype.is_floating_point
        else torch.as_tensor(last.item(), device=last.device)
        for name, last in states[-1].items()
    }

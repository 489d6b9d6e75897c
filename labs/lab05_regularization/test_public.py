"""Lab 05, the tests that you can read: dropout, L2 and L1, early stopping, mixing, ensembles.

The oracle is torch, executed. Where a right answer is random, a test looks at its structure (which
ratios out / x occur, how many rows of the mask differ) or at a count over many draws; a right
answer is turned away less often than once in ten million runs, whatever order it draws in.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.testing import assert_close, assert_rate, assert_unmodified, exercise, probe

HINTS = {
    "dropout_moments": [
        "m is 1 with probability 1 − p and 0 with probability p; z is a fixed number.",
        "E[m²] = E[m] because m is 0 or 1, and Var(m) = E[m²] − E[m]². A factor leaves a variance "
        "squared.",
        "At z = 3 and p = 0.25: mean 2.25, variance 1.6875, factor 1.3333, variance after scaling "
        "3.",
    ],
    "dropout": [
        "Draw one number for every entry of x, on x's device, with the generator you are given.",
        "Keep an entry where its uniform number is ≥ p; divide the kept ones by the probability of "
        "being kept; return x itself at evaluation. What is 0/0 at p = 1?",
        "With x all ones and p = 0.2 every entry of the result is 0 or 1.25.",
    ],
    "dropout_backward": [
        "In the backward pass the mask is a known number, no longer a random one.",
        "y = m·z/(1 − p) is linear in z: its slope is the same factor that multiplied z.",
        "upstream 3, mask 1, p = 0.25 gives 4; mask 0 gives 0.",
    ],
    "Dropout": [
        "nn.Module already keeps the switch: self.training.",
        "model.eval() calls train(False) on every child, so do not write your own eval().",
        "In training with p = 0.8 about 80 of 100 entries are 0; after .eval() none is.",
    ],
    "drop_connect": [
        "What is dropped is an entry of the weight matrix, not an activation.",
        "Draw a mask of weight's shape, once a call; scale it; then compute x Wᵀ + b. The bias "
        "stays.",
        "With weight all 1, x = [[1, 0]], no bias and p = 0.5, every output is 0 or 2.",
    ],
    "map_l2": [
        "Take −log of likelihood × prior; the product over examples becomes a sum, the prior stays "
        "one term.",
        "Compare θ²/(2σ²) with ½λθ². Dividing the whole objective by n divides the prior's term "
        "too.",
        "At σ = 2 and n = 10: λ = 0.25 for the sum of losses, 0.025 for their mean.",
    ],
    "l2_penalty": [
        "Walk over model.parameters(); what distinguishes a weight matrix from a bias?",
        "A bias has one axis, a weight two or more. Keep everything in torch, so that gradients "
        "flow.",
        "A Linear(1, 1) with weight 3 and bias 7 has the penalty 4.5.",
    ],
    "l1_step": [
        "Every entry moves towards zero by the same length. What if it is nearer to zero than "
        "that?",
        "The step is min(αλ, |θ|) in the direction −sign θ.",
        "With lr 0.1 and lam 5: 2 → 1.5, −2 → −1.5, 0.3 → 0.",
    ],
    "EarlyStopping": [
        "Keep three things: the best score so far, how many epochs in a row were no better, and a "
        "copy of the weights at the best one.",
        "state_dict() hands out the model's own tensors; clone them. An epoch is better only when "
        "it beats the best by more than min_delta.",
        "patience 2, scores 3, 2, 2.5, 2.6: step returns False, False, False, True, and restore "
        "brings back the weights of the second epoch.",
    ],
    "mixup": [
        "Draw one permutation and use it twice.",
        "λ·(own) + (1 − λ)·(partner's), for the inputs and for the targets.",
        "λ = 0.75, inputs 0 and 4 that are each other's partner: 1 and 3; their targets 0.75/0.25 "
        "and 0.25/0.75.",
    ],
    "cutout": [
        "Draw a centre among all pixels for every image; the square may stick out.",
        "Rows from cy − size//2 to cy − size//2 + size; clip both ends to the image before you "
        "slice, or compare pixel numbers with them.",
        "size 5 centred on the corner pixel leaves a hole of 3 × 3.",
    ],
    "cutmix": [
        "First the box, then its real area, and from that the weights of the labels.",
        "The sides are int(H√(1 − λ)) and int(W√(1 − λ)); after clipping, count the pixels "
        "that are left in the box.",
        "10 × 14 pixels, λ = 0.75: the box is 5 × 7 and the partner's label weighs 0.25; clipped "
        "to 3 × 4 it weighs 12/140.",
    ],
    "ensemble_variance": [
        "Var(a·X) = a²·Var(X), and variances of uncorrelated errors add.",
        "There are n variances and n(n − 1) covariances in Var(Σ ε_i); the factor 1/n comes out "
        "squared.",
        "Var 4, n = 8: 0.5 when uncorrelated, 2.25 with ρ = 0.5.",
    ],
    "ensemble_predict": [
        "Each model gives logits; turn them into probabilities before you average.",
        "Switch each model to eval, run it without a graph, and put it back into the mode it "
        "came in.",
        "Two models with probabilities (0.9, 0.1) and (0.3, 0.7): the ensemble says (0.6, 0.4).",
    ],
    "break_it": [
        "Only the factor differs: 1/p against 1/(1 − p).",
        "For which p are the two factors one number?",
        "At p = 0.8 the survivors are 5x and 1.25x.",
    ],
    "bug_hunt": [
        "Write the printed sum out for one example, then for two.",
        "The prior belongs to the parameters, and there is one set of parameters.",
        "nll (1, 2), theta (2,), sigma 1: the printed code gives 7; the objective is 5.",
    ],
}

DERIVATION = {
    "dropout_moments": "section 1, steps 1 to 4",
    "dropout": "section 1, step 3: the factor is fixed by E[y] = z",
    "dropout_backward": "section 1, 'backwards': y = m·z/(1 − p) is linear in z",
    "Dropout": "the Conventions box: who decides between training and evaluation",
    "drop_connect": "section 1, 'dropping weights': the same mask idea, on W",
    "map_l2": "section 2, steps 1 to 4: where the product over examples ends",
    "l2_penalty": "section 2: ½λ‖θ‖², over weights only",
    "l1_step": "section 2, 'the corner at zero': why the step is clipped",
    "EarlyStopping": "section 3: better by more than min_delta, else one epoch less patience",
    "mixup": "section 4: one partner for the image and for its label",
    "cutout": "section 4: centre anywhere, box clipped at the border",
    "cutmix": "section 4: the label's weight is the area that was really pasted",
    "ensemble_variance": "section 5, steps 1 and 2",
    "ensemble_predict": "section 5: which outputs are averaged",
    "break_it": "section 1, step 3",
    "bug_hunt": "section 2, step 2: the prior is outside the product",
}


class Reference:
    """torch with the exercises' signatures."""

    @staticmethod
    def masked_mean(z, p):
        return float(torch.distributions.Bernoulli(1 - _double(p)).mean * z)

    @staticmethod
    def masked_var(z, p):
        return float(torch.distributions.Bernoulli(1 - _double(p)).variance * z**2)

    @staticmethod
    def dropout_scale(p):
        return float(torch.distributions.Bernoulli(1 - _double(p)).mean.reciprocal())

    @staticmethod
    def scaled_var(z, p):
        mask = torch.distributions.Bernoulli(1 - _double(p))
        return float(mask.variance * (z / mask.mean) ** 2)

    @staticmethod
    def dropout(x, p=0.5, training=True, generator=None):
        with torch.random.fork_rng():
            # The generator's seed rather than a draw: a reference needs no fresh mask a call.
            torch.manual_seed(generator.initial_seed() if generator else 0)
            return F.dropout(x, p, training)

    @staticmethod
    def log_prior(theta, sigma):
        return float(torch.distributions.Normal(_double(0), _double(sigma)).log_prob(
            _double(theta)))

    @staticmethod
    def map_loss(nll, theta, sigma):
        prior = torch.distributions.Normal(torch.zeros_like(theta), sigma)
        constant = prior.log_prob(torch.zeros_like(theta)).sum()
        return nll.sum() - (prior.log_prob(theta).sum() - constant)

    @staticmethod
    def penalty_strength(sigma, n):
        """The curvature of (Σ losses − log prior) / n in θ, where the losses are constant."""
        theta = _double(0.7).requires_grad_()
        prior = torch.distributions.Normal(_double(0), _double(sigma))
        (slope,) = torch.autograd.grad(-prior.log_prob(theta) / n, theta, create_graph=True)
        return float(torch.autograd.grad(slope, theta)[0])

    @staticmethod
    def l1_step(theta, lr, lam):
        return F.softshrink(theta, lr * lam)

    @staticmethod
    def early_stopping(scores, patience, min_delta=0.0, mode="min"):
        """When torch's plateau scheduler loses patience, and which epoch it thinks the best."""
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, patience=patience - 1, threshold=min_delta,
            threshold_mode="abs",
        )
        stopped, best, epoch = False, 0, 0
        for epoch, score in enumerate(scores):
            before = plateau.best
            plateau.step(score)
            best = epoch if plateau.best != before else best
            stopped = optimizer.param_groups[0]["lr"] < 1.0
            if stopped:
                break
        return {
            "epochs": epoch + 1, "stopped": stopped, "restored": float(best),
            "best": float(plateau.best),
        }

    @staticmethod
    def cut_masks(height, width, box_height, box_width):
        """For every pixel as centre, the image of the box around it (odd sides): a dilation."""
        centres = torch.eye(height * width).reshape(-1, 1, height, width)
        return F.max_pool2d(
            centres, (box_height, box_width), stride=1, padding=(box_height // 2, box_width // 2)
        )[:, 0].bool()

    @staticmethod
    def cut_sizes(height, width, box_height, box_width):
        """All sizes that a box has after clipping, sorted."""
        masks = Reference.cut_masks(height, width, box_height, box_width)
        sizes = {(int(m.any(1).sum()), int(m.any(0).sum())) for m in masks}
        return [list(size) for size in sorted(sizes)]

    @staticmethod
    def ensemble_variance(var, n, rho):
        covariance = var * (rho * torch.ones(n, n) + (1 - rho) * torch.eye(n)).double()
        mean = torch.full((n,), 1 / n, dtype=torch.float64)
        return float(mean @ covariance @ mean)

    @staticmethod
    def mixture(logits):
        """Class probabilities of a uniform mixture of classifiers; logits (models, n, K)."""
        models, _, classes = logits.shape
        mixture = torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(logits.new_ones(models)),
            torch.distributions.Categorical(logits=logits.transpose(0, 1)),
        )
        labels = torch.arange(classes, device=logits.device)
        return torch.stack([mixture.log_prob(k) for k in labels], 1).exp()


def _double(value):
    return torch.as_tensor(float(value), dtype=torch.float64)


# Probes: they run next to your code and return what they see, so that no test depends on the order
# in which you draw random numbers.


@probe
def values_at(student, name, variables, points):
    """The function's expression in the named symbols, evaluated at each point."""
    import sympy

    expression = sympy.sympify(
        getattr(student, name)(*(sympy.Symbol(v, real=True) for v in variables))
    )
    values = []
    for point in points:
        known = dict(zip(variables, point, strict=True))
        number = expression.subs(
            {s: known[s.name] for s in expression.free_symbols if s.name in known}
        )
        try:
            values.append(float(number))
        except TypeError:  # a symbol is left, or the expression is infinite there
            values.append(float("nan"))
    return values


def _survivor_ratios(student, x, p, training, seed):
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.dropout(x, p, training, generator)
    ratios = (out.double() / x.double()).cpu().numpy().round(6) + 0.0
    return np.unique(ratios)[:6].tolist()


survivor_ratios = probe(_survivor_ratios)


@probe
def drop_rate(student, p, seed, device):
    """The share of zeros among 250,000 entries, to the nearest hundredth that is even."""
    generator = torch.Generator(device=device).manual_seed(seed)
    out = student.dropout(torch.ones(1, 250_000, device=device), p, True, generator)
    return round(float((out == 0).double().mean()) / 0.02) * 0.02


@probe
def mask_variety(student, x, p, seed):
    """How many rows and how many columns of one mask are different from each other."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    mask = (student.dropout(x, p, True, generator) != 0).cpu()
    return [len(torch.unique(mask, dim=0)), torch.unique(mask, dim=1).shape[1]]


@probe
def masks_repeat(student, x, p, seed):
    """Whether a second call on the same generator drops the same entries as the first."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    first = student.dropout(x, p, True, generator) != 0
    second = student.dropout(x, p, True, generator) != 0
    return bool((first == second).all())


@probe
def masks_follow_generator(student, x, p, seed):
    """Whether two generators in the same state give the same mask, other calls in between."""
    masks = []
    for _ in range(2):
        generator = torch.Generator(device=x.device).manual_seed(seed)
        masks.append(student.dropout(x, p, True, generator) != 0)
        torch.rand(7, device=x.device)
    return bool((masks[0] == masks[1]).all())


@probe
def counts_vary(student, p, seed, device):
    """Whether 40 calls on 100 entries drop different numbers of them."""
    generator = torch.Generator(device=device).manual_seed(seed)
    x = torch.ones(10, 10, device=device)
    counts = {int((student.dropout(x, p, True, generator) == 0).sum()) for _ in range(40)}
    return len(counts) > 1


@probe
def kind_of_result(student, x, p, training, seed):
    """The result's dtype, shape and device."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.dropout(x, p, training, generator)
    return [str(out.dtype), list(out.shape), out.device.type]


def _backward_ratios(student, upstream, mask, p, survivors):
    gradient = student.dropout_backward(upstream, mask, p)
    ratios = (gradient.double() / upstream.double()).cpu().numpy().round(6) + 0.0
    return np.unique(ratios[((mask != 0) == survivors).cpu().numpy()])[:4].tolist()


backward_ratios = probe(_backward_ratios)


@probe
def backward_kind(student, upstream, mask, p):
    """The gradient's dtype and shape."""
    gradient = student.dropout_backward(upstream, mask, p)
    return [str(gradient.dtype), list(gradient.shape)]


@probe
def module_zeros(student, p, seed, device, modes):
    """The share of zeros, to the nearest even hundredth, after each of a list of switches.

    A switch is "train" or "eval", on the module itself or ("parent.train") on a model around it.
    """
    layer = student.Dropout(p)
    parent = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Sequential(layer)).to(device)
    torch.manual_seed(seed)
    shares = []
    for mode in modes:
        owner, _, switch = mode.rpartition(".")
        getattr(parent if owner else layer, switch)()
        out = parent(torch.ones(1, 250_000, device=device))
        shares.append(round(float((out == 0).double().mean()) / 0.02) * 0.02)
    return shares


@probe
def module_masks_repeat(student, x, p, seed):
    """Whether one Dropout layer drops the same entries in two calls."""
    torch.manual_seed(seed)
    layer = student.Dropout(p).train()
    return bool(((layer(x) != 0) == (layer(x) != 0)).all())


@probe
def module_state(student, p):
    """What a Dropout layer adds to a model's state_dict and parameters."""
    layer = student.Dropout(p)
    layer(torch.ones(3, 4))
    return [sorted(layer.state_dict()), len(list(layer.parameters()))]


@probe
def module_ratios(student, x, p, seed):
    """Which ratios out / x a Dropout layer gives after .eval()."""
    torch.manual_seed(seed)
    out = student.Dropout(p).eval()(x)
    return np.unique((out / x).cpu().numpy().round(6) + 0.0)[:6].tolist()


@probe
def effective_weights(student, weight, p, training, seed):
    """drop_connect on unit vectors, each given twice: it shows the weights that were used."""
    generator = torch.Generator(device=weight.device).manual_seed(seed)
    basis = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    out = student.drop_connect(torch.cat([basis, basis]), weight, None, p, training, generator)
    top, bottom = out[: len(basis)].T, out[len(basis) :].T
    ratios = (top / weight).cpu().numpy().round(6) + 0.0
    mask = (top != 0).cpu()
    return {
        "ratios": np.unique(ratios)[:6].tolist(),
        "the same for both halves": bool((top == bottom).all()),
        "distinct rows": len(torch.unique(mask, dim=0)),
        "distinct columns": torch.unique(mask, dim=1).shape[1],
    }


@probe
def effective_bias(student, bias, p, seed):
    """drop_connect on zeros: which ratios out / bias occur."""
    generator = torch.Generator(device=bias.device).manual_seed(seed)
    weight = torch.ones(len(bias), 3, dtype=bias.dtype, device=bias.device)
    out = student.drop_connect(torch.zeros_like(weight[:5]), weight, bias, p, True, generator)
    return np.unique((out / bias).cpu().numpy().round(6) + 0.0)[:6].tolist()


@probe
def drop_connect_output(student, x, weight, bias, p, training, seed):
    """The layer's output."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    return student.drop_connect(x, weight, bias, p, training, generator)


def _penalty(student, layers, tensors):
    model = torch.nn.Sequential(*(getattr(torch.nn, name)(*sizes) for name, *sizes in layers))
    model = model.to(tensors[0].device, tensors[0].dtype)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), tensors, strict=True):
            parameter.copy_(value)
    penalty = student.l2_penalty(model)
    if isinstance(penalty, torch.Tensor) and penalty.requires_grad:
        penalty.backward()
    return {
        "penalty": float(penalty),
        "gradients": [
            torch.zeros_like(q) if q.grad is None else q.grad for q in model.parameters()
        ],
    }


penalty_and_gradients = probe(_penalty)


def torch_decay(tensors, decayed):
    """What torch's weight decay of 1 takes from parameters of zero gradient, and ½ Σ θ·that."""
    parameters = [torch.nn.Parameter(t.clone()) for t in tensors]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    torch.optim.SGD(
        [
            {"params": [parameter], "weight_decay": float(chosen)}
            for parameter, chosen in zip(parameters, decayed, strict=True)
        ],
        lr=1.0,
    ).step()
    taken = [t - q.detach() for t, q in zip(tensors, parameters, strict=True)]
    value = sum(float((t * g).sum()) for t, g in zip(tensors, taken, strict=True)) / 2
    return {"penalty": value, "gradients": taken}


@probe
def stop_early(student, scores, options, device):
    """A training loop whose weights are the epoch's number, and goes on after the stop."""
    model = torch.nn.Linear(3, 2).to(device)
    stopper = student.EarlyStopping(**options)
    stopped, epoch = False, 0
    for epoch, score in enumerate(scores):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(float(epoch))
        stopped = bool(stopper.step(score, model))
        if stopped:
            break
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(-1.0)
    stopper.restore(model)
    values = torch.cat([q.detach().flatten() for q in model.parameters()])
    assert bool((values == values[0]).all()), "some of the weights were restored and others not"
    return {
        "epochs": epoch + 1, "stopped": stopped, "restored": float(values[0]),
        "best": float(stopper.best),
    }


@probe
def mixup_shares(student, n, lam, what, seed, device):
    """mixup of unit vectors with unit targets: each row shows who was mixed with whom."""
    generator = torch.Generator(device=device).manual_seed(seed)
    basis = torch.eye(n, dtype=torch.float64, device=device)
    x, y = student.mixup(basis, basis, lam, generator)
    again, _ = student.mixup(basis, basis, lam, generator)
    others = x[~torch.eye(n, dtype=torch.bool, device=device)].reshape(n, n - 1)
    own = x.diagonal()[others.ne(0).any(1)]  # of those that are not their own partner

    def distinct(values):
        return sorted({round(float(v), 6) for v in values.flatten()})[:6]

    seen = {
        "own shares": distinct(own),
        "other shares": distinct(others),
        "everyone is used once": bool((x.sum(0) - 1).abs().max() < 1e-9),
        "targets": "like inputs" if torch.allclose(x, y)
        else "as they came" if torch.equal(y, basis) else "otherwise",
        "sums of targets": distinct(y.sum(1)),
        "the same twice": bool(torch.equal(x, again)),
    }
    return {key: seen[key] for key in what}


@probe
def unmixed(student, name, x, y, seed):
    """What mixup or cutmix does at λ = 1, and the kind of what it returns."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    mixed, targets = getattr(student, name)(x, y, 1.0, generator)
    return {
        "inputs": [str(mixed.dtype), list(mixed.shape), bool(torch.allclose(mixed, x))],
        "targets": [str(targets.dtype), list(targets.shape), bool(torch.allclose(targets, y))],
    }


@probe
def cutout_sizes(student, count, height, width, size, seed, device):
    """The sizes of the holes that cutout makes in a batch of white images."""
    generator = torch.Generator(device=device).manual_seed(seed)
    white = torch.ones(count, 2, height, width, device=device)
    hole = student.cutout(white, size, generator)[:, 0].eq(0)
    heights, widths = hole.any(2).sum(1), hole.any(1).sum(1)
    full = hole.sum((1, 2)) == heights * widths
    sizes = torch.unique(torch.stack([heights, widths], 1)[full], dim=0)[:40].tolist()
    if bool(hole.any()) and bool((hole == hole[:1]).all()):
        sizes = "one and the same hole in every image"  # which one is chance
    return {
        "sizes": sizes,
        "are rectangles": bool(full.all()),
    }


@probe
def cutout_shapes(student, count, height, width, size, seed, device):
    """Whether the holes in one batch are rectangles, the same in both channels."""
    generator = torch.Generator(device=device).manual_seed(seed)
    white = torch.ones(count, 2, height, width, device=device)
    hole = student.cutout(white, size, generator).eq(0)
    either = hole.any(1)
    heights, widths = either.any(2).sum(1), either.any(1).sum(1)
    return {
        "channels agree": bool((hole[:, 0] == hole[:, 1]).all()),
        "rectangles": bool((hole[:, 0].sum((1, 2)) <= heights * widths).all())
        and bool((either.sum((1, 2)) == heights * widths).all()),
    }


@probe
def cutout_distinct(student, count, height, width, size, seed, device):
    """How many different holes there are in one batch; 200 where there are more."""
    generator = torch.Generator(device=device).manual_seed(seed)
    white = torch.ones(count, 1, height, width, device=device)
    hole = student.cutout(white, size, generator).eq(0)
    return min(len(torch.unique(hole.flatten(1), dim=0)), 200)


@probe
def cutout_direct(student, x, size, seed):
    """The kind of what cutout returns, and what it puts into the hole."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.cutout(x, size, generator)
    changed = out != x
    return {
        "kind": [str(out.dtype), list(out.shape)],
        "values in the hole": sorted(set(out[changed].tolist()))[:4],
        "every image has a hole": bool(changed.flatten(1).any(1).all()),
    }


@probe
def cutmix_sources(student, calls, height, width, lam, what, seed, device):
    """Many calls of cutmix on 16 images of one colour each: a pixel shows where it is from."""
    images = 16  # that all are their own partner happens once in 16! calls
    generator = torch.Generator(device=device).manual_seed(seed)
    number = torch.arange(1, images + 1, device=device)
    x = number.double().reshape(-1, 1, 1, 1).expand(-1, 2, height, width).contiguous()
    y = torch.eye(images, dtype=torch.float64, device=device)
    outs = [student.cutmix(x, y, lam, generator) for _ in range(calls)]
    source = torch.stack([mixed[:, 0] for mixed, _ in outs]).round().long().clamp(0, images)
    targets = torch.stack([t for _, t in outs])
    pixels = source.flatten(2)
    share = torch.zeros(calls, images, images + 1, dtype=torch.float64, device=device)
    share.scatter_add_(2, pixels, torch.ones_like(pixels, dtype=torch.float64) / pixels.shape[2])
    hole = source != number.reshape(-1, 1, 1)
    area, which = hole.sum((2, 3)).max(1)  # in an image that is not its own partner
    box = hole[torch.arange(calls, device=device), which]
    heights, widths = box.any(2).sum(1), box.any(1).sum(1)
    sizes = {
        (h, w) if h * w == a else "no rectangle"
        for h, w, a in zip(heights.tolist(), widths.tolist(), area.tolist(), strict=True)
    }
    seen = {
        "labels": "as they came" if bool((targets == y).all())
        else round(float((share[:, :, 1:] - targets).abs().max()), 6),
        "sizes": [list(s) for s in sorted(sizes, key=str)][:40],
        "pasted": "nothing" if bool((source == 0).any()) else "a partner",
        "always the same": bool((source == source[:1]).all()),
    }
    return {key: seen[key] for key in what}


def _build_and_predict(student, weights, biases, X, p, training):
    models = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        model = torch.nn.Sequential(torch.nn.Dropout(p), linear).to(X.device, X.dtype)
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        models.append(model.train(training))
    out = student.ensemble_predict(models, X)
    modes = sorted({module.training for model in models for module in model.modules()})
    return {"prediction": out, "graph": bool(out.requires_grad), "modes": modes}


ensemble_run = probe(_build_and_predict)


@probe
def broken_case(student, name):
    """Whether an answer is one at all: p strictly inside, a finite batch without zeros."""
    p, batch = getattr(student, name)()
    batch = torch.as_tensor(batch)
    return {
        "p in [0.1, 0.9]": bool(0.1 <= float(p) <= 0.9),
        "batch has entries": batch.numel() > 0,
        "finite": bool(torch.isfinite(batch).all()),
        "has zeros": bool((batch == 0).any()),
    }


def scales_apart(p, batch):
    """The largest |right − wrong| over the largest |right|, both on torch's own mask."""
    batch = torch.as_tensor(batch).double().flatten()
    tiled = batch.repeat(400)  # so that someone survives, even at p = 0.9: 1 − 0.9^400
    right = F.dropout(tiled, p, training=True)
    wrong = tiled * (right != 0) / p
    return float((right - wrong).abs().max() / right.abs().max())


def map_as_printed(nll, theta, sigma):
    """The published objective, with the prior inside the sum over the examples."""
    return sum(loss + (theta**2).sum() / (2 * sigma**2) for loss in nll)


# Fixtures.


@pytest.fixture
def seed(rng):
    """A seed for the generator that a probe makes."""
    return int(rng.integers(2**31))


@pytest.fixture
def signs_and_sizes(rng, device):
    """Draws tensors without small entries, so that no zero is there before anything is dropped."""

    def draw(*shape, dtype=torch.float64):
        size = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        return torch.as_tensor(size, dtype=dtype, device=device)

    return draw


@pytest.fixture
def normal(rng, device):
    """Draws standard normal tensors."""

    def draw(*shape, dtype=torch.float64):
        return torch.as_tensor(rng.normal(size=shape), dtype=dtype, device=device)

    return draw


@pytest.fixture
def z_and_p(rng):
    """Points (z, p): both signs of z, |z| away from 1, p on both sides of ½."""
    return [
        [float(rng.uniform(1.5, 3.0)), float(rng.uniform(0.15, 0.35))],
        [float(-rng.uniform(1.5, 3.0)), float(rng.uniform(0.65, 0.85))],
    ]


@pytest.fixture
def masked_batch(rng, device, signs_and_sizes):
    """An input, a mask and a gradient of torch's own dropout, by autograd."""

    def draw(shape, p, dtype=torch.float64):
        x = signs_and_sizes(*shape, dtype=dtype).requires_grad_()
        upstream = signs_and_sizes(*shape, dtype=dtype)
        y = F.dropout(x, p, training=True)
        (gradient,) = torch.autograd.grad(y, x, upstream)
        return upstream, y.detach() != 0, gradient

    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**31)))
        yield draw


@pytest.fixture
def committee(normal):
    """Weights and biases of four linear classifiers, far apart, and inputs for them."""
    weights = [3.0 * normal(5, 7) for _ in range(4)]
    biases = [normal(5) for _ in range(4)]
    return weights, biases, normal(11, 7)


def mixture_of(weights, biases, X):
    """What a uniform mixture of the committee says, by torch."""
    return Reference.mixture(
        torch.stack([F.linear(X, w, b) for w, b in zip(weights, biases, strict=True)])
    )


# Exercise: dropout_moments


@exercise("dropout_moments")
def test_masked_mean(student, reference, z_and_p):
    """The mean of m·z is E[m]·z, where m is 1 with probability 1 − p."""
    seen = student.run(values_at, "masked_mean", ["z", "p"], z_and_p)
    assert_close(seen, [reference.masked_mean(*point) for point in z_and_p], name="the mean")


@exercise("dropout_moments")
def test_masked_var(student, reference, z_and_p):
    """The variance of m·z is z²·Var(m)."""
    seen = student.run(values_at, "masked_var", ["z", "p"], z_and_p)
    assert_close(seen, [reference.masked_var(*point) for point in z_and_p], name="the variance")


@exercise("dropout_moments")
def test_dropout_scale(student, reference, z_and_p):
    """The factor that brings the mean of m·z back to z is 1/E[m]."""
    points = [[p] for _, p in z_and_p]
    seen = student.run(values_at, "dropout_scale", ["p"], points)
    assert_close(seen, [reference.dropout_scale(*point) for point in points], name="the factor")


@exercise("dropout_moments")
def test_scaled_var(student, reference, z_and_p):
    """After scaling, the variance is the factor squared times the variance before."""
    seen = student.run(values_at, "scaled_var", ["z", "p"], z_and_p)
    assert_close(seen, [reference.scaled_var(*point) for point in z_and_p], name="the variance")


# Exercise: dropout


@exercise("dropout", weight=4.5)
def test_survivors_are_scaled(student, reference, signs_and_sizes, seed):
    """Every entry is either 0 or exactly x/(1 − p)."""
    x = signs_and_sizes(40, 20)
    seen = student.run(survivor_ratios, x, 0.3, True, seed)
    expected = _survivor_ratios(reference, x, 0.3, True, seed)
    assert_close(seen, expected, name="the set of ratios out / x")
    assert_unmodified(student)


@exercise("dropout", weight=1.5)
def test_zeros_at_rate_p(student, seed, device):
    """An entry is dropped with probability p: among 250,000 entries a share of p is 0."""
    # The share comes rounded to 0.02, so that every right answer is one and the same; to be off
    # by the 0.01 that turns it is more than ten standard deviations, a false alarm below 1e-24.
    for p in (0.3, 0.8):
        share = student.run(drop_rate, p, seed, str(device))
        assert_rate(round(share * 250_000), 250_000, p)


@exercise("dropout", weight=2.5)
def test_eval_is_identity(student, signs_and_sizes, seed):
    """With training=False the result is x itself, unscaled."""
    x = signs_and_sizes(12, 30)
    seen = student.run(survivor_ratios, x, 0.8, False, seed)
    assert_close(seen, [1.0], name="the set of ratios out / x")


@exercise("dropout")
def test_ends_of_the_range(student, reference, signs_and_sizes, seed):
    """p = 0 changes nothing, and p = 1 leaves only zeros (not NaN)."""
    x = signs_and_sizes(12, 30)
    for p in (0.0, 1.0):
        seen = student.run(survivor_ratios, x, p, True, seed)
        assert_close(
            seen, _survivor_ratios(reference, x, p, True, seed),
            name=f"the set of ratios out / x at p = {p:g}",
        )


@exercise("dropout", weight=6)
def test_every_row_has_its_own_mask(student, signs_and_sizes, seed):
    """Every entry of the batch is drawn for itself: no two rows and no two columns fall alike."""
    # Two rows of 300 agree by chance with probability 0.58^300 < 1e-70.
    seen = student.run(mask_variety, signs_and_sizes(90, 300), 0.3, seed)
    # 90 entries a column: 0.58^90 · 300²/2 < 1e-16.
    assert_close(seen, [90, 300], name="the number of distinct (rows, columns) of the mask")


@exercise("dropout", weight=4)
def test_fresh_mask_every_call(student, signs_and_sizes, seed):
    """A second call drops other entries than the first."""
    repeats = student.run(masks_repeat, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two calls, one after the other, dropped the very same entries"


@exercise("dropout", weight=0.75)
def test_counts_vary(student, seed, device):
    """Entries fall independently of each other, so how many fall varies from call to call."""
    # 40 counts of Bin(100, 0.3) are all equal with probability below 0.09^39 < 1e-40.
    varies = student.run(counts_vary, 0.3, seed, str(device))
    assert varies, "40 calls on 100 entries dropped the very same number of them every time"


@exercise("dropout")
def test_generator_decides(student, signs_and_sizes, seed):
    """Two generators in the same state give the same mask."""
    follows = student.run(masks_follow_generator, signs_and_sizes(20, 30), 0.3, seed)
    assert follows, "the mask does not come from the generator that was passed"


@exercise("dropout", weight=0.5)
def test_kind_is_kept(student, signs_and_sizes, seed, device):
    """The result keeps x's shape, dtype and device, and x is not changed in place."""
    x = signs_and_sizes(2, 3, 5, dtype=torch.float32)
    seen = student.run(kind_of_result, x, 0.3, True, seed)
    assert_close(seen, ["torch.float32", [2, 3, 5], device.type], name="(dtype, shape, device)")
    assert_unmodified(student)


@exercise(
    "dropout", weight=0.5,
    forbid=["torch.nn.functional.dropout", "torch.dropout", "torch.nn.Dropout",
            "torch.native_dropout", "torch.nn.functional.feature_dropout"],
)
def test_dropout_by_hand(student, signs_and_sizes, seed):
    """dropout is written by hand, without torch's own dropout."""
    student.run(kind_of_result, signs_and_sizes(3, 4), 0.3, True, seed)


# Exercise: dropout_backward


@pytest.fixture
def as_in_autograd(student, masked_batch):
    """Compares ratios gradient / upstream with those of autograd through torch's dropout."""

    class Autograd:
        def __init__(self, gradient):
            self.gradient = gradient

        def dropout_backward(self, upstream, mask, p):
            return self.gradient

    def compare(shape, p, survivors, mask_dtype=torch.bool):
        upstream, mask, gradient = masked_batch(shape, p)
        seen = student.run(backward_ratios, upstream, mask.to(mask_dtype), p, survivors)
        expected = _backward_ratios(Autograd(gradient), upstream, mask, p, survivors)
        assert_close(seen, expected, name="the set of ratios gradient / upstream", rtol=1e-5)
        assert_unmodified(student)

    return compare


@exercise("dropout_backward")
def test_backward_of_survivors(as_in_autograd):
    """A survivor's gradient is the one that autograd finds: scaled as its value was."""
    as_in_autograd((30, 20), 0.3, survivors=True)


@exercise("dropout_backward", weight=2)
def test_backward_of_dropped(as_in_autograd):
    """An entry that was dropped in the forward pass gets the gradient 0: the mask is the same."""
    as_in_autograd((30, 20), 0.3, survivors=False)


@exercise("dropout_backward", weight=0.5)
def test_backward_at_p_one(as_in_autograd):
    """At p = 1 every gradient is 0, not NaN."""
    as_in_autograd((4, 5), 1.0, survivors=False)


@exercise("dropout_backward", weight=0.5, forbid=["autograd"])
def test_backward_by_hand(student, masked_batch):
    """The gradient is written out, without autograd."""
    upstream, mask, _ = masked_batch((4, 5), 0.3)
    student.run(backward_kind, upstream, mask, 0.3)


# Exercise: Dropout


@exercise("Dropout", weight=2.5)
def test_module_is_off_after_eval(student, signs_and_sizes, seed):
    """After .eval() the layer returns x unchanged."""
    seen = student.run(module_ratios, signs_and_sizes(20, 30), 0.8, seed)
    assert_close(seen, [1.0], name="the set of ratios out / x")


@exercise("Dropout", weight=3)
def test_module_follows_its_parent(student, seed, device):
    """model.eval() and model.train() reach the layer inside, as often as they are called."""
    modes = ["parent.eval", "parent.train", "parent.eval", "train"]
    seen = student.run(module_zeros, 0.3, seed, str(device), modes)
    assert_close(seen, [0.0, 0.3, 0.0, 0.3], name="the share of zeros after each switch")


@exercise("Dropout")
def test_module_uses_its_p(student, seed, device):
    """In training the layer drops at the rate p it was made with."""
    seen = student.run(module_zeros, 0.8, seed, str(device), ["train"])
    assert_close(seen, [0.8], name="the share of zeros")


@exercise("Dropout", weight=2.5)
def test_module_draws_every_time(student, signs_and_sizes, seed):
    """Every forward call draws a new mask."""
    repeats = student.run(module_masks_repeat, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two forward calls dropped the very same entries"


@exercise("Dropout", weight=0.5)
def test_module_has_no_state(student):
    """The layer has no parameters and adds nothing to a model's state_dict."""
    assert_close(student.run(module_state, 0.3), [[], 0], name="(state_dict keys, parameters)")


@exercise(
    "Dropout", weight=0.5,
    forbid=["torch.nn.functional.dropout", "torch.dropout", "torch.nn.Dropout",
            "torch.native_dropout"],
)
def test_module_by_hand(student, signs_and_sizes, seed):
    """The layer is written by hand, without torch's own dropout."""
    student.run(module_masks_repeat, signs_and_sizes(3, 4), 0.3, seed)


# Exercise: drop_connect


@exercise("drop_connect", weight=1.5)
def test_weights_are_scaled(student, reference, signs_and_sizes, seed):
    """Every weight is used either as 0 or as w/(1 − p)."""
    weight = signs_and_sizes(30, 40)
    seen = student.run(effective_weights, weight, 0.3, True, seed)
    expected = _survivor_ratios(reference, weight, 0.3, True, seed)
    assert_close(seen["ratios"], expected, name="the set of ratios used / given")


@exercise("drop_connect", weight=2)
def test_one_mask_for_the_batch(student, signs_and_sizes, seed):
    """The mask is drawn for the weights: every weight for itself, one draw for the batch."""
    seen = student.run(effective_weights, signs_and_sizes(90, 120), 0.3, True, seed)
    assert seen["the same for both halves"], "two equal examples of one batch met other weights"
    assert_close(
        [seen["distinct rows"], seen["distinct columns"]], [90, 120],
        name="the number of distinct (rows, columns) of the mask on the weights",
    )


@exercise("drop_connect", weight=1.5)
def test_drop_connect_eval(student, signs_and_sizes, seed):
    """With training=False every weight is used as it is."""
    seen = student.run(effective_weights, signs_and_sizes(30, 40), 0.8, False, seed)
    assert_close(seen["ratios"], [1.0], name="the set of ratios used / given")


@exercise("drop_connect")
def test_drop_connect_is_linear(student, normal, seed):
    """At p = 0 it is the linear layer x·Wᵀ + b."""
    x, weight, bias = normal(4, 6), normal(3, 6), normal(3)
    seen = student.run(drop_connect_output, x, weight, bias, 0.0, True, seed)
    assert_close(seen, F.linear(x, weight, bias), name="the output")
    assert_unmodified(student)


@exercise("drop_connect", weight=1.5)
def test_bias_is_not_dropped(student, signs_and_sizes, seed):
    """The bias is neither dropped nor scaled: an input of zeros gives exactly the bias."""
    seen = student.run(effective_bias, signs_and_sizes(60), 0.3, seed)
    assert_close(seen, [1.0], name="the set of ratios out / bias for an input of zeros")


# Exercise: map_l2


@exercise("map_l2")
def test_log_prior(student, reference, rng):
    """log N(θ; 0, σ²) is the logarithm of the Gaussian density, its constant included."""
    points = [[float(rng.uniform(1, 2)), float(s)] for s in (rng.uniform(0.3, 0.6), 2.5)]
    seen = student.run(values_at, "log_prior", ["theta", "sigma"], points)
    assert_close(seen, [reference.log_prior(*q) for q in points], name="the log prior")


@exercise("map_l2")
def test_map_objective(student, reference, rng):
    """The objective is the sum of the examples' losses and the prior's term once."""
    variables = ["l_1", "l_2", "l_3", "theta", "sigma"]
    losses = [float(v) for v in rng.uniform(0.5, 2.0, 3)]
    points = [[*losses, float(rng.uniform(1, 2)), float(s)] for s in (0.4, rng.uniform(2, 3))]
    at_zero = [[0.0, 0.0, 0.0, 0.0, q[4]] for q in points]
    seen = student.run(values_at, "map_objective", variables, [*points, *at_zero])
    # Constants that do not depend on θ may stay or go: only differences are compared.
    moved = [a - b for a, b in zip(seen[:2], seen[2:], strict=True)]
    nll = torch.tensor(losses, dtype=torch.float64)
    expected = [float(reference.map_loss(nll, torch.tensor([q[3]]).double(), q[4])) for q in points]
    assert_close(moved, expected, name="the objective (against its value at 0)", rtol=1e-7)


@exercise("map_l2")
def test_lambda_of_a_sum(student, reference, rng):
    """Written as Σ losses + ½λθ², the prior N(0, σ²) means λ = 1/σ²."""
    points = [[0.4], [float(rng.uniform(2.0, 3.0))]]
    seen = student.run(values_at, "lambda_for_sum", ["sigma"], points)
    assert_close(seen, [reference.penalty_strength(q[0], 1) for q in points], name="λ")


@exercise("map_l2")
def test_lambda_of_a_mean(student, reference, rng):
    """With the mean of n losses in place of the sum, the same prior means λ/n."""
    points = [[0.4, 10.0], [float(rng.uniform(2.0, 3.0)), float(rng.integers(20, 90))]]
    seen = student.run(values_at, "lambda_for_mean", ["sigma", "n"], points)
    assert_close(seen, [reference.penalty_strength(*q) for q in points], name="λ for the mean")


# Exercise: l2_penalty

MLP = [["Linear", 4, 3], ["ReLU"], ["Linear", 3, 2]]


@pytest.fixture
def mlp_parameters(signs_and_sizes):
    """Weights and biases for MLP, none of them zero."""
    return [signs_and_sizes(3, 4), signs_and_sizes(3), signs_and_sizes(2, 3), signs_and_sizes(2)]


@exercise("l2_penalty")
def test_penalty_value(student, mlp_parameters):
    """The penalty is half the sum of the squared weights; biases are left out."""
    seen = student.run(penalty_and_gradients, MLP, mlp_parameters)
    expected = torch_decay(mlp_parameters, [True, False, True, False])
    assert_close(seen["penalty"], expected["penalty"], name="the penalty")


@exercise("l2_penalty")
def test_penalty_gradient(student, mlp_parameters):
    """Its gradient is w for a weight, which is torch's weight decay, and 0 for a bias."""
    seen = student.run(penalty_and_gradients, MLP, mlp_parameters)
    expected = torch_decay(mlp_parameters, [True, False, True, False])
    assert_close(seen["gradients"], expected["gradients"], name="the gradients")


@exercise("l2_penalty")
def test_penalty_of_other_layers(student, signs_and_sizes):
    """Kernels of convolutions count; weights of a normalization (one axis) do not."""
    layers = [["Conv1d", 2, 3, 2], ["BatchNorm1d", 3]]
    tensors = [signs_and_sizes(3, 2, 2), *(signs_and_sizes(3) for _ in range(3))]
    seen = student.run(penalty_and_gradients, layers, tensors)
    expected = torch_decay(tensors, [True, False, False, False])
    assert_close(seen["penalty"], expected["penalty"], name="the penalty")


# Exercise: l1_step


@pytest.fixture
def far_and_near(rng, device):
    """Parameters of both signs: some far from zero, some nearer to it than lr·lam = 0.3."""
    size = np.hstack([rng.uniform(0.5, 2.0, (3, 4)), rng.uniform(0.02, 0.28, (3, 4))])
    sign = rng.choice([-1.0, 1.0], size.shape)
    sign[:, ::4], sign[:, 1::4] = 1.0, -1.0
    return torch.as_tensor(size * sign, device=device)


@exercise("l1_step")
def test_l1_step_far_from_zero(student, reference, far_and_near):
    """Far from zero an entry moves towards zero by lr·lam, whatever its size."""
    theta = far_and_near[:, :4]
    assert_close(
        student.l1_step(theta, 0.1, 3.0), reference.l1_step(theta, 0.1, 3.0), name="the result"
    )
    assert_unmodified(student)


@exercise("l1_step")
def test_l1_step_near_zero(student, reference, far_and_near):
    """An entry nearer to zero than lr·lam becomes exactly 0; it never changes sign."""
    theta = far_and_near[:, 4:]
    assert_close(
        student.l1_step(theta, 0.1, 3.0), reference.l1_step(theta, 0.1, 3.0), name="the result",
        atol=1e-12,
    )


@exercise(
    "l1_step", weight=0.5,
    forbid=["torch.nn.functional.softshrink", "torch.nn.Softshrink", "torch.softshrink"],
)
def test_l1_step_by_hand(student, far_and_near):
    """The step is written by hand, without torch's softshrink."""
    student.l1_step(far_and_near, 0.1, 3.0)


# Exercise: EarlyStopping

# Two small set-backs before each new best, then for good: 5, 4 | 4.5 4.6 | 3 | … | 2 | 2.5 2.6 2.7
SETBACKS = [5, 4, 4.5, 4.6, 3, 3.5, 3.6, 2, 2.5, 2.6, 2.7, 1, 1.5, 1.6, 1.7, 1.8]
# Better every time, but by little: with min_delta = 1 only 8.9 beats 10.
CREEPING = [10, 9.5, 9.2, 8.9, 8.8, 8.7, 8.6, 7.0, 6.9, 6.8, 6.7, 6.6, 6.9]


@pytest.fixture
def unit(rng):
    """A random unit of loss, so that a run's scores are other numbers every time."""
    return float(rng.uniform(0.5, 2.0))


@exercise("EarlyStopping")
def test_patience_counts_in_a_row(student, reference, unit, device):
    """Training stops at the patience-th epoch in a row without a new best, and not before."""
    scores, options = [unit * s for s in SETBACKS], {"patience": 3}
    seen = student.run(stop_early, scores, options, str(device))
    expected = reference.early_stopping(scores, **options)
    assert_close(
        [seen["epochs"], seen["stopped"]], [expected["epochs"], expected["stopped"]],
        name="(epochs trained, stopped)",
    )


@exercise("EarlyStopping")
def test_best_weights_come_back(student, reference, unit, device):
    """restore brings back a copy of the weights of the best epoch, and best is its score."""
    scores, options = [unit * s for s in SETBACKS[:10]], {"patience": 4}
    seen = student.run(stop_early, scores, options, str(device))
    expected = reference.early_stopping(scores, **options)
    assert seen["restored"] != -1.0, (
        "the kept weights changed when training went on: keep a copy, not the tensors themselves"
    )
    assert_close(
        [seen["restored"], seen["best"]], [expected["restored"], expected["best"]],
        name="(the restored epoch, the best score)",
    )


@exercise("EarlyStopping")
def test_min_delta(student, reference, unit, device):
    """Only a score better than the best by more than min_delta counts as better."""
    scores, options = [unit * s for s in CREEPING], {"patience": 3, "min_delta": unit}
    seen = student.run(stop_early, scores, options, str(device))
    assert_close(seen, reference.early_stopping(scores, **options), name="the run")


@exercise("EarlyStopping")
def test_mode_max(student, reference, unit, device):
    """With mode='max' larger scores are better."""
    scores = [-unit * s for s in SETBACKS]
    options = {"patience": 3, "mode": "max"}
    seen = student.run(stop_early, scores, options, str(device))
    assert_close(seen, reference.early_stopping(scores, **options), name="the run")


@exercise("EarlyStopping")
def test_ties_are_no_progress(student, reference, unit, device):
    """An equal score is no better one; patience 1 stops at the first such epoch."""
    for scores, patience in (((3, 2, 2, 2, 2), 2), ((3, 2, 2, 1), 1)):
        scaled = [unit * s for s in scores]
        seen = student.run(stop_early, scaled, {"patience": patience}, str(device))
        assert_close(seen, reference.early_stopping(scaled, patience), name="the run")


# Exercise: mixup


@exercise("mixup")
def test_mixup_inputs(student, seed, device):
    """An input keeps the share λ of itself and takes 1 − λ of one partner."""
    # 40 examples that are all their own partner: 1/40! < 1e-47.
    what = ["own shares", "other shares"]
    seen = student.run(mixup_shares, 40, 0.8, what, seed, str(device))
    assert_close(
        seen, {"own shares": [0.8], "other shares": [0.0, 0.2]}, name="the shares"
    )


@exercise("mixup", weight=2)
def test_mixup_targets(student, seed, device):
    """Targets are mixed with the same partner and the same shares as the inputs."""
    seen = student.run(mixup_shares, 40, 0.8, ["targets"], seed, str(device))
    assert seen["targets"] != "as they came", "the targets came back as they were"
    assert seen["targets"] == "like inputs", (
        "inputs and targets were the same unit vectors before mixing and are different after it"
    )


@exercise("mixup")
def test_mixup_partners(student, seed, device):
    """The partners are a fresh random permutation of the batch: everyone is chosen once."""
    # 40 independent choices make a permutation with probability 40!/40^40 < 1e-16.
    what = ["everyone is used once", "the same twice"]
    seen = student.run(mixup_shares, 40, 0.3, what, seed, str(device))
    assert seen["everyone is used once"], "some examples are nobody's partner, others several's"
    assert not seen["the same twice"], "two calls, one after the other, chose the same partners"


@exercise("mixup")
def test_mixup_without_mixing(student, normal, seed):
    """λ = 1 returns inputs and targets as they were, and nothing is changed in place."""
    x, y = normal(30, 3, 4, dtype=torch.float32), normal(30, 5, dtype=torch.float32)
    seen = student.run(unmixed, "mixup", x, y, seed)
    expected = {"inputs": ["torch.float32", [30, 3, 4], True],
                "targets": ["torch.float32", [30, 5], True]}
    assert_close(seen, expected, name="(dtype, shape, unchanged)")
    assert_unmodified(student)


# Exercise: cutout


@exercise("cutout")
def test_cutout_sizes(student, reference, seed, device):
    """The hole is size × size where it fits, and what is left of it at the border."""
    # The rarest of the nine sizes has probability 1/27 an image: 9·(26/27)^600 < 2e-9.
    seen = student.run(cutout_sizes, 600, 9, 12, 5, seed, str(device))
    expected = {"sizes": reference.cut_sizes(9, 12, 5, 5), "are rectangles": True}
    assert_close(seen, expected, name="the holes that occur")


@exercise("cutout")
def test_cutout_holes(student, seed, device):
    """A hole is one full rectangle, through all channels."""
    seen = student.run(cutout_shapes, 300, 9, 12, 5, seed, str(device))
    assert seen["channels agree"], "the channels of one image have different holes"
    assert seen["rectangles"], "some holes are no rectangles"


@exercise("cutout")
def test_cutout_centres(student, reference, seed, device):
    """Every image has its own centre, and every pixel of the image may be one."""
    # One of the 48 holes is missing among 1,200 with probability 48·(47/48)^1200 < 1e-9.
    seen = student.run(cutout_distinct, 1200, 6, 8, 3, seed, str(device))
    expected = len(torch.unique(reference.cut_masks(6, 8, 3, 3), dim=0))
    assert_close(seen, expected, name="the number of distinct holes")


@exercise("cutout")
def test_cutout_keeps_the_rest(student, signs_and_sizes, seed):
    """The hole is filled with 0, the rest of the image stays, and x is not changed in place."""
    x = signs_and_sizes(100, 3, 8, 7, dtype=torch.float32)
    seen = student.run(cutout_direct, x, 3, seed)
    assert_unmodified(student)
    expected = {"kind": ["torch.float32", [100, 3, 8, 7]], "values in the hole": [0.0],
                "every image has a hole": True}
    assert_close(seen, expected, name="the result")


# Exercise: cutmix


@exercise("cutmix", weight=2)
def test_cutmix_labels_count_pixels(student, seed, device):
    """A label's weight is the share of the pixels that come from its image, at the border too."""
    # Three boxes in five are clipped; 300 calls miss the smallest, with the largest gap, with
    # probability (14/15)^300 < 2e-9.
    seen = student.run(cutmix_sources, 300, 6, 10, 0.75, ["labels"], seed, str(device))
    assert seen["labels"] != "as they came", "the targets came back as they were"
    assert_close(
        seen["labels"], 0.0, atol=1e-5,
        name="the largest gap between a label's weight and its share of the pixels",
    )


@exercise("cutmix")
def test_cutmix_box(student, reference, seed, device):
    """The box has the sides H√(1 − λ) and W√(1 − λ), clipped where it sticks out."""
    # The rarest of the six sizes has probability 1/15 a call: 6·(14/15)^300 < 1e-8.
    seen = student.run(cutmix_sources, 300, 6, 10, 0.75, ["sizes"], seed, str(device))
    assert_close(
        seen["sizes"], reference.cut_sizes(6, 10, 3, 5), name="the sizes of boxes that occur"
    )


@exercise("cutmix")
def test_cutmix_pastes_a_partner(student, seed, device):
    """What is pasted comes from another image of the batch, and from another one every call."""
    what = ["pasted", "always the same"]
    seen = student.run(cutmix_sources, 20, 6, 10, 0.75, what, seed, str(device))
    assert_close(seen["pasted"], "a partner", name="what is pasted")
    assert not seen["always the same"], "every call gave the same images"


@exercise("cutmix")
def test_cutmix_without_cutting(student, normal, seed):
    """λ = 1 returns images and targets as they were, nothing changed in place."""
    x, y = normal(30, 3, 4, 5, dtype=torch.float32), normal(30, 5, dtype=torch.float32)
    seen = student.run(unmixed, "cutmix", x, y, seed)
    expected = {"inputs": ["torch.float32", [30, 3, 4, 5], True],
                "targets": ["torch.float32", [30, 5], True]}
    assert_close(seen, expected, name="(dtype, shape, unchanged)")
    assert_unmodified(student)


# Exercise: ensemble_variance


@exercise("ensemble_variance")
def test_uncorrelated_errors(student, reference, rng):
    """The mean of n uncorrelated errors of variance v has the variance v/n."""
    points = [[float(rng.uniform(2, 5)), float(n)] for n in (3, rng.integers(5, 12))]
    seen = student.run(values_at, "uncorrelated_var", ["var", "n"], points)
    expected = [reference.ensemble_variance(v, int(n), 0.0) for v, n in points]
    assert_close(seen, expected, name="the variance", rtol=1e-6)


@exercise("ensemble_variance")
def test_correlated_errors(student, reference, rng):
    """With correlation ρ between any two, a part ρ·v of the variance does not average out."""
    points = [
        [float(rng.uniform(2, 5)), float(n), float(rng.uniform(0.2, 0.7))] for n in (3, 8)
    ]
    seen = student.run(values_at, "correlated_var", ["var", "n", "rho"], points)
    expected = [reference.ensemble_variance(v, int(n), r) for v, n, r in points]
    assert_close(seen, expected, name="the variance", rtol=1e-6)


# Exercise: ensemble_predict


@exercise("ensemble_predict", weight=2)
def test_mean_of_probabilities(student, committee):
    """The prediction is the mean of the models' class probabilities."""
    weights, biases, X = committee
    seen = student.run(ensemble_run, weights, biases, X, 0.0, False)
    assert_close(seen["prediction"], mixture_of(weights, biases, X), name="the prediction")
    assert_unmodified(student)


@exercise("ensemble_predict", weight=2)
def test_models_predict_in_eval_mode(student, committee):
    """Dropout inside the models is off, even when they arrive in training mode."""
    weights, biases, X = committee
    # With p = 1 a model that is left in training mode sees zeros: the mistake looks the same in
    # every run.
    seen = student.run(ensemble_run, weights, biases, X, 1.0, True)
    assert_close(seen["prediction"], mixture_of(weights, biases, X), name="the prediction")


@exercise("ensemble_predict", weight=2)
def test_models_come_back_as_they_were(student, committee):
    """Models that came in training mode leave in training mode, and no graph is kept."""
    weights, biases, X = committee
    for training in (True, False):
        seen = student.run(ensemble_run, weights, biases, X, 0.0, training)
        assert_close(seen["modes"], [training], name="the models' modes (training?) afterwards")
        assert not seen["graph"], "the prediction still carries a graph: predict under no_grad"


# Exercise: break_it


@exercise("break_it")
def test_where_the_scales_agree(student):
    """On your first case the factors 1/p and 1/(1 − p) give the same output."""
    valid = student.run(broken_case, "where_they_agree")
    assert valid["p in [0.1, 0.9]"], "take a p between 0.1 and 0.9"
    assert valid["batch has entries"] and valid["finite"], "the batch needs finite entries"
    assert not valid["has zeros"], "a zero is a zero under any factor: take a batch without zeros"
    p, batch = student.where_they_agree()
    assert scales_apart(p, batch) < 1e-6, "the two factors give different outputs there"


@exercise("break_it")
def test_where_the_scales_differ(student):
    """On your second case the factors 1/p and 1/(1 − p) give outputs more than 10 % apart."""
    valid = student.run(broken_case, "where_they_differ")
    assert valid["p in [0.1, 0.9]"], "take a p between 0.1 and 0.9"
    assert valid["batch has entries"] and valid["finite"], "the batch needs finite entries"
    assert not valid["has zeros"], "a zero is a zero under any factor: take a batch without zeros"
    p, batch = student.where_they_differ()
    assert scales_apart(p, batch) > 0.1, "the two factors give (nearly) the same output there"


# Exercise: bug_hunt


@exercise("bug_hunt", weight=1.5)
def test_failing_input(student, reference):
    """On your input the printed objective is more than 10 % off."""
    nll, theta, sigma = student.failing_input()
    right = float(reference.map_loss(nll, theta, sigma))
    printed = float(map_as_printed(nll, theta, sigma))
    assert abs(printed - right) > 0.1 * abs(right), (
        f"printed and right objective are {printed:.4g} and {right:.4g} there"
    )


@exercise("bug_hunt")
def test_mended_objective(student, reference, signs_and_sizes, rng):
    """Your objective counts the prior once, however many examples there are."""
    theta = signs_and_sizes(5)
    for examples in (1, 7):
        nll = signs_and_sizes(examples).abs()
        sigma = float(rng.uniform(0.3, 0.6))
        assert_close(
            student.map_loss(nll, theta, sigma), reference.map_loss(nll, theta, sigma),
            name=f"the objective for {examples} examples", rtol=1e-7,
        )
    assert_unmodified(student)

"""Lab 05, the tests that you can read: dropout, L2 and L1, early stopping, mixing, ensembles.

The oracle is torch, executed. Where a right answer is random, a test looks at its structure (which
ratios out / x occur, how many rows of the mask differ) or at a count over many draws; a right
answer is turned away less often than once in ten million runs, whatever order it draws in.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.testing import (
    agree,
    assert_close,
    assert_expression,
    assert_unmodified,
    exercise,
    probe,
    values_at,
)

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
    "classic_dropout": [
        "In training: the mask of dropout, and nothing else.",
        "At evaluation every entry is there. Multiply by the mean of the mask.",
        "x = 10, p = 0.2: training gives 0 or 10, evaluation 8.",
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
        "The step is min(ηλ, |θ|) in the direction −sign θ.",
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
    "random_shift": [
        "Each image has its own two numbers. A margin of zeros around it makes cutting easy.",
        "With a margin of `largest` on all sides, the corner at which you cut is 0 … 2·largest, "
        "down and to the right.",
        "largest = 1: nine places are possible, and standing still is one of them.",
    ],
    "mixup_share": [
        "One uniform number from the generator, then scipy's inverse of the distribution function.",
        "beta.ppf(u, alpha, alpha) with u = torch.rand(1, generator=generator, …).item().",
        "u = 0.25 gives 0.25 for α = 1, about 0.33 for α = 2, and about 0.11 for α = 0.4.",
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
    "bootstrap": [
        "With replacement: the same index may come several times, and others never.",
        "torch.randint draws n independent indices; its upper end is not included.",
        "Of n = 1000 indices about 632 different ones occur: a share of 1 − 1/e.",
    ],
    "average_checkpoints": [
        "Go through the names of one checkpoint; collect the tensor of that name from all.",
        "torch.stack(…).mean(dim=0) for floating-point tensors; a copy of the last for others.",
        "Weights 1, 2 and 6 give 3; counts 10, 20 and 30 give 30.",
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
    "dropout_moments": "steps 1 to 4: mean, variance, factor, price",
    "dropout": "step 3: the factor is fixed by E[y] = z",
    "dropout_backward": "Exercise 4: y is linear in z",
    "classic_dropout": "step 1: the mean that the next layer has learnt from",
    "Dropout": "the Conventions box: who decides between training and evaluation",
    "drop_connect": "formula (2): the same mask idea, on W",
    "map_l2": "steps 5 to 8: where the product over examples ends",
    "l2_penalty": "Part B: ½λ‖θ‖², over weights only",
    "l1_step": "step 9: why the step is clipped",
    "EarlyStopping": "Part C: better by more than min_delta, else one epoch less patience",
    "random_shift": "Part D: moved a little, the label stays true",
    "mixup_share": "Exercise 14: the inverse of a distribution function",
    "mixup": "formula (4): one partner for the image and for its label",
    "cutout": "Part D: centre anywhere, box clipped at the border",
    "cutmix": "Part D: the label's weight is the area that was really pasted",
    "ensemble_variance": "steps 10 and 11: variances add, and covariances with them",
    "bootstrap": "Exercise 19: n out of n, with replacement",
    "average_checkpoints": "Exercise 21: weights, and what is no weight",
    "ensemble_predict": "Part E: which outputs are averaged",
    "break_it": "step 3: the factor, and the one that is in its place",
    "bug_hunt": "step 6: the prior is outside the product",
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
    def classic_dropout(x, p=0.5, training=True, generator=None):
        """What survives is torch's, divided by what torch had multiplied it by."""
        mean = torch.distributions.Bernoulli(1 - _double(p)).mean.to(x)
        return Reference.dropout(x, p, True, generator) * mean if training else x * mean

    @staticmethod
    def shifted(image, largest):
        """An image (C, H, W) at all places that a shift may bring it to: (places, C, H, W)."""
        height, width = image.shape[1:]
        around = F.pad(image, [largest] * 4)[None]
        patches = F.unfold(around, (height, width)).reshape(image.shape[0], height, width, -1)
        return patches.permute(3, 0, 1, 2)

    @staticmethod
    def share_below(alpha, level):
        """The λ below which a part `level` of all lies: among 200,000 that torch draws."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            drawn = torch.distributions.Beta(_double(alpha), _double(alpha)).sample((200_000,))
        return float(drawn.quantile(level))

    @staticmethod
    def average_checkpoints(states):
        stacked = {name: torch.stack([state[name] for state in states]) for name in states[0]}
        return {
            name: tensors.mean(0) if tensors.is_floating_point() else tensors[-1]
            for name, tensors in stacked.items()
        }

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
# in which you draw random numbers. Where arguments are looked at, no copy of them is made.


def _survivor_ratios(student, x, p, training, seed):
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.dropout(x.clone(), p, training, generator)
    ratios = (out.detach().double() / x.double()).cpu().numpy().round(4) + 0.0
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
    mask = (student.dropout(x.clone(), p, True, generator) != 0).cpu()
    return [len(torch.unique(mask, dim=0)), torch.unique(mask, dim=1).shape[1]]


@probe
def masks_repeat(student, x, p, seed):
    """Whether a second call on the same generator drops the same entries as the first."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    first, second = (student.dropout(x.clone(), p, True, generator) != 0 for _ in range(2))
    return bool((first == second).all())


@probe
def masks_follow_generator(student, x, p, seed):
    """Whether two generators in the same state give the same mask, other calls in between."""
    masks = []
    for _ in range(2):
        generator = torch.Generator(device=x.device).manual_seed(seed)
        masks.append(student.dropout(x.clone(), p, True, generator) != 0)
        torch.rand(7, device=x.device)
    return bool((masks[0] == masks[1]).all())


@probe
def counts_vary(student, p, seed, device):
    """Whether 40 calls on 100 entries drop different numbers of them."""
    generator = torch.Generator(device=device).manual_seed(seed)
    counts = set()
    for _ in range(40):
        out = student.dropout(torch.ones(10, 10, device=device), p, True, generator)
        counts.add(int((out == 0).sum()))
    return len(counts) > 1


@probe
def kind_of_result(student, x, p, training, seed):
    """The result's dtype, shape and device; x itself is passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.dropout(x, p, training, generator)
    return [str(out.dtype), list(out.shape), out.device.type]


def _classic_ratios(student, x, p, training, seed):
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.classic_dropout(x.clone(), p, training, generator)
    ratios = (out.detach().double() / x.double()).cpu().numpy().round(4) + 0.0
    return np.unique(ratios)[:6].tolist()


classic_ratios = probe(_classic_ratios)


@probe
def classic_masks(student, x, p, seed):
    """The share of zeros, to the nearest even hundredth, and how far masks differ."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    first, second = (student.classic_dropout(x.clone(), p, True, generator) for _ in range(2))
    return {
        "share of zeros": round(float((first == 0).double().mean()) / 0.02) * 0.02,
        "the same twice": bool(((first != 0) == (second != 0)).all()),
        "every row has its own": len(torch.unique((first != 0).cpu(), dim=0)) == len(x),
    }


@probe
def classic_kind(student, x, p, training, seed):
    """The result's dtype and shape; x itself is passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.classic_dropout(x, p, training, generator)
    return [str(out.dtype), list(out.shape)]


def _backward_ratios(student, upstream, mask, p, survivors):
    gradient = student.dropout_backward(upstream.clone(), mask.clone(), p)
    ratios = (gradient.detach().double() / upstream.double()).cpu().numpy().round(4) + 0.0
    return np.unique(ratios[((mask != 0) == survivors).cpu().numpy()])[:4].tolist()


backward_ratios = probe(_backward_ratios)


@probe
def backward_kind(student, upstream, mask, p):
    """The gradient's dtype and shape; the arguments themselves are passed on."""
    gradient = student.dropout_backward(upstream, mask, p)
    return [str(gradient.dtype), list(gradient.shape)]


@probe
def module_drops(student, x, p, seed, modes):
    """Whether the layer drops anything, after each of a list of switches.

    A switch is "train" or "eval", on the layer itself or ("model.train") on a model around it.
    """
    layer = student.Dropout(p)
    model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Sequential(layer)).to(x.device)
    torch.manual_seed(seed)
    seen = []
    for mode in modes:
        owner, _, switch = mode.rpartition(".")
        getattr(model if owner == "model" else layer, switch)()
        seen.append(bool((model(x.clone()) == 0).any()))
    return seen


@probe
def module_drop_rate(student, p, seed, device):
    """The share of zeros among 250,000 entries in training, to the nearest even hundredth."""
    torch.manual_seed(seed)
    out = student.Dropout(p).train()(torch.ones(1, 250_000, device=device))
    return round(float((out == 0).double().mean()) / 0.02) * 0.02


@probe
def module_masks_repeat(student, x, p, seed):
    """Whether one Dropout layer drops the same entries in two calls."""
    torch.manual_seed(seed)
    layer = student.Dropout(p).train()
    return bool(((layer(x.clone()) != 0) == (layer(x.clone()) != 0)).all())


@probe
def module_state(student, p):
    """What a Dropout layer adds to a model's state_dict and parameters."""
    layer = student.Dropout(p)
    layer(torch.ones(3, 4))
    return [sorted(layer.state_dict()), len(list(layer.parameters()))]


@probe
def module_ratios(student, x, p, seed, training):
    """Which ratios out / x a Dropout layer gives after .train() or .eval()."""
    torch.manual_seed(seed)
    layer = student.Dropout(p)
    layer.train() if training else layer.eval()
    out = layer(x.clone()).detach()
    return np.unique((out / x).cpu().numpy().round(4) + 0.0)[:6].tolist()


@probe
def effective_weights(student, weight, p, training, seed):
    """drop_connect on unit vectors, each given twice: it shows the weights that were used."""
    generator = torch.Generator(device=weight.device).manual_seed(seed)
    basis = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    out = student.drop_connect(
        torch.cat([basis, basis]), weight.clone(), None, p, training, generator
    )
    top, bottom = out[: len(basis)].T, out[len(basis) :].T
    ratios = (top / weight).cpu().numpy().round(4) + 0.0
    mask = (top != 0).cpu()
    return {
        "ratios": np.unique(ratios)[:6].tolist(),
        "the same for both halves": bool((top == bottom).all()),
        "distinct rows": len(torch.unique(mask, dim=0)),
        "distinct columns": torch.unique(mask, dim=1).shape[1],
    }


@probe
def mostly_dropped(student, weight, p, seed):
    """Whether drop_connect uses more weights as 0 than otherwise."""
    generator = torch.Generator(device=weight.device).manual_seed(seed)
    basis = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    out = student.drop_connect(basis, weight.clone(), None, p, True, generator)
    return bool((out == 0).double().mean() > 0.5)


@probe
def effective_bias(student, bias, p, seed):
    """drop_connect on zeros: which ratios out / bias occur."""
    generator = torch.Generator(device=bias.device).manual_seed(seed)
    weight = torch.ones(len(bias), 3, dtype=bias.dtype, device=bias.device)
    nothing = torch.zeros_like(weight[:5])
    out = student.drop_connect(nothing, weight, bias.clone(), p, True, generator)
    return np.unique((out / bias).cpu().numpy().round(4) + 0.0)[:6].tolist()


@probe(values=True)
def drop_connect_output(student, x, weight, bias, p, training, seed):
    """The layer's output."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    return student.drop_connect(x.clone(), weight.clone(), bias.clone(), p, training, generator)


@probe
def drop_connect_kind(student, x, weight, bias, p, seed):
    """The output's dtype and shape; the arguments themselves are passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.drop_connect(x, weight, bias, p, True, generator)
    return [str(out.dtype), list(out.shape)]


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


penalty_and_gradients = probe(values=True)(_penalty)


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
    another = torch.nn.Linear(3, 2).to(device)  # for the diagnosis only: did restore do anything?
    torch.nn.init.constant_(another.weight, -2.0)
    stopper.restore(another)
    return {
        "epochs": epoch + 1, "stopped": stopped,
        "restored": float(values[0]) if bool((values == values[0]).all()) else "some weights only",
        "best": float(stopper.best), "elsewhere": float(another.weight[0, 0]),
    }


@probe
def shifts(student, image, places, largest, count, seed):
    """What random_shift does to many copies of one image, of which all places are known."""
    generator = torch.Generator(device=image.device).manual_seed(seed)
    copies = image.expand(count, *image.shape).contiguous()
    moved, again = (student.random_shift(copies.clone(), largest, generator) for _ in range(2))
    found = (moved[:, None] == places).flatten(2).all(2)  # (count, places)
    side = 2 * largest + 1
    grid = found.any(0).reshape(side, side)
    alone = bool((moved == moved[:1]).all())
    return {
        "all are shifts": bool(found.any(1).all()),
        "one for all": alone,
        # Which one it is where all images move alike is chance.
        "places": -1 if alone else int(grid.sum()),
        "the same twice": bool(torch.equal(moved, again)),
        "nothing is lost": bool(torch.allclose(moved.sum((1, 2, 3)), image.sum().expand(count))),
    }


@probe
def shifts_follow_generator(student, x, largest, seed):
    """Whether two generators in the same state move the images alike, other calls in between."""
    moved = []
    for _ in range(2):
        torch.rand(3, device=x.device)
        generator = torch.Generator(device=x.device).manual_seed(seed)
        moved.append(student.random_shift(x.clone(), largest, generator))
    return bool(torch.equal(*moved))


@probe
def shift_kind(student, x, largest, seed):
    """The result's dtype and shape; x itself is passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.random_shift(x, largest, generator)
    return [str(out.dtype), list(out.shape)]


@probe
def shares_drawn(student, alpha, cut, seed, device):
    """Of 4,000 λ, the shares below a cut and above its mirror image, to the nearest tenth."""
    generator = torch.Generator(device=device).manual_seed(seed)
    drawn = torch.tensor([float(student.mixup_share(alpha, generator)) for _ in range(4000)])
    where = {"below": drawn < cut, "above": drawn > 1 - cut}
    return {name: round(float(inside.double().mean()), 1) for name, inside in where.items()}


@probe
def share_facts(student, alpha, seed, device):
    """Type and range of λ, whether it changes, and whether the generator decides."""
    generator = torch.Generator(device=device).manual_seed(seed)
    drawn = [student.mixup_share(alpha, generator) for _ in range(20)]
    torch.rand(3)
    again = student.mixup_share(alpha, torch.Generator(device=device).manual_seed(seed))
    return {
        "type": type(drawn[0]).__name__,
        "in [0, 1]": all(0 <= float(lam) <= 1 for lam in drawn),
        "changes": len({float(lam) for lam in drawn}) > 1,
        "follows": float(again) == float(drawn[0]),
    }


@probe
def sample_facts(student, n, seed, device):
    """What can be said of a bootstrap sample without naming an index."""
    generator = torch.Generator(device=device).manual_seed(seed)
    first, second = (torch.as_tensor(student.bootstrap(n, generator)) for _ in range(2))
    again = student.bootstrap(n, torch.Generator(device=device).manual_seed(seed))
    different = len(torch.unique(first)) / n
    return {
        "dtype": str(first.dtype), "shape": list(first.shape),
        "in 0 … n−1": bool(((first >= 0) & (first < n)).all()),
        "different": "all" if different == 1 else "as drawn with replacement"
        if 0.6 < different < 0.66 else "other",
        "the same twice": first.shape == second.shape and bool((first == second).all()),
        "follows": bool(torch.equal(torch.as_tensor(again), first)),
    }


@probe
def ever_drawn(student, n, calls, seed, device):
    """How many of n indices occur in many bootstrap samples."""
    generator = torch.Generator(device=device).manual_seed(seed)
    drawn = [torch.as_tensor(student.bootstrap(n, generator)) for _ in range(calls)]
    return len(torch.unique(torch.cat(drawn)))


@probe
def averaged_memory(student, states):
    """Whether the average shares memory with a checkpoint; the checkpoints are passed on."""
    averaged = student.average_checkpoints(states)
    theirs = {t.data_ptr() for state in states for t in state.values()}
    return any(t.data_ptr() in theirs for t in averaged.values())


@probe
def mixup_shares(student, n, lam, what, seed, device):
    """mixup of unit vectors with unit targets: each row shows who was mixed with whom."""
    generator = torch.Generator(device=device).manual_seed(seed)
    basis = torch.eye(n, dtype=torch.float64, device=device)
    x, y = student.mixup(basis.clone(), basis.clone(), lam, generator)
    again, _ = student.mixup(basis.clone(), basis.clone(), lam, generator)
    others = x[~torch.eye(n, dtype=torch.bool, device=device)].reshape(n, n - 1)
    own = x.diagonal()[others.ne(0).any(1)]  # of those that are not their own partner

    def distinct(values):
        return sorted({round(float(v), 6) for v in values.flatten()})[:6]

    seen = {
        "own shares": distinct(own),
        "other shares": distinct(others),
        "everyone is used once": bool((x.sum(0) - x.sum(0).mean()).abs().max() < 1e-6),
        "targets": "like inputs" if torch.allclose(x, y)
        else "as they came" if torch.equal(y, basis) else "otherwise",
        "sums of targets": distinct(y.sum(1)),
        "the same twice": bool(torch.equal(x, again)),
    }
    return {key: seen[key] for key in what}


@probe
def mixtures_follow_generator(student, name, x, y, lam, seed):
    """Whether two generators in the same state give the same mixture, other calls in between."""
    mixtures = []
    for _ in range(2):
        torch.rand(3, device=x.device)  # torch's own generator moves on
        generator = torch.Generator(device=x.device).manual_seed(seed)
        mixtures.append(getattr(student, name)(x.clone(), y.clone(), lam, generator))
    return all(bool(torch.equal(one, other)) for one, other in zip(*mixtures, strict=True))


@probe
def unmixed(student, name, x, y, seed):
    """Whether mixup or cutmix at λ = 1 return inputs and targets as they were."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    mixed, targets = getattr(student, name)(x.clone(), y.clone(), 1.0, generator)
    return [bool(torch.allclose(mixed, x)), bool(torch.allclose(targets, y))]


@probe
def kind_of_mixture(student, name, x, y, lam, seed):
    """Dtypes and shapes of what mixup or cutmix return; the arguments themselves are passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    mixed, targets = getattr(student, name)(x, y, lam, generator)
    return [str(mixed.dtype), list(mixed.shape), str(targets.dtype), list(targets.shape)]


# Images for cutout are squares of consecutive numbers, so that whatever fills a hole shows.


@probe
def cutout_sizes(student, count, height, width, size, seed, device):
    """The sizes of the holes that cutout makes in a batch of images."""
    generator = torch.Generator(device=device).manual_seed(seed)
    image = (torch.arange(height * width, device=device) + 1.0).square().reshape(height, width)
    images = image.expand(count, 2, height, width).contiguous()
    hole = student.cutout(images.clone(), size, generator)[:, 0] != image
    heights, widths = hole.any(2).sum(1), hole.any(1).sum(1)
    full = hole.sum((1, 2)) == heights * widths
    if not bool(full.all()):
        return "some holes are no full rectangles"
    if bool(hole.any()) and bool((hole == hole[:1]).all()):
        return "one and the same hole in every image"  # which one is chance
    return torch.unique(torch.stack([heights, widths], 1), dim=0)[:40].tolist()


@probe
def cutout_channels(student, count, height, width, size, seed, device):
    """Whether the channels of each image have the same hole."""
    generator = torch.Generator(device=device).manual_seed(seed)
    image = (torch.arange(height * width, device=device) + 1.0).square().reshape(height, width)
    images = image.expand(count, 2, height, width).contiguous()
    hole = student.cutout(images.clone(), size, generator) != image
    return bool((hole[:, 0] == hole[:, 1]).all())


@probe
def cutout_distinct(student, count, height, width, size, seed, device):
    """How many different holes there are in one batch; 200 where there are more."""
    generator = torch.Generator(device=device).manual_seed(seed)
    image = (torch.arange(height * width, device=device) + 1.0).square().reshape(height, width)
    images = image.expand(count, 1, height, width).contiguous()
    hole = student.cutout(images.clone(), size, generator) != image
    return min(len(torch.unique(hole.flatten(1), dim=0)), 200)


@probe
def cutout_fills(student, x, size, seed):
    """What cutout puts into its holes, and whether every image has one."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.cutout(x.clone(), size, generator)
    changed = out != x
    return {
        "zeros only": bool((out[changed] == 0).all()),
        "every image": bool(changed.flatten(1).any(1).all()),
    }


@probe
def cutout_kind(student, x, size, seed):
    """The result's dtype and shape; x itself is passed on."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.cutout(x, size, generator)
    return [str(out.dtype), list(out.shape)]


@probe
def cutmix_sources(student, calls, height, width, lam, what, seed, device):
    """Many calls of cutmix on 16 images of one colour each: a pixel shows where it is from."""
    images = 16  # that all are their own partner happens once in 16! calls
    generator = torch.Generator(device=device).manual_seed(seed)
    number = torch.arange(1, images + 1, device=device)
    x = number.double().reshape(-1, 1, 1, 1).expand(-1, 2, height, width).contiguous()
    y = torch.eye(images, dtype=torch.float64, device=device)
    outs = [student.cutmix(x.clone(), y.clone(), lam, generator) for _ in range(calls)]
    source = torch.stack([mixed[:, 0] for mixed, _ in outs]).round().long().clamp(0, images)
    targets = torch.stack([t for _, t in outs])
    pixels = source.flatten(2)
    share = torch.zeros(calls, images, images + 1, dtype=torch.float64, device=device)
    share.scatter_add_(2, pixels, torch.ones_like(pixels, dtype=torch.float64) / pixels.shape[2])
    hole = source != number.reshape(-1, 1, 1)
    partners = torch.where(hole, source, 0).amax((2, 3))
    area, which = hole.sum((2, 3)).max(1)  # in an image that is not its own partner
    box = hole[torch.arange(calls, device=device), which]
    heights, widths = box.any(2).sum(1), box.any(1).sum(1)
    seen = {
        "labels": "as they came" if bool((targets == y).all())
        else round(float((share[:, :, 1:] - targets).abs().max()), 6),
        "right at the upper left": bool(
            ((share[:, :, 1:] - targets).abs()[box[:, 0, 0]] < 1e-5).all()
        ),
        "sizes": torch.unique(torch.stack([heights, widths], 1), dim=0)[:40].tolist(),
        "largest": [int(heights.max()), int(widths.max())],
        "rectangles": bool((heights * widths == area).all()),
        "pasted": "other values" if bool((source == 0).any())
        else "a partner" if bool(hole.any()) else "nothing",
        "the same partners": bool((partners == partners[:1]).all()),
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
    return student.ensemble_predict(models, X).detach()


ensemble_prediction = probe(values=True)(_build_and_predict)


@probe
def ensemble_traces(student, K, X, training):
    """The modes in which two models come back, and whether the prediction has a graph."""
    models = [
        torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(X.shape[1], K))
        .to(X.device, X.dtype).train(training)
        for _ in range(2)
    ]
    out = student.ensemble_predict(models, X)
    modes = sorted({module.training for model in models for module in model.modules()})
    return {"graph": bool(out.requires_grad), "training": modes}


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


# Comparisons, in words.


def _listed(values):
    shown = [f"{value:.4g}" for value in values[:4]] + ["…"] * (len(values) > 4)
    return " or ".join(shown) or "nothing"


def assert_factors(seen, expected, quotient):
    """Compare the sets of factors that occur."""
    if len(seen) != len(expected) or not np.allclose(seen, expected, rtol=2e-4, atol=0):
        raise AssertionError(
            f"{quotient} is {_listed(seen)}; it should be {_listed(expected)}"
        )


def assert_share(seen, expected, what):
    """Compare shares that were rounded to 0.02, so that every right answer is the same one."""
    if abs(seen - expected) > 0.01:
        raise AssertionError(f"{what} is about {seen:.2f}; it should be {expected:.2f}")


def assert_kind(seen, dtype, shape, device=None, what="the result"):
    """Compare a dtype, a shape and a device."""
    wanted = [dtype, list(shape), *([] if device is None else [device])]
    names = ("dtype", "shape", "device")
    for name, one, other in zip(names, seen, wanted, strict=False):
        assert one == other, f"the {name} of {what} is {one}; it should be {other}"


def assert_run(seen, expected, what=("end", "restored")):
    """Compare a run of early stopping with torch's."""

    def end(run):
        stop = "step said stop" if run["stopped"] else "there were no more scores"
        return f"training ended after epoch {run['epochs']} ({stop})"

    if "end" in what and end(seen) != end(expected):
        raise AssertionError(f"{end(seen)}; right is: {end(expected)}")
    if "restored" in what:
        got, epoch = seen["restored"], int(expected["restored"]) + 1
        assert got != "some weights only", "restore brought back some of the weights only"
        assert got != -1.0, (
            "restore left the weights as training had changed them: keep a copy, not the tensors "
            "themselves"
        )
        assert got == expected["restored"], (
            f"restore brought back the weights of epoch {int(got) + 1}; the best one was {epoch}"
        )
    if "best" in what:
        assert_close(seen["best"], expected["best"], name="best")


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


@exercise("dropout_moments", part="masked_mean", stated="E[m·z] for m ~ Bernoulli(1 − p)")
def test_masked_mean(student, reference, z_and_p):
    """The mean of m·z is E[m]·z, where m is 1 with probability 1 − p."""
    expected = [reference.masked_mean(*point) for point in z_and_p]
    assert_expression(student, "masked_mean", ["z", "p"], z_and_p, expected, "the mean")


@exercise("dropout_moments", part="masked_var", stated="Var[m·z] (step 2)")
def test_masked_var(student, reference, z_and_p):
    """The variance of m·z is z²·Var(m)."""
    expected = [reference.masked_var(*point) for point in z_and_p]
    assert_expression(student, "masked_var", ["z", "p"], z_and_p, expected, "the variance")


@exercise("dropout_moments", part="dropout_scale", stated="The factor c for which E[c·m·z] = z")
def test_dropout_scale(student, reference, z_and_p):
    """The factor that brings the mean of m·z back to z is 1/E[m]."""
    points = [[p] for _, p in z_and_p]
    expected = [reference.dropout_scale(*point) for point in points]
    assert_expression(student, "dropout_scale", ["p"], points, expected, "the factor")


@exercise("dropout_moments", part="scaled_var", stated="Var[c·m·z] with that factor c")
def test_scaled_var(student, reference, z_and_p):
    """After scaling, the variance is the factor squared times the variance before."""
    expected = [reference.scaled_var(*point) for point in z_and_p]
    assert_expression(student, "scaled_var", ["z", "p"], z_and_p, expected, "the variance")


# Exercise: dropout


@exercise("dropout", weight=2, stated="0, or x times the factor c of Exercise 1")
def test_survivors_are_scaled(student, reference, signs_and_sizes, seed):
    """Every entry is either 0 or exactly x/(1 − p)."""
    x = signs_and_sizes(40, 20)
    seen = student.run(survivor_ratios, x, 0.3, True, seed)
    assert_factors(seen, _survivor_ratios(reference, x, 0.3, True, seed), "the result divided by x")


@exercise("dropout", weight=2, stated="probability with which an entry is dropped")
def test_zeros_at_rate_p(student, seed, device):
    """An entry is dropped with probability p: among 250,000 entries a share of p is 0."""
    # The share comes rounded to 0.02, so that every right answer is one and the same; to be off
    # by the 0.01 that turns it is more than ten standard deviations, a false alarm below 1e-24.
    for p in (0.3, 0.8):
        share = student.run(drop_rate, p, seed, str(device))
        assert_share(share, p, f"the share of zeros at p = {p:g}")


@exercise("dropout", stated="False returns x unchanged")
def test_eval_is_identity(student, signs_and_sizes, seed):
    """With training=False the result is x itself, unscaled."""
    seen = student.run(survivor_ratios, signs_and_sizes(12, 30), 0.8, False, seed)
    assert_factors(seen, [1.0], "with training=False, the result divided by x")


@exercise("dropout", about="edge", weight=0.5, stated="0 ≤ p ≤ 1")
def test_nothing_is_dropped_at_p_zero(student, signs_and_sizes, seed):
    """p = 0 changes nothing."""
    seen = student.run(survivor_ratios, signs_and_sizes(12, 30), 0.0, True, seed)
    assert_factors(seen, [1.0], "at p = 0, the result divided by x")


@exercise("dropout", about="edge", weight=0.5, stated="At p = 1 all of it is 0, not NaN")
def test_nothing_is_left_at_p_one(student, signs_and_sizes, seed):
    """p = 1 leaves only zeros (not NaN)."""
    seen = student.run(survivor_ratios, signs_and_sizes(12, 30), 1.0, True, seed)
    assert_factors(seen, [0.0], "at p = 1, the result divided by x")


@exercise("dropout", weight=2, stated="each for itself")
def test_every_row_has_its_own_mask(student, signs_and_sizes, seed):
    """Every entry of the batch is drawn for itself: no two rows and no two columns fall alike."""
    # Two rows of 300 agree by chance with probability 0.58^300 < 1e-70.
    rows, columns = student.run(mask_variety, signs_and_sizes(90, 300), 0.3, seed)
    assert rows == 90, f"only {rows} of 90 rows of the mask are different from each other"
    # 90 entries a column: 0.58^90 · 300²/2 < 1e-16.
    assert columns == 300, f"only {columns} of 300 columns of the mask are different"


@exercise("dropout", weight=2, stated="anew at every call")
def test_fresh_mask_every_call(student, signs_and_sizes, seed):
    """A second call drops other entries than the first."""
    repeats = student.run(masks_repeat, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two calls, one after the other, dropped the very same entries"


@exercise("dropout", about="detail", stated="each for itself")
def test_counts_vary(student, seed, device):
    """Entries fall independently of each other, so how many fall varies from call to call."""
    # 40 counts of Bin(100, 0.3) are all equal with probability below 0.09^39 < 1e-40.
    varies = student.run(counts_vary, 0.3, seed, str(device))
    assert varies, "40 calls on 100 entries dropped the very same number of them every time"


@exercise("dropout", about="detail", stated="torch.Generator on x's device that the mask is drawn")
def test_generator_decides(student, signs_and_sizes, seed):
    """Two generators in the same state give the same mask."""
    follows = student.run(masks_follow_generator, signs_and_sizes(20, 30), 0.3, seed)
    assert follows, "the mask does not come from the generator that was passed"


@exercise("dropout", about="form", weight=0.5, stated="Tensor of x's shape, dtype and device")
def test_kind_is_kept(student, signs_and_sizes, seed, device):
    """The result keeps x's shape, dtype and device."""
    x = signs_and_sizes(2, 3, 5, dtype=torch.float32)
    seen = student.run(kind_of_result, x.clone(), 0.3, True, seed)
    assert_kind(seen, "torch.float32", [2, 3, 5], device.type)


@exercise("dropout", about="arguments", weight=2, stated="left as it is")
def test_dropout_leaves_x(student, signs_and_sizes, seed):
    """x itself is not changed."""
    student.run(kind_of_result, x=signs_and_sizes(20, 30), p=0.3, training=True, seed=seed)
    student.run(kind_of_result, x=signs_and_sizes(20, 30), p=1.0, training=True, seed=seed)
    assert_unmodified(student, by="dropout")


@exercise(
    "dropout", about="by hand", weight=2, stated="are written by hand",
    forbid=["torch.nn.functional.dropout", "torch.dropout", "torch.nn.Dropout",
            "torch.native_dropout", "torch.feature_dropout"],
)
def test_dropout_by_hand(student, signs_and_sizes, seed):
    """dropout is written by hand, without torch's own dropout."""
    student.run(kind_of_result, signs_and_sizes(3, 4), 0.3, True, seed)


# Exercise: classic_dropout


@exercise("classic_dropout", weight=2, stated="returns x with entries dropped and the others as")
def test_classic_training(student, reference, signs_and_sizes, seed):
    """In training every entry is either 0 or exactly what it was."""
    x = signs_and_sizes(40, 20)
    seen = student.run(classic_ratios, x, 0.3, True, seed)
    assert_factors(seen, _classic_ratios(reference, x, 0.3, True, seed), "the result divided by x")


@exercise("classic_dropout", weight=2, stated="x times one factor, so that both have the same mean")
def test_classic_evaluation(student, reference, signs_and_sizes, seed):
    """At evaluation every entry is multiplied by the mean of the mask."""
    for p in (0.3, 0.8):
        x = signs_and_sizes(12, 30)
        seen = student.run(classic_ratios, x, p, False, seed)
        expected = _classic_ratios(reference, x, p, False, seed)
        assert_factors(seen, expected, f"at evaluation with p = {p:g}, the result divided by x")


@exercise("classic_dropout", weight=2, stated="probability with which an entry is dropped")
def test_classic_masks(student, signs_and_sizes, seed):
    """An entry is dropped with probability p, each for itself, and anew at every call."""
    seen = student.run(classic_masks, signs_and_sizes(500, 500), 0.3, seed)
    assert_share(seen["share of zeros"], 0.3, "the share of zeros at p = 0.3")
    assert seen["every row has its own"], "some rows of the batch have the same mask"
    assert not seen["the same twice"], "two calls, one after the other, dropped the same entries"


@exercise("classic_dropout", about="form", weight=0.5, stated="Tensor of x's shape, dtype")
def test_classic_keeps_kind(student, signs_and_sizes, seed):
    """The result keeps x's shape and dtype, in training and at evaluation."""
    x = signs_and_sizes(2, 3, 5, dtype=torch.float32)
    for training in (True, False):
        seen = student.run(classic_kind, x.clone(), 0.3, training, seed)
        assert_kind(seen, "torch.float32", [2, 3, 5])


@exercise("classic_dropout", about="arguments", weight=0.5, stated="left as it is")
def test_classic_leaves_x(student, signs_and_sizes, seed):
    """x itself is not changed."""
    for training in (True, False):
        student.run(classic_kind, x=signs_and_sizes(20, 30), p=0.3, training=training, seed=seed)
    assert_unmodified(student, by="classic_dropout")


@exercise(
    "classic_dropout", about="by hand", stated="are written by hand",
    forbid=["torch.nn.functional.dropout", "torch.dropout", "torch.nn.Dropout",
            "torch.native_dropout", "torch.feature_dropout"],
)
def test_classic_by_hand(student, signs_and_sizes, seed):
    """It is written by hand, without torch's own dropout."""
    student.run(classic_kind, signs_and_sizes(3, 4), 0.3, True, seed)


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
        who = "survived" if survivors else "were dropped"
        assert_factors(seen, expected, f"where entries {who}, the gradient divided by upstream")

    return compare


@exercise("dropout_backward", stated="∂loss/∂x")
def test_backward_of_survivors(as_in_autograd):
    """A survivor's gradient is the one that autograd finds: scaled as its value was."""
    as_in_autograd((30, 20), 0.3, survivors=True)


@exercise("dropout_backward", stated="1 (True) where the entry survived in the forward pass")
def test_backward_of_dropped(as_in_autograd):
    """An entry that was dropped in the forward pass gets the gradient 0: the mask is the same."""
    as_in_autograd((30, 20), 0.3, survivors=False)


@exercise("dropout_backward", about="edge", weight=0.5, stated="At p = 1 all of it is 0, not NaN")
def test_backward_at_p_one(as_in_autograd):
    """At p = 1 every gradient is 0, not NaN."""
    as_in_autograd((4, 5), 1.0, survivors=False)


@exercise("dropout_backward", about="arguments", stated="left as it is")
def test_backward_leaves_its_arguments(student, masked_batch):
    """upstream and mask are not changed."""
    upstream, mask, _ = masked_batch((8, 5), 0.3)
    student.run(backward_kind, upstream=upstream, mask=mask, p=0.3)
    student.run(backward_kind, upstream=upstream, mask=torch.zeros_like(mask), p=1.0)
    assert_unmodified(student, by="dropout_backward")


@exercise(
    "dropout_backward", about="by hand", stated="are written by hand", forbid=["autograd"],
)
def test_backward_by_hand(student, masked_batch):
    """The gradient is written out, without autograd."""
    upstream, mask, _ = masked_batch((4, 5), 0.3)
    student.run(backward_kind, upstream, mask, 0.3)


# Exercise: Dropout


def assert_switches(seen, expected, modes):
    """Compare when a layer drops and when not, switch by switch."""
    for mode, drops, should in zip(modes, seen, expected, strict=True):
        call = f"{mode}()" if "." in mode else f"layer.{mode}()"
        state = "still drops" if drops else "drops nothing"
        assert drops == should, f"after {call} the layer {state}"


@exercise("Dropout", weight=2, stated="off after eval()")
def test_module_is_off_after_eval(student, signs_and_sizes, seed):
    """After .eval() the layer returns x unchanged."""
    seen = student.run(module_ratios, signs_and_sizes(20, 30), 0.8, seed, False)
    assert_factors(seen, [1.0], "after layer.eval(), the result divided by x")


@exercise("Dropout", weight=2, stated="of the layer or a model around it")
def test_module_follows_its_parent(student, signs_and_sizes, seed):
    """model.eval() and model.train() reach the layer inside, as often as they are called."""
    modes = ["model.eval", "model.train", "model.eval", "train"]
    seen = student.run(module_drops, signs_and_sizes(20, 30), 0.3, seed, modes)
    assert_switches(seen, [False, True, False, True], modes)


@exercise("Dropout", weight=2, stated="In training every call draws a new mask")
def test_module_draws_every_time(student, signs_and_sizes, seed):
    """Every forward call draws a new mask."""
    repeats = student.run(module_masks_repeat, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two forward calls dropped the very same entries"


@exercise("Dropout", about="detail", weight=5, stated="p: probability of being dropped")
def test_module_uses_its_p(student, seed, device):
    """In training the layer drops at the rate p it was made with."""
    share = student.run(module_drop_rate, 0.8, seed, str(device))
    assert_share(share, 0.8, "the share of zeros of a layer with p = 0.8")


@exercise("Dropout", about="detail", weight=4, stated="the survivors are scaled as in equation (1)")
def test_module_scales(student, reference, signs_and_sizes, seed):
    """In training what is not dropped is x/(1 − p)."""
    x = signs_and_sizes(20, 30)
    seen = student.run(module_ratios, x, 0.8, seed, True)
    assert_factors(seen, _survivor_ratios(reference, x, 0.8, True, seed), "the result divided by x")


@exercise("Dropout", about="detail", weight=0.5, stated="has no parameters and adds nothing to")
def test_module_has_no_state(student):
    """The layer has no parameters and adds nothing to a model's state_dict."""
    keys, parameters = student.run(module_state, 0.3)
    assert not keys, f"the layer adds {', '.join(keys)} to state_dict"
    assert not parameters, "the layer has parameters, which an optimizer would train"


@exercise(
    "Dropout", about="by hand", stated="are written by hand",
    forbid=["torch.nn.functional.dropout", "torch.dropout", "torch.nn.Dropout",
            "torch.native_dropout"],
)
def test_module_by_hand(student, signs_and_sizes, seed):
    """The layer is written by hand, without torch's own dropout."""
    student.run(module_masks_repeat, signs_and_sizes(3, 4), 0.3, seed)


# Exercise: drop_connect


@exercise("drop_connect", stated="survivors are scaled by the factor c of Exercise 1")
def test_weights_are_scaled(student, reference, signs_and_sizes, seed):
    """Every weight is used either as 0 or as w/(1 − p)."""
    weight = signs_and_sizes(30, 40)
    seen = student.run(effective_weights, weight, 0.3, True, seed)
    expected = _survivor_ratios(reference, weight, 0.3, True, seed)
    assert_factors(seen["ratios"], expected, "a weight that was used over the one given")


@exercise("drop_connect", weight=0.5, stated="with which a weight is dropped")
def test_weights_drop_with_p(student, signs_and_sizes, seed):
    """p is the probability of being dropped: at 0.2 most weights stay, at 0.8 most fall."""
    # Half of them is sixty standard deviations of 40,000 weights away.
    for p, expected in ((0.2, False), (0.8, True)):
        seen = student.run(mostly_dropped, signs_and_sizes(200, 200), p, seed)
        assert seen == expected, f"at p = {p:g} most weights {'are 0' if seen else 'stay'}"


@exercise("drop_connect", stated="One mask a call, shared by the batch")
def test_one_mask_for_the_batch(student, signs_and_sizes, seed):
    """The mask is drawn for the weights: every weight for itself, one draw for the batch."""
    seen = student.run(effective_weights, signs_and_sizes(90, 120), 0.3, True, seed)
    assert seen["the same for both halves"], "two equal examples of one batch met other weights"
    rows, columns = seen["distinct rows"], seen["distinct columns"]
    assert rows == 90, f"only {rows} of 90 rows of the mask on the weights are different"
    assert columns == 120, f"only {columns} of 120 columns of the mask on the weights are different"


@exercise("drop_connect", stated="False gives the plain linear layer")
def test_drop_connect_eval(student, signs_and_sizes, seed):
    """With training=False every weight is used as it is."""
    seen = student.run(effective_weights, signs_and_sizes(30, 40), 0.8, False, seed)
    assert_factors(
        seen["ratios"], [1.0], "with training=False, a weight that was used over the one given"
    )


@exercise("drop_connect", about="detail", weight=0.5, stated="A linear layer")
def test_drop_connect_is_linear(student, normal, seed):
    """At p = 0 it is the linear layer x·Wᵀ + b."""
    x, weight, bias = normal(4, 6), normal(3, 6), normal(3)
    seen = student.run(drop_connect_output, x, weight, bias, 0.0, True, seed)
    assert_close(seen, F.linear(x, weight, bias), name="the output")


@exercise("drop_connect", about="detail", weight=0.5, stated="never dropped or scaled")
def test_bias_is_not_dropped(student, signs_and_sizes, seed):
    """The bias is neither dropped nor scaled: an input of zeros gives exactly the bias."""
    seen = student.run(effective_bias, signs_and_sizes(60), 0.3, seed)
    assert_factors(seen, [1.0], "for an input of zeros, the output over the bias")


@exercise("drop_connect", about="arguments", weight=0.5, stated="All are left as they are")
def test_drop_connect_leaves_its_arguments(student, normal, seed):
    """x, weight and bias are not changed."""
    x, weight, bias = normal(4, 6), normal(3, 6), normal(3)
    student.run(drop_connect_kind, x=x, weight=weight, bias=bias, p=0.3, seed=seed)
    assert_unmodified(student, by="drop_connect")


# Exercise: map_l2


@exercise("map_l2", part="log_prior", stated="log N(θ; 0, σ²) of one parameter, constant included")
def test_log_prior(student, reference, rng):
    """log N(θ; 0, σ²) is the logarithm of the Gaussian density, its constant included."""
    points = [[float(rng.uniform(1, 2)), float(s)] for s in (rng.uniform(0.3, 0.6), 2.5)]
    expected = [reference.log_prior(*q) for q in points]
    assert_expression(student, "log_prior", ["theta", "sigma"], points, expected, "the log prior")


@exercise("map_l2", part="map_objective", stated="−log of (likelihood × prior) for three examples")
def test_map_objective(student, reference, rng):
    """The objective is the sum of the examples' losses and the prior's term once."""
    variables = ["l_1", "l_2", "l_3", "theta", "sigma"]
    losses = [float(v) for v in rng.uniform(0.5, 2.0, 3)]
    points = [[*losses, float(rng.uniform(1, 2)), float(s)] for s in (0.4, rng.uniform(2, 3))]
    at_zero = [[0.0, 0.0, 0.0, 0.0, q[4]] for q in points]
    seen = student.run(values_at, "map_objective", variables, [*points, *at_zero])
    # Constants that do not depend on θ may stay or go: only differences are compared.
    moved = np.array(seen[:2]) - np.array(seen[2:])
    nll = torch.tensor(losses, dtype=torch.float64)
    expected = [float(reference.map_loss(nll, torch.tensor([q[3]]).double(), q[4])) for q in points]
    assert_close(
        moved, np.array(expected), rtol=1e-7,
        name=f"the objective (less its value where losses and θ are 0) for σ = {points[0][4]:.3g} "
        f"and {points[1][4]:.3g}",
    )


@exercise("map_l2", part="lambda_for_sum", stated="λ for which Σ l_i + ½λθ² is that objective")
def test_lambda_of_a_sum(student, reference, rng):
    """Written as Σ losses + ½λθ², the prior N(0, σ²) means λ = 1/σ²."""
    points = [[0.4], [float(rng.uniform(2.0, 3.0))]]
    expected = [reference.penalty_strength(q[0], 1) for q in points]
    assert_expression(student, "lambda_for_sum", ["sigma"], points, expected, "λ")


@exercise("map_l2", part="lambda_for_mean", stated="λ for which (1/n)·Σ l_i + ½λθ²")
def test_lambda_of_a_mean(student, reference, rng):
    """With the mean of n losses in place of the sum, the same prior means λ/n."""
    points = [[0.4, 10.0], [float(rng.uniform(2.0, 3.0)), float(rng.integers(20, 90))]]
    expected = [reference.penalty_strength(*q) for q in points]
    assert_expression(
        student, "lambda_for_mean", ["sigma", "n"], points, expected, "λ for the mean"
    )


# Exercise: l2_penalty

MLP = [["Linear", 4, 3], ["ReLU"], ["Linear", 3, 2]]


@pytest.fixture
def mlp_parameters(signs_and_sizes):
    """Weights and biases for MLP, none of them zero."""
    return [signs_and_sizes(3, 4), signs_and_sizes(3), signs_and_sizes(2, 3), signs_and_sizes(2)]


@exercise("l2_penalty", stated="½ Σ w² over the model's weights")
def test_penalty_value(student, mlp_parameters):
    """The penalty is half the sum of the squared weights; biases are left out."""
    seen = student.run(penalty_and_gradients, MLP, mlp_parameters)
    expected = torch_decay(mlp_parameters, [True, False, True, False])
    assert_close(seen["penalty"], expected["penalty"], name="the penalty")


@exercise("l2_penalty", stated="through which gradients flow to the weights")
def test_penalty_gradient(student, mlp_parameters):
    """Its gradient is w for a weight, which is torch's weight decay, and 0 for a bias."""
    seen = student.run(penalty_and_gradients, MLP, mlp_parameters)
    expected = torch_decay(mlp_parameters, [True, False, True, False])
    whose = ("first weights", "first biases", "second weights", "second biases")
    for name, got, want in zip(whose, seen["gradients"], expected["gradients"], strict=True):
        assert_close(got, want, name=f"the gradient of the {name}")


@exercise("l2_penalty", about="detail", stated="the parameters with two or more axes")
def test_penalty_of_other_layers(student, signs_and_sizes):
    """Kernels of convolutions and embedding tables count; a scale of one axis does not."""
    layers = [["Conv1d", 2, 3, 2], ["BatchNorm1d", 3], ["Embedding", 4, 3]]
    shapes = [(3, 2, 2), (3,), (3,), (3,), (4, 3)]
    tensors = [signs_and_sizes(*shape) for shape in shapes]
    seen = student.run(penalty_and_gradients, layers, tensors)
    expected = torch_decay(tensors, [True, False, False, False, True])
    assert_close(seen["penalty"], expected["penalty"], name="the penalty")


# Exercise: l1_step


@pytest.fixture
def far_and_near(rng, device):
    """Parameters of both signs: some far from zero, some nearer to it than lr·lam = 0.3."""
    size = np.hstack([rng.uniform(0.5, 2.0, (3, 4)), rng.uniform(0.02, 0.28, (3, 4))])
    sign = rng.choice([-1.0, 1.0], size.shape)
    sign[:, ::4], sign[:, 1::4] = 1.0, -1.0
    return torch.as_tensor(size * sign, device=device)


@exercise("l1_step", stated="every entry moved towards 0 by ηλ")
def test_l1_step_far_from_zero(student, reference, far_and_near):
    """Far from zero an entry moves towards zero by lr·lam, whatever its size."""
    theta = far_and_near[:, :4].contiguous()
    agree(student, reference, "l1_step", theta, 0.1, 3.0)


@exercise("l1_step", stated="but no further than 0")
def test_l1_step_near_zero(student, reference, far_and_near):
    """An entry nearer to zero than lr·lam becomes exactly 0; it never changes sign."""
    theta = far_and_near[:, 4:].contiguous()
    agree(student, reference, "l1_step", theta, 0.1, 3.0, atol=1e-12)


@exercise("l1_step", about="arguments", weight=0.5, stated="left as it is")
def test_l1_step_leaves_theta(student, far_and_near):
    """theta itself is not changed."""
    student.l1_step(far_and_near, 0.1, 3.0)
    assert_unmodified(student)


@exercise(
    "l1_step", about="by hand", weight=0.5, stated="are written by hand",
    forbid=["torch.nn.functional.softshrink", "torch.nn.Softshrink"],
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


@exercise("EarlyStopping", stated="after how many epochs in a row without a better score")
def test_patience_counts_in_a_row(student, reference, unit, device):
    """Training stops at the patience-th epoch in a row without a new best, and not before."""
    scores, options = [unit * s for s in SETBACKS], {"patience": 3}
    seen = student.run(stop_early, scores, options, str(device))
    assert_run(seen, reference.early_stopping(scores, **options), ["end"])


@exercise("EarlyStopping", stated="a copy of the model's weights")
def test_best_weights_come_back(student, reference, unit, device):
    """restore brings back a copy of the weights of the best epoch."""
    scores, options = [unit * s for s in SETBACKS[:10]], {"patience": 4}
    seen = student.run(stop_early, scores, options, str(device))
    assert_run(seen, reference.early_stopping(scores, **options), ["restored"])


@exercise("EarlyStopping", about="detail", weight=0.5, stated="best: the best score so far")
def test_best_is_the_best_score(student, reference, unit, device):
    """best is the best epoch's score, just as it came."""
    scores, options = [unit * s for s in SETBACKS[:10]], {"patience": 4}
    seen = student.run(stop_early, scores, options, str(device))
    assert_run(seen, reference.early_stopping(scores, **options), ["best"])


@exercise("EarlyStopping", about="detail", weight=2, stated="beats the best one by more than this")
def test_min_delta(student, reference, unit, device):
    """Only a score better than the best by more than min_delta counts as better."""
    scores, options = [unit * s for s in CREEPING], {"patience": 3, "min_delta": unit}
    seen = student.run(stop_early, scores, options, str(device))
    assert_run(seen, reference.early_stopping(scores, **options))


@exercise("EarlyStopping", about="detail", weight=2, stated='"max" for higher ones')
def test_mode_max(student, reference, unit, device):
    """With mode='max' larger scores are better."""
    scores = [-unit * s for s in SETBACKS]
    options = {"patience": 3, "mode": "max"}
    seen = student.run(stop_early, scores, options, str(device))
    assert_run(seen, reference.early_stopping(scores, **options))


@exercise("EarlyStopping", about="edge", stated="a tie is not better")
def test_ties_are_no_progress(student, reference, unit, device):
    """An equal score is no better one; patience 1 stops at the first such epoch."""
    for scores, patience in (((3, 2, 2, 2, 2), 2), ((3, 2, 2, 1), 1)):
        scaled = [unit * s for s in scores]
        seen = student.run(stop_early, scaled, {"patience": patience}, str(device))
        assert_run(seen, reference.early_stopping(scaled, patience))


# Exercise: random_shift


def shift_facts(student, reference, image, largest, count, seed):
    """What random_shift does to an image without zeros, beside all places torch knows."""
    places = reference.shifted(image, largest)
    return student.run(shifts, image, places, largest, count, seed)


@exercise("random_shift", weight=2, stated="pixels that are uncovered are 0")
def test_shift_moves_the_picture(student, reference, signs_and_sizes, seed):
    """What comes back is the image at another place, with 0 where it is uncovered."""
    seen = shift_facts(student, reference, signs_and_sizes(2, 5, 6), 2, 200, seed)
    assert seen["all are shifts"] or not seen["nothing is lost"], (
        "pixels that leave the picture come in again at the other side"
    )
    assert seen["all are shifts"], (
        "some results are not the image moved by at most 2 pixels, with zeros where it is uncovered"
    )


@exercise("random_shift", weight=2, stated="Each image moves by its own two whole")
def test_shift_is_each_images_own(student, reference, signs_and_sizes, seed):
    """Every image moves by its own numbers, and every call draws anew."""
    # 200 equal draws of 25 places: 25^−199.
    seen = shift_facts(student, reference, signs_and_sizes(2, 5, 6), 2, 200, seed)
    assert not seen["one for all"], "all images move alike (or not at all)"
    assert not seen["the same twice"], "two calls, one after the other, moved the images alike"


@exercise("random_shift", about="detail", weight=2, stated="all of −largest … largest")
def test_shift_reaches_every_place(student, reference, signs_and_sizes, seed):
    """All 25 places within ±2 pixels occur."""
    # One of 25 places is missing among 700 with probability 25·(24/25)^700 < 1e-11.
    seen = shift_facts(student, reference, signs_and_sizes(1, 5, 6), 2, 700, seed)
    assert seen["places"] != -1, "all images move alike (or not at all)"
    assert seen["places"] == 25, (
        f"{seen['places']} of the 25 places within ±2 pixels occur in 700 images"
    )


@exercise("random_shift", about="detail", weight=0.5, stated="that the numbers are drawn from")
def test_shift_follows_the_generator(student, signs_and_sizes, seed):
    """The generator that is passed decides how far the images move."""
    # Drawn elsewhere, 40 images move alike twice with probability 25^−40.
    follows = student.run(shifts_follow_generator, signs_and_sizes(40, 1, 5, 6), 2, seed)
    assert follows, "the shifts do not come from the generator that was passed"


@exercise("random_shift", about="form", weight=0.5, stated="Tensor like x")
def test_shift_keeps_kind(student, signs_and_sizes, seed):
    """The result has x's dtype and shape."""
    x = signs_and_sizes(7, 3, 5, 6, dtype=torch.float32)
    assert_kind(student.run(shift_kind, x.clone(), 1, seed), "torch.float32", [7, 3, 5, 6])


@exercise("random_shift", about="arguments", weight=0.5, stated="left as they are")
def test_shift_leaves_x(student, signs_and_sizes, seed):
    """x itself is not changed."""
    student.run(shift_kind, x=signs_and_sizes(20, 3, 5, 6), largest=2, seed=seed)
    assert_unmodified(student, by="random_shift")


# Exercise: mixup_share


@exercise("mixup_share", weight=2, stated="Draws λ ~ Beta(α, α)")
def test_share_has_its_distribution(student, reference, seed, device):
    """Small and large shares are as frequent as Beta(α, α) has them, for α = 3 and 0.2."""
    for alpha in (3.0, 0.2):
        # To be off by the 0.05 that turns the rounded share is eight standard deviations.
        cut = reference.share_below(alpha, 0.2)
        seen = student.run(shares_drawn, alpha, cut, seed, str(device))
        for side, where in (("below", f"below {cut:.3f}"), ("above", f"above {1 - cut:.3f}")):
            assert abs(seen[side] - 0.2) < 0.05, (
                f"for α = {alpha:g}, about {100 * seen[side]:.0f} % of the shares are {where}; "
                "it should be 20 %"
            )


@exercise("mixup_share", about="form", weight=0.5, stated="λ as a plain float in [0, 1]")
def test_share_is_a_float(student, seed, device):
    """λ is a plain float between 0 and 1."""
    seen = student.run(share_facts, 0.4, seed, str(device))
    assert seen["type"] in ("float", "float64"), f"λ is a {seen['type']}, not a float"
    assert seen["in [0, 1]"], "a λ lies outside of [0, 1]"


@exercise("mixup_share", about="detail", weight=0.5, stated="torch.Generator that λ is drawn from")
def test_share_follows_the_generator(student, seed, device):
    """The generator decides which λ comes, and the next call brings another."""
    seen = student.run(share_facts, 0.4, seed, str(device))
    assert seen["follows"], "λ does not come from the generator that was passed"
    assert seen["changes"], "20 calls on one generator gave the same λ"


# Exercise: mixup


@exercise("mixup", stated="λ in [0, 1], the share that an example keeps of itself")
def test_mixup_inputs(student, seed, device):
    """An input keeps the share λ of itself and takes 1 − λ of one partner."""
    # 40 examples that are all their own partner: 1/40! < 1e-47.
    seen = student.run(mixup_shares, 40, 0.8, ["own shares"], seed, str(device))
    assert_factors(seen["own shares"], [0.8], "at λ = 0.8, the share of itself in an input")
    seen = student.run(mixup_shares, 40, 0.8, ["other shares"], seed, str(device))
    assert_factors(seen["other shares"], [0.0, 0.2], "at λ = 0.8, the share of others in an input")


@exercise("mixup", weight=2, stated="the same one for inputs and targets")
def test_mixup_targets(student, seed, device):
    """Targets are mixed with the same partner and the same shares as the inputs."""
    seen = student.run(mixup_shares, 40, 0.8, ["targets"], seed, str(device))
    assert seen["targets"] != "as they came", "the targets came back as they were"
    assert seen["targets"] == "like inputs", (
        "inputs and targets were the same unit vectors before mixing and are different after it"
    )


@exercise("mixup", about="detail", weight=2, stated="draws the partners, a permutation of the")
def test_mixup_partners(student, seed, device):
    """The partners are a fresh random permutation of the batch: everyone is chosen once."""
    # 40 independent choices make a permutation with probability 40!/40^40 < 1e-16.
    what = ["everyone is used once", "the same twice"]
    seen = student.run(mixup_shares, 40, 0.3, what, seed, str(device))
    assert seen["everyone is used once"], "some examples are nobody's partner, others several's"
    assert not seen["the same twice"], "two calls, one after the other, chose the same partners"


@exercise("mixup", about="detail", weight=0.5, stated="torch.Generator on x's device; draws the")
def test_mixup_follows_the_generator(student, normal, seed):
    """The generator that is passed decides who is mixed with whom."""
    # Drawn elsewhere, 30 partners are the same twice with probability 1/30!.
    follows = student.run(
        mixtures_follow_generator, "mixup", normal(30, 3, 4), normal(30, 5), 0.6, seed
    )
    assert follows, "the partners do not come from the generator that was passed"


@exercise("mixup", about="detail", weight=0.5, stated="λ in [0, 1]")
def test_mixup_below_a_half(student, seed, device):
    """λ below ½ is used as it is given."""
    seen = student.run(mixup_shares, 40, 0.3, ["own shares"], seed, str(device))
    assert_factors(seen["own shares"], [0.3], "at λ = 0.3, the share of itself in an input")


@exercise("mixup", about="edge", weight=0.5, stated="λ in [0, 1]")
def test_mixup_without_mixing(student, normal, seed):
    """λ = 1 returns inputs and targets as they were."""
    inputs, targets = student.run(unmixed, "mixup", normal(30, 3, 4), normal(30, 5), seed)
    assert inputs, "at λ = 1 the inputs are not what they were"
    assert targets, "at λ = 1 the targets are not what they were"


@exercise("mixup", about="form", weight=0.5, stated="shapes and dtypes as given")
def test_mixup_keeps_kinds(student, normal, seed):
    """Shapes and dtypes are those of the inputs and targets."""
    x, y = normal(30, 3, 4, dtype=torch.float32), normal(30, 5, dtype=torch.float32)
    seen = student.run(kind_of_mixture, "mixup", x.clone(), y.clone(), 0.6, seed)
    assert_kind(seen[:2], "torch.float32", [30, 3, 4], what="the mixed inputs")
    assert_kind(seen[2:], "torch.float32", [30, 5], what="the mixed targets")


@exercise("mixup", about="arguments", stated="Both are left as they are")
def test_mixup_leaves_its_arguments(student, normal, seed):
    """x and y are not changed."""
    student.run(
        kind_of_mixture, name="mixup", x=normal(30, 3, 4), y=normal(30, 5), lam=0.6, seed=seed
    )
    assert_unmodified(student, by="mixup")


# Exercise: cutout


@exercise("cutout", stated="Sets a square of every image to 0")
def test_cutout_square(student, seed, device):
    """The hole is a square of about size pixels a side."""
    # A hole that is not clipped has probability 5/9·8/12 an image: (17/27)^600 < 1e-100.
    seen = student.run(cutout_sizes, 600, 9, 12, 5, seed, str(device))
    assert not isinstance(seen, str), seen
    sides = [max(size[axis] for size in seen) for axis in (0, 1)]
    assert all(abs(side - 5) <= 1 for side in sides), (
        f"the largest hole for size 5 is {sides[0]} × {sides[1]} pixels"
    )


@exercise("cutout", about="detail", weight=1.5, stated="Its rows are cy − size//2 …")
def test_cutout_sizes(student, reference, seed, device):
    """The hole is size × size where it fits, and what is left of it at the border."""
    # The rarest of the nine sizes has probability 1/27 an image, and 1/108 where one corner only
    # is cut off: (107/108)^2000 < 1e-8.
    seen = student.run(cutout_sizes, 2000, 9, 12, 5, seed, str(device))
    assert_sizes(seen, reference.cut_sizes(9, 12, 5, 5), "holes for size 5 on 9 × 12 pixels")


def assert_sizes(seen, expected, what):
    """Compare the sizes of boxes that occur."""
    assert not isinstance(seen, str), seen
    for size in seen:
        assert size in expected, f"{what}: {size[0]} × {size[1]} occurs, and cannot be"
    for size in expected:
        assert size in seen, f"{what}: {size[0]} × {size[1]} never occurs"


@exercise("cutout", weight=0.5, stated="in all channels")
def test_cutout_channels(student, seed, device):
    """The hole goes through all channels."""
    agree = student.run(cutout_channels, 300, 9, 12, 5, seed, str(device))
    assert agree, "the channels of one image have different holes"


@exercise("cutout", stated="draws a centre (cy, cx) for every image")
def test_cutout_own_centres(student, seed, device):
    """Every image has its own centre."""
    # 200 images of 48 equally likely centres have fewer than 8 with probability far below 1e-100.
    seen = student.run(cutout_distinct, 200, 6, 8, 3, seed, str(device))
    assert seen >= 8, "one and the same hole in (nearly) every image"


@exercise("cutout", about="detail", stated="all pixels being equally likely")
def test_cutout_centres(student, reference, seed, device):
    """Every pixel of the image may be a centre."""
    # One of the 48 holes is missing among 1,200 with probability 48·(47/48)^1200 < 1e-9.
    seen = student.run(cutout_distinct, 1200, 6, 8, 3, seed, str(device))
    expected = len(torch.unique(reference.cut_masks(6, 8, 3, 3), dim=0))
    assert seen == expected, (
        f"{seen} different holes of size 3 occur on 6 × 8 pixels; one a centre would be {expected}"
    )


@exercise("cutout", about="detail", weight=2, stated="Sets a square of every image to 0")
def test_cutout_fills_with_zeros(student, signs_and_sizes, seed):
    """Every image has a hole, filled with 0, and the rest of it stays."""
    seen = student.run(cutout_fills, signs_and_sizes(100, 3, 8, 7), 3, seed)
    assert seen["zeros only"], "what has changed is not all 0"
    assert seen["every image"], "some images have no hole"


@exercise("cutout", about="form", weight=0.5, stated="Tensor like x")
def test_cutout_keeps_kind(student, normal, seed):
    """The result has x's dtype and shape."""
    x = normal(20, 3, 8, 7, dtype=torch.float32)
    assert_kind(student.run(cutout_kind, x.clone(), 3, seed), "torch.float32", [20, 3, 8, 7])


@exercise("cutout", about="arguments", stated="left as they are")
def test_cutout_leaves_x(student, signs_and_sizes, seed):
    """x itself is not changed."""
    student.run(cutout_kind, x=signs_and_sizes(20, 3, 8, 7), size=3, seed=seed)
    assert_unmodified(student, by="cutout")


# Exercise: cutmix


def assert_labels(seen):
    """A label's weight against its share of the pixels."""
    assert seen != "as they came", "the targets came back as they were"
    assert seen < 1e-5, f"a label's weight is up to {seen:.3g} away from its share of the pixels"


@exercise("cutmix", weight=2, stated="A target's weights are the shares of the pixels")
def test_cutmix_labels_count_pixels(student, seed, device):
    """A label's weight is the share of the pixels that come from its image, at the border too."""
    # Three boxes in five are clipped; 300 calls miss the smallest, with the largest gap, with
    # probability (14/15)^300 < 2e-9.
    what = ["labels", "right at the upper left"]
    seen = student.run(cutmix_sources, 300, 6, 10, 0.7, what, seed, str(device))
    assert_labels(seen["labels"])


@exercise("cutmix", stated="the box has int(H√(1 − λ)) rows and int(W√(1 − λ)) columns")
def test_cutmix_box(student, seed, device):
    """The box is about as large as λ says: its sides take the square root of 1 − λ."""
    # A box that is not clipped has probability 4/6·6/10 a call: 0.6^300 < 1e-66.
    what = ["largest", "rectangles"]
    seen = student.run(cutmix_sources, 300, 6, 10, 0.75, what, seed, str(device))
    assert seen["rectangles"], "what is pasted is no full rectangle"
    rows, columns = seen["largest"]
    assert abs(rows - 3) <= 1 and abs(columns - 5) <= 1, (
        f"at λ = 0.75 the largest box on 6 × 10 pixels is {rows} × {columns}"
    )


@exercise("cutmix", about="detail", weight=2, stated="before it is clipped to the image")
def test_cutmix_box_is_clipped(student, reference, seed, device):
    """The box has exactly these sides, clipped where it sticks out; every centre occurs."""
    # The rarest of the six sizes has probability 1/15 a call: 6·(14/15)^300 < 1e-8.
    seen = student.run(cutmix_sources, 300, 6, 10, 0.75, ["sizes"], seed, str(device))
    assert_sizes(
        seen["sizes"], reference.cut_sizes(6, 10, 3, 5), "boxes at λ = 0.75 on 6 × 10 pixels"
    )


@exercise("cutmix", stated="Pastes one box of every image's partner into it")
def test_cutmix_pastes_a_partner(student, seed, device):
    """What is pasted comes from another image of the batch."""
    seen = student.run(cutmix_sources, 20, 6, 10, 0.75, ["pasted"], seed, str(device))
    assert seen["pasted"] == "a partner", f"{seen['pasted']} is pasted, and not a partner's pixels"


@exercise("cutmix", about="detail", weight=2, stated="draws the partners (a permutation)")
def test_cutmix_draws_partners(student, seed, device):
    """The partners are others at every call."""
    seen = student.run(cutmix_sources, 20, 6, 10, 0.75, ["the same partners"], seed, str(device))
    assert not seen["the same partners"], "every call chose the same partners"


@exercise("cutmix", about="detail", weight=0.5, stated="torch.Generator on x's device; draws the")
def test_cutmix_follows_the_generator(student, normal, seed):
    """The generator that is passed decides who the partners are and where the box lies."""
    # Drawn elsewhere, centre and 16 partners are the same twice with probability below 1e-14.
    follows = student.run(
        mixtures_follow_generator, "cutmix", normal(16, 2, 6, 10), normal(16, 5), 0.5, seed
    )
    assert follows, "partners and box do not come from the generator that was passed"


@exercise("cutmix", about="edge", weight=0.5, stated="λ in [0, 1]")
def test_cutmix_without_cutting(student, normal, seed):
    """λ = 1 returns images and targets as they were."""
    images, targets = student.run(unmixed, "cutmix", normal(30, 3, 4, 5), normal(30, 5), seed)
    assert images, "at λ = 1 the images are not what they were"
    assert targets, "at λ = 1 the targets are not what they were"


@exercise("cutmix", about="form", weight=0.5, stated="shapes and dtypes as given")
def test_cutmix_keeps_kinds(student, normal, seed):
    """Shapes and dtypes are those of the images and targets."""
    x, y = normal(30, 3, 4, 5, dtype=torch.float32), normal(30, 5, dtype=torch.float32)
    seen = student.run(kind_of_mixture, "cutmix", x.clone(), y.clone(), 0.5, seed)
    assert_kind(seen[:2], "torch.float32", [30, 3, 4, 5], what="the images")
    assert_kind(seen[2:], "torch.float32", [30, 5], what="the targets")


@exercise("cutmix", about="arguments", stated="Left as they are")
def test_cutmix_leaves_its_arguments(student, normal, seed):
    """x and y are not changed."""
    student.run(
        kind_of_mixture, name="cutmix", x=normal(30, 3, 4, 5), y=normal(30, 5), lam=0.5, seed=seed
    )
    assert_unmodified(student, by="cutmix")


# Exercise: ensemble_variance


@exercise(
    "ensemble_variance", part="uncorrelated_var",
    stated="Variance of the mean of n errors of variance var, uncorrelated",
)
def test_uncorrelated_errors(student, reference, rng):
    """The mean of n uncorrelated errors of variance v has the variance v/n."""
    points = [[float(rng.uniform(2, 5)), float(n)] for n in (3, rng.integers(5, 12))]
    expected = [reference.ensemble_variance(v, int(n), 0.0) for v, n in points]
    assert_expression(
        student, "uncorrelated_var", ["var", "n"], points, expected, "the variance", rtol=1e-6
    )


@exercise(
    "ensemble_variance", part="correlated_var",
    stated="when any two of the errors have the correlation ρ",
)
def test_correlated_errors(student, reference, rng):
    """With correlation ρ between any two, a part ρ·v of the variance does not average out."""
    points = [
        [float(rng.uniform(2, 5)), float(n), float(rng.uniform(0.2, 0.7))] for n in (3, 8)
    ]
    expected = [reference.ensemble_variance(v, int(n), r) for v, n, r in points]
    assert_expression(
        student, "correlated_var", ["var", "n", "rho"], points, expected, "the variance", rtol=1e-6
    )


# Exercise: bootstrap


@exercise("bootstrap", weight=2, stated="drawn with")
def test_bootstrap_with_replacement(student, seed, device):
    """n indices of 0 … n−1, of which some come several times and a third never."""
    # Of 20,000 the share of different ones is 1 − 1/e to 0.002: 0.6 and 0.66 are far away.
    seen = student.run(sample_facts, 20_000, seed, str(device))
    assert seen["shape"] == [20_000], f"the sample of 20,000 has the shape {seen['shape']}"
    assert seen["in 0 … n−1"], "an index lies outside of 0 … n−1"
    assert seen["different"] != "all", "every index comes exactly once: nothing is drawn twice"
    assert seen["different"] == "as drawn with replacement", (
        "the share of different indices is not the one of independent draws, 1 − 1/e"
    )


@exercise("bootstrap", about="detail", stated="all equally likely")
def test_bootstrap_reaches_every_index(student, seed, device):
    """Every index may come."""
    # An index is missing in all 100 samples of 5 with probability 5·(4/5)^500 < 1e-47.
    seen = student.run(ever_drawn, 5, 100, seed, str(device))
    assert seen == 5, f"in 100 samples of 5 only {seen} different indices occur"


@exercise("bootstrap", about="detail", stated="torch.Generator that the indices are drawn from")
def test_bootstrap_follows_the_generator(student, seed, device):
    """The generator decides which sample comes, and the next call brings another."""
    seen = student.run(sample_facts, 1000, seed, str(device))
    assert seen["follows"], "the sample does not come from the generator that was passed"
    assert not seen["the same twice"], "two calls, one after the other, drew the same sample"


@exercise("bootstrap", about="form", weight=0.5, stated="A 1-D int64 tensor")
def test_bootstrap_gives_indices(student, seed, device):
    """The sample is a tensor of int64."""
    seen = student.run(sample_facts, 50, seed, str(device))
    assert seen["dtype"] == "torch.int64", f"the dtype is {seen['dtype']}"


# Exercise: average_checkpoints


@pytest.fixture
def checkpoints(normal, device):
    """Three checkpoints of a small model: weights, a bias in float32, and a count."""
    return [
        {
            "weight": normal(3, 4), "bias": normal(3, dtype=torch.float32),
            "count": torch.tensor(count, device=device),
        }
        for count in (10, 21, 35)
    ]


@exercise("average_checkpoints", weight=2, stated="floating-point tensors are means")
def test_average_of_weights(student, reference, checkpoints):
    """Every weight is the mean over all checkpoints."""
    seen, expected = (one.average_checkpoints(checkpoints) for one in (student, reference))
    assert set(seen) >= {"weight", "bias"}, f"the average has the names {', '.join(sorted(seen))}"
    for name in ("weight", "bias"):
        assert_close(seen[name], expected[name], name=name, rtol=1e-5)


@exercise("average_checkpoints", about="detail", stated="others are those of the last checkpoint")
def test_counts_are_the_last(student, reference, checkpoints):
    """A count is that of the last checkpoint, and stays a whole number."""
    seen = student.average_checkpoints(checkpoints)
    assert "count" in seen, "the count of batches is missing"
    assert_close(seen["count"], checkpoints[-1]["count"], name="the count")
    assert seen["count"].dtype == torch.int64, f"the count's dtype is {seen['count'].dtype}"


@exercise("average_checkpoints", about="arguments", stated="left")
def test_average_leaves_checkpoints(student, checkpoints):
    """The checkpoints are not changed."""
    student.run(averaged_memory, states=checkpoints)
    assert_unmodified(student, by="average_checkpoints")


@exercise("average_checkpoints", about="detail", weight=0.5, stated="share no memory")
def test_average_is_its_own_memory(student, checkpoints):
    """What comes back shares no memory with a checkpoint."""
    assert not student.run(averaged_memory, checkpoints), (
        "a tensor of the average is a checkpoint's own: training on would change both"
    )


# Exercise: ensemble_predict


@exercise("ensemble_predict", stated="The mean of the models' class probabilities")
def test_mean_of_probabilities(student, committee):
    """The prediction is the mean of the models' class probabilities."""
    weights, biases, X = committee
    seen = student.run(ensemble_prediction, weights, biases, X, 0.0, False)
    assert_close(seen, mixture_of(weights, biases, X), name="the prediction")


@exercise("ensemble_predict", stated="They predict in evaluation mode")
def test_models_predict_in_eval_mode(student, committee):
    """Dropout inside the models is off, even when they arrive in training mode."""
    weights, biases, X = committee
    # With p = 1 a model that is left in training mode sees zeros: the mistake looks the same in
    # every run.
    seen = student.run(ensemble_prediction, weights, biases, X, 1.0, True)
    assert_close(seen, mixture_of(weights, biases, X), name="the prediction")


@exercise(
    "ensemble_predict", about="detail", weight=1.5, stated="given back in the mode in which they"
)
def test_models_come_back_as_they_were(student, normal):
    """Models that came in training mode leave in training mode, others in evaluation mode."""
    for training, mode in ((True, "training"), (False, "evaluation")):
        seen = student.run(ensemble_traces, 5, normal(11, 7), training)
        assert seen["training"] == [training], f"models that came in {mode} mode leave in another"


@exercise("ensemble_predict", about="form", weight=0.5, stated="without a graph")
def test_no_graph_is_kept(student, normal):
    """The prediction carries no graph."""
    seen = student.run(ensemble_traces, 5, normal(11, 7), False)
    assert not seen["graph"], "the prediction still carries a graph: predict under no_grad"


# Exercise: break_it


def assert_case(valid):
    """An answer is one at all."""
    assert valid["p in [0.1, 0.9]"], "take a p between 0.1 and 0.9"
    assert valid["batch has entries"] and valid["finite"], "the batch needs finite entries"
    assert not valid["has zeros"], "a zero is a zero under any factor: take a batch without zeros"


@exercise("break_it", part="where_they_agree", stated="on which both factors agree")
def test_where_the_scales_agree(student):
    """On your first case the factors 1/p and 1/(1 − p) give the same output."""
    assert_case(student.run(broken_case, "where_they_agree"))
    p, batch = student.where_they_agree()
    assert scales_apart(p, batch) < 1e-6, "the two factors give different outputs there"


@exercise("break_it", part="where_they_differ", stated="the outputs are more than 10 % apart")
def test_where_the_scales_differ(student):
    """On your second case the factors 1/p and 1/(1 − p) give outputs more than 10 % apart."""
    assert_case(student.run(broken_case, "where_they_differ"))
    p, batch = student.where_they_differ()
    assert scales_apart(p, batch) > 0.1, "the two factors give (nearly) the same output there"


# Exercise: bug_hunt


@exercise(
    "bug_hunt", part="failing_input", weight=1.5,
    stated="on which the printed objective is more than 10 % off",
)
def test_failing_input(student, reference):
    """On your input the printed objective is more than 10 % off."""
    nll, theta, sigma = student.failing_input()
    right = float(reference.map_loss(nll, theta, sigma))
    printed = float(map_as_printed(nll, theta, sigma))
    assert abs(printed - right) > 0.1 * abs(right), (
        f"printed and right objective are {printed:.4g} and {right:.4g} there"
    )


@exercise("bug_hunt", part="map_loss", stated="−log posterior, for any number of examples")
def test_mended_objective(student, reference, signs_and_sizes, rng):
    """Your objective counts the prior once, however many examples there are."""
    theta = signs_and_sizes(5)
    for examples in (1, 7):
        nll = signs_and_sizes(examples).abs()
        sigma = float(rng.uniform(0.3, 0.6))
        agree(
            student, reference, "map_loss", nll, theta, sigma,
            called=f"the objective for {examples} examples", rtol=1e-7,
        )


@exercise(
    "bug_hunt", part="map_loss", about="arguments", weight=0.25,
    stated="nll and theta, of any shape, are left as they are",
)
def test_map_loss_leaves_its_arguments(student, signs_and_sizes):
    """nll and theta are not changed."""
    student.map_loss(signs_and_sizes(7).abs(), signs_and_sizes(5), 0.5)
    assert_unmodified(student)

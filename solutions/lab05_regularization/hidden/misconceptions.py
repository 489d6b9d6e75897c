"""Lab 05: wrong implementations that people really write, and what each of them is told."""

import math

import sympy as sp
import torch
import torch.nn.functional as F

from course_utils.testing import misconception


def kept(x, p, generator):
    """A right mask: True with probability 1 − p, for every entry of x."""
    return torch.rand(x.shape, generator=generator, device=x.device) >= p


# Exercise: dropout_moments


@misconception(
    "dropout_moments", replaces="masked_mean",
    hint="p is the probability of being dropped, so m is 1 with probability 1 − p; your mean is "
    "that of a mask that keeps with probability p.",
)
def mean_with_p_as_keep(z, p):
    return p * z


@misconception(
    "dropout_moments", replaces="masked_var",
    hint="That is Var(m), or Var(m) times z: the fixed factor z leaves a variance squared, "
    "Var(z·m) = z²·Var(m).",
)
def variance_without_square(z, p):
    return sp.Abs(z) * p * (1 - p)


@misconception(
    "dropout_moments", replaces="masked_var",
    hint="That is E[(mz)²]. A variance still subtracts the square of the mean.",
)
def second_moment_for_variance(z, p):
    return z**2 * (1 - p)


@misconception(
    "dropout_moments", replaces="dropout_scale",
    hint="1/p undoes a mask that keeps with probability p. Here p is the probability of being "
    "dropped, and E[m] = 1 − p.",
)
def scale_one_over_p(p):
    return 1 / p


@misconception(
    "dropout_moments", replaces="dropout_scale",
    hint="1 − p is the factor for evaluation in the older form, which does not scale in training. "
    "In training the mean has to be brought back up, so the factor is above 1.",
)
def keep_probability_at_training(p):
    return 1 - p


@misconception(
    "dropout_moments", replaces="scaled_var",
    hint="The factor leaves the variance squared; you have multiplied z²p(1 − p) by it once only.",
)
def scaled_variance_with_factor_once(z, p):
    return z**2 * p


@misconception(
    "dropout_moments", replaces="scaled_var",
    hint="That is the variance before scaling. Multiplying by 1/(1 − p) restores the mean and "
    "makes the variance larger.",
)
def scaling_leaves_variance(z, p):
    return z**2 * p * (1 - p)


@misconception(
    "dropout_moments", replaces="scaled_var",
    hint="The variance goes with z², the square of the activation, and you have z.",
)
def scaled_variance_without_square(z, p):
    return sp.Abs(z) * p / (1 - p)


# Exercise: dropout


@misconception(
    "dropout",
    hint="The survivors are multiplied by 1/p. p is the probability of being dropped: the "
    "survivors' share is 1 − p, and that is what has to be undone. At p = 0.5 nobody notices.",
)
def scale_by_one_over_p(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    return x * kept(x, p, generator) / max(p, 1e-12)


@misconception(
    "dropout",
    hint="The survivors are not scaled, so the layer's mean shrinks in training and jumps at "
    "evaluation. Which factor makes E[y] = x?",
)
def not_scaled(x, p=0.5, training=True, generator=None):
    return x * kept(x, p, generator) if training else x


@misconception(
    "dropout",
    hint="With training=False you multiply by 1 − p. That belongs to the form without scaling in "
    "training; here training already scales, and evaluation returns x as it is.",
)
def scaled_at_eval(x, p=0.5, training=True, generator=None):
    if not training:
        return x * (1 - p)
    return x * 0 if p == 1 else x * kept(x, p, generator) / (1 - p)


@misconception(
    "dropout",
    hint="You keep an entry with probability p and scale by 1/p: p is meant as the probability of "
    "being dropped, as in torch.",
)
def p_is_keep(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    if p == 0:
        return x * 0
    return x * (torch.rand(x.shape, generator=generator, device=x.device) < p) / p


@misconception(
    "dropout",
    hint="The mask is turned round: it keeps with probability p. The factor 1/(1 − p) is the one "
    "for a mask that drops with probability p.",
)
def mask_turned_round(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    mask = torch.rand(x.shape, generator=generator, device=x.device) < p
    return x * 0 if p == 1 else x * mask / (1 - p)


@misconception(
    "dropout",
    hint="The survivors are doubled whatever p is. 2 is 1/(1 − p) for p = 0.5 only.",
)
def doubled_always(x, p=0.5, training=True, generator=None):
    return x * kept(x, p, generator) * 2 if training else x


@misconception(
    "dropout",
    hint="One mask is drawn for a single example and broadcast over the batch, so all examples "
    "lose the same units. Draw a mask of x's whole shape.",
)
def one_mask_row_for_the_batch(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    if p == 1:
        return x * 0
    mask = kept(x[:1], p, generator) if x.ndim > 1 else kept(x, p, generator)
    return x * mask / (1 - p)


@misconception(
    "dropout",
    hint="The generator is seeded anew inside of the function, so every call drops the very same "
    "entries. Draw from the generator that is passed, and leave its state to it.",
)
def same_mask_every_call(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    fixed = torch.Generator(device=x.device).manual_seed(42)
    return x * 0 if p == 1 else x * kept(x, p, fixed) / (1 - p)


@misconception(
    "dropout",
    hint="The mask comes from torch's global generator; the one that was passed is not used, so "
    "nobody can repeat your run. Hand generator= on to the draw.",
)
def generator_ignored(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    return x * 0 if p == 1 else x * kept(x, p, None) / (1 - p)


@misconception(
    "dropout",
    hint="You drop exactly p·n entries every time. Dropout tosses a coin for each entry on its "
    "own; how many fall varies.",
)
def exactly_pn_entries(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    if p == 1:
        return x * 0
    order = torch.randperm(x.numel(), generator=generator, device=x.device)
    mask = (order >= round(p * x.numel())).reshape(x.shape)
    return x * mask / (1 - p)


@misconception(
    "dropout",
    hint="training is not looked at: your dropout drops at evaluation too, where it should return "
    "x.",
)
def training_ignored(x, p=0.5, training=True, generator=None):
    return x * 0 if p == 1 else x * kept(x, p, generator) / (1 - p)


@misconception(
    "dropout",
    hint="At p = 1 the result is 0·(1/0), which is NaN. Where nobody survives, nothing has to be "
    "scaled: treat p = 1 on its own.",
)
def nan_at_p_one(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    return x * kept(x, p, generator) / torch.tensor(1 - p, dtype=x.dtype, device=x.device)


@misconception(
    "dropout",
    hint="x itself is changed: *= and masked_fill_ write into the tensor that you were given, and "
    "the caller still needs it. Work on a new one.",
)
def changes_its_input(x, p=0.5, training=True, generator=None):
    if not training:
        return x
    with torch.no_grad():
        x *= kept(x, p, generator)
        if p < 1:
            x /= 1 - p
    return x


# Exercise: dropout_backward


@misconception(
    "dropout_backward",
    hint="A new mask is drawn in the backward pass. The units that were dropped going forward are "
    "the ones that get no gradient: use the mask that you are given.",
)
def mask_not_reused(upstream, mask, p):
    if p == 1:
        return torch.zeros_like(upstream)
    return upstream * (torch.rand_like(upstream) >= p) / (1 - p)


@misconception(
    "dropout_backward",
    hint="The factor 1/(1 − p) is there twice. y = m·z/(1 − p) is linear in z, and its slope "
    "holds the factor once.",
)
def scaled_twice(upstream, mask, p):
    if p == 1:
        return torch.zeros_like(upstream)
    return upstream * (mask != 0) / (1 - p) ** 2


@misconception(
    "dropout_backward",
    hint="The gradient is masked but not scaled: the survivors' values were multiplied by "
    "1/(1 − p), so their slope is 1/(1 − p) too.",
)
def gradient_not_scaled(upstream, mask, p):
    return upstream * (mask != 0)


@misconception(
    "dropout_backward",
    hint="Every entry gets a gradient, also those that were dropped; their value was 0 whatever z "
    "was, so their gradient is 0.",
)
def mask_forgotten(upstream, mask, p):
    return torch.zeros_like(upstream) if p == 1 else upstream / (1 - p)


@misconception(
    "dropout_backward",
    hint="The survivors' gradient is divided by p. They were scaled by 1/(1 − p) going forward.",
)
def gradient_over_p(upstream, mask, p):
    return upstream * (mask != 0) / p


@misconception(
    "dropout_backward",
    hint="The mask is read the wrong way round: it is 1 where an entry survived.",
)
def mask_read_as_dropped(upstream, mask, p):
    return torch.zeros_like(upstream) if p == 1 else upstream * (mask == 0) / (1 - p)


@misconception(
    "dropout_backward",
    hint="At p = 1 you compute 0/0, which is NaN. Nobody survived: every gradient is 0.",
)
def backward_nan_at_p_one(upstream, mask, p):
    return upstream * (mask != 0) / torch.tensor(1 - p, dtype=upstream.dtype,
                                                 device=upstream.device)


# Exercise: Dropout


class _Layer(torch.nn.Module):
    """What the wrong layers have in common; p is checked as asked."""

    def __init__(self, p=0.5, generator=None):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError("p must lie in [0, 1]")
        self.p, self.generator = p, generator

    def drop(self, x, p=None):
        p = self.p if p is None else p
        return x * 0 if p == 1 else x * kept(x, p, self.generator) / (1 - p)


@misconception(
    "Dropout",
    hint="Your layer drops after eval() too: pass self.training on, the switch that every "
    "nn.Module has. (F.dropout with its default training=True does the same.)",
)
class always_on(_Layer):  # noqa: N801 - a misconception's name
    def forward(self, x):
        return self.drop(x)


@misconception(
    "Dropout",
    hint="Whatever p the layer was made with, it drops half: the function's default p = 0.5 is at "
    "work. Hand self.p on.",
)
class functional_default(_Layer):  # noqa: N801
    def forward(self, x):
        return self.drop(x, 0.5) if self.training else x


@misconception(
    "Dropout",
    hint="You keep a switch of your own. model.eval() on the model around it never calls your "
    "eval(); it sets self.training on every layer: look at that.",
)
class own_switch(_Layer):  # noqa: N801
    def __init__(self, p=0.5, generator=None):
        super().__init__(p, generator)
        self.active = True

    def train(self, mode=True):
        if mode:  # reached from the parent as well
            self.active = True
        return super().train(mode)

    def eval(self):
        self.active = False
        return super().eval()

    def forward(self, x):
        return self.drop(x) if self.active else x


@misconception(
    "Dropout",
    hint="The mask is drawn once and kept. Dropout helps because every forward pass meets another "
    "thinned network: draw in forward, every time.",
)
class mask_drawn_once(_Layer):  # noqa: N801
    def forward(self, x):
        if not self.training:
            return x
        if getattr(self, "mask", None) is None or self.mask.shape != x.shape:
            self.mask = self.drop(torch.ones_like(x))
        return x * self.mask


@misconception(
    "Dropout",
    hint="At evaluation your layer multiplies by 1 − p. Training scales up already, so evaluation "
    "returns x unchanged.",
)
class scales_down_at_eval(_Layer):  # noqa: N801
    def forward(self, x):
        return self.drop(x) if self.training else x * (1 - self.p)


@misconception(
    "Dropout",
    hint="p is stored as an nn.Parameter or buffer, so it turns up in state_dict (and an optimizer "
    "would train it). It is a setting: store a plain number.",
)
class p_as_parameter(_Layer):  # noqa: N801
    def __init__(self, p=0.5, generator=None):
        super().__init__(p, generator)
        self.rate = torch.nn.Parameter(torch.tensor(float(p)))

    def forward(self, x):
        return self.drop(x) if self.training else x


@misconception(
    "Dropout",
    hint="The layer keeps entries with probability p. p is the probability of being dropped.",
)
class keeps_with_p(_Layer):  # noqa: N801
    def forward(self, x):
        return self.drop(x, 1 - self.p) if self.training else x


# Exercise: drop_connect


@misconception(
    "drop_connect",
    hint="You drop entries of x: that is dropout on the inputs. DropConnect drops entries of the "
    "weight matrix, and every example of the batch meets the same thinned matrix.",
)
def activations_dropped(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training:
        x = x * 0 if p == 1 else x * kept(x, p, generator) / (1 - p)
    return F.linear(x, weight, bias)


@misconception(
    "drop_connect",
    hint="You drop entries of the output, after the product (and the bias with them). DropConnect "
    "drops weights, before it.",
)
def outputs_dropped(x, weight, bias=None, p=0.5, training=True, generator=None):
    out = F.linear(x, weight, bias)
    if not training:
        return out
    return out * 0 if p == 1 else out * kept(out, p, generator) / (1 - p)


@misconception(
    "drop_connect",
    hint="The weights that stay are not scaled, so the layer's mean shrinks in training: "
    "E[m·w] = (1 − p)·w.",
)
def weights_not_scaled(x, weight, bias=None, p=0.5, training=True, generator=None):
    return F.linear(x, weight * kept(weight, p, generator) if training else weight, bias)


@misconception(
    "drop_connect",
    hint="The weights that stay are scaled by 1/p; the share that stays is 1 − p.",
)
def weights_over_p(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training and p > 0:
        weight = weight * kept(weight, p, generator) / p
    return F.linear(x, weight, bias)


@misconception(
    "drop_connect",
    hint="The bias is dropped too. Only the weight matrix is thinned; the bias is added whole.",
)
def bias_dropped_too(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training:
        weight = weight * 0 if p == 1 else weight * kept(weight, p, generator) / (1 - p)
        if bias is not None:
            bias = bias * 0 if p == 1 else bias * kept(bias, p, generator) / (1 - p)
    return F.linear(x, weight, bias)


@misconception(
    "drop_connect",
    hint="Whole rows of the weight matrix fall together, which drops output units. Draw a mask of "
    "the matrix's full shape.",
)
def whole_rows_dropped(x, weight, bias=None, p=0.5, training=True, generator=None):
    if training:
        weight = weight * 0 if p == 1 else weight * kept(weight[:, :1], p, generator) / (1 - p)
    return F.linear(x, weight, bias)


@misconception(
    "drop_connect",
    hint="Weights are dropped at evaluation too: look at training.",
)
def drop_connect_always_on(x, weight, bias=None, p=0.5, training=True, generator=None):
    weight = weight * 0 if p == 1 else weight * kept(weight, p, generator) / (1 - p)
    return F.linear(x, weight, bias)


# Exercise: map_l2


@misconception(
    "map_l2", replaces="map_objective",
    hint="The prior stands inside the sum over the examples, so it is counted three times. There "
    "is one set of parameters and one prior, however many examples there are.",
)
def prior_once_per_example(l_1, l_2, l_3, theta, sigma):
    return l_1 + l_2 + l_3 + 3 * theta**2 / (2 * sigma**2)


@misconception(
    "map_l2", replaces="map_objective",
    hint="The prior's term has the wrong sign: −log of exp(−θ²/2σ²) is +θ²/2σ², a penalty. Yours "
    "rewards large parameters.",
)
def prior_as_reward(l_1, l_2, l_3, theta, sigma):
    return l_1 + l_2 + l_3 - theta**2 / (2 * sigma**2)


@misconception(
    "map_l2", replaces="map_objective",
    hint="You divide by 2σ where the density has 2σ², the variance.",
)
def sigma_for_variance_in_objective(l_1, l_2, l_3, theta, sigma):
    return l_1 + l_2 + l_3 + theta**2 / (2 * sigma)


@misconception(
    "map_l2", replaces="lambda_for_sum",
    hint="λ is one over the variance, 1/σ²; you have one over the standard deviation.",
)
def sigma_for_variance(sigma):
    return 1 / sigma


@misconception(
    "map_l2", replaces="lambda_for_sum",
    hint="The ½ is counted twice: the penalty is ½λθ², so θ²/(2σ²) means λ = 1/σ².",
)
def half_counted_twice(sigma):
    return 1 / (2 * sigma**2)


@misconception(
    "map_l2", replaces="lambda_for_sum",
    hint="A wide prior (large σ) should penalise little. Yours does the opposite: λ = 1/σ².",
)
def variance_for_precision(sigma):
    return sigma**2


@misconception(
    "map_l2", replaces="lambda_for_mean",
    hint="Dividing the objective by n divides the prior's term too: λ for the mean of the losses "
    "is 1/(nσ²). Otherwise the prior weighs as much as if it stood once for each example.",
)
def mean_keeps_lambda(sigma, n):
    return 1 / sigma**2 + 0 * n


@misconception(
    "map_l2", replaces="lambda_for_mean",
    hint="You multiply by n where the mean divides by n: with more data the prior matters less.",
)
def mean_multiplies_lambda(sigma, n):
    return n / sigma**2


@misconception(
    "map_l2", replaces="log_prior",
    hint="log(2πσ²) comes from a square root, so it carries a factor ½.",
)
def root_of_variance_forgotten(theta, sigma):
    return -sp.log(2 * sp.pi * sigma**2) - theta**2 / (2 * sigma**2)


@misconception(
    "map_l2", replaces="log_prior",
    hint="The exponent of the Gaussian is −θ²/(2σ²); the 2 is missing in yours.",
)
def half_missing_in_exponent(theta, sigma):
    return -sp.log(2 * sp.pi * sigma**2) / 2 - theta**2 / sigma**2


# Exercise: l2_penalty


@misconception(
    "l2_penalty",
    hint="Biases (and the scales of normalizations) are in your sum. They move the output without "
    "making it steeper, so they are left out: sum over parameters with two or more axes.",
)
def biases_in(model):
    return sum((w**2).sum() for w in model.parameters()) / 2


@misconception(
    "l2_penalty",
    hint="The factor ½ is missing; with it the gradient is w, which is what torch's weight decay "
    "adds.",
)
def half_missing(model):
    return sum((w**2).sum() for w in model.parameters() if w.ndim > 1)


@misconception(
    "l2_penalty",
    hint="That is the norm itself. The penalty is the square of the norm: no root.",
)
def norm_not_squared(model):
    return sum((w**2).sum() for w in model.parameters() if w.ndim > 1).sqrt() / 2


@misconception(
    "l2_penalty",
    hint="You take the mean of the squares, so a large matrix is penalised like a small one. Sum "
    "them.",
)
def mean_of_squares(model):
    return sum((w**2).mean() for w in model.parameters() if w.ndim > 1) / 2


@misconception(
    "l2_penalty",
    hint="The value is right but has lost its graph (.data, .detach() or .item()): backward() "
    "would not penalise anything.",
)
def graph_lost(model):
    return sum((w.detach() ** 2).sum() for w in model.parameters() if w.ndim > 1) / 2


@misconception(
    "l2_penalty",
    hint="Only nn.Linear layers are counted. Kernels of convolutions and embedding tables are "
    "weights too: go by the number of axes, not by the kind of layer.",
)
def linear_layers_only(model):
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
    zero = next(model.parameters()).new_zeros(())
    return sum(((w.weight**2).sum() for w in layers), zero) / 2


@misconception(
    "l2_penalty",
    hint="You go by the name 'weight', and the scale of a normalization is called so too. It has "
    "one axis, like a bias: leave it out.",
)
def everything_called_weight(model):
    return sum((w**2).sum() for name, w in model.named_parameters() if "weight" in name) / 2


@misconception(
    "l2_penalty",
    hint="That is the sum of absolute values, the L1 norm.",
)
def absolute_values(model):
    return sum(w.abs().sum() for w in model.parameters() if w.ndim > 1) / 2


# Exercise: l1_step


@misconception(
    "l1_step",
    hint="An entry nearer to 0 than αλ jumps over it and changes its sign; from then on it swings "
    "about 0 and never gets there. Move by min(αλ, |θ|).",
)
def crosses_zero(theta, lr, lam):
    return theta - lr * lam * torch.sign(theta)


@misconception(
    "l1_step",
    hint="The step is min(1, |θ|)·sign θ: neither the learning rate nor λ is in it.",
)
def shrinks_by_sign_only(theta, lr, lam):
    return theta - theta.abs().clamp(max=1.0) * torch.sign(theta)


@misconception(
    "l1_step",
    hint="The step has the length λ; an SGD step multiplies it by the learning rate: αλ.",
)
def learning_rate_forgotten(theta, lr, lam):
    return theta - theta.abs().clamp(max=lam) * torch.sign(theta)


@misconception(
    "l1_step",
    hint="Every entry shrinks in proportion to its size: that is L2. L1 moves all entries by the "
    "same length.",
)
def l2_instead_of_l1(theta, lr, lam):
    return theta * (1 - lr * lam)


@misconception(
    "l1_step",
    hint="Small entries are set to 0 and the others stay as they are (a hard threshold). The "
    "others move towards 0 too, by αλ.",
)
def hard_threshold(theta, lr, lam):
    return torch.where(theta.abs() > lr * lam, theta, torch.zeros_like(theta))


@misconception(
    "l1_step",
    hint="Negative entries are pushed to 0 or away from it: your step forgets the sign. It goes "
    "towards 0 from both sides.",
)
def positive_side_only(theta, lr, lam):
    return (theta - lr * lam).clamp(min=0.0)


@misconception(
    "l1_step",
    hint="The entries move away from 0: the gradient of λ|θ| is λ·sign θ, and a step goes against "
    "it.",
)
def grows(theta, lr, lam):
    return theta + theta.abs().clamp(max=lr * lam) * torch.sign(theta)


@misconception(
    "l1_step",
    hint="theta itself is changed. Return a new tensor.",
)
def changes_theta(theta, lr, lam):
    theta -= theta.abs().clamp(max=lr * lam) * torch.sign(theta)
    return theta


# Exercise: EarlyStopping


class _Stopper:
    """A right stopper in parts; each misconception breaks one of them."""

    def __init__(self, patience, min_delta=0.0, mode="min"):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = math.inf if mode == "min" else -math.inf
        self.waited, self.epochs = 0, 0
        self.kept = None

    def better(self, score):
        if self.mode == "min":
            return score < self.best - self.min_delta
        return score > self.best + self.min_delta

    def keep(self, model):
        self.kept = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def step(self, score, model):
        if self.better(score):
            self.best, self.waited = score, 0
            self.keep(model)
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore(self, model):
        model.load_state_dict(self.kept)


@misconception(
    "EarlyStopping",
    hint="The count of bad epochs is not set back when a new best comes; patience means bad epochs "
    "in a row.",
)
class patience_not_reset(_Stopper):  # noqa: N801
    def step(self, score, model):
        if self.better(score):
            self.best = score
            self.keep(model)
        else:
            self.waited += 1
        return self.waited >= self.patience


@misconception(
    "EarlyStopping",
    hint="You count epochs from the start of training. Patience counts those since the last best "
    "one.",
)
class counts_from_start(_Stopper):  # noqa: N801
    def step(self, score, model):
        super().step(score, model)
        self.epochs += 1
        return self.epochs >= self.patience


@misconception(
    "EarlyStopping",
    hint="The weights are kept at every epoch, so restore gives back the last ones. Keep them only "
    "when the score is a new best.",
)
class keeps_last(_Stopper):  # noqa: N801
    def step(self, score, model):
        stop = super().step(score, model)
        self.keep(model)
        return stop


@misconception(
    "EarlyStopping",
    hint="state_dict() hands out the model's own tensors, and training goes on changing them: what "
    "you restore is the last epoch. Keep clones (or copy.deepcopy).",
)
class reference_instead_of_copy(_Stopper):  # noqa: N801
    def keep(self, model):
        self.kept = model.state_dict()


@misconception(
    "EarlyStopping",
    hint="Your training goes one epoch further: it should stop at the patience-th bad epoch, not "
    "after it.",
)
class one_epoch_too_many(_Stopper):  # noqa: N801
    def step(self, score, model):
        super().step(score, model)
        return self.waited > self.patience


@misconception(
    "EarlyStopping",
    hint="min_delta is not looked at: any improvement, however small, counts for you.",
)
class min_delta_ignored(_Stopper):  # noqa: N801
    def better(self, score):
        return score < self.best if self.mode == "min" else score > self.best


@misconception(
    "EarlyStopping",
    hint="min_delta has the wrong sign: scores that are a little worse than the best count as "
    "better.",
)
class min_delta_turned_round(_Stopper):  # noqa: N801
    def better(self, score):
        if self.mode == "min":
            return score < self.best + self.min_delta
        return score > self.best - self.min_delta


@misconception(
    "EarlyStopping",
    hint="The best score follows every small improvement, also those that min_delta does not "
    "count. Slow but steady progress then never adds up to one step.",
)
class best_creeps(_Stopper):  # noqa: N801
    def step(self, score, model):
        stop = super().step(score, model)
        self.best = min(self.best, score) if self.mode == "min" else max(self.best, score)
        return stop


@misconception(
    "EarlyStopping",
    hint="mode is not looked at: with mode='max' larger scores are better.",
)
class mode_ignored(_Stopper):  # noqa: N801
    def __init__(self, patience, min_delta=0.0, mode="min"):
        super().__init__(patience, min_delta)


@misconception(
    "EarlyStopping",
    hint="A score is compared with that of the epoch before, and should be compared with the best "
    "so far: half a recovery after a set-back is no progress.",
)
class compares_with_previous(_Stopper):  # noqa: N801
    def step(self, score, model):
        if self.better(score):
            self.waited = 0
            self.keep(model)
        else:
            self.waited += 1
        self.best = score
        return self.waited >= self.patience


@misconception(
    "EarlyStopping",
    hint="A score that equals the best counts as better for you. Without progress there is nothing "
    "to wait for: compare with < (or >).",
)
class ties_count_as_better(_Stopper):  # noqa: N801
    def better(self, score):
        if self.mode == "min":
            return score <= self.best - self.min_delta
        return score >= self.best + self.min_delta


@misconception(
    "EarlyStopping",
    hint="A NaN counts as a new best: every comparison with it is false, so 'not worse' is true. "
    "Ask whether the score is better.",
)
class nan_is_best(_Stopper):  # noqa: N801
    def better(self, score):
        if self.mode == "min":
            return not score >= self.best - self.min_delta
        return not score <= self.best + self.min_delta


@misconception(
    "EarlyStopping",
    hint="Only the parameters are kept; a model's buffers (running statistics) belong to the epoch "
    "too. state_dict() has both.",
)
class parameters_only(_Stopper):  # noqa: N801
    def keep(self, model):
        self.kept = {k: v.detach().clone() for k, v in model.named_parameters()}

    def restore(self, model):
        model.load_state_dict(self.kept, strict=False)


# Exercise: mixup


def _shuffle(x, generator):
    return torch.randperm(len(x), generator=generator, device=x.device)


@misconception(
    "mixup",
    hint="Inputs and targets are mixed with different partners: a second permutation is drawn for "
    "the targets. Draw one and use it twice.",
)
def two_permutations(x, y, lam, generator=None):
    first, second = _shuffle(x, generator), _shuffle(x, generator)
    return lam * x + (1 - lam) * x[first], lam * y + (1 - lam) * y[second]


@misconception(
    "mixup",
    hint="The targets stay as they were. An input that is 30 % of another class should say so in "
    "its target.",
)
def targets_not_mixed(x, y, lam, generator=None):
    partner = _shuffle(x, generator)
    return lam * x + (1 - lam) * x[partner], y.clone()


@misconception(
    "mixup",
    hint="λ and 1 − λ are exchanged in the targets: the share that an input keeps of itself is the "
    "share its own label keeps.",
)
def targets_get_the_other_share(x, y, lam, generator=None):
    partner = _shuffle(x, generator)
    return lam * x + (1 - lam) * x[partner], (1 - lam) * y + lam * y[partner]


@misconception(
    "mixup",
    hint="λ and 1 − λ are exchanged: λ is the share that an example keeps of itself.",
)
def shares_exchanged(x, y, lam, generator=None):
    partner = _shuffle(x, generator)
    return (1 - lam) * x + lam * x[partner], (1 - lam) * y + lam * y[partner]


@misconception(
    "mixup",
    hint="Every example is mixed with its mirror image in the batch (or its neighbour), in every "
    "call the same way. Partners are drawn: a random permutation.",
)
def partner_is_not_random(x, y, lam, generator=None):
    return lam * x + (1 - lam) * x.flip(0), lam * y + (1 - lam) * y.flip(0)


@misconception(
    "mixup",
    hint="Partners are drawn with replacement, so some examples are used several times and others "
    "never. A permutation uses each of them once.",
)
def partners_with_replacement(x, y, lam, generator=None):
    partner = torch.randint(len(x), (len(x),), generator=generator, device=x.device)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


@misconception(
    "mixup",
    hint="The two shares do not add up to 1: the partner's share is 1 − λ.",
)
def shares_do_not_sum_to_one(x, y, lam, generator=None):
    partner = _shuffle(x, generator)
    return lam * x + lam * x[partner], lam * y + lam * y[partner]


# Exercise: cutout


def _centres(x, generator):
    n, _, height, width = x.shape
    cy = torch.randint(height, (n,), generator=generator, device=x.device)
    cx = torch.randint(width, (n,), generator=generator, device=x.device)
    return list(zip(cy.tolist(), cx.tolist(), strict=True))


def _clipped(start, size, end):
    return slice(max(start, 0), max(min(start + size, end), 0))


@misconception(
    "cutout",
    hint="A box that starts before the image's edge cuts nothing in yours: a negative start in a "
    "slice counts from the other end. Clip the start to 0.",
)
def box_outside(x, size, generator=None):
    x = x.clone()
    for image, (cy, cx) in zip(x, _centres(x, generator), strict=True):
        top, left = cy - size // 2, cx - size // 2
        image[:, top : top + size, left : left + size] = 0
    return x


@misconception(
    "cutout",
    hint="Your box always lies inside of the image as a whole. Every pixel may be its centre, and "
    "at the border part of the box is lost.",
)
def box_kept_inside(x, size, generator=None):
    x = x.clone()
    n, _, height, width = x.shape
    tops = torch.randint(max(height - size, 0) + 1, (n,), generator=generator, device=x.device)
    lefts = torch.randint(max(width - size, 0) + 1, (n,), generator=generator, device=x.device)
    for image, top, left in zip(x, tops.tolist(), lefts.tolist(), strict=True):
        image[:, top : top + size, left : left + size] = 0
    return x


@misconception(
    "cutout",
    hint="The same box is cut out of all images of the batch: draw a centre for each of them.",
)
def one_box_for_the_batch(x, size, generator=None):
    x = x.clone()
    cy, cx = _centres(x[:1], generator)[0]
    rows = _clipped(cy - size // 2, size, x.shape[2])
    x[:, :, rows, _clipped(cx - size // 2, size, x.shape[3])] = 0
    return x


@misconception(
    "cutout",
    hint="The hole has a side of 2·size (about): size is the whole side, so the box reaches "
    "size//2 to either side of the centre.",
)
def size_as_half_width(x, size, generator=None):
    x = x.clone()
    for image, (cy, cx) in zip(x, _centres(x, generator), strict=True):
        image[:, _clipped(cy - size, 2 * size, x.shape[2]),
              _clipped(cx - size, 2 * size, x.shape[3])] = 0
    return x


@misconception(
    "cutout",
    hint="The centre is the box's upper left corner in yours: the box should reach size//2 to "
    "either side of the pixel that was drawn.",
)
def centre_as_corner(x, size, generator=None):
    x = x.clone()
    for image, (cy, cx) in zip(x, _centres(x, generator), strict=True):
        image[:, cy : cy + size, cx : cx + size] = 0
    return x


@misconception(
    "cutout",
    hint="Single pixels are dropped all over the image (that is dropout). Cutout removes one "
    "connected square.",
)
def scattered_pixels(x, size, generator=None):
    n, _, height, width = x.shape
    hole = torch.rand((n, 1, height, width), generator=generator, device=x.device)
    return x.masked_fill(hole < min(size**2 / (height * width), 1), 0.0)


@misconception(
    "cutout",
    hint="Every channel has a hole of its own. An object that is covered is covered in all of "
    "them.",
)
def hole_per_channel(x, size, generator=None):
    x = x.clone()
    for image, first, second in zip(
        x, _centres(x, generator), _centres(x, generator), strict=True
    ):
        for channel, plane in enumerate(image):
            cy, cx = first if channel % 2 == 0 else second
            plane[_clipped(cy - size // 2, size, x.shape[2]),
                  _clipped(cx - size // 2, size, x.shape[3])] = 0
    return x


@misconception(
    "cutout",
    hint="The images that you were given are changed. Work on x.clone().",
)
def cuts_the_original(x, size, generator=None):
    for image, (cy, cx) in zip(x, _centres(x, generator), strict=True):
        image[:, _clipped(cy - size // 2, size, x.shape[2]),
              _clipped(cx - size // 2, size, x.shape[3])] = 0
    return x


# Exercise: cutmix


def _box(x, lam, generator, inside=False, root=True, clip=True):
    """Rows and columns of a box, as a pair of slices."""
    height, width = x.shape[2:]
    side = (1 - lam) ** (0.5 if root else 1.0)
    rows, columns = int(height * side), int(width * side)
    cy, cx = _centres(x[:1], generator)[0]
    top, left = cy - rows // 2, cx - columns // 2
    if inside:
        top, left = min(max(top, 0), height - rows), min(max(left, 0), width - columns)
    if not clip:
        return slice(top, top + rows), slice(left, left + columns)
    return _clipped(top, rows, height), _clipped(left, columns, width)


def _pasted(x, source, box):
    x = x.clone()
    x[:, :, box[0], box[1]] = source[:, :, box[0], box[1]]
    return x


def _share(box, x):
    rows, columns = box[0].stop - box[0].start, box[1].stop - box[1].start
    return rows * columns / (x.shape[2] * x.shape[3])


@misconception(
    "cutmix",
    hint="The targets are mixed by the λ that was asked for. At the border the box is clipped and "
    "less is pasted: count the pixels that were, and weigh the labels by them.",
)
def lambda_not_recomputed(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator)
    return _pasted(x, x[partner], box), lam * y + (1 - lam) * y[partner]


@misconception(
    "cutmix",
    hint="Pixels and labels come from different partners: a second permutation is drawn for the "
    "labels. Draw one and use it twice.",
)
def partners_drawn_twice(x, y, lam, generator=None):
    first, second = _shuffle(x, generator), _shuffle(x, generator)
    box = _box(x, lam, generator)
    share = _share(box, x)
    return _pasted(x, x[first], box), (1 - share) * y + share * y[second]


@misconception(
    "cutmix",
    hint="The labels' weights are exchanged: the pasted area is the partner's share.",
)
def label_weights_exchanged(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator)
    share = _share(box, x) if lam < 1 else 1.0
    return _pasted(x, x[partner], box), share * y + (1 - share) * y[partner]


@misconception(
    "cutmix",
    hint="The box's sides are (1 − λ) of the image's, so its area is (1 − λ)². For an area of "
    "1 − λ each side takes the square root.",
)
def sides_without_root(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator, root=False)
    share = _share(box, x)
    return _pasted(x, x[partner], box), (1 - share) * y + share * y[partner]


@misconception(
    "cutmix",
    hint="Your box always lies inside of the image. Every pixel may be its centre, and what sticks "
    "out is clipped.",
)
def pasted_box_kept_inside(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator, inside=True)
    share = _share(box, x)
    return _pasted(x, x[partner], box), (1 - share) * y + share * y[partner]


@misconception(
    "cutmix",
    hint="A box that starts before the image's edge pastes nothing in yours: a negative start in a "
    "slice counts from the other end. Clip it to 0 before you slice and before you take the area.",
)
def pasted_box_outside(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator, clip=False)
    share = _share(box, x)
    return _pasted(x, x[partner], box), (1 - share) * y + share * y[partner]


@misconception(
    "cutmix",
    hint="The box is filled with zeros (that is cutout), and yet the labels are mixed. Paste the "
    "partner's pixels.",
)
def zeros_pasted(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator)
    share = _share(box, x)
    return _pasted(x, torch.zeros_like(x), box), (1 - share) * y + share * y[partner]


@misconception(
    "cutmix",
    hint="The labels stay as they were, although part of the picture is another one.",
)
def labels_not_mixed(x, y, lam, generator=None):
    partner, box = _shuffle(x, generator), _box(x, lam, generator)
    return _pasted(x, x[partner], box), y.clone()


# Exercise: ensemble_variance


@misconception(
    "ensemble_variance", replaces="uncorrelated_var",
    hint="1/n comes out squared, and n variances add: n·v/n². You have left out that there are n "
    "of them.",
)
def forgot_to_add_the_variances(var, n):
    return var / n**2


@misconception(
    "ensemble_variance", replaces="uncorrelated_var",
    hint="The variances add up to n·v, but the factor 1/n comes out of the variance squared.",
)
def factor_not_squared(var, n):
    return var + 0 * n


@misconception(
    "ensemble_variance", replaces="uncorrelated_var",
    hint="√n belongs to the standard deviation; the variance falls like 1/n.",
)
def standard_deviation_rate(var, n):
    return var / sp.sqrt(n)


@misconception(
    "ensemble_variance", replaces="correlated_var",
    hint="The covariances are left out. Each pair contributes ρ·v, and there are n(n − 1) of them.",
)
def covariances_left_out(var, n, rho):
    return var / n + 0 * rho


@misconception(
    "ensemble_variance", replaces="correlated_var",
    hint="You have n² covariances; n of those pairs are a model with itself and have the full "
    "variance v, counted already.",
)
def diagonal_counted_twice(var, n, rho):
    return var / n + rho * var


@misconception(
    "ensemble_variance", replaces="correlated_var",
    hint="The correlated part ρ·v does not average out: only the rest is divided by n.",
)
def correlated_part_averaged_out(var, n, rho):
    return (1 - rho) * var / n


# Exercise: ensemble_predict


def _logits(models, X):
    """Logits in evaluation mode, modes given back, no graph."""
    modes = [model.training for model in models]
    with torch.no_grad():
        logits = torch.stack([model.eval()(X) for model in models])
    for model, mode in zip(models, modes, strict=True):
        model.train(mode)
    return logits


@misconception(
    "ensemble_predict",
    hint="You return the mean of the logits. Each model's logits become probabilities first, then "
    "the mean is taken.",
)
def mean_of_logits(models, X):
    return _logits(models, X).mean(0)


@misconception(
    "ensemble_predict",
    hint="The softmax is taken of the mean of the logits: one model with large logits outvotes the "
    "others. Take each model's softmax, then the mean.",
)
def softmax_of_mean_logits(models, X):
    return _logits(models, X).mean(0).softmax(-1)


@misconception(
    "ensemble_predict",
    hint="You count votes, and throw away how sure each model is. Average the probabilities.",
)
def majority_vote(models, X):
    logits = _logits(models, X)
    return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(X.dtype).mean(0)


@misconception(
    "ensemble_predict",
    hint="The models predict in the mode in which they came, so dropout is at work: call eval() "
    "before predicting.",
)
def train_mode_left_on(models, X):
    with torch.no_grad():
        return torch.stack([model(X).softmax(-1) for model in models]).mean(0)


@misconception(
    "ensemble_predict",
    hint="After your call all models are in evaluation mode, and the training that follows runs "
    "without dropout. Put every model back into the mode it came in.",
)
def mode_not_given_back(models, X):
    with torch.no_grad():
        return torch.stack([model.eval()(X).softmax(-1) for model in models]).mean(0)


@misconception(
    "ensemble_predict",
    hint="The prediction drags a graph along: predict under torch.no_grad().",
)
def graph_kept(models, X):
    modes = [model.training for model in models]
    out = torch.stack([model.eval()(X).softmax(-1) for model in models]).mean(0)
    for model, mode in zip(models, modes, strict=True):
        model.train(mode)
    return out


@misconception(
    "ensemble_predict",
    hint="The softmax runs over the examples and not over the classes: the last axis is K.",
)
def softmax_over_examples(models, X):
    return _logits(models, X).softmax(1).mean(0)


@misconception(
    "ensemble_predict",
    hint="The probabilities are summed; divide by the number of models, so that rows sum to 1.",
)
def sum_for_mean(models, X):
    return _logits(models, X).softmax(-1).sum(0)


# Exercise: break_it


@misconception(
    "break_it", replaces="where_they_agree",
    hint="At a small p hardly anything is dropped, but the survivors are multiplied by 1/p, a "
    "large number. The factors agree where p = 1 − p.",
)
def agree_because_p_is_small():
    return 0.1, torch.tensor([[1.0, -2.0, 3.0]])


@misconception(
    "break_it", replaces="where_they_agree",
    hint="The batch is all zeros, on which any factor is right. Look for a p at which they agree "
    "on every batch.",
)
def agree_on_zeros():
    return 0.3, torch.zeros(2, 3)


@misconception(
    "break_it", replaces="where_they_agree",
    hint="p must lie between 0.1 and 0.9: at p = 0 or 1 one of the factors is infinite.",
)
def agree_at_the_end():
    return 0.0, torch.tensor([[1.0, -2.0, 3.0]])


@misconception(
    "break_it", replaces="where_they_differ",
    hint="At p = 0.5 both factors are 2, whatever the batch. Choose another p.",
)
def differ_by_a_large_batch():
    return 0.5, torch.full((4, 5), 1000.0)


@misconception(
    "break_it", replaces="where_they_differ",
    hint="On a batch of zeros no factor can be told from another.",
)
def differ_on_zeros():
    return 0.8, torch.zeros(2, 3)


@misconception(
    "break_it", replaces="where_they_differ",
    hint="So near to 0.5 the two factors differ by less than 10 %. Move further away.",
)
def differ_by_a_hair():
    return 0.51, torch.tensor([[1.0, -2.0, 3.0]])


# Exercise: bug_hunt


@misconception(
    "bug_hunt", replaces="failing_input",
    hint="With one example once for each example is once: the printed code is right there. Take "
    "two.",
)
def one_example():
    return torch.tensor([1.5]), torch.tensor([2.0]), 1.0


@misconception(
    "bug_hunt", replaces="failing_input",
    hint="At θ = 0 the prior's term is 0, however often it is counted.",
)
def parameters_at_zero():
    return torch.tensor([1.0, 2.0, 3.0]), torch.zeros(4), 1.0


@misconception(
    "bug_hunt", replaces="failing_input",
    hint="With so large a σ the prior weighs next to nothing, and counting it several times does "
    "not show. Take a smaller one.",
)
def prior_too_wide():
    return torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0]), 100.0


@misconception(
    "bug_hunt", replaces="map_loss",
    hint="The prior is still counted once for each example: the sum over the examples should end "
    "before it.",
)
def still_once_per_example(nll, theta, sigma):
    return (nll + (theta**2).sum() / (2 * sigma**2)).sum()


@misconception(
    "bug_hunt", replaces="map_loss",
    hint="The losses have become a mean, but the prior's term is that of the sum: now the prior "
    "weighs n times too much. Sum the losses.",
)
def mean_of_losses(nll, theta, sigma):
    return nll.mean() + (theta**2).sum() / (2 * sigma**2)


@misconception(
    "bug_hunt", replaces="map_loss",
    hint="The prior is gone altogether. It stays, once.",
)
def prior_left_out(nll, theta, sigma):
    return nll.sum() + 0 * theta.sum()


@misconception(
    "bug_hunt", replaces="map_loss",
    hint="You divide by 2σ where the Gaussian has 2σ².",
)
def sigma_not_squared(nll, theta, sigma):
    return nll.sum() + (theta**2).sum() / (2 * sigma)


@misconception(
    "bug_hunt", replaces="map_loss",
    hint="The prior is averaged over the parameters. Every parameter has its own factor in the "
    "prior, so their squares are summed.",
)
def prior_averaged(nll, theta, sigma):
    return nll.sum() + (theta**2).mean() / (2 * sigma**2)

"""Other right implementations of lab 04's exercises: each must get full marks."""

from __future__ import annotations

import math

import numpy as np
import sympy
import torch

from course_utils.testing import variant


class _Torch:
    """One of torch's optimizers with this lab's handles."""

    def __init__(self, kind, params, lr, **options):
        self.inner = kind(params, lr=lr, **options)

    @property
    def lr(self):
        return self.inner.param_groups[0]["lr"]

    @lr.setter
    def lr(self, lr):
        self.inner.param_groups[0]["lr"] = lr

    def step(self):
        self.inner.step()

    def zero_grad(self):
        self.inner.zero_grad()


class _Plain:
    """What an optimizer needs besides ``step``."""

    def zero_grad(self):
        for p in self.params:
            p.grad = None


class _Lists:
    """State in lists beside the parameters, updated in place; ``move(p, g, i)`` makes the step."""

    def __init__(self, params, lr, weight_decay, move):
        self.params, self.lr, self.weight_decay, self.move = list(params), lr, weight_decay, move

    @torch.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            if p.grad is not None:
                g = p.grad.detach().clone()
                self.move(self, p, g.add_(p, alpha=self.weight_decay), i)

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad = torch.zeros_like(p.grad)


# -- minibatches


@variant("minibatches", built_in=True)
def data_loader(n, batch_size, generator):
    return torch.utils.data.DataLoader(
        torch.arange(n), batch_size, shuffle=True, generator=generator
    )


@variant("minibatches")
def keys_and_yield(n, batch_size, generator):
    """Sort random keys, and hand the batches out one by one."""
    order = torch.rand(n, generator=generator, dtype=torch.float64).argsort()
    yield from order.split(batch_size)


@variant("minibatches")
def swaps(n, batch_size, generator):
    """Fisher and Yates: swap each place with a random one before it."""
    order = list(range(n))
    for last in range(n - 1, 0, -1):
        other = int(torch.randint(last + 1, (1,), generator=generator))
        order[last], order[other] = order[other], order[last]
    return [torch.tensor(order[i : i + batch_size]) for i in range(0, n, batch_size)]


# -- PlainSGD, Momentum


@variant("PlainSGD", built_in=True)
def torch_plain(params, lr):
    return _Torch(torch.optim.SGD, params, lr)


@variant("PlainSGD")
class PlainInPlace(_Plain):
    """torch's own in-place operation, on those that have a gradient."""

    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    @torch.no_grad()
    def step(self):
        for p in filter(lambda p: p.grad is not None, self.params):
            p.add_(p.grad, alpha=-self.lr)


@variant("PlainSGD")
class PlainData(_Plain):
    """Assigns to ``p.data``, out of autograd's sight."""

    def __init__(self, params, lr):
        self.params, self.lr = [*params], lr

    def step(self):
        for p in self.params:
            if p.grad is not None:
                p.data = p.data - self.lr * p.grad


@variant("Momentum", built_in=True)
def torch_momentum(params, lr, momentum=0.9):
    return _Torch(torch.optim.SGD, params, lr, momentum=momentum)


def _momentum_move(self, p, g, i):
    v = self.velocity.setdefault(i, torch.zeros_like(p))
    p.sub_(v.mul_(self.momentum).add_(g), alpha=self.lr)


@variant("Momentum")
class MomentumLists(_Lists):
    """Velocities in a dict by number, in place."""

    def __init__(self, params, lr, momentum=0.9):
        super().__init__(params, lr, 0.0, _momentum_move)
        self.momentum, self.velocity = momentum, {}


@variant("Momentum")
class MomentumFromTheFirstGradient(_Plain):
    """Starts from a copy of the first gradient instead of zero."""

    def __init__(self, params, lr, momentum=0.9):
        self.params, self.lr, self.momentum, self.state = list(params), lr, momentum, {}

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            old = self.state.get(p)
            self.state[p] = p.grad.clone() if old is None else p.grad + self.momentum * old
            p -= self.lr * self.state[p]


# -- SGD


@variant("SGD", built_in=True)
def torch_sgd(params, lr, **options):
    return _Torch(torch.optim.SGD, params, lr, **options)


@variant("SGD")
class SGDInPlace(_Plain):
    """Velocities in a dict by parameter, everything in place."""

    def __init__(
        self, params, lr, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0
    ):
        self.params, self.lr, self.state = list(params), lr, {}
        self.momentum, self.dampening = momentum, dampening
        self.nesterov, self.weight_decay = nesterov, weight_decay

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad.add(p, alpha=self.weight_decay)
            if self.momentum:
                if p in self.state:
                    v = self.state[p].mul_(self.momentum).add_(g, alpha=1 - self.dampening)
                else:
                    v = self.state[p] = g.clone()
                g = g.add(v, alpha=self.momentum) if self.nesterov else v
            p.add_(g, alpha=-self.lr)


@variant("SGD")
class DataAttribute:
    """Assigns to ``p.data``, with a count instead of a missing velocity."""

    def __init__(self, params, lr, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0):
        self.params, self.lr = [*params], lr
        self.settings = momentum, dampening, nesterov, weight_decay
        self.velocity = [torch.zeros_like(p.data) for p in self.params]
        self.count = [0] * len(self.params)

    def step(self):
        mu, tau, nesterov, lam = self.settings
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            g = p.grad.data + lam * p.data
            share = 1 - tau if self.count[i] else 1.0
            self.count[i] += 1
            self.velocity[i] = mu * self.velocity[i] + (share * g if mu else g)
            v = self.velocity[i]
            p.data = p.data - self.lr * (g + mu * v if nesterov else v)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


# -- checkpoints


@variant("sgd_identities", replaces="decay_factor")
def from_the_step(eta, lam):
    """Make the step on ½λφ² and divide by φ."""
    phi = sympy.Symbol("phi_", positive=True)
    step = phi - eta * sympy.diff(lam * phi**2 / 2, phi)
    return sympy.simplify(step / phi)


@variant("sgd_identities", replaces="velocity_after")
def unfinished_sum(g, mu, t):
    k = sympy.Symbol("k", integer=True)
    return sympy.Sum(g * mu**k, (k, 0, t - 1))


@variant("sgd_identities", replaces="effective_rate")
def negative_powers(eta, mu):
    return -eta * (mu - 1) ** -1


@variant("bias_of_moments", replaces="ema_weight")
def quotient_of_powers(beta, i, t):
    return beta**t / beta**i - beta**t * beta ** (1 - i)


@variant("bias_of_moments", replaces="ema_mean")
def sum_of_weights(beta, t, mean):
    k = sympy.Symbol("k", integer=True)
    return mean * sympy.Sum((1 - beta) * beta**k, (k, 0, t - 1))


@variant("bias_of_moments", replaces="bias_corrected")
def divided_by_summed_weights(m, beta, t):
    k = sympy.Symbol("k", integer=True)
    return m / sympy.Sum((1 - beta) * beta**k, (k, 0, t - 1)).doit()


@variant("where_decay_goes", replaces="adam_l2_first_step")
def root_of_the_square(phi, g, eta, lam, eps):
    return phi - eta * (g + lam * phi) / (sympy.sqrt((g + lam * phi) ** 2) + eps)


@variant("where_decay_goes", replaces="adamw_first_step")
def all_subtracted(phi, g, eta, lam, eps):
    return phi - eta * (g / (sympy.sqrt(g**2) + eps) + lam * phi)


# -- momentum_dialects


@variant("momentum_dialects")
def table_of_pulls(lr, momentum, source, target):
    pull = {"torch": 1.0, "classical": 1.0, "ema": 1.0 - momentum}
    return lr * pull[source] / pull[target]


@variant("momentum_dialects", built_in=True)
def measured(lr, momentum, source, target):
    """Let torch take two steps in each dialect, and compare how far they go."""

    def distance(dialect, lr):
        p = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
        dampening = momentum if dialect == "ema" else 0.0
        sgd = torch.optim.SGD([p], lr=lr, momentum=momentum, dampening=dampening)
        for g in (0.0, 1.0):
            p.grad = torch.full_like(p, g)
            sgd.step()
        return -p.item()

    return distance(source, lr) / distance(target, 1.0)


# -- Adagrad, RMSprop


@variant("Adagrad", built_in=True)
def torch_adagrad(params, lr=0.01, **options):
    return _Torch(torch.optim.Adagrad, params, lr, **options)


@variant("Adagrad")
class AdagradInPlace(_Plain):
    """Sums in a dict by parameter, everything in place."""

    def __init__(self, params, lr=0.01, eps=1e-10, weight_decay=0.0):
        self.params, self.lr, self.state = list(params), lr, {}
        self.eps, self.weight_decay = eps, weight_decay

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad.add(p, alpha=self.weight_decay)
            if p not in self.state:
                self.state[p] = torch.zeros_like(p)
            r = self.state[p].addcmul_(g, g)
            p.addcdiv_(g, r.sqrt().add_(self.eps), value=-self.lr)


@variant("Adagrad")
def all_gradients_kept(params, lr=0.01, eps=1e-10, weight_decay=0.0):
    """Keeps the whole history and sums it anew in every step."""
    history = {}

    def move(self, p, g, i):
        history.setdefault(i, []).append(g.clone())
        p -= self.lr / (torch.stack(history[i]).square().sum(0) ** 0.5 + eps) * g

    return _Lists(params, lr, weight_decay, move)


@variant("RMSprop", built_in=True)
def torch_rmsprop(params, lr=0.01, **options):
    return _Torch(torch.optim.RMSprop, params, lr, **options)


@variant("RMSprop")
class RMSpropInPlace(_Plain):
    """Averages in a list made at once, everything in place."""

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.alpha = list(params), lr, alpha
        self.eps, self.weight_decay = eps, weight_decay
        self.averages = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, r in zip(self.params, self.averages, strict=True):
            if p.grad is None:
                continue
            g = p.grad.add(p, alpha=self.weight_decay)
            r.mul_(self.alpha).addcmul_(g, g, value=1 - self.alpha)
            p.addcdiv_(g, r.sqrt().add_(self.eps), value=-self.lr)


@variant("RMSprop")
def by_lerp(params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0):
    averages = {}

    def move(self, p, g, i):
        averages[i] = torch.lerp(g * g, averages.get(i, torch.zeros(p.shape).to(p)), alpha)
        p.copy_(p - self.lr * g / (torch.sqrt(averages[i]) + eps))

    return _Lists(params, lr, weight_decay, move)


# -- Adam, AdamW


@variant("Adam", built_in=True)
def torch_adam(params, lr=1e-3, **options):
    return _Torch(torch.optim.Adam, params, lr, **options)


@variant("Adam")
class AdamInPlace(_Plain):
    """torch's own order: the root of v is corrected, everything in place."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.betas = list(params), lr, betas
        self.eps, self.weight_decay = eps, weight_decay
        self.state = {p: {} for p in self.params}

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad.add(p, alpha=self.weight_decay)
            state = self.state[p]
            if not state:
                state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["t"] += 1
            m, v, t = state["m"], state["v"], state["t"]
            m.mul_(beta1).add_(g, alpha=1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            denominator = (v.sqrt() / math.sqrt(1 - beta2**t)).add_(self.eps)
            p.addcdiv_(m, denominator, value=-self.lr / (1 - beta1**t))


@variant("Adam")
class AdamWithCorrectedRate(_Plain):
    """Both corrections inside the rate, and eps scaled to match."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.betas = list(params), lr, betas
        self.eps, self.weight_decay = eps, weight_decay
        self.state = {p: {} for p in self.params}

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad + self.weight_decay * p
            state = self.state[p]
            if not state:
                state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["t"] = t = state["t"] + 1
            state["m"] = m = beta1 * state["m"] + (1 - beta1) * g
            state["v"] = v = beta2 * state["v"] + (1 - beta2) * g**2
            rate = self.lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
            p -= rate * m / (v.sqrt() + self.eps * math.sqrt(1 - beta2**t))


@variant("Adam")
def powers_of_beta_kept(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Running products of the betas instead of a count; the count is a tensor in torch too."""
    state = {}

    def move(self, p, g, i):
        kept = state.setdefault(
            i, {"m": torch.zeros_like(p), "v": torch.zeros_like(p), "powers": np.ones(2)}
        )
        kept["powers"] *= betas
        kept["m"].mul_(betas[0]).add_(g, alpha=1 - betas[0])
        kept["v"].mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
        m_hat, v_hat = (
            kept[name] / float(1 - power)
            for name, power in zip("mv", kept["powers"], strict=True)
        )
        p.addcdiv_(m_hat, v_hat.sqrt_().add_(eps), value=-self.lr)

    return _Lists(params, lr, weight_decay, move)


@variant("AdamW", built_in=True)
def torch_adamw(params, lr=1e-3, **options):
    return _Torch(torch.optim.AdamW, params, lr, **options)


@variant("AdamW")
class AdamWInPlace(_Plain):
    """torch's own order: the root of v is corrected, everything in place."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.params, self.lr, self.betas = list(params), lr, betas
        self.eps, self.weight_decay = eps, weight_decay
        self.state = {p: {} for p in self.params}

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad
            state = self.state[p]
            if not state:
                state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["t"] += 1
            m, v, t = state["m"], state["v"], state["t"]
            m.mul_(beta1).add_(g, alpha=1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            denominator = (v.sqrt() / math.sqrt(1 - beta2**t)).add_(self.eps)
            p.mul_(1 - self.lr * self.weight_decay)
            p.addcdiv_(m, denominator, value=-self.lr / (1 - beta1**t))


@variant("AdamW")
class AdamWWithCorrectedRate(_Plain):
    """Both corrections inside the rate, and eps scaled to match."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.params, self.lr, self.betas = list(params), lr, betas
        self.eps, self.weight_decay = eps, weight_decay
        self.state = {p: {} for p in self.params}

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for p in self.params:
            if p.grad is None:
                continue
            g = p.grad
            state = self.state[p]
            if not state:
                state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["t"] = t = state["t"] + 1
            state["m"] = m = beta1 * state["m"] + (1 - beta1) * g
            state["v"] = v = beta2 * state["v"] + (1 - beta2) * g**2
            rate = self.lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
            p *= 1 - self.lr * self.weight_decay
            p -= rate * m / (v.sqrt() + self.eps * math.sqrt(1 - beta2**t))


@variant("AdamW")
def one_difference(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    """Both subtractions are worked out from the old φ, and made at once."""
    state = {}

    def move(self, p, g, i):
        m, v, t = state.get(i, (0.0 * g, 0.0 * g, torch.tensor(0)))
        t = t + 1
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g.pow(2)
        state[i] = m, v, t
        m_hat, v_hat = m / (1 - betas[0] ** t.item()), v / (1 - betas[1] ** t.item())
        p.sub_(self.lr * (m_hat / (v_hat.sqrt() + eps) + weight_decay * p))

    return _Lists(params, lr, 0.0, move)


# -- parameter_groups


@variant("parameter_groups")
def a_group_for_each(model, weight_decay):
    return [
        {"params": [p], "weight_decay": weight_decay if p.dim() > 1 else 0.0}
        for p in model.parameters()
        if p.requires_grad
    ]


@variant("parameter_groups")
def by_modules(model, weight_decay):
    """Walks the modules and keeps in mind which parameters it has met."""
    groups, met = {True: [], False: []}, set()
    for module in model.modules():
        for p in module.parameters(recurse=False):
            if p.requires_grad and id(p) not in met:
                met.add(id(p))
                groups[len(p.shape) > 1].append(p)
    return [
        {"params": groups[False], "weight_decay": 0},
        {"params": groups[True], "weight_decay": weight_decay},
    ]


# -- clipping


@variant("clip_grad_norm", built_in=True)
def torch_clip_grad_norm(params, max_norm):
    return torch.nn.utils.clip_grad_norm_(params, max_norm)


@variant("clip_grad_norm")
def norm_of_norms(params, max_norm):
    held = [p for p in params if p.grad is not None]
    norm = math.hypot(*(p.grad.norm().item() for p in held))
    if norm + 1e-6 > max_norm:
        for p in held:
            p.grad = p.grad * (max_norm / (norm + 1e-6))
    return norm


@variant("clip_grad_norm")
def one_long_vector(params, max_norm):
    held = [p for p in params if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.cat([p.grad.reshape(-1).double() for p in held]))
    factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    for p in held:
        p.grad.mul_(factor.to(p.grad.dtype))
    return norm


@variant("clip_grad_value", built_in=True)
def torch_clip_grad_value(params, clip_value):
    torch.nn.utils.clip_grad_value_(params, clip_value)


@variant("clip_grad_value")
def minimum_and_maximum(params, clip_value):
    for p in params:
        if p.grad is not None:
            bound = torch.full_like(p.grad, clip_value)
            p.grad = torch.maximum(-bound, torch.minimum(p.grad, bound))


@variant("clip_grad_value")
def by_masks(params, clip_value):
    for p in params:
        if p.grad is None:
            continue
        p.grad[p.grad > clip_value] = clip_value
        p.grad[p.grad < -clip_value] = -clip_value


# -- schedules


def _scheduled(t, lr0, make):
    """What one of torch's schedulers says after t steps."""
    sgd = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=lr0)
    scheduler = make(sgd)
    for _ in range(t):
        sgd.step()
        scheduler.step()
    return sgd.param_groups[0]["lr"]


@variant("schedules", replaces="exponential_schedule", built_in=True)
def torch_exponential(t, lr0, factor, scale):
    gamma = factor ** (1 / scale)
    return _scheduled(t, lr0, lambda sgd: torch.optim.lr_scheduler.ExponentialLR(sgd, gamma))


@variant("schedules", replaces="cosine_schedule", built_in=True)
def torch_cosine(t, lr0, lr_end, total):
    return _scheduled(
        min(t, total), lr0,
        lambda sgd: torch.optim.lr_scheduler.CosineAnnealingLR(sgd, total, lr_end),
    )


@variant("schedules", replaces="power_schedule", built_in=True)
def torch_power(t, lr0, scale, power):
    def factor(steps):
        return ((steps + scale) / scale) ** power

    return _scheduled(t, lr0, lambda sgd: torch.optim.lr_scheduler.LambdaLR(sgd, factor))


@variant("schedules", replaces="linear_schedule")
def linear_by_difference(t, lr0, lr_end, total):
    return np.interp(t, [0, total], [lr0, lr_end])


@variant("schedules", replaces="cosine_schedule")
def squared_half_angle(t, lr0, lr_end, total):
    return lr_end + (lr0 - lr_end) * math.cos(math.pi * min(t, total) / total / 2) ** 2


@variant("schedules", replaces="exponential_schedule")
def exp_of_log(t, lr0, factor, scale):
    return lr0 * np.exp(t * np.log(factor) / scale)


@variant("schedules", replaces="noam_schedule")
def noam_by_cases(t, d_model, warmup):
    if t < warmup:
        return t / (warmup * math.sqrt(warmup * d_model))
    return torch.tensor(float(t * d_model), dtype=torch.float64).rsqrt()


# -- bug hunt, break it


@variant("bug_hunt", replaces="failing_gradients")
def other_evidence(bug):
    ramp = torch.linspace(0.5, 3.0, 12, dtype=torch.float64)
    if bug == "adagrad":
        return [[5.0, 5.01]] * 8
    return torch.stack([ramp, -2 * ramp, ramp], dim=1).numpy()


@variant("bug_hunt", replaces="mended_rmsprop")
def mended_by_hand(gradients, lr=0.1, alpha=0.9, eps=1e-2):
    w = torch.zeros_like(gradients[0])
    r = w.clone()
    for g in gradients:
        r.mul_(alpha).addcmul_(g, g, value=1 - alpha)
        w -= lr * g / (r.sqrt() + eps)
    return w


@variant("bug_hunt", replaces="mended_adam", built_in=True)
def mended_by_torch(gradients, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-2):
    p = torch.nn.Parameter(torch.zeros_like(gradients[0]))
    adam = torch.optim.Adam([p], lr=lr, betas=(beta1, beta2), eps=eps)
    for g in gradients:
        p.grad = g.clone()
        adam.step()
    return p.detach()


@variant("bug_hunt", replaces="mended_adagrad")
def mended_by_cumulative_sum(gradients, lr=0.1, eps=1e-2):
    return -lr * (gradients / (gradients.square().cumsum(0).sqrt() + eps)).sum(0)


@variant("break_it")
def mirrored_noise():
    noise = 50 * torch.randn(30, 4, generator=torch.Generator().manual_seed(3)).clamp(-2, 2)
    return torch.stack([noise, -noise], dim=1).reshape(60, 4)


@variant("break_it")
def alternating_list():
    return [[80.0 * (-1) ** t] for t in range(60)]


@variant("break_it")
def waves():
    """One slow and one fast wave, as a NumPy array."""
    t = np.arange(60)
    return np.stack([90 * np.sin(np.pi * (t + 0.5) / 2), 90 * np.cos(np.pi * t)], axis=1)

"""Lab 02: right implementations of every exercise; each must get full marks."""

import numpy as np
import sympy as sp
import torch
from torch.nn import functional

from course_utils.testing import variant

# ------------------------------------------------------------------------------ checkpoint_shift


@variant("checkpoint_shift", replaces="shifted_numerator")
def numerator_as_quotient(e_x, z):
    return e_x / sp.exp(z)


@variant("checkpoint_shift", replaces="shifted_numerator")
def numerator_through_logarithm(e_x, z):
    return sp.exp(sp.log(e_x) - z)


@variant("checkpoint_shift", replaces="shifted_denominator")
def denominator_as_quotient(S, z):
    return S / sp.E**z


@variant("checkpoint_shift", replaces="unshifted_logsumexp")
def logsumexp_through_exponential(s, z):
    return sp.log(sp.exp(z) * sp.exp(s))


# --------------------------------------------------------------------------------------- softmax


@variant("softmax", built_in=True)
def softmax_by_torch(x, axis=-1):
    return torch.softmax(torch.from_numpy(x), dim=axis).numpy()


@variant("softmax")
def softmax_in_place_on_a_copy(x, axis=-1):
    h = x.copy()
    h -= h.max(axis=axis, keepdims=True)
    np.exp(h, out=h)
    h /= h.sum(axis=axis, keepdims=True)
    return h


@variant("softmax")
def softmax_vector_by_vector(x, axis=-1):
    def of_vector(v):
        e = np.exp(v - np.max(v))
        return e / np.sum(e)

    return np.apply_along_axis(of_vector, axis, x)


@variant("softmax")
def softmax_row_by_row(x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    h = np.empty_like(rows)
    for index in np.ndindex(rows.shape[:-1]):
        e = np.exp(rows[index] - np.max(rows[index]))
        h[index] = e / np.sum(e)
    return np.moveaxis(h, -1, axis)


@variant("softmax")
def softmax_of_log_probabilities(x, axis=-1):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return np.exp(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))


# ------------------------------------------------------------------------------------- logsumexp


@variant("logsumexp", built_in=True)
def logsumexp_by_torch(x, axis=-1):
    return torch.logsumexp(torch.from_numpy(x), dim=axis).numpy()


@variant("logsumexp")
def logsumexp_by_logaddexp(x, axis=-1):
    return np.logaddexp.reduce(x, axis=axis)


@variant("logsumexp")
def logsumexp_with_nan_to_num(x, axis=-1):
    m = np.nan_to_num(np.max(x, axis=axis, keepdims=True), neginf=0.0)
    with np.errstate(divide="ignore"):
        result = m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))
    return result.squeeze(axis)


@variant("logsumexp")
def logsumexp_as_scipy_writes_it(x, axis=-1):
    m = np.max(x, axis=axis, keepdims=True)
    m[~np.isfinite(m)] = 0
    with np.errstate(divide="ignore"):
        result = np.log(np.sum(np.exp(x - m), axis=axis))
    return result + np.squeeze(m, axis=axis)


# ----------------------------------------------------------------------------------- log_softmax


@variant("log_softmax", built_in=True)
def log_softmax_by_torch(x, axis=-1):
    return functional.log_softmax(torch.from_numpy(x), dim=axis).numpy()


@variant("log_softmax")
def log_softmax_by_logaddexp(x, axis=-1):
    return x - np.expand_dims(np.logaddexp.reduce(x, axis=axis), axis)


@variant("log_softmax")
def log_softmax_on_the_last_axis(x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    rows = rows - rows.max(axis=-1)[..., None]
    rows = rows - np.log(np.exp(rows).sum(axis=-1))[..., None]
    return np.moveaxis(rows, -1, axis)


@variant("log_softmax")
def log_softmax_as_x_minus_logsumexp(x, axis=-1):
    m = np.max(x, axis=axis, keepdims=True)
    return x - (m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True)))


# -------------------------------------------------------------------------------------- nll_loss


@variant("nll_loss", built_in=True)
def nll_loss_by_torch(log_probs, targets, reduction="mean", ignore_index=-100):
    return functional.nll_loss(
        torch.from_numpy(log_probs), torch.from_numpy(targets),
        reduction=reduction, ignore_index=ignore_index,
    ).numpy()  # fmt: skip


@variant("nll_loss")
def nll_loss_row_by_row(log_probs, targets, reduction="mean", ignore_index=-100):
    losses, kept = [], 0
    for row, target in zip(log_probs, targets, strict=True):
        ignored = target == ignore_index
        losses.append(0.0 if ignored else -row[target])
        kept += not ignored
    if reduction == "none":
        return np.array(losses)
    return sum(losses) / (kept if reduction == "mean" else 1)


@variant("nll_loss")
def nll_loss_by_take_along_axis(log_probs, targets, reduction="mean", ignore_index=-100):
    keep = targets != ignore_index
    safe = np.where(keep, targets, 0)
    losses = np.where(keep, -np.take_along_axis(log_probs, safe[:, None], axis=1)[:, 0], 0.0)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses[keep].mean()


@variant("nll_loss")
def nll_loss_of_the_rows_kept(log_probs, targets, reduction="mean", ignore_index=-100):
    counts = targets != ignore_index
    kept = -log_probs[np.flatnonzero(counts), targets[counts]]
    if reduction == "none":
        losses = np.zeros_like(log_probs[:, 0])
        losses[counts] = kept
        return losses
    return np.sum(kept) if reduction == "sum" else np.mean(kept)


@variant("nll_loss")
def nll_loss_by_boolean_mask(log_probs, targets, reduction="mean", ignore_index=-100):
    chosen = np.arange(log_probs.shape[1]) == targets[:, None]
    counts = targets != ignore_index
    losses = -np.sum(log_probs, axis=1, where=chosen & counts[:, None])
    if reduction == "none":
        return losses
    return np.sum(losses) if reduction == "sum" else np.sum(losses) / np.sum(counts)


# --------------------------------------------------------------------------------- smooth_labels


@variant("smooth_labels")
def smooth_labels_by_torch_one_hot(targets, num_classes, alpha):
    y = functional.one_hot(torch.from_numpy(targets), num_classes).double()
    return torch.lerp(y, torch.full_like(y, 1 / num_classes), alpha).numpy()


@variant("smooth_labels")
def smooth_labels_by_identity_matrix(targets, num_classes, alpha):
    return (1 - alpha) * np.eye(num_classes)[targets] + alpha / num_classes


@variant("smooth_labels")
def smooth_labels_row_by_row(targets, num_classes, alpha):
    rows = np.full((len(targets), num_classes), alpha / num_classes)
    for row, target in zip(rows, targets, strict=True):
        row[target] += 1 - alpha
    return rows


@variant("smooth_labels")
def smooth_labels_by_boolean_mask(targets, num_classes, alpha):
    gold, share = np.arange(num_classes) == targets[:, None], alpha / num_classes
    return np.where(gold, 1 - alpha + share, share)


# --------------------------------------------------------------------------------- cross_entropy


@variant("cross_entropy", built_in=True)
def cross_entropy_by_torch(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    return functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(targets), reduction=reduction,
        ignore_index=ignore_index, label_smoothing=label_smoothing,
    ).numpy()  # fmt: skip


@variant("cross_entropy")
def cross_entropy_as_a_mixture_of_losses(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_h = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    if targets.ndim == 1:
        counts = targets != ignore_index
        gold = -log_h[np.arange(len(logits)), np.where(counts, targets, 0)]
    else:
        counts, gold = np.ones(len(logits), dtype=bool), -np.sum(targets * log_h, axis=1)
    # Smoothed loss = (1 − α)·loss at the target + α·mean loss over the classes.
    losses = (1 - label_smoothing) * gold - label_smoothing * np.mean(log_h, axis=1)
    losses = np.where(counts, losses, 0)
    if reduction == "none":
        return losses
    return np.sum(losses) / (np.sum(counts) if reduction == "mean" else 1)


@variant("cross_entropy")
def cross_entropy_of_the_rows_kept(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    n, num_classes = logits.shape
    if targets.ndim == 1:
        counts = targets != ignore_index
        y = np.eye(num_classes)[targets[counts]]
    else:
        counts = np.ones(n, dtype=bool)
        y = targets
    y = (1 - label_smoothing) * y + label_smoothing / num_classes
    f = logits[counts]
    m = np.max(f, axis=1, keepdims=True)
    losses = np.sum(y * (m + np.log(np.sum(np.exp(f - m), axis=1, keepdims=True)) - f), axis=1)
    if reduction == "none":
        every = np.zeros(n)
        every[counts] = losses
        return every
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


@variant("cross_entropy")
def cross_entropy_row_by_row(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    classes = logits.shape[1]
    losses, kept = [], 0
    for f, target in zip(logits, targets, strict=True):
        if targets.ndim == 1 and target == ignore_index:
            losses.append(0.0)
            continue
        y = target if targets.ndim == 2 else np.eye(classes)[target]
        y = (1 - label_smoothing) * y + label_smoothing / classes
        log_total = f.max() + np.log(np.exp(f - f.max()).sum())
        losses.append(np.dot(y, log_total - f))
        kept += 1
    if reduction == "none":
        return np.array(losses)
    return np.sum(losses) / (kept if reduction == "mean" else 1)


# ------------------------------------------------------------------- the checkpoints on the slopes


def _two_groups():
    """h_i = e^f/(e^f + R), where R stands for all the other classes."""
    f, R = sp.symbols("f R", positive=True)
    return f, R, sp.exp(f) / (sp.exp(f) + R)


@variant("checkpoint_softmax_slope", replaces="dh_same")
def dh_same_by_sympy(h_i):
    f, R, h = _two_groups()
    return sp.diff(h, f).subs({R: sp.exp(f) * (1 - h_i) / h_i}).subs(f, 1)


@variant("checkpoint_softmax_slope", replaces="dh_same")
def dh_same_expanded(h_i):
    return h_i - h_i**2


@variant("checkpoint_softmax_slope", replaces="dh_other")
def dh_other_with_kronecker_delta(h_i, h_k):
    return h_i * (sp.KroneckerDelta(0, 1) - h_k)


@variant("checkpoint_log_slope", replaces="dlog_same")
def dlog_same_by_sympy(h_i):
    f, R, h = _two_groups()
    return sp.diff(sp.log(h), f).subs({R: sp.exp(f) * (1 - h_i) / h_i}).subs(f, 1)


@variant("checkpoint_log_slope", replaces="dlog_same")
def dlog_same_by_chain_rule(h_i):
    return h_i * (1 - h_i) / h_i


@variant("checkpoint_log_slope", replaces="dlog_other")
def dlog_other_by_chain_rule(h_i, h_k):
    return (-h_i * h_k) / h_i


@variant("checkpoint_loss_gradient", replaces="dloss_any_target")
def dloss_any_target_in_two_terms(h_k, y_k, Y):
    return -y_k * (1 - h_k) + (Y - y_k) * h_k


@variant("checkpoint_loss_gradient", replaces="dloss")
def dloss_in_two_terms(h_k, y_k):
    return -y_k * (1 - h_k) + (1 - y_k) * h_k


# ------------------------------------------------------------------------------ softmax_nll_grad


@variant("softmax_nll_grad", built_in=True)
def grad_by_autograd(logits, targets, reduction="mean"):
    f = torch.tensor(logits, requires_grad=True)
    functional.cross_entropy(f, torch.from_numpy(targets), reduction=reduction).backward()
    return f.grad.numpy()


@variant("softmax_nll_grad")
def grad_by_subtracting_at_the_targets(logits, targets, reduction="mean"):
    n = len(logits)
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    grad = e / np.sum(e, axis=1, keepdims=True)
    if targets.ndim == 1:
        grad[np.arange(n), targets] -= 1
    else:
        grad -= targets
    return grad / n if reduction == "mean" else grad


@variant("softmax_nll_grad")
def grad_by_log_probabilities(logits, targets, reduction="mean"):
    n, num_classes = logits.shape
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    h = np.exp(shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True)))
    y = np.eye(num_classes, dtype=h.dtype)[targets] if targets.ndim == 1 else targets
    grad = h - y
    return grad / n if reduction == "mean" else grad


@variant("softmax_nll_grad")
def grad_row_by_row(logits, targets, reduction="mean"):
    rows = []
    for f, target in zip(logits, targets, strict=True):
        e = np.exp(f - f.max())
        y = np.eye(len(f), dtype=f.dtype)[target] if targets.ndim == 1 else target
        rows.append(e / e.sum() - y)
    return np.array(rows) / (len(logits) if reduction == "mean" else 1)


# -------------------------------------------------------------------------------- gradient_error


@variant("gradient_error")
def error_by_two_loops(loss, logits, grad, step=1e-5):
    slopes = np.empty_like(logits)
    for row in range(logits.shape[0]):
        for column in range(logits.shape[1]):
            values = []
            for move in (step, -step):
                moved = logits.copy()
                moved[row, column] += move
                values.append(loss(moved))
            slopes[row, column] = (values[0] - values[1]) / step / 2
    return abs(slopes - grad).max() / abs(slopes).max()


@variant("gradient_error")
def error_by_unit_vectors(loss, logits, grad, step=1e-5):
    units = np.eye(logits.size).reshape(-1, *logits.shape)
    slopes = np.array([loss(logits + step * e) - loss(logits - step * e) for e in units])
    slopes /= 2 * step
    worst = np.linalg.norm(slopes - grad.ravel(), np.inf)
    return float(worst / np.linalg.norm(slopes, np.inf))


# ------------------------------------------------------------------------------ softmax_backward


@variant("softmax_backward", built_in=True)
def backward_by_autograd(upstream, h):
    f = torch.tensor(np.log(h), requires_grad=True)
    torch.softmax(f, dim=-1).backward(torch.from_numpy(upstream))
    return f.grad.numpy()


@variant("softmax_backward")
def backward_with_whole_jacobians(upstream, h):
    jacobians = np.eye(h.shape[-1]) * h[..., None, :] - h[..., :, None] * h[..., None, :]
    return np.einsum("...ik,...i->...k", jacobians, upstream)


@variant("softmax_backward")
def backward_as_centred_upstream(upstream, h):
    expected = (upstream * h).sum(axis=-1, keepdims=True)
    return h * (upstream - expected)


@variant("softmax_backward")
def backward_row_by_row(upstream, h):
    grad = np.empty_like(h)
    for index in np.ndindex(h.shape[:-1]):
        p, u = h[index], upstream[index]
        grad[index] = (np.diag(p) - np.outer(p, p)) @ u
    return grad


# ---------------------------------------------------------------------- train_softmax_regression


@variant("train_softmax_regression", built_in=True)
def training_by_torch(X, y, num_classes, lr, steps, weight_decay=0.0):
    model = torch.nn.Linear(X.shape[1], num_classes, dtype=torch.float64)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(
        [{"params": [model.weight], "weight_decay": weight_decay}, {"params": [model.bias]}], lr=lr
    )
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        optimizer.step()
    return model.weight.detach().numpy().T.copy(), model.bias.detach().numpy()


@variant("train_softmax_regression")
def training_with_a_column_of_ones(X, y, num_classes, lr, steps, weight_decay=0.0):
    A = np.hstack([X, np.ones((len(X), 1))])
    decay = np.full((A.shape[1], 1), weight_decay)
    decay[-1] = 0  # the last row of the parameters is the bias
    Y, P = np.eye(num_classes)[y], np.zeros((A.shape[1], num_classes))
    for _ in range(steps):
        F_ = A @ P
        H = np.exp(F_ - np.logaddexp.reduce(F_, axis=1, keepdims=True))
        P = P - lr * (A.T @ (H - Y) / len(X) + decay * P)
    return P[:-1], P[-1]


@variant("train_softmax_regression")
def training_in_place(X, y, num_classes, lr, steps, weight_decay=0.0):
    n = len(X)
    W, b = np.zeros((X.shape[1], num_classes)), np.zeros(num_classes)
    for _ in range(steps):
        G = X @ W + b
        G -= G.max(axis=1, keepdims=True)
        np.exp(G, out=G)
        G /= G.sum(axis=1, keepdims=True)
        G[np.arange(n), y] -= 1
        G /= n
        grad_W, grad_b = X.T @ G + weight_decay * W, np.sum(G, axis=0)
        W -= lr * grad_W
        b -= lr * grad_b
    return W, b


# -------------------------------------------------------------------------------------- break_it


@variant("break_it", replaces="logits_below_zero")
def all_far_below_zero():
    return np.array([-2000.0, -2000.0, -1999.0])


@variant("break_it", replaces="logits_below_zero")
def one_row_of_several():
    return [[0.0, -1.0, -2.0], [-746.0, -750.0, -800.0]]


@variant("break_it", replaces="underflowing_logits")
def a_row_of_two():
    return np.array([[0, -105]])


@variant("break_it", replaces="underflowing_logits")
def one_winner_far_ahead():
    return np.array([500.0, 0.0, 1.0, 2.0], dtype=np.float32)

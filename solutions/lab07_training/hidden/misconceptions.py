"""Lab 07: mistakes that people really make, as edits of the solution, and what they are told."""

from course_utils.testing import edit

# What a mistake costs where it is in one of two answers.
HALF = 0.5
SQUARED = 0.4  # MeanSquaredError has fewer claims than Mean

# Longer pieces of the solutions that several mistakes replace.
NLL = "F.nll_loss(F.log_softmax(logits, dim=1), targets)"
PAIRED = "targets = targets.reshape(logits.shape).to(logits.dtype)"
BCE = "F.binary_cross_entropy_with_logits(logits, targets)"
MEAN_SUM = "self.total += float((weight * value).sum())"
MEAN_WEIGHT = "self.weight += float(weight.sum())"
EXPAND = ".double().expand(value.shape)"
UPDATE = (
    "        value = torch.as_tensor(value).detach().double()\n"
    "        weight = torch.as_tensor(weight, device=value.device).double().expand(value.shape)\n"
    f"        {MEAN_SUM}\n        {MEAN_WEIGHT}\n"
)
SQUARES = "self.squares += float(((pred.double() - target.double()) ** 2).sum())"
ELEMENTS = "self.count += pred.numel()"
ANSWERS = "answers = probabilities > self.threshold"
ZERO = "        optimizer.zero_grad()\n"
BACKWARD = "        loss.backward()\n"
STEP = "        optimizer.step()\n"
CLIP = "nn.utils.clip_grad_norm_(model.parameters(), max_norm)"
GUARDED = f"        if max_norm is not None:\n            {CLIP}\n"
COUNTED = "        total += loss.item() * len(inputs)\n        count += len(inputs)\n"
EACH = "    for module, training in modes.items():\n        module.training = training\n"
LOSS_OF = "loss_fn(outputs, targets).item() * len(inputs)"
BETTER = 'run["best"], run["waited"] = valid, 0'
SAVE = (
    "        if path is not None:\n"
    "            save_checkpoint(path, model, optimizer, scheduler, generator, run)\n"
)
WEIGHTS = 'run["weights"] = copy.deepcopy(model.state_dict())'
WAIT = '        else:\n            run["waited"] += 1\n'
FEATURES = "self.backbone = nn.Sequential(*features).requires_grad_(False)"
NEW_HEAD = "nn.Linear(old.in_features, num_classes, **place)"
BY_SGD = "torch.optim.SGD(model.head.parameters(), lr=lr)"
WARM_UP = "        model(X)\n        wait(X.device)\n        start = clock()"
NO_END = "        wait(X.device)\n        return (clock()"
FASTER = (
    "seconds_per_example(model, X[:size], **options)\n"
    "        / seconds_per_example(there, X[:size].to(place), **options)"
)
LINEAR_LR = "1 / warmup, 1.0, max(1, warmup - 1)"
HALF_COSINE = "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2"
OTHER_ROWS = "(X_other - mean) / std"
VALIDATION = "F.cross_entropy(model(rows[held_out]), y_train[held_out])"
COUNTS = "return counts.reshape(num_classes, num_classes)"
SHARES = (
    "counts = counts.reshape(num_classes, num_classes)\n"
    "    return counts / counts.sum(AXIS, keepdim=True).clamp(min=1)"
)
PER_CENT = SHARES.replace("counts / ", "100 * counts // ")
TABLE_ROWS = "rows, test_rows = (X_train - mean) / std, (X_test - mean) / std"
DIGITS = "images = ((X_train - mean) / std).reshape(-1, 1, 8, 8)\n"
TEST_DIGITS = "test_images = ((X_test - mean) / std)"

MISTAKES = {
    "losses_agree": {
        "softmax_before_cross_entropy": edit(
            NLL, "F.nll_loss(F.log_softmax(F.softmax(logits, dim=1), dim=1), targets)", cost=HALF,
            also=[(NLL, "F.cross_entropy(F.softmax(logits, dim=1), targets)")],
            hint="cross_entropy takes logits and applies log_softmax itself. Given probabilities "
            "it does so a second time: the loss can then never come near 0.",
        ),
        "nll_of_probabilities": edit(
            "F.log_softmax(", "F.softmax(", cost=HALF,
            also=[("torch.logsumexp(logits, dim=1, keepdim=True)", "0"),
                  ("nn.LogSoftmax(dim=1)", "nn.Softmax(dim=1)")],
            hint="nll_loss wants logarithms of probabilities. With probabilities it gives minus "
            "their mean, a number between −1 and 0.",
        ),
        "nll_of_logits": edit(
            "F.log_softmax(logits, dim=1)", "logits", cost=HALF,
            also=[("nn.LogSoftmax(dim=1)(logits)", "logits")],
            hint="nll_loss only picks the entries of the right classes; it normalises nothing. "
            "Logits have to go through log_softmax first.",
        ),
        "classes_on_the_last_axis": edit(
            "dim=1", "dim=-1", cost=HALF,
            hint="log_softmax is taken along the last axis. With (N, C) that is the classes' axis; "
            "with (N, C, d1) it is the axis of places.",
        ),
        "rows_torn_apart": edit(
            NLL,
            "F.nll_loss(F.log_softmax(logits.reshape(-1, logits.shape[1]), dim=1), "
            "targets.flatten())",
            cost=HALF,
            hint="reshape(−1, C) reads the numbers in memory's order, in which the classes of one "
            "place are not neighbours. Move axis 1 to the end before you reshape, or do not "
            "reshape at all.",
        ),
        "summed_over_places": edit(
            NLL, 'F.nll_loss(F.log_softmax(logits, dim=1), targets, reduction="sum") / len('
            "targets)", cost=HALF,
            hint="The sum is divided by the number of examples. The mean is over all places: "
            "N · d1 · … of them.",
        ),
        "ignored_places_in_the_denominator": edit(
            NLL, 'F.nll_loss(F.log_softmax(logits, dim=1), targets, reduction="sum") / '
            "targets.numel()", about="detail",
            hint="Places with −100 add nothing to the sum, but you divide by their number, too.",
        ),
        "sigmoid_twice": edit(
            BCE, "F.binary_cross_entropy_with_logits(torch.sigmoid(logits), targets)", cost=HALF,
            also=[("nn.BCEWithLogitsLoss()(logits,", "nn.BCEWithLogitsLoss()(logits.sigmoid(),")],
            hint="The loss takes logits and applies the sigmoid itself. Given probabilities it "
            "applies it twice: nothing is ever below 0.31 or above 1.31.",
        ),
        "logarithm_of_the_sigmoid": edit(
            BCE, "F.binary_cross_entropy(torch.sigmoid(logits), targets)", about="edge",
            hint="sigmoid, then the loss of probabilities: at large logits σ is 0 or 1 exactly, "
            "and torch cuts the logarithm off at −100. The loss that takes logits has no such end.",
        ),
        "everyone_with_everyone": edit(
            f"{PAIRED}\n    return {BCE}",
            "targets = targets.to(logits.dtype)\n"
            "    z, y = torch.broadcast_tensors(logits, targets)\n"
            "    return F.binary_cross_entropy_with_logits(z, y)", cost=HALF,
            hint="Logits (N, 1) and targets (N,) broadcast to a table of N × N: every logit is "
            "compared with every target. Give the targets the logits' shape.",
        ),
        "targets_keep_their_shape": edit(
            ".reshape(logits.shape)", "", cost=HALF,
            hint="Logits (N, 1) and targets (N,) are no pairs for torch. Give the targets the "
            "logits' shape.",
        ),
        "one_example_loses_its_axis": edit(
            f"{PAIRED}\n    return {BCE}",
            "targets = targets.to(logits.dtype)\n"
            "    return F.binary_cross_entropy_with_logits(logits.squeeze(), targets)",
            about="edge",
            hint="squeeze() takes away every axis of length 1. With a batch of one example that is "
            "the batch's axis, too: name the axis, squeeze(1), or give the targets the logits' "
            "shape.",
        ),
        "targets_keep_their_dtype": edit(
            ".to(logits.dtype)", "", about="detail",
            hint="The loss wants targets of the logits' dtype: booleans and integers have to be "
            "converted.",
        ),
        "binary_sum": edit(
            BCE, 'F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")', cost=HALF,
            hint="That is the sum over the examples; the mean is asked for.",
        ),
        "targets_turned_round": edit(
            BCE, "F.binary_cross_entropy_with_logits(logits, 1 - targets)", cost=HALF,
            hint="0 and 1 are exchanged: a positive logit is a yes, and 1 is the label of a yes.",
        ),
    },
    "Mean": {
        "averages_of_averages": edit(
            MEAN_SUM, "self.total += float(value.mean())", (MEAN_WEIGHT, "self.weight += 1"),
            cost=HALF,
            also=[(UPDATE, "        self.total = self.total + value\n        self.weight += 1\n"),
                  [("        self.total = 0.0\n", "        self.total = torch.tensor(0.0)\n"),
                   (UPDATE, "        self.total += value\n        self.weight += 1\n")]],
            hint="Every update counts the same, whatever its weight. With a smaller last batch "
            "that is not the mean of the values.",
        ),
        "weights_not_divided_by": edit(
            MEAN_WEIGHT, "self.weight += value.numel()", cost=HALF,
            hint="Values are multiplied by their weights, but the sum is divided by the number of "
            "values. Divide by the sum of the weights.",
        ),
        "values_not_weighted": edit(
            "(weight * value)", "value", cost=HALF,
            hint="The weights are summed, but the values are not multiplied by them.",
        ),
        "weight_counted_once_a_tensor": edit(
            MEAN_WEIGHT, "self.weight += float(weight.flatten()[0])", about="detail",
            also=[(EXPAND, ".double()")],
            hint="Of a tensor every entry counts: k values with weight w add k·w to the sum of the "
            "weights, and not w once.",
        ),
        "tensor_as_its_mean": edit(
            MEAN_SUM, "self.total += float((weight * value).mean())",
            (MEAN_WEIGHT, "self.weight += float(weight.mean())"), about="detail",
            hint="A tensor counts as one value, its mean. Every one of its entries should count.",
        ),
        "entries_not_summed": edit(
            UPDATE,
            "        value = value.item() if torch.is_tensor(value) else value\n"
            "        self.total += value * weight\n        self.weight += weight\n",
            about="detail",
            also=[(UPDATE, "        self.total = self.total + value * weight\n"
                   "        self.weight = self.weight + weight\n")],
            hint="Each value is taken for a single number: of a tensor the entries are never added "
            "up. (.item() and float(…) raise where there are several; without them the mean is a "
            "tensor.) Sum over the entries first, then make a number of it.",
        ),
        "last_value_only": edit(
            MEAN_SUM, "self.total = float((weight * value).sum())",
            (MEAN_WEIGHT, "self.weight = float(weight.sum())"), cost=HALF,
            hint="Each update replaces what was there. Add to it.",
        ),
        "running_average_of_two": edit(
            f"{MEAN_SUM}\n        {MEAN_WEIGHT}",
            "new = float((weight * value).sum() / weight.sum())\n"
            "        self.total = (self.total + new) / 2 if self.weight else new\n"
            "        self.weight = 1.0", cost=HALF,
            hint="(old + new) / 2 gives the last update half of the whole weight. Keep sums, and "
            "divide in compute.",
        ),
        "reset_forgets_values_only": edit(
            "        self.weight = 0.0\n", '        self.weight = getattr(self, "weight", 0.0)\n',
            about="detail",
            hint="After reset the old weights are still there, so the new mean is too small. Both "
            "sums have to go.",
        ),
        "reset_forgets_weights_only": edit(
            "        self.total = 0.0\n", '        self.total = getattr(self, "total", 0.0)\n',
            about="detail",
            hint="After reset the old values are still in the sum. Both sums have to go.",
        ),
        "compute_resets": edit(
            'return self.total / self.weight if self.weight else float("nan")',
            'mean = self.total / self.weight if self.weight else float("nan")\n'
            "        self.reset()\n        return mean", about="detail",
            hint="compute forgets everything. It should only look: one may ask in the middle of "
            "an epoch and go on.",
        ),
        "zero_for_nothing": edit(
            'self.weight if self.weight else float("nan")', "self.weight if self.weight else 0.0",
            about="edge",
            hint="The mean of nothing is not 0: that would be a perfect loss. Return NaN.",
        ),
        "division_by_zero": edit(
            ' if self.weight else float("nan")', "", about="edge",
            hint="Where nothing was counted Python divides by zero and raises. Return NaN there.",
        ),
        "summed_in_half_precision": edit(
            ".detach().double()", ".detach()",
            ("device=value.device).double()", "device=value.device).to(value.dtype)"),
            about="detail",
            hint="Sums in half precision: float16 ends at 65,504, and long before that small "
            "addends are lost. Sum in double precision.",
        ),
        "mean_keeps_the_graph": edit(
            ".detach().double()", ".double()", (MEAN_SUM, "self.total += (weight * value).sum()"),
            about="form",
            hint="The sum is a tensor with a graph: it holds on to everything that any batch's "
            "value was computed from, and memory fills up. float(…) or .detach().",
        ),
        "columns_with_everyone": edit(
            "        target = target.reshape(pred.shape)\n", "",
            (ELEMENTS, "self.count += (pred - target).numel()"), cost=SQUARED,
            also=[("        target = target.reshape(pred.shape)\n", "")],
            hint="(n, 1) minus (n,) is a table of n × n: each prediction is compared with each "
            "target. Give the target pred's shape.",
        ),
        "squared_error_over_rows": edit(
            ELEMENTS, "self.count += len(pred)", cost=SQUARED,
            hint="The squares are divided by the number of rows. MSE is the mean over all "
            "elements.",
        ),
        "squared_error_of_batches": edit(
            ".sum())\n        self.count += pred.numel()", ".mean())\n        self.count += 1",
            cost=SQUARED,
            hint="The mean of the batches' means: a smaller batch counts as much as a full one.",
        ),
        "absolute_error": edit(
            "(pred.double() - target.double()) ** 2", "(pred.double() - target.double()).abs()",
            cost=SQUARED,
            hint="That is the mean absolute error. The differences have to be squared.",
        ),
        "root_of_it": edit(
            "self.squares / self.count", "math.sqrt(self.squares / self.count)", cost=SQUARED,
            hint="That is the root of the mean squared error, RMSE.",
        ),
        "half_of_it": edit(
            "self.squares / self.count", "self.squares / self.count / 2", cost=SQUARED,
            hint="There is a factor ½ too many: the mean of the squares is asked for.",
        ),
        "last_squares_only": edit(
            "self.squares += float(", "self.squares = float(",
            (ELEMENTS, "self.count = pred.numel()"), cost=SQUARED,
            hint="Each update replaces what was there. Add to it.",
        ),
        "squares_in_half_precision": edit(
            "(pred.double() - target.double())", "(pred - target)", about="detail",
            hint="Differences are squared in the predictions' dtype; in float16 anything above 255 "
            "squares to infinity. Convert before you square.",
        ),
        "elements_not_reset": edit(
            "        self.count = 0\n", '        self.count = getattr(self, "count", 0)\n',
            about="detail",
            hint="After reset the number of elements is still there. Both have to go.",
        ),
        "squares_not_reset": edit(
            "        self.squares = 0.0\n",
            '        self.squares = getattr(self, "squares", 0.0)\n', about="detail",
            hint="After reset the squares of before are still there. Both have to go.",
        ),
        "squares_keep_the_graph": edit(
            "float(((pred.double() - target.double()) ** 2).sum())",
            "((pred.double() - target.double()) ** 2).sum()", about="form",
            hint="The sum is a tensor with a graph, and holds on to every batch. float(…) or "
            ".detach().",
        ),
        "squares_of_nothing": edit(
            ' if self.count else float("nan")', "", about="edge",
            hint="Where nothing was counted Python divides by zero and raises. Return NaN there.",
        ),
    },
    "Accuracy": {
        "averages_batches": edit(
            "self.right += int(((answers == targets) & counts).sum())",
            "self.right += float((answers == targets)[counts].double().mean())",
            ("self.counted += int(counts.sum())", "self.counted += 1"),
            hint="The batches' accuracies are averaged. A last batch of 3 then counts as much as "
            "one of 8: add up right answers and answers.",
        ),
        "logits_taken_for_probabilities": edit(
            "torch.sigmoid(preds) if self.from_logits else preds", "preds",
            also=[("if self.from_logits:", "if False:")],
            hint="Logits are compared with the threshold of a probability. σ(z) > ½ means z > 0, "
            "not z > ½.",
        ),
        "guesses_from_the_range": edit(
            "torch.sigmoid(preds) if self.from_logits else preds",
            "preds if bool(((preds >= 0) & (preds <= 1)).all()) else torch.sigmoid(preds)",
            hint="Whether these are logits is guessed from their range. A batch whose logits "
            "happen to lie in [0, 1] is then taken for probabilities. The user has said what they "
            "are: from_logits.",
        ),
        "zero_for_probabilities": edit(
            "torch.sigmoid(preds) if self.from_logits else preds", "preds",
            (ANSWERS, "answers = probabilities > 0"),
            about="detail",
            hint="The answer is yes where the number is above 0 (there σ is above ½), whatever "
            "threshold and from_logits say. Probabilities are all above 0, and another threshold "
            "has another logit.",
        ),
        "sigmoid_always": edit(
            "torch.sigmoid(preds) if self.from_logits else preds", "torch.sigmoid(preds)",
            about="detail", also=[("if self.from_logits:", "if True:")],
            hint="The sigmoid is applied to probabilities, too. σ of a number in [0, 1] is at "
            "least ½.",
        ),
        "negative_targets_ignored": edit(
            "targets != self.ignore_index", "targets >= 0", about="detail",
            hint="You leave out all targets below 0, whatever ignore_index is. It may be a class "
            "number or 255, too: compare with it.",
        ),
        "threshold_ignored": edit(
            "> self.threshold", "> 0.5", about="detail",
            also=[(ANSWERS, "answers = probabilities.round().bool()")],
            hint="The threshold is ½ whatever was asked for.",
        ),
        "threshold_on_logits": edit(
            "torch.sigmoid(preds) if self.from_logits else preds", "preds",
            (ANSWERS,
             "answers = probabilities > (self.threshold - 0.5 if self.from_logits else "
             "self.threshold)"), about="detail",
            hint="A logit is compared with the threshold minus ½. That is right for ½ only: the "
            "logit of a probability p is log(p / (1 − p)).",
        ),
        "equal_is_above": edit(
            "> self.threshold", ">= self.threshold", about="edge",
            also=[("> self.bound", ">= self.bound")],
            hint="A probability that equals the threshold counts as a yes; it should be above it.",
        ),
        "ignored_places_counted": edit(
            "self.counted += int(counts.sum())", "self.counted += targets.numel()",
            about="detail",
            hint="Ignored places are never right, and still in the number of answers. Leave them "
            "out of both counts.",
        ),
        "ignore_index_overlooked": edit(
            "counts = targets != self.ignore_index", "counts = torch.ones_like(targets).bool()",
            about="detail", also=[("targets != self.ignore_index", "targets == targets")],
            hint="ignore_index is not looked at: padding counts as answers, all of them wrong.",
        ),
        "ignored_places_are_right": edit(
            "((answers == targets) & counts)", "((answers == targets) | ~counts)",
            ("self.counted += int(counts.sum())", "self.counted += targets.numel()"),
            about="detail",
            hint="Ignored places count as right answers. They should not count at all.",
        ),
        "all_labels_or_nothing": edit(
            "        self.right += int(",
            '        if self.task == "multilabel":\n'
            "            self.right += int(((answers == targets) | ~counts).all(1).sum())\n"
            "            self.counted += len(targets)\n"
            "            return\n"
            "        self.right += int(",
            hint="Multilabel: a row counts as right only if all of its labels are. Here every "
            "label counts separately.",
        ),
        "one_label_only": edit(
            'if self.task == "multiclass":', 'if self.task != "binary":',
            ("targets = targets.reshape(answers.shape)",
             'targets = targets.argmax(dim=1) if self.task == "multilabel" else '
             "targets.reshape(answers.shape)"),
            hint="Multilabel is treated as multiclass: the largest logit is compared with the "
            "first label that is set. Each label is a yes or no of its own.",
        ),
        "argmax_over_the_last_axis": edit(
            "argmax(dim=1)", "argmax(dim=-1)", about="detail",
            also=[("max(1).indices", "max(-1).indices")],
            hint="argmax is taken over the last axis. With (n, C, d1) the classes are axis 1.",
        ),
        "argmax_over_the_batch": edit(
            "argmax(dim=1)", "argmax(dim=0)",
            hint="argmax over axis 0 asks which example has the largest logit for a class. The "
            "classes are axis 1.",
        ),
        "counts_examples": edit(
            "self.counted += int(counts.sum())", "self.counted += len(targets)",
            hint="Examples are counted, not answers. With several labels or places an example has "
            "several answers, and the accuracy could exceed 1.",
        ),
        "each_with_each": edit(
            "        targets = targets.reshape(answers.shape)\n", "", about="detail",
            also=[[("        targets = targets.reshape(answers.shape)\n", ""),
                   ("self.counted += int(counts.sum())",
                    "self.counted += int((counts & (answers == answers)).sum())")]],
            hint="Answers (n, 1) and targets (n,) broadcast to a table of n × n. Give the targets "
            "the answers' shape.",
        ),
        "reset_of_right_only": edit(
            "        self.counted = 0\n", '        self.counted = getattr(self, "counted", 0)\n',
            about="detail",
            hint="After reset the number of answers is still there. Both counts have to go.",
        ),
        "reset_of_counted_only": edit(
            "        self.right = 0\n", '        self.right = getattr(self, "right", 0)\n',
            about="detail",
            hint="After reset the right answers of before still count. Both counts have to go.",
        ),
        "compute_starts_afresh": edit(
            "return self.right / self.counted if self.counted else float(\"nan\")",
            "value = self.right / self.counted if self.counted else float(\"nan\")\n"
            "        self.reset()\n        return value", about="detail",
            hint="compute forgets everything; it should only look.",
        ),
        "last_batch_only": edit(
            "self.right += int(", "self.right = int(", ("self.counted += ", "self.counted = "),
            hint="Each update replaces the counts of the batches before. Add to them.",
        ),
        "error_rate": edit(
            "(answers == targets) &", "(answers != targets) &",
            hint="That is the share of wrong answers.",
        ),
        "per_cent": edit(
            "return self.right / self.counted if", "return 100 * self.right / self.counted if",
            hint="That is in per cent. The accuracy is a share, between 0 and 1.",
        ),
        "nothing_is_zero": edit(
            'float("nan")', "0.0", about="edge",
            hint="Where nothing was counted there is no accuracy, also not 0. Return NaN.",
        ),
        "nothing_divides": edit(
            ' if self.counted else float("nan")', "", about="edge",
            hint="Where nothing was counted Python divides by zero and raises. Return NaN there.",
        ),
        "accuracy_as_tensor": edit(
            "int(((answers == targets) & counts).sum())",
            "((answers == targets) & counts).sum()", about="form",
            hint="The counts are tensors, and so is what compute returns. Make plain numbers of "
            "them: int(…).",
        ),
    },
    "train_one_epoch": {
        "no_zero_grad": edit(
            ZERO, "",
            hint="The gradients are never set to zero, so each step uses the sum of all batches "
            "so far.",
        ),
        "zeroed_once_an_epoch": edit(
            ZERO, "", ("    total, count = 0.0, 0\n",
                       "    total, count = 0.0, 0\n    optimizer.zero_grad()\n"),
            hint="The gradients are set to zero once, before the loop. backward adds to them in "
            "every batch, so they have to be zeroed in every batch.",
        ),
        "zeroed_after_the_step": edit(
            ZERO, "", (STEP, STEP + ZERO), about="detail",
            hint="The gradients are set to zero after each step only. What was there before the "
            "first batch (somebody else's backward) goes into the first step.",
        ),
        "nothing_moves": edit(
            ZERO, "", (BACKWARD, BACKWARD + ZERO),
            also=[(BACKWARD, ""), (STEP, "")],
            hint="No parameter moves. Either the gradients are set to zero between backward and "
            "step, so that the optimizer finds nothing to go by, or one of the two is missing.",
        ),
        "one_step_for_the_last_batch": edit(
            STEP, "", ("    return total / count",
                       "    optimizer.step()\n    return total / count"),
            hint="The optimizer steps once an epoch, after the loop, with the last batch's "
            "gradient. One step a batch is asked for.",
        ),
        "step_before_backward": edit(
            ZERO, "", (BACKWARD, "        optimizer.step()\n" + ZERO + BACKWARD), (STEP, ""),
            hint="The optimizer steps before this batch's gradients are there, so each batch's "
            "gradient is used one batch late, and the last one never.",
        ),
        "one_step_an_epoch": edit(
            ZERO, "", (STEP, ""), ("    return total / count",
                                   "    optimizer.step()\n    optimizer.zero_grad()\n"
                                   "    return total / count"),
            hint="The optimizer steps once an epoch, on the sum of all batches' gradients. One "
            "step a batch is asked for.",
        ),
        "returns_after_the_first_batch": edit(
            "    return total / count", "        return total / count",
            hint="Only the first batch is trained on: a return (or a break) stands inside the loop "
            "and ends it there.",
        ),
        "no_training_mode": edit(
            "    model.train()\n", "",
            hint="Nobody calls model.train(). If the model comes from an evaluation, it is trained "
            "without dropout and on batch norm's old statistics.",
        ),
        "in_evaluation_mode": edit(
            "model.train()", "model.eval()",
            hint="The model is in evaluation mode while it is trained: no dropout, and batch "
            "norm's statistics stand still.",
        ),
        "left_in_evaluation_mode": edit(
            "    return total / count", "    model.eval()\n    return total / count",
            about="detail",
            hint="The model is left in evaluation mode. It is to be left in training mode: those "
            "who evaluate it switch the mode themselves, and back.",
        ),
        "softmax_before_the_loss": edit(
            "loss_fn(model(inputs), targets)", "loss_fn(model(inputs).softmax(-1), targets)",
            hint="You take the softmax of the model's outputs before the loss. The loss function "
            "is given the outputs as they are; what it makes of them is its own business.",
        ),
        "arguments_of_the_loss_swapped": edit(
            "loss_fn(model(inputs), targets)", "loss_fn(targets, model(inputs))",
            also=[("loss_fn(outputs, targets)", "loss_fn(targets, outputs)")],
            hint="A loss function takes (outputs, targets), in this order. With the squared error "
            "nobody notices.",
        ),
        "mean_of_batch_means": edit(
            COUNTED, "        total += loss.item()\n        count += 1\n", about="detail",
            also=[[(COUNTED, "        total += loss.item()\n"),
                   ("return total / count", "return total / len(loader)")]],
            hint="The batches' losses are averaged as if all batches were of one size. Weight "
            "each with the number of its examples.",
        ),
        "not_weighted": edit(
            "loss.item() * len(inputs)", "loss.item()", about="detail",
            hint="Means of batches are added up and divided by the number of examples. A batch's "
            "mean stands for len(inputs) examples.",
        ),
        "last_loss": edit(
            "return total / count", "return loss.item()", about="detail",
            hint="That is the last batch's loss, which is noisy and of a small batch. The mean "
            "over the epoch is asked for.",
        ),
        "sum_of_losses": edit(
            "return total / count", "return total", about="detail",
            hint="That is the sum over all examples. It still has to be divided by their number.",
        ),
        "full_batches_assumed": edit(
            "loss.item() * len(inputs)\n        count += len(inputs)",
            "loss.item() * (full := len(inputs) if not count else full)\n"
            "        count += len(inputs)", about="detail",
            hint="Each batch's loss is weighted with the size of the first batch. The last one is "
            "smaller.",
        ),
        "data_set_asked_for_its_length": edit(
            "return total / count", "return total / len(loader.dataset)", about="edge",
            hint="Not every loader has a data set, and with a sampler an epoch may have fewer "
            "examples than that. Count the examples as they come.",
        ),
        "inputs_not_moved": edit(
            "inputs.to(device), targets.to(device)", "inputs, targets.to(device)", about="form",
            hint="The inputs stay where they were. On a GPU torch refuses to mix devices.",
        ),
        "targets_not_moved": edit(
            "inputs.to(device), targets.to(device)", "inputs.to(device), targets", about="form",
            hint="The targets stay where they were. On a GPU torch refuses to mix devices.",
        ),
        "moved_into_thin_air": edit(
            "inputs, targets = inputs.to(device), targets.to(device)",
            "inputs.to(device), targets.to(device)", about="form",
            also=[("        inputs, targets = inputs.to(device), targets.to(device)\n", "")],
            hint="Inputs and targets stay where they were. x.to(device) returns a tensor on the "
            "device, and x itself does not move. (A module's .to moves the module, and that is why "
            "one forgets.)",
        ),
        "never_clipped": edit(
            GUARDED, "", about="detail",
            also=[(GUARDED + STEP, STEP + GUARDED), (BACKWARD + GUARDED, GUARDED + BACKWARD)],
            hint="The steps are those of gradients that were not clipped. Either max_norm is not "
            "used, or it is too early (before backward has computed them) or too late (after the "
            "step).",
        ),
        "clipped_by_value": edit(
            "clip_grad_norm_", "clip_grad_value_", about="detail",
            hint="Each entry is cut off at max_norm by itself, which changes the gradient's "
            "direction. The norm of all together should be limited.",
        ),
        "clipped_one_by_one": edit(
            CLIP,
            "for p in model.parameters():\n"
            "                nn.utils.clip_grad_norm_([p], max_norm)", about="detail",
            hint="Each parameter's gradient is clipped by itself. The norm is that of all "
            "parameters together.",
        ),
        "loss_clipped": edit(
            GUARDED, "",
            (BACKWARD, "        if max_norm is not None:\n"
             "            loss = loss.clamp(-max_norm, max_norm)\n" + BACKWARD), about="detail",
            hint="The loss is clipped, and where that bites the gradient is 0. The gradients' norm "
            "is to be limited.",
        ),
        "loss_after_the_step": edit(
            STEP, STEP + "        loss = loss_fn(model(inputs), targets)\n",
            hint="You compute each batch's loss again after its step, which costs a second pass "
            "and gives a smaller number. Take the one from which the gradient came.",
        ),
        "losses_as_tensors": edit(
            "loss.item()", "loss", ("return total / count", "return (total / count).item()"),
            about="detail",
            hint="A sum of losses that are tensors holds on to every batch's graph until the epoch "
            "ends, and memory fills up. loss.item() is a number.",
        ),
        "loss_comes_back_as_tensor": edit(
            "loss.item()", "loss.detach()", about="form",
            hint="What comes back is a tensor. Reports are plain numbers: loss.item().",
        ),
    },
    "evaluate": {
        "training_mode_left_on": edit(
            "    model.eval()\n", "", also=[("    model.eval()\n", "    model.training = False\n")],
            hint="The layers stay in training mode: dropout drops, batch norm uses the batch's "
            "statistics, and moves its running ones. model.eval() tells them all; "
            "model.training = False tells the outermost module only.",
        ),
        "mode_not_restored": edit(
            EACH, "",
            also=[("    modes = {module: module.training for module in model.modules()}\n"
                   "    model.eval()\n",
                   "    model.eval()\n"
                   "    modes = {module: module.training for module in model.modules()}\n")],
            hint="The model is left in evaluation mode; whoever goes on training trains it so. "
            "Note the modes before eval(), and give each module its own back.",
        ),
        "training_mode_in_the_end": edit(
            EACH, "    model.train()\n", about="detail",
            hint="model.train() at the end switches everything on, also a model that came in "
            "evaluation mode, and layers that were frozen.",
        ),
        "one_mode_for_all": edit(
            EACH, "    model.train(modes[model])\n", about="detail",
            hint="The whole model gets the mode that its outermost module had. Layers that came "
            "in another mode (frozen ones) are not given back as they came.",
        ),
        "children_only": edit(
            "in model.modules()}", "in [model, *model.children()]}",
            hint="model.children() are the outermost layers only. model.modules() walks over all "
            "of them, however deep.",
        ),
        "graph_built": edit(
            "with torch.no_grad():", "with torch.enable_grad():", about="detail",
            also=[("    with torch.no_grad():", "    if True:"),
                  ("torch.inference_mode()", "torch.enable_grad()")],
            hint="A graph is built for every batch and used by nobody. eval() does not switch "
            "gradients off; torch.no_grad() does.",
        ),
        "batches_averaged": edit(
            f"total += {LOSS_OF}\n            count += len(inputs)",
            "total += loss_fn(outputs, targets).item()\n            count += 1", about="detail",
            hint="The batches' losses are averaged as if all batches were of one size. Weight "
            "each with the number of its examples.",
        ),
        "loss_not_weighted": edit(
            LOSS_OF, "loss_fn(outputs, targets).item()",
            hint="Means of batches are added up and divided by the number of examples. A batch's "
            "mean stands for len(inputs) examples.",
        ),
        "last_batch_alone": edit(
            f"total += {LOSS_OF}\n            count += len(inputs)",
            "total = loss_fn(outputs, targets).item()\n            count = 1", about="detail",
            hint="Only the last batch's loss is left in the end.",
        ),
        "dataset_length": edit(
            "total / count", "total / len(loader.dataset)", about="edge",
            hint="Not every loader has a data set. Count the examples as they come.",
        ),
        "targets_first": edit(
            "loss_fn(outputs, targets)", "loss_fn(targets, outputs)",
            hint="A loss function takes (outputs, targets), in this order.",
        ),
        "metrics_get_targets_first": edit(
            "metric.update(outputs, targets)", "metric.update(targets, outputs)", about="detail",
            hint="Metrics are updated with (outputs, targets), in this order.",
        ),
        "metrics_not_reset": edit(
            "    for metric in metrics.values():\n        metric.reset()\n", "", about="detail",
            hint="The metrics are not reset, so they still hold the data set before.",
        ),
        "metrics_of_the_last_batch": edit(
            "    for metric in metrics.values():\n        metric.reset()\n", "",
            ("                metric.update(outputs, targets)",
             "                metric.reset()\n                metric.update(outputs, targets)"),
            about="detail",
            also=[("            for metric in metrics.values():\n"
                   "                metric.update(outputs, targets)\n",
                   "    for metric in metrics.values():\n"
                   "        metric.update(outputs, targets)\n")],
            hint="In the end the metrics know the last batch only: they are reset in every batch, "
            "or updated after the loop.",
        ),
        "inputs_left_behind": edit(
            "inputs.to(device), targets.to(device)", "inputs, targets.to(device)", about="form",
            hint="The inputs stay where they were. On a GPU torch refuses to mix devices.",
        ),
        "targets_left_behind": edit(
            "inputs.to(device), targets.to(device)", "inputs.to(device), targets", about="form",
            hint="The targets stay where they were. On a GPU torch refuses to mix devices.",
        ),
        "nothing_moved": edit(
            "inputs, targets = inputs.to(device), targets.to(device)",
            "inputs.to(device), targets.to(device)", about="form",
            also=[("            inputs, targets = inputs.to(device), targets.to(device)\n", "")],
            hint="x.to(device) returns a tensor on the device; x itself stays where it is.",
        ),
        "loss_as_tensor": edit(
            LOSS_OF, "loss_fn(outputs, targets) * len(inputs)", about="form",
            hint="The loss comes back as a tensor. Reports are plain numbers: .item().",
        ),
    },
    "break_it": {
        "running_mean_too_near": edit(
            "    model.running_mean = torch.tensor([0.0, 10.0])  # in training, the second column "
            "was larger\n", "    model.running_mean = torch.tensor([0.0, 1.0])\n", cost=HALF,
            hint="The layer's running mean is so near to the batch's own that too few of the "
            "answers change. Take one that is far from it.",
        ),
        "dropout_shows_sometimes": edit(
            "    model = nn.BatchNorm1d(2)\n",
            "    model = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(2, 2))\n"
            "    with torch.no_grad():\n"
            "        model[1].weight.copy_(torch.eye(2))\n"
            "        model[1].bias.zero_()\n",
            cost=HALF,
            hint="Dropout's noise changes an answer now and then. Half of them should change "
            "whatever the random numbers: which layer reads something quite different in the two "
            "modes?",
        ),
        "one_row_only": edit(
            "torch.tensor([[0.0, 1.0], [1.0, 2.0], [2.0, 9.0], [3.0, 4.0]])",
            "torch.tensor([[1.0, 2.0], [2.0, 9.0], [3.0, 4.0]])", cost=HALF,
            hint="X should have at least four rows.",
        ),
        "another_batch_for_hiding": edit(
            "torch.tensor([[1.0, -1.0], [-1.0, 1.0]])",
            "torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 9.0], [3.0, 4.0]])", cost=HALF,
            hint="In training mode batch norm uses the batch's own mean and variance. For the same "
            "answers these should be what running_mean and running_var are.",
        ),
        "nothing_to_hide": edit(
            "nn.BatchNorm1d(2), torch.tensor([[1.0, -1.0]",
            "torch.nn.Identity(), torch.tensor([[1.0, -1.0]", cost=HALF,
            also=[("nn.BatchNorm1d(2), torch.tensor([[1.0, -1.0]",
                   "torch.nn.Dropout(0.0), torch.tensor([[1.0, -1.0]")],
            hint="Such a model has no layer that knows two modes. It should hold a BatchNorm1d, or "
            "a Dropout with p > 0.",
        ),
        "all_the_same_answer": edit(
            "torch.tensor([[1.0, -1.0], [-1.0, 1.0]])",
            "torch.tensor([[2.0, -2.0], [4.0, -1.0]]) * 0", cost=HALF,
            hint="All rows get the same class. Choose rows with different answers.",
        ),
    },
    "warmup_cosine": {
        "first_epoch_lost": edit(
            "(epoch + 1) / warmup", "epoch / warmup",
            hint="In epoch 0 the rate is 0, and nothing is learnt. In epoch t the factor is "
            "(t + 1)/W, so that it is 1 in epoch W − 1.",
        ),
        "second_epoch_like_the_first": edit(
            "(epoch + 1) / warmup", "max(epoch, 1) / warmup",
            hint="Epochs 0 and 1 have the same rate, η₀/W, and η₀ comes one epoch late. In epoch t "
            "the factor is (t + 1)/W.",
        ),
        "warmup_too_long": edit(
            "(epoch + 1) / warmup", "(epoch + 1) / (warmup + 1)",
            hint="The full rate comes one epoch late: with W epochs of warm-up epoch W − 1 is the "
            "first with η₀.",
        ),
        "no_warmup": edit(
            "        if epoch < warmup:\n            return (epoch + 1) / warmup\n", "",
            hint="There is no warm-up: before epoch W the rate should rise.",
        ),
        "warmup_from_zero": edit(
            "(epoch + 1) / warmup", "epoch / max(warmup - 1, 1)",
            hint="The rate rises from 0 in epoch 0, where nothing is learnt, to η₀ in epoch W − 1. "
            "In epoch t the factor is (t + 1)/W: W equal steps, and the first is taken at once.",
        ),
        "warmup_reaches_one_late": edit(
            "return (epoch + 1) / warmup", "return 1 / warmup + (1 - 1 / warmup) * epoch / warmup",
            also=[(LINEAR_LR, "1 / warmup, 1.0, warmup")],
            hint="The rate starts with η₀/W, as it should, but takes W epochs from there to η₀; "
            "only W − 1 are left. In epoch W − 1 the factor is 1. (LinearLR counts steps, not "
            "epochs.)",
        ),
        "warmup_from_a_fixed_share": edit(
            "return (epoch + 1) / warmup", "return 1 / 3 + 2 / 3 * epoch / warmup",
            also=[(LINEAR_LR, f"{share}, 1.0, {steps}")
                  for share in ("1 / 3", "0.1", "0.01", "0.001")
                  for steps in ("warmup", "max(1, warmup - 1)")],
            hint="The rise starts at a share of η₀ that has nothing to do with W (with LinearLR it "
            "is a third if you do not say another). It starts at η₀/W.",
        ),
        "warmup_on_top_of_the_cosine": edit(
            "return (epoch + 1) / warmup",
            "return (epoch + 1) / warmup * (1 + math.cos(math.pi * epoch / total)) / 2",
            ("math.pi * (epoch - warmup) / (total - warmup)", "math.pi * epoch / total"),
            also=[[("return (epoch + 1) / warmup",
                    "return epoch / warmup * (1 + math.cos(math.pi * epoch / total)) / 2"),
                   ("math.pi * (epoch - warmup) / (total - warmup)", "math.pi * epoch / total")]],
            hint="The cosine counts from epoch 0 and the warm-up is multiplied onto it, so the "
            "rate never gets to η₀. The cosine should begin when the warm-up is done.",
        ),
        "constant_warmup": edit(
            "return (epoch + 1) / warmup", "return 1 / warmup",
            hint="The rate is η₀/W all through the warm-up. It should rise in equal steps.",
        ),
        "cosine_jumps_after_the_warmup": edit(
            "math.pi * (epoch - warmup) / (total - warmup)", "math.pi * epoch / (total - warmup)",
            hint="The cosine counts from epoch 0, but its length is T − W: after the warm-up the "
            "rate jumps, and it rises again in the end. Count from epoch W.",
        ),
        "cosine_counts_from_the_start": edit(
            "math.pi * (epoch - warmup) / (total - warmup)", "math.pi * epoch / total",
            hint="The cosine counts from epoch 0, so after the warm-up the rate jumps. It should "
            "begin with η₀ in epoch W.",
        ),
        "cosine_not_shortened": edit(
            "/ (total - warmup)", "/ total",
            hint="The cosine is stretched over T epochs, though only T − W are left for it: the "
            "run ends before the rate is small.",
        ),
        "cosine_by_the_last_epoch": edit(
            "/ (total - warmup)", "/ (total - warmup - 1)",
            hint="The rate reaches 0 in the last epoch, which is then lost. It would be 0 in epoch "
            "T, one after the last.",
        ),
        "cosine_one_epoch_early": edit(
            "(epoch - warmup) / (total - warmup)", "(epoch - warmup + 1) / (total - warmup)",
            hint="The cosine is one epoch ahead: in epoch W it should still be η₀, and 0 only in "
            "epoch T, one after the last.",
        ),
        "nothing_after_the_warmup": edit(
            "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2",
            "0 * (1 + math.cos(math.pi * (epoch - warmup) / (total - warmup)))",
            hint="After the warm-up the rate is 0 and nothing is learnt: the wave is multiplied by "
            "0 (½·(1 + cos) starts with 1), or no number is left of it.",
        ),
        "rate_stays_after_the_warmup": edit(
            "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2", "1.0",
            hint="After the warm-up the rate stays at η₀. It should fall along half a cosine.",
        ),
        "pi_forgotten": edit(
            "math.cos(math.pi * ", "math.cos(",
            hint="π is missing in the cosine, so that it ends long before its lowest point: the "
            "rate never gets near 0.",
        ),
        "cosine_rises": edit(
            "(1 + math.cos(", "(1 - math.cos(",
            hint="1 − cos rises from 0 to 2. After the warm-up the rate should fall.",
        ),
        "cosine_with_a_floor": edit(
            f"return {HALF_COSINE}", f"return 0.1 + 0.9 * {HALF_COSINE}",
            also=[(f"return {HALF_COSINE}", f"return 0.01 + 0.99 * {HALF_COSINE}"),
                  (f"return {HALF_COSINE}", f"return max(0.1, {HALF_COSINE})"),
                  (f"return {HALF_COSINE}", f"return max(0.01, {HALF_COSINE})")],
            hint="Your rate has a floor, as large language models are trained with. Formula (2) "
            "has none: it falls to 0 (in epoch T).",
        ),
        "half_forgotten": edit(
            "(epoch - warmup) / (total - warmup))) / 2",
            "(epoch - warmup) / (total - warmup)))",
            hint="1 + cos goes from 2 to 0. It needs the factor ½.",
        ),
        "quarter_of_a_cosine": edit(
            "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2",
            "math.cos(math.pi / 2 * (epoch - warmup) / (total - warmup))",
            hint="That is a quarter of a cosine, which falls steeply at the end. Formula (2) has "
            "half of one: (1 + cos(π …))/2 is flat at both ends.",
        ),
        "seven_sixteenths_of_a_cosine": edit(
            "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2",
            "math.cos(7 / 16 * math.pi * (epoch - warmup) / (total - warmup))",
            hint="That is cos(7π/16 · …), the schedule of FixMatch, which ends at a fifth of η₀. "
            "Formula (2) has half a cosine, lifted by 1 and halved: it falls to 0.",
        ),
        "straight_line": edit(
            "(1 + math.cos(math.pi * (epoch - warmup) / (total - warmup))) / 2",
            "1 - (epoch - warmup) / (total - warmup)",
            hint="That falls along a straight line. Formula (2) has half a cosine.",
        ),
        "whole_cosine": edit(
            "math.cos(math.pi *", "math.cos(2 * math.pi *",
            hint="The cosine goes down and up again. Half a period is π.",
        ),
        "one_step_taken": edit(
            "    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)",
            "    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)\n"
            "    scheduler.step()\n    return scheduler",
            hint="The scheduler has been stepped before it comes back, so all rates are one epoch "
            "early.",
        ),
        "one_rate_for_all_groups": edit(
            "    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)",
            '    lr = optimizer.param_groups[0]["lr"]\n'
            "    for group in optimizer.param_groups:\n"
            '        group["lr"] = lr\n'
            "    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)", about="detail",
            hint="All parameter groups get the rate of the first. Each keeps its own η₀.",
        ),
        "rate_times_rate": edit(
            "return (epoch + 1) / warmup",
            "return optimizer.param_groups[0][\"initial_lr\"] * (epoch + 1) / warmup",
            hint="LambdaLR multiplies by the group's rate itself. The function returns a factor, "
            "not a rate.",
        ),
    },
    "checkpoint": {
        "optimizer_not_saved": edit(
            '        "optimizer": optimizer.state_dict(),\n', "",
            ('    optimizer.load_state_dict(state["optimizer"])\n', ""),
            also=[('    optimizer.load_state_dict(state["optimizer"])\n', "")],
            hint="The optimizer's state is not restored: its momenta start at zero again, Adam's "
            "step count too.",
        ),
        "optimizer_rates_only": edit(
            '    optimizer.load_state_dict(state["optimizer"])\n',
            '    old_groups = state["optimizer"]["param_groups"]\n'
            "    for group, old in zip(optimizer.param_groups, old_groups):\n"
            '        group["lr"] = old["lr"]\n',
            hint="Of the optimizer only the learning rate comes back. Its momenta belong to the "
            "run as well: load_state_dict.",
        ),
        "scheduler_not_saved": edit(
            '        "scheduler": scheduler.state_dict(),\n', "",
            ('    scheduler.load_state_dict(state["scheduler"])\n', ""),
            also=[('    scheduler.load_state_dict(state["scheduler"])\n', "")],
            hint="The scheduler is not restored, and counts its epochs from 0 again.",
        ),
        "order_not_saved": edit(
            '        "generator": generator.get_state(),\n', "",
            ('    generator.set_state(state["generator"])\n', ""),
            also=[('    generator.set_state(state["generator"])\n', "")],
            hint="The generator of the shuffling is not restored: the examples come in another "
            "order than they would have.",
        ),
        "generator_seeded_again": edit(
            "generator.get_state()", "generator.initial_seed()",
            ("generator.set_state(", "generator.manual_seed("),
            hint="The generator is seeded with the old seed, so the resumed run sees the order of "
            "the first epochs again. get_state() and set_state() keep its place.",
        ),
        "dropout_not_saved": edit(
            '        "random": torch.get_rng_state(),\n', "",
            ('    torch.set_rng_state(state["random"])\n', ""),
            also=[('    torch.set_rng_state(state["random"])\n', "")],
            hint="The state of torch's global generator is not restored, and dropout draws other "
            "masks.",
        ),
        "global_seed_again": edit(
            "torch.get_rng_state()", "torch.initial_seed()",
            ("torch.set_rng_state(", "torch.manual_seed("),
            hint="torch is seeded with the old seed, so dropout repeats its first masks. "
            "get_rng_state() and set_rng_state() keep the place.",
        ),
        "fixed_seed": edit(
            'torch.set_rng_state(state["random"])', "torch.manual_seed(0)",
            hint="A fixed seed makes the resumed run repeatable, but it is not the run that was "
            "interrupted: dropout's masks are others.",
        ),
        "randomness_forgotten": edit(
            '    generator.set_state(state["generator"])\n'
            '    torch.set_rng_state(state["random"])\n',
            "",
            hint="Neither of the two random states comes back: the examples' order and dropout's "
            "masks are others.",
        ),
        "model_not_loaded": edit(
            '    model.load_state_dict(state["model"])\n', "",
            hint="The model's weights are saved, but never loaded.",
        ),
        "parameters_alone": edit(
            '"model": model.state_dict()', '"model": dict(model.named_parameters())',
            ('state["model"])', 'state["model"], strict=False)'), about="detail",
            hint="Only the parameters are saved. Batch norm's running statistics are buffers; "
            "state_dict() has both.",
        ),
        "run_not_returned": edit(
            '    return state["run"]\n', "", about="detail",
            hint="load_checkpoint does not return the dict run.",
        ),
        "whole_state_returned": edit(
            'return state["run"]', "return state", about="detail",
            hint="All of the checkpoint comes back; only the dict run is asked for.",
        ),
        "saving_disturbs": edit(
            "    torch.save(state, path)", "    torch.manual_seed(0)\n    torch.save(state, path)",
            hint="Saving changes the random numbers of the run that goes on. It should only look.",
        ),
    },
    "fit": {
        "scheduler_never_stepped": edit(
            "        scheduler.step()\n", "",
            hint="The scheduler is never stepped: the rate stays what it was.",
        ),
        "scheduler_stepped_first": edit(
            "        scheduler.step()\n", "",
            ('        lr = optimizer.param_groups[0]["lr"]\n',
             '        scheduler.step()\n        lr = optimizer.param_groups[0]["lr"]\n'),
            hint="The scheduler is stepped before the epoch, so the first rate of the schedule is "
            "never used.",
        ),
        "scheduler_once_a_batch": edit(
            "        scheduler.step()\n",
            "        for _ in train_loader:\n            scheduler.step()\n",
            hint="The scheduler is stepped once a batch: with a schedule in epochs the rate falls "
            "far too fast.",
        ),
        "rate_noted_afterwards": edit(
            '        lr = optimizer.param_groups[0]["lr"]\n', "",
            ("        scheduler.step()\n",
             '        scheduler.step()\n        lr = optimizer.param_groups[0]["lr"]\n'),
            about="detail",
            hint="The history tells the rate of the next epoch: it is read after the scheduler's "
            "step.",
        ),
        "judged_by_the_training_loss": edit(
            'if valid < run["best"]:\n            run["best"], run["waited"] = valid, 0',
            'if train < run["best"]:\n            run["best"], run["waited"] = train, 0',
            hint="The best epoch is chosen by the training loss, which goes on falling while the "
            "model overfits. Validation decides.",
        ),
        "validated_on_training_data": edit(
            "evaluate(model, valid_loader,", "evaluate(model, train_loader,",
            hint="The validation loss is computed on the training data.",
        ),
        "validated_before_training": edit(
            "        train = train_one_epoch(model, train_loader, loss_fn, optimizer, device, "
            "max_norm)\n"
            '        valid = evaluate(model, valid_loader, loss_fn, device)["loss"]\n',
            '        valid = evaluate(model, valid_loader, loss_fn, device)["loss"]\n'
            "        train = train_one_epoch(model, train_loader, loss_fn, optimizer, device, "
            "max_norm)\n",
            hint="Validation comes before the epoch's training, so its loss is that of the weights "
            "before.",
        ),
        "patience_never_reset": edit(
            BETTER, 'run["best"] = valid',
            hint="A new best does not set the count of bad epochs back. Patience means bad epochs "
            "in a row.",
        ),
        "one_epoch_too_patient": edit(
            'run["waited"] < patience', 'run["waited"] <= patience',
            hint="Training stops one epoch late: patience bad epochs in a row are enough.",
        ),
        "no_early_stopping": edit(
            ' and run["waited"] < patience', "",
            also=[('            run["waited"] += 1\n', '            run["waited"] += 0\n')],
            hint="Training never stops early.",
        ),
        "best_epoch_counts_as_bad": edit(
            WAIT, '        run["waited"] += 1\n',
            also=[(BETTER, 'run["best"], run["waited"] = valid, 1')],
            hint="The best epoch itself is counted as one without progress.",
        ),
        "compared_with_the_epoch_before": edit(
            BETTER, 'run["waited"] = 0',
            (WAIT, WAIT + '        run["best"] = valid\n'),
            hint="An epoch is compared with the one before it, and should be compared with the "
            "best so far.",
        ),
        "ties_are_better": edit(
            'if valid < run["best"]', 'if valid <= run["best"]', about="edge",
            hint="A loss that equals the best one counts as better, so a run that stands still "
            "never loses patience.",
        ),
        "last_weights": edit(
            '    model.load_state_dict(run["weights"])\n', "",
            also=[(f"            {WEIGHTS}\n{WAIT}", f"{WAIT}        {WEIGHTS}\n")],
            hint="The model is left with its last weights. Keep those of the best epoch, only "
            "those, and load them in the end.",
        ),
        "best_weights_are_no_copy": edit(
            "copy.deepcopy(model.state_dict())", "model.state_dict()",
            also=[("copy.deepcopy(model.state_dict())", "model.state_dict().copy()"),
                  ("copy.deepcopy(model.state_dict())", "dict(model.state_dict())"),
                  (".detach().clone()", "")],
            hint="state_dict() hands out the model's own tensors, and training goes on changing "
            "them: the best weights become the last ones. Keep a deep copy.",
        ),
        "max_norm_not_handed_on": edit(
            "optimizer, device, max_norm)", "optimizer, device)", about="detail",
            hint="max_norm is not handed on to train_one_epoch: nothing is clipped.",
        ),
        "epochs_from_zero": edit(
            'while run["epoch"] < epochs and run["waited"] < patience:',
            'for _ in range(epochs):\n        if run["waited"] >= patience:\n            break',
            hint="A resumed run trains `epochs` more. The epochs before the interruption count.",
        ),
        "checkpoint_before_the_schedule": edit(
            "        scheduler.step()\n", "", (SAVE, SAVE + "        scheduler.step()\n"),
            hint="The checkpoint is taken before the scheduler's step, so a resumed run repeats a "
            "rate. Save last.",
        ),
        "checkpoint_before_the_bookkeeping": edit(
            SAVE, "", ('        run["epoch"] += 1\n', SAVE + '        run["epoch"] += 1\n'),
            hint="The checkpoint is taken before the epoch is entered into the books, so a resumed "
            "run trains one epoch too many. Save last.",
        ),
        "checkpoint_before_judging": edit(
            SAVE, "", (f'        if valid < run["best"]:\n            {BETTER}',
                       f'{SAVE}        if valid < run["best"]:\n            {BETTER}'),
            about="detail",
            hint="The checkpoint is taken before it is decided whether this epoch was the best. "
            "Save last.",
        ),
        "checkpoint_of_the_best_only": edit(
            SAVE, "", (f"            {WEIGHTS}\n",
                       f"            {WEIGHTS}\n            if path is not None:\n"
                       "                save_checkpoint(path, model, optimizer, scheduler, "
                       "generator, run)\n"),
            about="detail",
            hint="A checkpoint is written only when an epoch was the best. After an interruption "
            "the epochs since then are lost, and so is the patience they cost.",
        ),
        "checkpoint_in_the_end_only": edit(
            SAVE, "", ('    model.load_state_dict(run["weights"])\n',
                       "    if path is not None:\n        save_checkpoint(path, model, optimizer, "
                       'scheduler, generator, run)\n    model.load_state_dict(run["weights"])\n'),
            hint="The checkpoint is written when the run is over. Then there is nothing to resume "
            "if it was interrupted: save after each epoch.",
        ),
        "never_saved": edit(
            SAVE, "", hint="No checkpoint is ever written.",
        ),
        "never_loaded": edit(
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n",
            "        load_checkpoint(path, model, optimizer, scheduler, generator)\n",
            hint="The checkpoint is loaded, but the dict run that comes back is thrown away: "
            "epoch, history and best weights begin anew.",
        ),
        "patience_fresh_after_resuming": edit(
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n",
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n"
            '        run["waited"] = 0\n', about="detail",
            hint="After an interruption the patience is fresh: the bad epochs before it should "
            "count.",
        ),
        "best_unknown_after_resuming": edit(
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n",
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n"
            '        run["best"] = math.inf\n', about="detail",
            hint="After an interruption the best loss so far is forgotten, so the first epoch "
            "counts as the best.",
        ),
        "history_of_the_last_piece": edit(
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n",
            "        run = load_checkpoint(path, model, optimizer, scheduler, generator)\n"
            '        run["history"] = []\n',
            hint="The history begins anew after an interruption. The earlier epochs belong to it.",
        ),
    },
    "transfer": {
        "backbone_not_frozen": edit(
            FEATURES, "self.backbone = nn.Sequential(*features)",
            (BY_SGD, "torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr)"),
            hint="The backbone's parameters still ask for gradients, so the optimizer moves them. "
            "backbone.requires_grad_(False) switches that off for a whole module.",
        ),
        "gradients_left_on": edit(
            FEATURES, "self.backbone = nn.Sequential(*features)",
            hint="The optimizer holds the head only, but the backbone's parameters still "
            "ask for gradients: they are computed for nothing, and any other optimizer would move "
            "them. Freeze with requires_grad_(False).",
        ),
        "statistics_move": edit(
            "        self.backbone.eval()\n", "",
            hint="model.train() switches the backbone too, so batch norm's running statistics move "
            "with every forward pass and dropout is on. Override train() so that the backbone "
            "stays in evaluation mode.",
        ),
        "eval_only_at_first": edit(
            "        super().train(mode)\n        self.backbone.eval()",
            "        super().train(mode)",
            ("        self.train()\n        ### END",
             "        self.backbone.eval()\n        ### END"),
            hint="backbone.eval() in __init__ holds until the loop says model.train(), which "
            "switches every module inside. It has to be said again in train().",
        ),
        "train_mode_at_first": edit(
            "        self.train()\n        ### END", "        ### END", about="detail",
            hint="A new module is in training mode. Nobody has called your train() yet, so the "
            "backbone is still in the mode in which it came: call it at the end of __init__.",
        ),
        "old_head_kept": edit(
            "*features, old = backbone", "*_, old = features = list(backbone)",
            ("old.in_features", "old.out_features"),
            hint="The new head sits on the old head's logits. What was learnt for the old classes "
            "is thrown together there; the features are what comes before the old head.",
        ),
        "all_in_one_optimizer": edit(
            BY_SGD, "torch.optim.SGD(model.parameters(), lr=lr)", about="detail",
            hint="The optimizer was given the frozen parameters as well. They have no gradient "
            "now, so nothing moves, but the optimizer's state grows with them, and one "
            "requires_grad_(True) later they move.",
        ),
        "another_optimizer": edit(
            BY_SGD, "torch.optim.Adam(model.head.parameters(), lr=lr)",
            hint="The optimizer is another one. A torch.optim.SGD is asked for.",
        ),
        "rate_of_its_own": edit(
            "head.parameters(), lr=lr", "head.parameters(), lr=0.01",
            hint="The learning rate that you are given never enters: hand lr on to the optimizer.",
        ),
        "handed_over_in_evaluation_mode": edit(
            "    return model, torch", "    model.eval()\n    return model, torch", about="detail",
            also=[("super().train(mode)", "super().train(False)")],
            hint="The model comes back in evaluation mode: it was switched off, or your train() "
            "does so whatever mode is asked for. Only the backbone stays in evaluation mode.",
        ),
        "norm_layers_only_in_evaluation_mode": edit(
            "        self.backbone.eval()\n",
            "        for module in self.backbone.modules():\n"
            "            if isinstance(module, nn.BatchNorm1d):\n                module.eval()\n",
            hint="Only the norm layers of the backbone stay in evaluation mode, and dropout is on. "
            "All of the backbone stays in it.",
        ),
        "probabilities_for_logits": edit(
            "return self.head(self.backbone(x))", "return self.head(self.backbone(x)).softmax(-1)",
            hint="You return probabilities. Logits are asked for: the loss takes the softmax "
            "itself.",
        ),
        "head_frozen_too": edit(
            NEW_HEAD, NEW_HEAD + ".requires_grad_(False)",
            hint="The head does not ask for gradients either: nothing is left that can learn.",
        ),
        "lr_left_out": edit(
            "SGD(model.head.parameters(), lr=lr)", "SGD(model.head.parameters())",
            hint="The optimizer has its default learning rate: hand lr on.",
        ),
        "train_returns_nothing": edit(
            "        return self\n", "", about="detail",
            hint="nn.Module's train() returns the module, and eval() returns what train() "
            "returns: end yours with `return self`.",
        ),
        "head_in_default_dtype": edit(
            'place = {"dtype": old.weight.dtype, "device": old.weight.device}',
            'place = {"device": old.weight.device}', about="form",
            hint="The new head is float32 whatever the backbone is: hand dtype= on.",
        ),
        "head_on_default_device": edit(
            'place = {"dtype": old.weight.dtype, "device": old.weight.device}',
            'place = {"dtype": old.weight.dtype}', about="form",
            hint="The new head is made on the CPU wherever the backbone is: hand device= on.",
        ),
    },
    "speedup": {
        "clock_stopped_too_early": edit(
            NO_END, "        return (clock()",
            also=[[(WARM_UP, "        model(X)\n        start = clock()"),
                   (NO_END, "        return (clock()")]],
            hint="The clock is stopped while the device is still at work: what you have timed is "
            "how fast work can be put into a queue. Wait before the second reading.",
        ),
        "clock_started_too_early": edit(
            "        model(X)\n        wait(X.device)\n        start",
            "        model(X)\n        start",
            hint="The clock starts while the warm-up is still in the queue, so you time it as "
            "well. Wait before the first reading.",
        ),
        "first_call_timed": edit(
            WARM_UP, "        wait(X.device)\n        start = clock()",
            hint="The first call is timed: it loads and chooses what later calls find ready. Make "
            "one call before you start the clock.",
        ),
        "seconds_per_batch": edit(
            "(repeats * len(X))", "repeats",
            hint="That is seconds per batch. Divide by the number of its examples, else a larger "
            "batch looks slower where it is faster.",
        ),
        "repeats_not_counted": edit(
            "(repeats * len(X))", "len(X)",
            hint="That is the time of all passes together, shared among the examples of one. "
            "Divide by repeats as well.",
        ),
        "examples_per_second": edit(
            "return (clock() - start) / (repeats * len(X))",
            "return (repeats * len(X)) / (clock() - start)",
            hint="That is examples per second, the throughput. Asked for is its inverse.",
        ),
        "graph_kept": edit(
            "with torch.no_grad():", "with torch.enable_grad():", about="detail",
            hint="The passes build a graph for a backward pass that never comes: time a "
            "prediction under torch.no_grad().",
        ),
        "upside_down": edit(
            FASTER,
            "seconds_per_example(there, X[:size].to(place), **options)\n"
            "        / seconds_per_example(model, X[:size], **options)",
            hint="That is the device's time over the CPU's, which is small where the device is "
            "fast. A speedup is the old time over the new one.",
        ),
        "whole_table_each_time": edit(
            FASTER,
            "seconds_per_example(model, X, **options)\n"
            "        / seconds_per_example(there, X.to(place), **options)",
            hint="Every batch size is timed on all of X: take its first `size` rows.",
        ),
        "model_not_copied": edit(
            "there = copy.deepcopy(model).to(place)",
            "there, model = model, copy.deepcopy(model)\n    there.to(place)", about="detail",
            hint="module.to() moves the module itself: the caller's model is on the device now. "
            "Move a copy.",
        ),
    },
    "standardize": {
        "own_statistics": edit(
            OTHER_ROWS, "(X_other - X_other.mean(0)) / X_other.std(0, correction=0)",
            also=[[(OTHER_ROWS, "(X_other - X_other.mean(0)) / X_other.std(0)"),
                   ("X_train.std(0, correction=0)", "X_train.std(0)")],
                  [(OTHER_ROWS, "(X_other - X_other.mean(0)) / X_other.std(0)"),
                   ("X_train.std(0, correction=0)", "X_train.std(0)"),
                   ("    std = torch.where(std > 0, std, 1)\n", "")]],
            hint="The other table was scaled with its own statistics. That is a leak: the same row "
            "gets other values in other company, and a single row cannot be scaled at all. Use "
            "those of the training table.",
        ),
        "statistics_of_both": edit(
            "mean = X_train.mean(0)\n    std = X_train.std(0, correction=0)",
            "both = torch.cat([X_train, X_other])\n    mean = both.mean(0)\n"
            "    std = both.std(0, correction=0)",
            hint="The statistics were taken from both tables together, so the test rows take part "
            "in their own scaling. Only the training rows may.",
        ),
        "other_table_as_it_is": edit(
            OTHER_ROWS, "X_other",
            hint="The other table comes back as it was. A model that was trained on scaled rows "
            "needs rows that are scaled in the same way.",
        ),
        "centred_only": edit(
            "(X_train - mean) / std", "X_train - mean", (OTHER_ROWS, "X_other - mean"),
            also=[("std = torch.where(std > 0, std, 1)", "std = torch.ones_like(std)")],
            hint="The columns are centred, but not divided by their standard deviations.",
        ),
        "one_scale_for_all_columns": edit(
            "mean = X_train.mean(0)\n    std = X_train.std(0, correction=0)",
            "mean = X_train.mean()\n    std = X_train.std(correction=0)",
            hint="There is one mean and one deviation for the whole table. Every column needs its "
            "own: mean(0), std(0).",
        ),
        "rows_scaled": edit(
            "mean = X_train.mean(0)\n    std = X_train.std(0, correction=0)\n"
            "    std = torch.where(std > 0, std, 1)\n"
            "    return (X_train - mean) / std, (X_other - mean) / std",
            "return tuple((X - X.mean(1, keepdim=True)) / X.std(1, correction=0, keepdim=True)\n"
            "                 for X in (X_train, X_other))",
            hint="Every row was scaled by itself, over its columns (that is layer norm). Columns "
            "are what has different units.",
        ),
        "variance_for_deviation": edit(
            "X_train.std(0, correction=0)", "X_train.var(0, correction=0)",
            hint="You divide by the variance. Its square root, the standard deviation, has the "
            "column's unit.",
        ),
        "divided_by_n_minus_1": edit(
            "X_train.std(0, correction=0)", "X_train.std(0)", about="detail",
            hint="torch's std divides by n − 1 unless it is told correction=0.",
        ),
        "min_max_scaled": edit(
            "mean = X_train.mean(0)", "mean = X_train.amin(0)",
            ("X_train.std(0, correction=0)", "X_train.amax(0) - X_train.amin(0)"),
            hint="The columns are scaled by their smallest and largest values, to lie between 0 "
            "and 1. Formula (5) has mean and standard deviation.",
        ),
        "not_centred": edit(
            "(X_train - mean) / std, (X_other - mean) / std", "X_train / std, X_other / std",
            hint="The mean was not subtracted.",
        ),
        "constant_column_divided": edit(
            "    std = torch.where(std > 0, std, 1)\n", "", about="edge",
            hint="A column that is constant in training has the standard deviation 0, and you "
            "divide by it. Divide such a column by 1.",
        ),
        "constant_column_by_eps": edit(
            "std = torch.where(std > 0, std, 1)", "std = std + 1e-12", about="edge",
            also=[("std = torch.where(std > 0, std, 1)", f"std = std + {eps}")
                  for eps in ("1e-6", "1e-5")]
            + [("std = torch.where(std > 0, std, 1)", f"std = std.clamp(min={eps})")
               for eps in ("1e-8", "1e-7", "1e-6", "1e-5")],
            hint="A constant column is divided by a tiny number, so that a small difference in a "
            "later row becomes a huge one. Divide such a column by 1.",
        ),
        "in_place": edit(
            "return (X_train - mean) / std, (X_other - mean) / std",
            "return X_train.sub_(mean).div_(std), X_other.sub_(mean).div_(std)",
            about="arguments",
            hint="The tables that you were handed are changed: sub_, div_, −= and /= write into "
            "them. Make new ones.",
        ),
    },
    "confusion_matrix": {
        "columns_are_the_truth": edit(
            "num_classes * targets + predictions", "num_classes * predictions + targets",
            hint="Your rows are the predictions. Here the row is the true class.",
        ),
        "classes_from_one": edit(
            "    pairs =",
            "    targets = (targets - 1) % num_classes\n"
            "    predictions = (predictions - 1) % num_classes\n    pairs =",
            hint="1 is subtracted from the classes, as if they began with 1. They begin with 0, so "
            "your class 0 lands in the last row and column, and all others one too early.",
        ),
        "each_pair_counted_once": edit(
            "pairs = num_classes * targets + predictions\n"
            "    counts = torch.bincount(pairs, minlength=num_classes * num_classes)\n"
            "    return counts.reshape(num_classes, num_classes)",
            "counts = targets.new_zeros(num_classes, num_classes)\n"
            "    counts[targets, predictions] += 1\n    return counts",
            hint="counts[targets, predictions] += 1 counts every pair once, however often it "
            "occurs. index_put_(…, accumulate=True) or bincount count them all.",
        ),
        "shares_for_counts": edit(
            COUNTS, PER_CENT.replace("AXIS", "1"),
            also=[(COUNTS, SHARES.replace("AXIS", "1")),
                  (COUNTS, SHARES.replace("AXIS", "1").replace(".clamp(min=1)", ""))],
            hint="Your rows are divided by their sums: those are shares of the true class, or "
            "percentages. Counts are asked for.",
        ),
        "shares_of_the_predicted": edit(
            COUNTS, PER_CENT.replace("AXIS", "0"),
            also=[(COUNTS, SHARES.replace("AXIS", "0")),
                  (COUNTS, SHARES.replace("AXIS", "0").replace(".clamp(min=1)", ""))],
            hint="Your columns are divided by their sums: those are shares of the predicted class, "
            "or percentages. Counts are asked for.",
        ),
        "only_the_right_ones": edit(
            "num_classes * targets + predictions",
            "((num_classes + 1) * targets)[targets == predictions]",
            hint="Only what is right was counted, on the diagonal. What is confused with what "
            "stands beside it.",
        ),
        "number_of_classes_guessed": edit(
            "    counts = torch",
            "    num_classes = int(max(targets.max(), predictions.max())) + 1\n"
            "    pairs = num_classes * targets + predictions\n    counts = torch",
            about="detail", cost=0.2,
            hint="The size of the table was taken from the classes that occur. A class that does "
            "not occur has a row and a column too: num_classes says how many there are.",
        ),
        "all_rows_are_one_list": edit(
            COUNTS, COUNTS + ".sum(0, keepdim=True).repeat(num_classes, 1)",
            hint="All rows are the same. [[0] * K] * K, say, is one list K times over, and what is "
            "counted in one row is seen in all of them.",
        ),
        "minlength_forgotten": edit(
            ", minlength=num_classes * num_classes", "", about="detail", cost=0.2,
            hint="bincount's result ends with the largest pair that occurs, and is too short "
            "where the last classes are missing. Tell it how long it has to be.",
        ),
        "counts_as_fractions": edit(
            "return counts.reshape(num_classes, num_classes)",
            "return counts.reshape(num_classes, num_classes).float()", about="form",
            hint="The counts come as floating-point numbers; they are integers.",
        ),
    },
    "train_tabular": {
        "labels_shuffled": edit(
            "y_train[fitted])\n", "y_train[: len(fitted)])\n",
            ("y_train[held_out])", "y_train[len(fitted) :])"),
            hint="The rows were shuffled and their labels were not, so the network learns labels "
            "by lot. Index both with the same order.",
        ),
        "uphill": edit(
            "loss.backward()", "(-loss).backward()",
            hint="The loss grows: the step goes up its slope.",
        ),
        "scaled_with_test_statistics": edit(
            TABLE_ROWS,
            "rows = (X_train - mean) / std\n"
            "    test_rows = (X_test - X_test.mean(0)) / X_test.std(0)",
            about="detail",
            hint="The test rows were scaled with statistics of their own, so a prediction changes "
            "with the rows beside it. Use those of the training rows.",
        ),
        "one_epoch_too_late": edit(
            "while waited < patience", "while waited <= patience", about="detail",
            hint="Training goes on for one epoch more than patience allows: stop when the count "
            "has reached it.",
        ),
        "never_stops": edit(
            "while waited < patience and len(losses) < max_epochs",
            "while len(losses) < max_epochs",
            also=[("        waited += 1\n", "        waited += 0\n")],
            about="detail",
            hint="Training always runs to max_epochs: patience is counted but not used.",
        ),
        "stops_by_the_training_loss": edit(
            VALIDATION, "F.cross_entropy(model(rows[fitted]), y_train[fitted])", about="detail",
            hint="The loss that decides when to stop is measured on the rows that are trained on. "
            "It goes on falling for as long as there is something to learn by heart.",
        ),
        "last_weights_kept": edit(
            "return best(test_rows)", "return model(test_rows)", about="detail",
            also=[("best = copy.deepcopy(model)", "best = model")],
            hint="The last epoch's weights predict. Training went on for `patience` epochs after "
            "the best one: keep a copy of its weights (a reference "
            "goes on changing) and go back to it.",
        ),
        "seed_ignored": edit(
            "    torch.manual_seed(seed)\n", "", about="detail",
            hint="The seed is not used: two trainings with one seed are two different ones. Call "
            "torch.manual_seed(seed) before the first random number is drawn.",
        ),
        "seed_of_your_own": edit(
            "torch.manual_seed(seed)", "torch.manual_seed(0)", about="detail",
            hint="Every training has the same seed, whatever is asked for: use the argument.",
        ),
        "limit_left_out": edit(
            "while waited < patience and len(losses) < max_epochs", "while waited < patience",
            about="edge",
            hint="max_epochs is not looked at.",
        ),
    },
    "train_digits": {
        "labels_shuffled": edit(
            "y_train[batch])", "y_train[: len(batch)])",
            hint="The images were shuffled and their labels were not, so the network learns labels "
            "by lot. Index both with the same batch.",
        ),
        "learning_rate_too_large": edit(
            "6, 50, 0.01", "6, 50, 30.0",
            hint="With such a learning rate every step throws away what the last one has learnt. "
            "For Adam, values from 0.001 to 0.01 are a good beginning.",
        ),
        "too_few_updates": edit(
            "epochs, batch_size, lr = 6, 50, 0.01", "epochs, batch_size, lr = 1, 1000, 0.01",
            hint="An epoch of one or two large batches is one or two updates. Take smaller batches "
            "and more epochs, and watch the loss fall.",
        ),
        "uphill": edit(
            "loss.backward()", "(-loss).backward()",
            hint="The loss grows: the step goes up its slope.",
        ),
        "optimizer_never_steps": edit(
            "            optimizer.step()\n", "",
            hint="The gradients are computed and never used: no optimizer.step().",
        ),
        "largest_logit_for_its_place": edit(
            "model(test_images).argmax(1)", "model(test_images).max(1).values",
            hint="max gives the largest logit. Which class it belongs to is said by argmax.",
        ),
        "best_image_for_each_digit": edit(
            "model(test_images).argmax(1)", "model(test_images).argmax(0)",
            hint="argmax went over the images: for each digit you return the image that looks most "
            "like it. Go over the classes, axis 1.",
        ),
        "nearest_image": edit(
            "for _ in range(epochs):", "for _ in range(0):",
            ("model(test_images).argmax(1)", "y_train[torch.cdist(X_test, X_train).argmin(1)]"),
            hint="Each image gets the label of the known image that is nearest to it. That reads "
            "digits well, and it is no network: train one.",
        ),
        "train_mode_when_predicting": edit(
            "    model.eval()\n", "", about="detail",
            hint="The network predicts in training mode: batch norm uses the statistics of the "
            "test images, and an answer changes with the images beside it. Call model.eval().",
        ),
        "scaled_with_test_statistics": edit(
            TEST_DIGITS, "test_images = ((X_test - X_test.mean()) / X_test.std())", about="detail",
            hint="The test images were scaled with statistics of their own, so an answer changes "
            "with the images beside it. Use those of the training images.",
        ),
        "seed_ignored": edit(
            "    torch.manual_seed(seed)\n", "", about="detail",
            hint="The seed is not used: two trainings with one seed are two different ones. Call "
            "torch.manual_seed(seed) before the first weight is drawn.",
        ),
        "seed_of_your_own": edit(
            "torch.manual_seed(seed)", "torch.manual_seed(7)", about="detail",
            hint="Every training has the same seed, whatever is asked for. A lucky seed is lucky "
            "on one split only: use the argument.",
        ),
        "scaled_in_place": edit(
            DIGITS, "images = X_train.sub_(mean).div_(std).reshape(-1, 1, 8, 8)\n",
            about="arguments",
            hint="sub_ and div_ change the images that you were handed.",
        ),
    },
}

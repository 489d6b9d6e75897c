"""Lab 07: mistakes that people really make, as edits of the solution, and what they are told."""

from course_utils.testing import edit

# Longer pieces of the solution that several mistakes replace.
FEATURES = "self.backbone = nn.Sequential(*features).requires_grad_(False)"
NEW_HEAD = "nn.Linear(old.in_features, num_classes, **place)"
BY_SGD = "torch.optim.SGD(model.head.parameters(), lr=lr)"
WARM_UP = "        model(X)\n        wait(X.device)\n        start = clock()"
NO_END = "        wait(X.device)\n        return (clock()"
FASTER = (
    "seconds_per_example(model, X[:size], **options)\n"
    "        / seconds_per_example(there, X[:size].to(place), **options)"
)
OTHER_ROWS = "(X_other - mean) / std"
VALIDATION = "F.cross_entropy(model(rows[held_out]), y_train[held_out])"
TABLE_ROWS = "rows, test_rows = (X_train - mean) / std, (X_test - mean) / std"
DIGITS = "images = ((X_train - mean) / std).reshape(-1, 1, 8, 8)\n"
TEST_DIGITS = "test_images = ((X_test - mean) / std)"

MISTAKES = {
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
            hint="A constant column is divided by 1e-12: a tiny difference in a later row becomes "
            "a huge number. Divide such a column by 1.",
        ),
        "in_place": edit(
            "return (X_train - mean) / std, (X_other - mean) / std",
            "return X_train.sub_(mean).div_(std), X_other.sub_(mean).div_(std)",
            about="arguments",
            hint="sub_ and div_ change the tables that you were handed.",
        ),
    },
    "confusion_matrix": {
        "columns_are_the_truth": edit(
            "num_classes * targets + predictions", "num_classes * predictions + targets",
            hint="Your rows are the predictions. Here the row is the true class.",
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
            "return counts.reshape(num_classes, num_classes)",
            "counts = counts.reshape(num_classes, num_classes)\n"
            "    return 100 * counts // counts.sum(1, keepdim=True).clamp(min=1)",
            hint="Your rows sum to 100: those are percentages. Counts are asked for.",
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
            hint="The size was taken from the largest class that occurs. A class that does not "
            "occur has a row and a column too: num_classes says how many there are.",
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

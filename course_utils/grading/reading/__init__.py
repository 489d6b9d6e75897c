"""From what was handed in to cells that can be run, or a reason why there are none."""

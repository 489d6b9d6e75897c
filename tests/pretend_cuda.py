"""A module that touches the GPU when it is imported, as a lab's imports must not: a pretence."""

import torch

torch.cuda._initialized = True

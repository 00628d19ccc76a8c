"""Real networks to look at, with random weights, and what `tracelab demo` does with them."""

from tracelab.demo.gpt import GPT
from tracelab.demo.resnet import ResNet

__all__ = ["GPT", "ResNet"]

"""Models of the gallery that are written here, with random weights and small sizes, each traced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import tracelab
from tracelab.demo import GPT, ResNet


def ids(length: int = 8, high: int = 60) -> Tensor:
    return torch.randint(2, high, (1, length))


def plain(model: nn.Module, *args: Any, **kwargs: Any) -> Any:
    with torch.no_grad():
        return tracelab.trace(model.eval(), *args, check_trace=False, strict=False, **kwargs)


def resnet() -> Any:
    return plain(ResNet.resnet18(10, 16), torch.randn(1, 3, 64, 64))


def block(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = block(3, 8), block(8, 16), block(16, 32)
        self.up2, self.up1 = block(48, 16), block(24, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        deep = self.bottom(F.max_pool2d(second, 2))
        deep = self.up2(torch.cat([F.interpolate(deep, scale_factor=2.0), second], 1))
        deep = self.up1(torch.cat([F.interpolate(deep, scale_factor=2.0), first], 1))
        return self.head(deep)


def unet() -> Any:
    return plain(UNet(), torch.randn(1, 3, 32, 32))


def resnet50() -> Any:
    return plain(ResNet.resnet50(10, 16), torch.randn(1, 3, 64, 64))


def gpt() -> Any:
    return plain(GPT(layers=4), ids(high=50))


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(20, 16), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(16, 4), nn.Linear(16, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 20), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(code), mean, log_variance


def vae() -> Any:
    return plain(VAE(), torch.randn(4, 20))


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(60, 16)
        self.lstm = nn.LSTM(16, 12, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(24, 5)

    def forward(self, words: Tensor) -> Tensor:
        states, _ = self.lstm(self.embed(words))
        return self.head(states)


def lstm() -> Any:
    return plain(Tagger(), ids())


class TimedBlock(nn.Module):
    def __init__(self, before: int, after: int, time: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(4, before)
        self.conv = nn.Conv2d(before, after, 3, padding=1)
        self.shift = nn.Linear(time, after)
        self.skip = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        hidden = self.conv(F.silu(self.norm(x)))
        return self.skip(x) + hidden + self.shift(time)[:, :, None, None]


class Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 32))
        self.begin = nn.Conv2d(3, 8, 3, padding=1)
        self.down, self.middle, self.up = TimedBlock(8, 16, 32), TimedBlock(16, 16, 32), TimedBlock(32, 8, 32)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.end = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, noisy: Tensor, step: Tensor) -> Tensor:
        waves = step[:, None] * torch.exp(torch.arange(8) * -1.0)
        time = self.time(torch.cat([waves.sin(), waves.cos()], 1))
        high = self.down(self.begin(noisy), time)
        low = self.middle(F.avg_pool2d(high, 2), time)
        batch, channels, height, width = low.shape
        tokens = low.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0]
        low = tokens.transpose(1, 2).reshape(batch, channels, height, width)
        return self.end(self.up(torch.cat([F.interpolate(low, scale_factor=2.0), high], 1), time))


def denoiser() -> Any:
    return plain(Denoiser(), torch.randn(1, 3, 16, 16), torch.tensor([10.0]))


class GraphConvolution(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.linear = nn.Linear(before, after)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        source, target = edges
        degree = torch.zeros(nodes.shape[0]).index_add(0, target, torch.ones(target.shape[0])).clamp(min=1)
        messages = self.linear(nodes)[source]
        total = torch.zeros(nodes.shape[0], messages.shape[1]).index_add(0, target, messages)
        return total / degree[:, None]


class GraphNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = GraphConvolution(8, 16), GraphConvolution(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        nodes = self.first(nodes, edges).relu()
        nodes = self.second(nodes, edges).relu()
        return self.head(nodes.mean(0))


def graph_network() -> Any:
    return plain(GraphNetwork(), torch.randn(6, 8), torch.randint(0, 6, (2, 12)))


def training_step() -> Any:
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)

    def step(net: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> Tensor:
        loss = (net(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return tracelab.trace(step, net, optimizer, torch.randn(4, 8), torch.randn(4, 1), check_trace=False)

"""Twelve cells as people write them: for each what a notebook ran before, and the cell."""

from __future__ import annotations

from dataclasses import dataclass

_DATA = """
import random
import numpy as np
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset
from tqdm import tqdm
random.seed(1); np.random.seed(1); torch.manual_seed(1)
X, Y = torch.randn(32, 6), torch.randint(0, 3, (32,))
def net():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
"""


@dataclass(frozen=True)
class NotebookCell:
    """One of them."""

    before: str
    cell: str
    branches: tuple[str, ...] = ()
    """The lines at which a warning is due: a value that was computed decides a branch, or becomes a tensor again."""
    needs: str = ""
    """A package that is not always there."""
    differs: tuple[str, ...] = ()
    """Variables that differ between two plain runs, too: times, names of folders; `random` for what Python draws."""


CELLS: dict[str, NotebookCell] = {}

CELLS["training with autocast and gradient accumulation"] = NotebookCell(
    _DATA
    + """
loader = DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True)
model = net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
accumulate = 2
""",
    """
model.train()
losses = []
for step, (xb, yb) in enumerate(tqdm(loader, disable=False)):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(model(xb), yb) / accumulate
    loss.backward()
    losses.append(loss.item())
    if (step + 1) % accumulate == 0:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
scheduler.step()
print(f"mean loss {np.mean(losses):.3f}")
""",
)

CELLS["validation with accuracy"] = NotebookCell(
    _DATA
    + """
loader = DataLoader(TensorDataset(X, Y), batch_size=8)
model = net()
""",
    """
model.eval()
correct, total, val_loss = 0, 0, 0.0
with torch.no_grad():
    for xb, yb in tqdm(loader):
        logits = model(xb)
        val_loss += F.cross_entropy(logits, yb, reduction="sum").item()
        correct += (logits.argmax(dim=1) == yb).sum().item()
        total += yb.size(0)
accuracy = correct / total
print(f"loss {val_loss / len(loader.dataset):.4f}, accuracy {100 * accuracy:.1f}%")
""",
)

CELLS["a confusion matrix in NumPy"] = NotebookCell(
    _DATA
    + """
import pandas as pd
class Points(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __len__(self):
        return len(self.x)
    def __getitem__(self, index):
        x = self.x[index]
        if random.random() < 0.5:
            x = x + 0.01 * torch.randn_like(x)
        return {"x": x, "y": int(self.y[index])}
loader = DataLoader(Points(X, Y), batch_size=8)
model = net().eval()
""",
    """
predicted, wanted = [], []
with torch.inference_mode():
    for batch in loader:
        predicted.append(model(batch["x"]).argmax(-1).cpu().numpy())
        wanted.extend(batch["y"].tolist())
predicted = np.concatenate(predicted)
wanted = np.array(wanted)
matrix = np.zeros((3, 3), dtype=int)
for row, column in zip(wanted, predicted):
    matrix[row, column] += 1
table = pd.DataFrame(matrix)
print(table, np.trace(matrix) / matrix.sum())
""",
)

CELLS["the two optimizers of a GAN"] = NotebookCell(
    _DATA
    + """
loader = DataLoader(TensorDataset(X), batch_size=8, shuffle=True, drop_last=True)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 6))
discriminator = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()
noise = torch.randn(4, 4)
""",
    """
history = {"g": [], "d": []}
for epoch in range(2):
    for (real,) in loader:
        ones, zeros = torch.ones(real.size(0), 1), torch.zeros(real.size(0), 1)
        z = torch.randn(real.size(0), 4)
        fake = generator(z)
        d_loss = criterion(discriminator(real), ones) + criterion(discriminator(fake.detach()), zeros)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = criterion(discriminator(fake), ones)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        history["g"].append(g_loss.item())
        history["d"].append(d_loss.item())
    print(f"{epoch}: {history['g'][-1]:.3f} {history['d'][-1]:.3f}")
samples = generator(noise).detach()
""",
)

CELLS["a Lightning fit"] = NotebookCell(
    _DATA
    + """
import lightning, logging, warnings
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
class Lit(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = net()
    def training_step(self, batch, index):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.log("loss", loss)
        return loss
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3)
lit = Lit()
loader = DataLoader(TensorDataset(X, Y), batch_size=8)
""",
    """
trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
                            enable_progress_bar=False, enable_model_summary=False)
trainer.fit(lit, loader)
""",
    needs="lightning",
    differs=("random",),
)

CELLS["a fit in the manner of Lightning"] = NotebookCell(
    _DATA
    + """
class Lit(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = net()
        self.logged = {}
    def log(self, name, value):
        self.logged.setdefault(name, []).append(float(value.detach()))
    def training_step(self, batch, index):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.log("loss", loss)
        return loss
    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8)
class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs, self.step = max_epochs, 0
    def fit(self, module, loader):
        optimizer, scheduler = module.configure_optimizers()
        module.train()
        for epoch in range(self.max_epochs):
            for index, batch in enumerate(loader):
                optimizer.zero_grad()
                module.training_step(batch, index).backward()
                optimizer.step()
                scheduler.step()
                self.step += 1
        return optimizer
lit = Lit()
loader = DataLoader(TensorDataset(X, Y), batch_size=8)
""",
    """
trainer = Trainer(max_epochs=1)
optimizer = trainer.fit(lit, loader)
print(trainer.step, lit.logged["loss"][-1])
""",
)

_MASKS = (
    "if (padding_length := kv_length + kv_offset - attention_mask.shape[-1]) > 0:",
    "and (padding_mask is None or padding_mask.all())",
)
"""What the library compares as it makes its masks: for another length or padding the trace may be another."""
_TRANSFORMER = """
from transformers import BertConfig, BertForSequenceClassification
config = BertConfig(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                    max_position_embeddings=16, num_labels=3)
model = BertForSequenceClassification(config)
"""

CELLS["a step of transformers.Trainer"] = NotebookCell(
    _DATA
    + _TRANSFORMER
    + """
import tempfile
from transformers import Trainer, TrainingArguments
rows = [{"input_ids": [1, 2, 3, 4], "attention_mask": [1, 1, 1, 1], "labels": row % 3} for row in range(16)]
arguments = TrainingArguments(tempfile.mkdtemp(), max_steps=2, per_device_train_batch_size=4, report_to=[],
                              use_cpu=True, save_strategy="no", disable_tqdm=True, logging_steps=1)
trainer = Trainer(model, arguments, train_dataset=rows)
""",
    """
result = trainer.train()
loss = result.training_loss
""",
    branches=(*_MASKS, "if ("),
    needs="accelerate",
    differs=("arguments", "result"),
)

CELLS["a step in the manner of transformers.Trainer"] = NotebookCell(
    _DATA
    + _TRANSFORMER
    + """
from transformers import DataCollatorWithPadding, get_linear_schedule_with_warmup
from transformers import default_data_collator
rows = [{"input_ids": [1, 2, 3, 4 + row % 4], "attention_mask": [1, 1, 1, 1], "labels": row % 3} for row in range(16)]
loader = DataLoader(rows, batch_size=4, shuffle=True, collate_fn=default_data_collator)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = get_linear_schedule_with_warmup(optimizer, 1, 4)
""",
    """
model.train()
total = 0.0
for step, inputs in enumerate(loader):
    outputs = model(**inputs)
    outputs.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    optimizer.zero_grad()
    total += outputs.loss.detach().float().item()
    print({"loss": round(total / (step + 1), 4), "lr": scheduler.get_last_lr()[0]})
""",
    branches=_MASKS,
)

CELLS["a rollout in an environment"] = NotebookCell(
    _DATA
    + """
class Corridor:
    def reset(self):
        self.at = 0.0
        return np.array([self.at, 0.0], dtype=np.float32)
    def step(self, action):
        self.at += 1.0 if action == 1 else -1.0
        return np.array([self.at, 1.0], dtype=np.float32), 1.0 if self.at > 0 else 0.0, abs(self.at) >= 3
env = Corridor()
policy = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
""",
    """
state, done, rewards, log_probs = env.reset(), False, [], []
while not done:
    logits = policy(torch.from_numpy(state))
    choice = torch.distributions.Categorical(logits=logits)
    action = choice.sample()
    log_probs.append(choice.log_prob(action))
    state, reward, done = env.step(action.item())
    rewards.append(reward)
returns = np.cumsum(rewards[::-1])[::-1].copy()
loss = -(torch.stack(log_probs) * torch.as_tensor(returns, dtype=torch.float32)).sum()
optimizer.zero_grad()
loss.backward()
optimizer.step()
""",
    branches=("self.at += 1.0 if action == 1 else -1.0",),
)

CELLS["the sampling loop of a diffusion model"] = NotebookCell(
    _DATA
    + """
class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.layers = nn.Embedding(50, 8), nn.Sequential(nn.Linear(14, 16), nn.SiLU(), nn.Linear(16, 6))
    def forward(self, x, t):
        return self.layers(torch.cat([x, self.embed(t)], dim=-1))
denoiser = Denoiser().eval()
betas = torch.linspace(1e-4, 0.02, 50)
alphas_bar = torch.cumprod(1 - betas, dim=0)
""",
    """
torch.manual_seed(3)
x = torch.randn(4, 6)
frames = []
with torch.no_grad():
    for t in tqdm(reversed(range(0, 50, 10)), total=5):
        steps = torch.full((x.shape[0],), t, dtype=torch.long)
        noise = denoiser(x, steps)
        x = (x - betas[t] / (1 - alphas_bar[t]).sqrt() * noise) / (1 - betas[t]).sqrt()
        if t > 0:
            x = x + betas[t].sqrt() * torch.randn_like(x)
        frames.append(x.clamp(-1, 1).cpu().numpy())
video = np.stack(frames)
print(video.shape, video.mean())
""",
)

CELLS["k-fold"] = NotebookCell(
    _DATA
    + """
dataset = TensorDataset(X, Y)
folds = np.array_split(np.random.permutation(32), 4)
""",
    """
scores = []
for k, held_out in enumerate(folds):
    kept = np.concatenate([fold for other, fold in enumerate(folds) if other != k])
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()
    for xb, yb in DataLoader(Subset(dataset, kept), batch_size=12, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(model(xb), yb).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = [(model(xb).argmax(1) == yb).float().mean().item()
                for xb, yb in DataLoader(Subset(dataset, held_out), batch_size=8)]
    scores.append(np.mean(hits))
    print(f"fold {k}: {scores[-1]:.2f}")
print(f"{np.mean(scores):.3f} ± {np.std(scores):.3f}")
""",
)

CELLS["early stopping"] = NotebookCell(
    _DATA
    + """
import copy
train_loader = DataLoader(TensorDataset(X[:24], Y[:24]), batch_size=8, shuffle=True)
val_loader = DataLoader(TensorDataset(X[24:], Y[24:]), batch_size=8)
model = net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    total = 0.0
    for xb, yb in loader:
        total += F.cross_entropy(model(xb), yb, reduction="sum").item()
    return total / len(loader.dataset)
""",
    """
best, best_state, patience, curve = float("inf"), None, 0, []
for epoch in range(5):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    val = evaluate(model, val_loader)
    curve.append(val)
    if val < best:
        best, best_state, patience = val, copy.deepcopy(model.state_dict()), 0
    else:
        patience += 1
        if patience >= 2:
            break
model.load_state_dict(best_state)
""",
    branches=("if val < best:",),
)

CELLS["a plot of feature maps"] = NotebookCell(
    _DATA
    + """
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
convolution = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3))
image = torch.rand(1, 1, 12, 12)
features = {}
handle = convolution[0].register_forward_hook(lambda module, args, result: features.update(first=result.detach()))
""",
    """
with torch.no_grad():
    result = convolution(image)
maps = features["first"][0]
figure, axes = plt.subplots(1, len(maps))
for ax, one in zip(axes, maps):
    ax.imshow(one.numpy(), cmap="gray")
    ax.set_title(f"{one.mean().item():.2f}")
plt.plot([one.max().item() for one in maps])
plt.close(figure)
handle.remove()
del handle
""",
    needs="matplotlib",
)

CELLS["a timing loop"] = NotebookCell(
    _DATA
    + """
import time
model, batch = net().eval(), torch.randn(16, 6)
""",
    """
with torch.no_grad():
    for _ in range(3):
        model(batch)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        out = model(batch)
        times.append(time.perf_counter() - start)
print(len(times), min(times) > 0)
fastest = 1000 * min(times) > 0
del times, start
""",
)

"""The lines that generated programs are made of, by what they mix."""

from __future__ import annotations

# {v} {u}: new names; {f}: a tensor of floats; {g}: one of the same shape; {h}: one that broadcasts with it;
# {a}: any tensor; {w}: one to write to; {m}: a matrix; {b}: of three dimensions; {r}: with a dimension at least;
# {o}: rows of four; {l}: integers; {q}: a condition; {e}: an expression of {f}; {n}: a number from sizes;
# {k}: a constant; {c}: a small whole number; {z}: an index for {r}.

LINES = """
pure: {v} = {f} + {k}
pure: {v} = {f} * {h}
pure: {v} = {f} - {h}
pure: {v} = {f} / ({h}.abs() + 1)
pure: {v} = torch.where({f} > 0, {f}, {h})
pure: {v} = {f}.sin() + {f}.cos()
pure: {v} = {f}.sum()
pure: {v} = {f}.sum(-1)
pure: {v} = {f}.sum(dim=-1, keepdim=True)
pure: {v} = {r}.mean(0)
pure: {v} = {r}.cumsum(0)
pure: {v} = {r}.flip(0)
pure: {v} = torch.roll({r}, 1, 0)
pure: {v} = {f}.clamp(-1, 1)
pure: {v} = ({f} > {h}).float()
pure: {v} = ({f} > 0).to({f}.dtype)
pure: {v} = {m} @ {m}.t()
pure: {v} = {r}.max(dim=0).values
pure: {v} = {r}.sort(0)[0]
pure: {v} = {r}.argmax(0)
pure: {v} = {l} + 1
pure: {v} = {l} % 3
pure: {v} = {l}.float() * 0.5
pure: {v} = {f}.norm()
pure: {v} = torch.outer({f}.flatten(), {f}.flatten()).diagonal()
pure: {v} = {f} ** 2
pure: {v} = 2 ** {f}
pure: {v} = -{f}
pure: {v} = {f} % 2
pure: {v} = torch.maximum({f}, {g})
pure: {v} = {f}.abs().sqrt()
pure: {v} = {f}.double()
pure: {v} = {f}.half().float()
pure: {v} = {f}.to(torch.bfloat16)
pure: {v} = {f}.long()
pure: {v} = {f}.bool()
pure: {v} = {f}.type_as({a})
pure: {v} = {f}.to({a})
pure: {v} = {a}.to(torch.float32)
pure: {v} = {a}.float()
pure: {v} = {a}.type(torch.float64)
pure: {v} = {a} * 2
pure: {v} = {a} + {a}
pure: {v} = {a}.clone()
pure: {v} = {a}.contiguous()
pure: {v} = {a}.detach()
pure: {v} = {a}.cpu()
einsum: {v} = torch.einsum("ij,kj->ik", {m}, {m})
einsum: {v} = torch.einsum("...i,...i->...", {f}, {g})
einsum: {v} = torch.einsum("i...->...", {r})
einsum: {v} = torch.einsum("bij,bkj->bik", {b}, {b})
einsum: {v} = torch.tensordot({m}, {m}, dims=([1], [1]))
einsum: {v} = torch.einsum("ij->ji", {m}).contiguous()
view: {v} = {f}.reshape(-1)
view: {v} = {f}.view(-1)
view: {v} = {f}.view({f}.shape)
view: {v} = {r}.view({r}.size(0), -1)
view: {v} = {r}.reshape({r}.shape[0], -1)
view: {v} = {r}.reshape(-1, {r}.shape[-1])
view: {v} = {f}.flatten()
view: {v} = {r}.transpose(0, -1)
view: {v} = {m}.t()
view: {v} = {b}.permute(1, 2, 0)
view: {v} = {b}.permute(*range(1, {b}.dim()), 0)
view: {v} = {r}.mT if {r}.dim() > 1 else {r}
view: {v} = {f}.unsqueeze(0)
view: {v} = {f}.unsqueeze(-1)
view: {v} = {f}.squeeze()
view: {v} = {f}.squeeze(0) if {f}.dim() else {f}
view: {v} = {f}[None]
view: {v} = {f}[..., None]
view: {v} = {r}[0]
view: {v} = {r}[-1:]
view: {v} = {r}[1:]
view: {v} = {r}[::2]
view: {v} = {r}[..., 0]
view: {v} = {r}[: {r}.size(0) // 2]
view: {v} = {r}[{r}.size(0) // 2 :]
view: {v} = {r}.narrow(0, 0, {r}.size(0) // 2)
view: {v} = {f}.expand(2, *{f}.shape)
view: {v} = {f}.expand(*{f}.shape)
view: {v} = {f}.expand_as({h}) if {f}.dim() <= {h}.dim() else {f}
view: {v} = {r}.select(0, -1)
view: {v} = {r}.unfold(0, 1, 1)
view: {v} = {m}.diagonal()
view: {v} = {r}.movedim(0, -1)
view: {v}, {u} = {r}.chunk(2) if {r}.size(0) > 1 else ({r}, {r})
view: {v} = {f}.as_strided({f}.size(), {f}.stride())
view: {v} = {f}.view_as({g})
view: {v} = torch.broadcast_tensors({f}, {h})[0]
view: {v} = torch.atleast_2d({f})
view: {v} = {r}.unflatten(0, (-1, 1))
index: {v} = {r}[{z}]
index: {v} = {r}[{z}]
index: {v} = {r}[{z}]
index: {v} = {r}[torch.arange({r}.size(0) - 1, -1, -1)]
index: {v} = {f}[{f} > 0]
index: {v} = {r}[{r}.sum(tuple(range(1, {r}.dim()))) > 0]
index: {v} = {r}.index_select(0, torch.zeros(2, dtype=torch.long))
index: {v} = {r}[i % {r}.size(0)]
index: {v} = {r}.gather(0, torch.zeros_like({r}, dtype=torch.long))
index: {v} = {r}.take_along_dim({r}.argsort(0), 0)
index: {v} = torch.nonzero({f} > 0)
index: {v} = F.embedding(i.abs() % 5, self.table)
index: {v} = {r}[int({r}.size(0)) - 1]
index: {v} = {r}[i[0].item() % {r}.size(0)]
index: {v} = F.one_hot(i.abs() % 5, 5).float()
index: {v} = F.one_hot(i.abs() % 5)
index: {v} = torch.bincount(i.abs().flatten())
index: {v} = torch.unique({f})
index: {v} = {f}.repeat_interleave(2)
index: {v} = torch.tril({m})
index: {v} = {m}.masked_fill(torch.ones({m}.shape, dtype=torch.bool).triu(1), -1.0)
index: {v} = {r}.topk(1, 0)[0]
index: {v} = {r}.topk(min(2, {r}.size(0)), 0)[0]
write: {w}.add_({k})
write: {w}.mul_({h})
write: {w} += {k}
write: {w} *= {h}
write: {w}[0] = {k}
write: {w}[{z}] = {k}
write: {w}[{z}] += {k}
write: {w}[..., 0] = {w}[..., -1]
write: {w}[{w} > 0] = {k}
write: {w}[1:] -= {w}[:1]
write: {w}.view(-1)[0] = {k}
write: {w}.view(-1).mul_({k})
write: {w}.t().add_({k})
write: {w}.select(0, 0).zero_()
write: {w}.copy_({h})
write: {w}.masked_fill_({w} > 0.5, {k})
write: {w}.unsqueeze(0).add_({k})
write: {w}.diagonal().fill_({k})
write: {w}.clamp_(min=-0.5)
write: F.relu({w}, inplace=True)
write: {w}.index_add_(0, torch.zeros(1, dtype=torch.long), {w}[:1].clone())
write: {w}.data.add_({k})
write: {w}.detach().mul_({k})
write: {w}.transpose_(0, -1)
write: {w}.unsqueeze_(0)
write: {w}.squeeze_()
write: torch._foreach_mul_([{w}], 2.0)
write: {w}.chunk(2)[0].add_({k})
write: {w}.unbind(0)[0].mul_({k})
write: {w}.zero_()
write: {w}.fill_({w}.sum().item())
write: {w}.fill_({w}.shape[0])
write: {w}.requires_grad_(False)
write: {w}.detach_()
size: {n} = {r}.shape[0]
size: {n} = {f}.numel()
size: {n} = {r}.size(-1) * 2
size: {n} = len({r})
size: {n} = {f}.dim()
size: {n} = {n} // 2 + 1
size: {n} = max({n}, 3)
size: {n} = min({n}, {c})
size: {n} = {n} % 3
size: {n} = int({n} * 0.5)
size: {n} = math.ceil({n} / 2)
size: {n} = round({n} / 3)
size: {n} = {n} if {n} > 2 else -{n}
size: {n} = sum({f}.shape)
size: {n} = math.prod({f}.shape)
size: {n} = {f}.nelement() + {f}.ndim
size: {n} = i.abs().max().item()
size: {n} = int(i.sum())
size: {n} = {f}.stride()[-1] if {f}.dim() else 1
size: {n} = {f}.argmax().item()
size: {n} = {f}.element_size()
size: {n} = ({f} > 0).sum().item()
size: {n} = {n} ** 2
size: {n} = {n} & 3
size: {n} = divmod({n}, 2)[0]
size: {n} = abs({n} - 4)
size: {n} = operator.add({n}, {n})
size: {n} = [{n}, 1, 2][-1] + {n}
size: {n} = {f}.shape.numel()
size: {n} = {f}.size().numel()
size: {v} = {f} * {n}
size: {v} = {f} / max({n}, 1)
size: {v} = {f} * math.sqrt(abs({n}) + 1)
size: {v} = torch.full(({n} % 4 + 1,), 0.5)
size: {v} = torch.arange({n} % 5 + 1)
size: {v} = torch.zeros({n} % 4 + 1, 2) + {n}
size: {v} = {f}.new_full(({n} % 4 + 1,), {n})
size: {v} = torch.ones({f}.shape)
size: {v} = torch.zeros({f}.size(), dtype={f}.dtype)
size: {v} = torch.ones_like({f}) * {n}
size: {v} = torch.linspace(0, 1, {n} % 5 + 2)
size: {v} = torch.eye({n} % 4 + 1)
size: {v} = torch.tensor([float({n}), 1.0])
size: {v} = torch.tensor({n})
size: {v} = torch.tensor({f}.shape)
size: {v} = torch.as_tensor([{n}, 2])
size: {v} = {r}.repeat(2, *[1] * ({r}.dim() - 1))
size: {v} = {r}.tile(2)
size: {v} = {f} + torch.arange({f}.numel()).view({f}.shape)
size: {v} = F.pad({f}, (1, {n} % 3))
size: {v} = F.pad({r}, (0, 1), value=float({n}))
size: {v} = {f} * (torch.Size([2, {n}])[1])
size: {v} = {f} * float({n})
size: {v} = {f} * {{1: 2, 2: 5, 3: 7}}.get({n}, 1)
size: {v} = {f} * [1, 2, 3, 4][{n} % 4]
size: {v} = {f} * (1 if {n} in (1, 3, 4) else 2)
size: {v} = {f} * len(str({n}))
size: {v} = {f} * hash({n})
size: {v} = {f} * len("ab" * ({n} % 4))
size: {v} = {f} * len(range(0, {n}, 2))
size: {v} = {f} * len([1] * {n})
size: {v} = {f} * np.sqrt(abs({n}))
size: {v} = {f} * int(np.prod({f}.shape))
size: {v} = {f} * bool({n} - 3)
size: {v} = {f} * (not {n} - 3)
size: {v} = {f} * ({n} == 3)
size: {v} = {f} * ({n} and 2)
size: {v} = {f} * ({n} or 2)
size: {v} = {f} * functools.reduce(operator.mul, {f}.shape, 1)
size: {v} = {f} * max({f}.shape, default=1)
size: {v} = {f} * sorted([{n}, 2, 3])[0]
size: {v} = {f} * torch.Size({f}.shape).count(3)
size: {v} = {f} * (3 in {f}.shape)
size: {v} = {f} * len(set({f}.shape))
size: {v} = {f} * dict(zip("abc", {f}.shape)).get("a", 1)
size: {v} = {f} * int("%d" % {n})
size: {v} = {f} * int(f"{{{n}}}")
size: {v} = {f} * isinstance({n}, int)
size: {v} = {f} * round(0.5 * {n}, 1)
size: {v} = {f} * ({n}).bit_length()
size: {v} = {f} * math.gcd({n}, 6)
size: {v} = {f} * math.log2(abs({n}) + 1)
size: {v} = {f} * pow({n}, 2, 7)
loop: {v} = sum({r}[j] for j in range({r}.size(0)))
loop: {v} = sum({r})
loop: {v} = [row * 2 for row in {r}][-1]
loop: {v} = torch.stack([row + place for place, row in enumerate({r})])
loop: {v} = torch.stack([row * 2 for row in {r}.unbind(0)])
loop: {v} = torch.cat([part + {k} for part in {r}.split(2)])
loop: {v} = torch.cat([part - {k} for part in {r}.chunk(3)])
loop: {v} = torch.cat([part - {k} for part in {r}.tensor_split(2)])
loop: {v} = [part for part in {r}.chunk(2)][-1]
loop: {v} = {r}.split(2)[-1]
loop: {v} = {r}.unbind(0)[0]
loop: {v} = torch.stack([one + two for one, two in zip({r}, {r}.flip(0))])
loop: {v} = torch.stack(list(pieces({r})))
loop: {v} = torch.stack(list(map(torch.sin, {r})))
loop: {v} = torch.cat(tuple({r}.split([1, {r}.size(0) - 1])))
loop: {v} = len({r}.split(2)) * {r}
loop: {v} = sum(1.0 for _ in {r}) * {f}
loop: {v}, *{u} = {r}
loop: {v}, {u} = {r}[:2]
loop: {v} = {f}~for j in range({n} % 4):~    {v} = {v} + j
loop: {v} = {f}~for size in {f}.shape:~    {v} = {v} * size
loop: {v} = {f}~j = 0~while j < {r}.size(0):~    {v} = {v} + 1~    j += 2
loop: {v} = {f}~for j in range({r}.size(0)):~    if j % 2:~        continue~    {v} = {v} + {r}[j].sum()
loop: {v} = {r}.clone()~for j in range({r}.size(0)):~    {v}[j] = {v}[j] * j
loop: {v} = {r}.clone()~for row in {v}:~    row.mul_(2)
loop: {v} = {r}.clone()~for row in {v}.unbind(0):~    row.add_(1)
loop: {v} = {f}~while {v}.abs().sum() > 50:~    {v} = {v} / 2
loop: {v} = {f}~for _ in range(3):~    if {v}.max() < 1:~        break~    {v} = {v} * 0.5
loop: {v} = torch.zeros(())~for value in {f}.flatten().tolist()[:3]:~    {v} = {v} + value
loop: {v} = {f} * sum(j.item() for j in i.flatten()[:2])
branch: {v} = {e} if {q} else {e}
branch: {v} = {e} if {q} else {e}
branch: {v} = {e} if {q} else {e}
branch: {v} = {e} if {q} and {q} else {e}
branch: {v} = {e} if not ({q}) else {e}
branch: {v} = {e} if {q} or {q} else {e}
branch: {v} = ({e}, {e})[bool({q})]
branch: {v} = {e}~if {q}:~    {v} = {v} + 1
branch: {v} = {e}~if {q}:~    {v} = {v} * 2~else:~    {v} = {v} - 3
branch: {v} = [{e} for _ in (1,) if {q}] or [{f}]~{v} = {v}[0]
branch: {v} = {e}~match {f}.dim():~    case 2:~        {v} = {v} * 3~    case _:~        {v} = {v} + 2
branch: try:~    {v} = {f} + {f}.view(3, 4)~except RuntimeError:~    {v} = {f} * 2
branch: try:~    {v} = {r}[3] * 2~except IndexError:~    {v} = {r}[0] * 3
branch: {v} = {f} * int({q})
branch: {v} = {f} * {{torch.float32: 1.0, torch.float64: 2.0}}.get({a}.dtype, 3.0)
branch: {v} = {f} * {{True: 2, False: 5}}[bool({q})]
branch: {v} = {f} + torch.finfo({f}.dtype).eps * 1e6
branch: {v} = {f}.masked_fill({f} > 1, torch.finfo({f}.dtype).max)
branch: {v} = torch.zeros({f}.shape, dtype={a}.dtype, device={a}.device)
branch: {v} = torch.zeros((), dtype=torch.promote_types({a}.dtype, torch.int32)) + 1
branch: {v} = torch.zeros((), dtype=torch.result_type({a}, {f})) + 1
branch: {v} = {f} * getattr(self, "factor", 1.0)
branch: {v} = {f} * (1 if "float32" in str({a}.dtype) else 2)
branch: {v} = {f} * (1 if str({a}.device) == "cpu" else 2)
branch: {v} = {f} * (2 if repr({a}.shape) == "torch.Size([3, 4])" else 1)
branch: {v} = {f} * ({a}.dtype.itemsize)
value: {v} = {f} * {f}.sum().item()
value: {v} = {f} * float({f}.mean())
value: {v} = {f} * int({f}.sum())
value: {v} = {f} + {f}.flatten().tolist()[0]
value: {v} = torch.tensor({f}.tolist())
value: {v} = torch.tensor([{f}.sum().item(), 1.0])
value: {v} = {f} * float({f}.detach().numpy().sum())
value: {v} = torch.from_numpy({f}.detach().numpy() * 2)
value: {v} = {f} + np.asarray({f}.detach()).max()
value: {v} = {f} * max({f}.flatten()[:3].tolist(), default=1.0)
value: {v} = {f} * round({f}.sum().item(), 1)
value: {v} = {f} * sorted({f}.flatten().tolist())[0]
value: {v} = {f} * max({f}.flatten())
value: {v} = {f} * sum(({f} > 0).flatten().tolist())
value: {v} = {f} * math.floor({f}.sum())
value: {v} = {f} * math.exp(-abs({f}.sum().item()))
value: {v} = {f} * len(f"{{{f}.sum().item():.0f}}")
value: {v} = {f} * (1 if {f}.max().item() in (0.0, 1.0) else 2)
value: {v} = {f} * {f}.sum().detach().numpy().item()
value: {v} = {r}[: int(i.abs().max()) + 1]
value: {v} = {f} * complex({f}.sum()).real
value: {v} = {f} * bool({f}.sum() > 0)
value: {v} = {f} * ({f}.sum() > 0).item()
value: {v} = {f} * (2 if any({f}.flatten() > 1) else 3)
value: {v} = {f} * (2 if all(j > 0 for j in {f}.flatten()) else 3)
value: {v} = {f} * float(torch.dist({f}, {g}).item() > 1)
value: {v} = {f} * (2 if 1.0 in {f} else 3)
value: {v} = {f} * operator.truth({f}.sum() > 0)
value: {v} = {f} * torch.is_nonzero({f}.sum() > 0)
value: {v} = {f} * list({f}.flatten()[:2])[0].item()
value: {v} = {f} * len({f}[{f} > 0])
value: {v} = {f} * ({f} > 0).nonzero().size(0)
value: {v} = {f} * i.tolist()[0]
container: {v} = [{f}, {h}][-1] * 2
container: parts = [{f}, {f} * 2]~parts.append({h})~{v} = parts.pop() + parts[0]
container: parts = {{"a": {f}, "b": {h}}}~{v} = sum(parts.values())
container: parts = {{"n": {n}, "t": {f}}}~{v} = parts["t"] * parts["n"]
container: pair = Pair({f}, {n})~{v} = pair.first * pair.second
container: pair = Pair({f}, {h})._replace(first={f} * 2)~{v} = pair.first + pair.second
container: parts = Parts({f}, {h})~{v} = parts.total() + parts.main
container: parts = dataclasses.replace(Parts({f}), rest={h})~{v} = parts.main * parts.rest
container: parts = Parts({f}, notes={{"n": {n}}})~{v} = parts.main * parts.notes["n"]
container: parts = collections.defaultdict(list)~parts[{n} % 2].append({f})~{v} = sum(parts.get(0, [{f} * 3]))
container: parts = collections.OrderedDict(z={f}, y={h})~{v} = next(iter(parts.values())) * 2
container: parts = collections.deque([{f}], maxlen=2)~parts.append({h})~{v} = parts[0] - 1
container: {v} = getter([{f}, {h}]) * 2
container: {v} = dict(enumerate([{f}, {h}]))[1] + 1
container: {v} = next(j for j in ({f}, {h}) if j.dim() >= 0) * 2
container: {v} = max([{f}, {h}], key=lambda item: item.numel()) * 2
container: {v} = sorted([{f}, {h}], key=lambda item: -item.dim())[0] + 1
container: {v} = [*itertools.chain([{f}], [{h}])][1] * 3
container: {v} = functools.reduce(torch.add, [{f}, {h}, {f}])
container: {v} = torch.stack([{f}, {g}]).sum(0)
container: {v} = torch.cat([{r}] * ({n} % 3 + 1))
container: parts = {{{n}: {f}}}~{v} = parts.get(3, {f} * 2)
container: parts = {{{a}.dtype: {f}}}~{v} = parts.get(torch.float32, {f} * 2)
container: parts = {{tuple({f}.shape): {f}}}~{v} = parts.get((3, 4), {f} * 2)
container: parts = {{{f}: 1}}~{v} = {f} * parts[{f}]
alias: {v} = sine({f})
alias: {v} = softmax({r}, -1)
alias: {v} = clamped({f})
alias: {v} = summed({r})
alias: {v} = with_default({f})
alias: {v} = with_default({f}, op=torch.cos, scale={n})
alias: {v} = scaler({n})({f})
alias: {v} = scaler({h})({f})
alias: {v} = doubled({f})
alias: {v} = detached_scale({f})
alias: {v} = (lambda t, j={n}: t * j)({f})
alias: {v} = activations["gelu"]({f})
alias: {v} = method({f}, {h})
alias: {v} = torch.Tensor.mul({f}, {k})
alias: {v} = getattr(torch, "tanh")({f})
alias: {v} = getattr({f}, "sin")()
alias: {v} = apply_both({f}, {g})[0]
alias: {v} = Same.apply({f})
alias: {v} = ViewOfSecond.apply({f}, {g})[1]
alias: {v} = WithNumber.apply({f})[0] * WithNumber.apply({f})[1]
alias: {v} = WritesFirst.apply({f} * 1)
alias: {v} = checkpoint(torch.sin, {f}, use_reentrant=False)
alias: {v} = checkpoint(lambda t: t * {n}, {f}, use_reentrant=False)
alias: {v} = torch.vmap(torch.sin)({r})
alias: {v} = torch.func.grad(lambda t: t.sin().sum())({f})
alias: {v} = torch.ops.aten.mul.Tensor({f}, {h})
alias: {v} = self.helper({f}, twice={n} > 3)
alias: {v} = self.helper({f})
alias: {v} = type(self).helper(self, {f})
alias: {v} = nn.Module.__call__(self.linear, {o})
alias: {v} = (lambda: ({f} for _ in range({n} % 3)))()~{v} = sum({v}, {f})
module: {v} = self.linear({o})
module: {v} = F.linear({o}, self.weight)
module: {v} = {o} @ self.weight
module: {v} = {f} * self.scale
module: {v} = self.block({o})
module: {v} = self.layer_norm({o})
module: {v} = self.norm({o})
module: {v} = self.dropout({f})
module: {v} = F.dropout({f}, 0.0, self.training)
module: {v} = {o}~for layer in self.layers:~    {v} = layer({v}).relu()
module: {v} = {o}~for j, layer in enumerate(self.layers):~    if j < {n}:~        {v} = layer({v})
module: {v} = self.layers[{n} % 2]({o})
module: {v} = F.layer_norm({r}, {r}.shape[-1:])
module: {v} = F.layer_norm({f}, {f}.shape)
module: {v} = F.batch_norm({o}, self.mean, self.table[0].abs() + 1, training=False)
module: {v} = F.softmax({r}, dim=-1).log()
module: {v} = F.interpolate({b}[None], scale_factor=2)[0] if {b}.dim() == 3 else {f}
module: {v} = F.scaled_dot_product_attention({b}, {b}, {b})
module: {v} = F.scaled_dot_product_attention({b}, {b}, {b}, is_causal={n} > 2)
module: {v} = F.mse_loss({f}, {g})
module: {v} = F.cross_entropy({m}, torch.zeros({m}.size(0), dtype=torch.long))
module: {v} = F.gelu({f})
module: {v} = F.normalize({r}, dim=-1)
module: {v} = F.cosine_similarity({f}, {g}, dim=-1)
module: {v} = F.avg_pool1d({b}, 2)
module: {v} = F.conv1d({b}, torch.ones(2, {b}.size(1), 1))
module: {v} = nn.Identity()({f})
module: {v} = nn.Flatten(0)({f})
module: {v} = nn.Softmax(dim=-1)({r})
module: {v} = nn.Dropout(0.0)({f})
state: self.calls += 1
state: self.calls += 1~{v} = {f} * self.calls
state: {v} = {f} * (2 if self.first else 3)~self.first = False
state: {v} = {f} * self.factor~self.factor = self.factor * 2
state: {v} = {f} * self.factor~self.factor = float({n})
state: self.factor = {f}.shape[0] * 1.0~{v} = {f} * self.factor
state: {v} = {f} * len(self.mode)~self.mode = self.mode + "x"
state: self.mode = "train" if self.training else "evaluate"~{v} = {f} * len(self.mode)
state: {v} = {f} + self.cached({n}, lambda: {f}.sum().detach())
state: {v} = {f} * self.cached("k", lambda: torch.ones(()))
state: {v} = {f} + self.cached({f}.shape, lambda: torch.ones({f}.shape))
state: {v} = {f} + self.cached(tuple({f}.shape), lambda: torch.ones({f}.shape))
state: {v} = {f} + self.cached(({n}, {f}.dtype), lambda: torch.ones((), dtype={f}.dtype))
state: {v} = {f} * (2 if "k" in self.cache else 3)~self.cache["k"] = 1
state: {v} = {f} * len(self.queue)~self.queue.append(1)
state: {v} = {f} + sum(self.queue)~self.queue.append({f}.sum().detach())
state: self.queue.append({n})~{v} = {f} * sum(self.queue)
state: {v} = {f} if self.last is None else {f} + self.last~self.last = {f}.sum().detach()
state: {v} = {f} if self.last is None else {f} * self.last~self.last = {n}
state: {v} = {f} * (2 if {n} in self.seen else 3)~self.seen.add({n})
state: {v} = {f} * self.plain.calls~self.plain.calls += 1
state: {v} = {f} * self.plain.scale~self.plain.scale = self.plain.scale + 1
state: {v} = {f} * len(self.plain.seen)~self.plain.seen.append({n})
state: {v} = {f} if self.plain.last is None else {f} + self.plain.last~self.plain.last = {f}.mean().detach()
state: self.count += 1~{v} = {f} * self.count
state: self.count.add_(1)
state: self.count = self.count + 1
state: {v} = {f} * (2 if self.count > 1 else 3)~self.count += 1
state: {v} = {f} * self.count.item()~self.count += 1
state: self.mean.mul_(0.5).add_({o}.detach().mean(0))
state: self.mean = self.mean * 0.9
state: self.table[0] = {o}.detach()[0]
state: self.captured.add_({k})~{v} = {f} + self.captured.sum()
state: self.captured = self.captured * 2~{v} = {f} + self.captured.sum()
state: {v} = {f} if self.empty is None else {f} + self.empty~self.empty = {f}.detach().sum()
state: with torch.no_grad():~    self.weight.mul_({k})
state: self.weight.data.add_({k})
state: {v} = {f} + positions({r}.size(0)).sum()
state: {v} = {f} + remembered({r}.size(0)).sum()
state: {v} = {f} * scale_for({r}.size(0), {f}.dtype)
state: {v} = {f} * counted()
state: {v} = toggled({f})
state: HISTORY.append({n})~{v} = {f} * len(HISTORY)
state: HISTORY.append({f}.detach().sum())~{v} = {f} + sum(HISTORY)
state: TABLES["x"] = TABLES.get("x", 0) + 1~{v} = {f} * TABLES["x"]
state: setattr(self, "calls", getattr(self, "calls") + 1)~{v} = {f} * self.calls
state: self.__dict__["calls"] += 1~{v} = {f} * self.calls
state: {v} = {f} * (1 + hasattr(self, "added"))~self.added = 1
state: {v} = {f} * vars(self).setdefault("kept", {n})
state: self.linear.calls = getattr(self.linear, "calls", 0) + 1~{v} = {f} * self.linear.calls
state: {v} = {f} * (2 if self.linear.training else 3)
state: {v} = {f} * sum(module.training for module in self.modules())
state: {v} = {f} * self.linear.out_features
state: {v} = {f} * sum(parameter.requires_grad for parameter in self.parameters())
state: {v} = {f} * len(list(self.parameters()))
hook: {v} = {f} * 1~if {v}.requires_grad:~    {v}.register_hook(lambda gradient: gradient * 2)
hook: {v} = {f} * 1~{v}.requires_grad and {v}.register_hook(lambda gradient: gradient * {n})
hook: {v} = {f} * 1~{v}.requires_grad and {v}.retain_grad()
hook: handle = self.linear.register_forward_hook(lambda *args: args[2] * 2)~{v} = self.linear({o})~handle.remove()
hook: handle = self.linear.register_forward_pre_hook(lambda _, args: args[0] + 1)~{v} = self.linear({o})~handle.remove()
hook: kept = []~with held(self.linear.register_forward_hook(keeper(kept))):~    self.linear({o})~{v} = kept[0] + 1
grad: with torch.no_grad():~    {v} = {f} * 2
grad: with torch.no_grad():~    {v} = {f} * 2~    {u} = {v}.view(-1)
grad: with torch.enable_grad():~    {v} = {f} * 2
grad: with torch.set_grad_enabled({q}):~    {v} = {f} * 2
grad: with torch.set_grad_enabled(self.training):~    {v} = {f} * 2
grad: with torch.inference_mode():~    {v} = {f} * 2~{v} = {f} + 1
grad: with no_gradients():~    {v} = {f} * 2
grad: with torch.autocast("cpu", dtype=torch.bfloat16):~    {v} = {m} @ {m}.t()
grad: with torch.autocast("cpu", enabled={q}):~    {v} = {m} @ {m}.t()
grad: with torch.autocast("cpu", enabled=False):~    {v} = {m} @ {m}.t()
grad: {v} = {f}.detach().requires_grad_()~{v} = torch.autograd.grad({v}.sin().sum(), {v})[0]
grad: {v} = {f}.detach().requires_grad_()~{v} = grad_of(({v} * {n}).sum(), {v})[0]
grad: {v} = {f}.detach().clone().requires_grad_()~({v} ** 2).sum().backward()~{v} = {v}.grad
grad: {v} = {f}.detach() if {q} else {f}
grad: {v} = {f}.requires_grad_({f}.requires_grad) * 1 if {f}.is_leaf else {f} * 2
grad: {v} = {f}.data * 2
grad: previous = torch.is_grad_enabled()~torch.set_grad_enabled(False)~{v} = {f} * 2~torch.set_grad_enabled(previous)
random: {v} = torch.rand({f}.shape) + {f}
random: {v} = F.dropout({f}, 0.5)
random: {v} = torch.rand_like({f})
random: {v} = torch.randperm({r}.size(0))
random: {v} = torch.randint(0, 5, {f}.shape)
random: {v} = {f} + torch.randn({n} % 3 + 1).sum()
random: torch.manual_seed(0)~{v} = torch.rand(2)
random: {v} = torch.rand(2, generator=torch.Generator().manual_seed({n}))
random: {v} = torch.bernoulli(torch.full_like({f}, 0.5))
random: {v} = {f} * (2 if torch.rand(()) > 0.5 else 3)
random: {v} = {r}[torch.randperm({r}.size(0))]
"""

CONDITIONS = """
{r}.shape[0] > {c}
{r}.size(-1) % 2 == 0
{f}.numel() > {c}
{n} > {c}
{n} == 3
{n}
len({r}) == 3
{a}.dim() == 2
{a}.ndim > 2
len({a}.shape) == 2
{a}.dtype == torch.float32
{a}.dtype is torch.float32
{a}.dtype in (torch.float32, torch.float64)
{a}.dtype.is_floating_point
{a}.is_floating_point()
torch.is_floating_point({a})
{a}.dtype == {a}.dtype
{a}.is_complex()
{a}.is_signed()
{a}.is_contiguous()
{a}.requires_grad
{a}.device.type == "cpu"
{a}.device == {a}.device
{a}.is_cuda
{a}.layout == torch.strided
{a}.is_leaf
{a}.grad_fn is None
{a}.grad is None
{a}.shape == {a}.shape
{a}.size() == torch.Size([3, 4])
tuple({a}.shape) in ((3, 4), (2, 2))
{a}.shape[-1:] == (4,)
{r}.shape[0] in (1, 3)
{r}.stride(0) == 4
{r}.stride()[-1] == 1
{a}.storage_offset() == 0
{a}.type() == "torch.FloatTensor"
{a}.element_size() == 4
{a}.nbytes > 40
{a}.is_same_size({a})
{f}.sum() > 0
{f}.max().item() > 0.5
bool(({f} > 0).any())
({f} > 0).all()
float({f}.mean()) > 0
{f}.flatten()[:1].tolist() > [0.0]
torch.equal({f}, {h})
{f}.equal({f} * 1)
torch.allclose({f}, {h})
{f}.allclose({f}.abs())
torch.is_nonzero({f}.sum() > 0)
{f}.isnan().any()
0 in i
i[0] == 1
i.max().item() > 2
torch.is_grad_enabled()
torch.is_inference_mode_enabled()
torch.is_autocast_enabled("cpu")
torch.get_default_dtype() == torch.float32
self.training
self.linear.training
self.calls % 2
self.first
"k" in self.cache
isinstance({a}, nn.Parameter)
type({a}) is torch.Tensor
isinstance({a}, torch.Tensor)
self.weight.requires_grad
self.empty is None
self.last is None
torch.is_tensor({a})
{a}.is_pinned()
{a}.is_neg()
{a}.has_names()
{a}.is_nested
{a}.retains_grad
{a}.is_contiguous(memory_format=torch.channels_last) if {a}.dim() == 4 else True
torch.can_cast({a}.dtype, torch.int32)
{a}.dtype.itemsize > 4
{a}.dtype.is_complex
"""

EXPRESSIONS = """
{f} + 1
{f} * 2
{f} - {k}
{f}.sin()
{f}.sum()
{f}.reshape(-1)
{f} * {n}
{f}
torch.relu({f})
{f}.view(-1)
{f}.abs().mean(-1)
"""

NUMBERS = """
x.shape[0]
x.size(-1)
x.numel()
x.dim()
y.shape[0]
len(i)
i.numel()
"""

"""What two sequences have in common, in order: quick where they are alike, never quadratic where they are not."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

_MOST_EDITS = 64
"""Beyond so many edits, the search for the shortest edit gives way to anchors."""

_WIDEST = 32
"""So many items in a row are looked at to tell one place from another."""

Pairs = list[tuple[int, int]]


def common_subsequence(a: Sequence[int], b: Sequence[int]) -> Pairs:
    """Pairs (i, j) of places with `a[i] == b[j]`, both increasing.

    The longest such list for sequences that differ by few edits (E. W. Myers, "An O(ND) difference algorithm and its
    variations", Algorithmica 1986); beyond that, items that occur once in both serve as anchors and what lies between
    them is compared by itself ("patience" diff, after Bram Cohen).

    >>> common_subsequence([1, 2, 3, 4], [1, 9, 3, 4])
    [(0, 0), (2, 2), (3, 3)]
    """
    found: Pairs = []
    stack = [(list(range(len(a))), list(range(len(b))))]
    while stack:
        left, right = stack.pop()
        left, right = _trimmed(a, b, left, right, found)
        shared = {a[i] for i in left} & {b[j] for j in right}
        if not shared:
            continue
        left = [i for i in left if a[i] in shared]
        right = [j for j in right if b[j] in shared]
        left, right = _trimmed(a, b, left, right, found)
        if not left or not right:
            continue
        x, y = [a[i] for i in left], [b[j] for j in right]
        pairs = _shortest_edit(x, y)
        if pairs is not None:
            found += ((left[i], right[j]) for i, j in pairs)
            continue
        anchors = _anchors(x, y)
        if not anchors:
            found += ((left[i], right[j]) for i, j in increasing(_occurrences(x, y)))
            continue
        i_before = j_before = 0
        for i, j in (*anchors, (len(x), len(y))):
            if i > i_before and j > j_before:
                stack.append((left[i_before:i], right[j_before:j]))
            if i < len(x):
                found.append((left[i], right[j]))
            i_before, j_before = i + 1, j + 1
    found.sort()
    return found


def _trimmed(
    a: Sequence[int], b: Sequence[int], left: list[int], right: list[int], found: Pairs
) -> tuple[list[int], list[int]]:
    """Both without the ends that they share, which go to `found`."""
    first, most = 0, min(len(left), len(right))
    while first < most and a[left[first]] == b[right[first]]:
        found.append((left[first], right[first]))
        first += 1
    last, most = 0, most - first
    while last < most and a[left[-1 - last]] == b[right[-1 - last]]:
        last += 1
        found.append((left[-last], right[-last]))
    return left[first : len(left) - last], right[first : len(right) - last]


def _shortest_edit(a: list[int], b: list[int]) -> Pairs | None:
    """Myers' greedy search; None where more than `_MOST_EDITS` edits are needed."""
    reach = {1: 0}
    history: list[dict[int, int]] = []
    goal = len(a) - len(b)
    if abs(goal) > _MOST_EDITS:
        return None
    for edits in range(_MOST_EDITS + 1):
        history.append(reach.copy())
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if k == goal and x >= len(a):
                return _walked_back(history, len(a), len(b))
    return None


def _walked_back(history: list[dict[int, int]], x: int, y: int) -> Pairs:
    pairs: Pairs = []
    for edits in range(len(history) - 1, -1, -1):
        reach = history[edits]
        k = x - y
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        before = k + 1 if down else k - 1
        x_before = reach[before]
        y_before = x_before - before
        while x > x_before and y > y_before and x > 0 and y > 0:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = x_before, y_before
    pairs.reverse()
    return pairs


def _anchors(a: list[int], b: list[int]) -> Pairs:
    """What occurs once in both, in order: single items, or items with what follows them where that tells more."""
    best: Pairs = []
    width = 1
    while width <= _WIDEST:
        counts_a, counts_b = Counter(a), Counter(b)
        place = {item: j for j, item in enumerate(b) if counts_b[item] == 1}
        found = increasing([(i, place[item]) for i, item in enumerate(a) if counts_a[item] == 1 and item in place])
        if len(found) < len(best):
            break
        best = found
        numbers: dict[tuple[int, int], int] = {}
        a, b = (
            [numbers.setdefault(pair, len(numbers)) for pair in zip(items, items[width:], strict=False)]
            for items in (a, b)
        )
        width *= 2
    return best


def _occurrences(a: list[int], b: list[int]) -> Pairs:
    """The first of a kind with the first of its kind, the second with the second."""
    places: dict[int, list[int]] = {}
    for j, item in enumerate(b):
        places.setdefault(item, []).append(j)
    iterators = {item: iter(found) for item, found in places.items()}
    pairs = ((i, next(iterators[item], -1)) for i, item in enumerate(a) if item in iterators)
    return [(i, j) for i, j in pairs if j >= 0]


def increasing(pairs: Pairs) -> Pairs:
    """The longest part of `pairs` (sorted by their first, no second twice) whose second places increase too."""
    tails: list[int] = []
    rows: list[int] = []
    before: list[int] = []
    for row, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(rows[at - 1] if at else -1)
        if at == len(tails):
            tails.append(j)
            rows.append(row)
        else:
            tails[at], rows[at] = j, row
    chain: Pairs = []
    row = rows[-1] if rows else -1
    while row >= 0:
        chain.append(pairs[row])
        row = before[row]
    chain.reverse()
    return chain


def heaviest_increasing(order: Sequence[int], weights: Sequence[int]) -> set[int]:
    """Places in `order` (a permutation of its own numbers) that form the heaviest increasing subsequence.

    The rest is what moved: the big block stays where it is, the small one went around it.
    """
    ranks = {item: rank for rank, item in enumerate(sorted(order))}
    size = len(order)
    best: list[tuple[int, int]] = [(0, -1)] * (size + 1)
    before: list[int] = []
    for place, item in enumerate(order):
        rank = ranks[item]
        top = (0, -1)
        at = rank
        while at > 0:
            if best[at][0] > top[0]:
                top = best[at]
            at -= at & -at
        before.append(top[1])
        total = top[0] + weights[place]
        at = rank + 1
        while at <= size:
            if total > best[at][0]:
                best[at] = (total, place)
            at += at & -at
    top = (0, -1)
    at = size
    while at > 0:
        if best[at][0] > top[0]:
            top = best[at]
        at -= at & -at
    kept: set[int] = set()
    place = top[1]
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept

"""Trains the embedded model until a wall-clock deadline.

Shards of rows come from `data.py` in a separate process, started anew for each shard, so that edited generators
and the file of mix weights take effect while training runs. The learning rate follows the fraction of time used.
"""

import argparse
import csv
import json
import math
import pickle
import subprocess
import sys
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import circuit
import numpy as np
import torch
import torch.distributed as dist
from cross_entropy import CrossEntropy
from data import BUNCH, random_today, system_ids
from evaluate import exact_match
from export import export
from families.base import Source
from model import ROW_UNIT, Config, Group, Model, Prefix, rounded
from optim import optimizers
from pointers import JUMP, SOURCES, STEP
from system import Kind
from tokenizer import MESSAGE, PAD, encode

HERE = Path(__file__).resolve().parent
torch._dynamo.config.recompile_limit = 64
"""More shapes than torch expects are worth compiling for: what is not compiled takes several times as long."""
WARMUP_STEPS = 60
BALANCE_WEIGHT = 0.01
POINTER_WEIGHT = 0.3
NEAR_IN_LENGTH = 40
"""A group is the rows closest in length to one row, among this many drawn: less padding."""
MEAN_STEPS = 200
"""What is exported is a running mean over about so many steps: the noise of one step is larger than what it teaches."""
SIZE_STEPS = 50
"""How many tokens a group has is a running mean over about so many steps."""
SHARD_SECONDS = 220
"""A new shard is begun at most this often."""
DEVELOPER = 4
"""Where a row (ids, learned, pointer kinds, sources, length of the developer message, times seen) has that length."""
HARD_LOSS, HARD_SHARE, HARD_KEPT, HARD_TIMES = 1.0, 0.45, 300, 3
"""Rows of this summed loss or more (bunches of this mean) come again: in this share of the groups, from this many per kind, this often."""


class Shards:
    """The newest few shards in memory, indexed by kind of system message; worker 0 has a child process make the next one."""

    def __init__(self, folder: Path, size: int, keep: int, seed: int, makes: bool):
        self.folder, self.size, self.seed, self.makes = folder, size, seed, makes
        self.recent, self.child, self.started = deque(maxlen=keep), None, 0.0
        self.rows: dict[Kind, list] = {}
        self.bunches: dict[Kind, list] = {}
        folder.mkdir(parents=True, exist_ok=True)
        while not self.recent:
            self.poll()
            time.sleep(0.5)

    def _path(self, seed: int) -> Path:
        return self.folder / f"{seed}.pkl"

    def poll(self):
        """Takes a finished shard; a generator that fails leaves the old shards in use."""
        if self._path(self.seed).exists():
            self.recent.append(pickle.loads(self._path(self.seed).read_bytes()))
            self.rows, self.bunches = defaultdict(list), defaultdict(list)
            for bunch in (bunch for shard in self.recent for bunch in shard if bunch):
                *_, developer, kind, _ = bunch[0]
                rows = [row[:-2] for row in bunch]
                if developer:
                    self.bunches[kind].append(rows)
                else:
                    self.rows[kind] += rows
            self.seed += 1
        idle = self.child is None or self.child.poll() is not None
        if self.makes and idle and time.time() - self.started > SHARD_SECONDS:
            self.started = time.time()
            self._path(self.seed - 3).unlink(missing_ok=True)
            command = [sys.executable, "-B", str(HERE / "data.py"), "--seed", str(self.seed), "--rows", str(self.size)]
            command += ["--mix", str(self.folder.parent / "mix.json"), "--out", str(self._path(self.seed))]
            self.child = subprocess.Popen(["nice", "-n", "5", *command])


class Hard:
    """What the model got wrong lately, to be seen again before it is forgotten: single rows, and bunches as a whole."""

    def __init__(self, g: Source):
        self.g = g
        self.rows: dict[Kind, list] = defaultdict(list)
        self.bunches: dict[Kind, list] = defaultdict(list)

    def take_rows(self, kind: Kind) -> list:
        """A group of rows of that kind, which leave the store; none if there are too few."""
        store = self.rows[kind]
        if len(store) < 3 * BUNCH:
            return []
        self.g.rng.shuffle(store)
        store[-NEAR_IN_LENGTH:] = sorted(store[-NEAR_IN_LENGTH:], key=lambda row: len(row[0]))
        at = max(0, len(store) - self.g.int(BUNCH, NEAR_IN_LENGTH))
        taken = store[at : at + BUNCH]
        del store[at : at + BUNCH]
        return taken

    def take_bunch(self, kind: Kind) -> list:
        store = self.bunches[kind]
        return store.pop(self.g.int(0, len(store) - 1)) if len(store) > 3 else []

    def judge(self, kind: Kind, part: list, losses: list[float]):
        """Keeps of a group's rows what was hard and has not come too often; the stores forget at random."""
        again = [[*row[:-1], row[-1] + 1] for row in part]
        if part[0][DEVELOPER]:
            self._keep(self.bunches[kind], HARD_KEPT // BUNCH, again, again[0][-1], sum(losses) / len(losses))
        else:
            for row, loss in zip(again, losses):
                self._keep(self.rows[kind], HARD_KEPT, row, row[-1], loss)

    def _keep(self, store: list, most: int, entry: list, times: int, loss: float):
        if loss < HARD_LOSS or times > HARD_TIMES:
            return
        if len(store) >= most:
            store[self.g.int(0, len(store) - 1)] = entry
        else:
            store.append(entry)


class Prefixes:
    """The system and developer messages of a step, each once."""

    def __init__(self, g: Source):
        self.g, self.list, self.systems = g, [], {}

    @property
    def size(self) -> int:
        return sum(len(p.ids) for p in self.list)

    def of(self, kind: Kind, developer: np.ndarray) -> int:
        """The number of the system message of a kind with this developer message behind it, if there is one."""
        if kind not in self.systems:
            self.systems[kind] = len(self.list)
            self.list.append(Prefix(torch.tensor(system_ids(kind, random_today(self.g), self.g))))
        system = self.systems[kind]
        if not len(developer):
            return system
        self.list.append(Prefix(torch.from_numpy(developer).long(), system))
        return len(self.list) - 1

    def system(self, kind: Kind) -> list[int]:
        return self.list[self.systems[kind]].ids.tolist()


@dataclass
class Batch:
    """One step of a worker: the prefixes, the supervised positions (flat over the groups) and their targets."""

    prefixes: list[Prefix]
    groups: list[Group]
    select: torch.Tensor
    targets: torch.Tensor
    parts: list[tuple]
    """Of each group its kind, its rows, and their numbers of supervised tokens, in the order of `targets`."""


def batch(shards: Shards, hard: Hard, g: Source, count: int, size: float = math.inf) -> Batch:
    """Groups of about `count` times `size` tokens, at most twice as many as `count`; `count` of them without `size`.

    Workers wait for each other, so their steps should take the same time. Each group is of one effort, with or without tools:
    a step sees several efforts side by side.
    """
    single = {(kind, False): len(rows) for kind, rows in shards.rows.items()}
    bunched = {(kind, True): sum(map(len, bunches)) for kind, bunches in shards.bunches.items()}
    shares = single | bunched
    prefixes, groups, select, targets, parts, offset = Prefixes(g), [], [], [], [], 0
    for kind, is_bunch in together(g.rng.choices(list(shares), list(shares.values()), k=count if size == math.inf else 2 * count), shares):
        if prefixes.size + offset > (count - 0.5) * size:
            break
        take = hard.take_bunch if is_bunch else hard.take_rows
        part = take(kind) if g.chance(HARD_SHARE) else []
        if not part:
            part = [[*row, 0] for row in (g.pick(shards.bunches[kind]) if is_bunch else alike(g, shards.rows[kind]))]
        cut = part[0][DEVELOPER]
        width = rounded(max(len(row[0]) for row in part) - cut - 1, ROW_UNIT)
        ids = torch.full((len(part), width), PAD)
        counts = []
        for r, (tokens, learned, *_) in enumerate(part):
            tokens = torch.from_numpy(tokens[cut:]).long()
            ids[r, : len(tokens) - 1] = tokens[:-1]
            at = torch.from_numpy(learned[cut:])[1:].nonzero()[:, 0]
            select.append(offset + r * width + at)
            targets.append(tokens[1:][at])
            counts.append(len(at))
        prefix = prefixes.of(kind, part[0][0][:cut])
        system = prefixes.system(kind)
        found = (_with_effort(part, *_targets(part, STEP, len(system)), effort_place(system, kind.effort)), _targets(part, JUMP, len(system)))
        groups.append(Group(prefix, ids, found))
        parts.append((kind, part, counts))
        offset += ids.numel()
    return Batch(prefixes.list, groups, torch.cat(select), torch.cat(targets), parts)


def together(chosen: list[tuple[Kind, bool]], shares: dict) -> list[tuple[Kind, bool]]:
    """The same kinds, but those with the browser, whose system message is long, all of one effort where there are rows of it."""
    efforts = [kind.effort for kind, _ in chosen if kind.browser]
    near = lambda kind: kind._replace(effort=efforts[0]) if kind.browser else kind  # noqa: E731
    return [(near(kind), is_bunch) if (near(kind), is_bunch) in shares else (kind, is_bunch) for kind, is_bunch in chosen]


def alike(g: Source, rows: list) -> list:
    """Some rows of nearly the same length."""
    drawn = g.sample(rows, NEAR_IN_LENGTH)
    pivot = len(drawn[0][0])
    return sorted(drawn, key=lambda row: abs(len(row[0]) - pivot))[:BUNCH]


def _targets(part: list, kind: int, system: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries, one token before each pointer target of this kind, and the sources of those targets.

    Both count from the end of the developer message; sources in it count from the system message's begin (of length `system`).
    """
    at = [np.flatnonzero(row[2] == kind) for row in part]
    queries = torch.full((len(part), rounded(max(map(len, at)) or 1, ROW_UNIT)), -1)
    sources = torch.full((*queries.shape, SOURCES), -1)
    for r, (positions, row) in enumerate(zip(at, part)):
        cut, places = row[DEVELOPER], row[3][positions].astype(np.int64)
        queries[r, : len(positions)] = torch.from_numpy(positions) - cut - 1
        places = np.where(places < 0, -1, np.where(places < cut, -2 - system - places, places - cut))
        sources[r, : len(positions)] = torch.from_numpy(places)
    return queries, sources


def effort_place(prefix: list[int], effort: str) -> int:
    """Where the system message ends saying how much to think."""
    ids = encode(f"Reasoning: {effort}")
    return next(i for i in range(len(prefix)) if prefix[i : i + len(ids)] == ids) + len(ids) - 1


def _with_effort(part: list, queries: torch.Tensor, sources: torch.Tensor, place: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The same, and one query more: the first thought of a row begins with a look at the effort asked for."""
    begins = [int(((row[0] == MESSAGE) & row[1]).argmax()) - row[DEVELOPER] for row in part]
    effort = torch.full((len(part), 1, SOURCES), -1)
    effort[:, 0, 0] = -2 - place
    return torch.cat([queries, torch.tensor(begins)[:, None]], 1), torch.cat([sources, effort], 1)


def schedule(step: int, fraction: float) -> float:
    """Short warm-up, then half a cosine over wall-clock time."""
    return min(1.0, step / WARMUP_STEPS) * max(0.0, 0.5 * (1 + math.cos(math.pi * min(1.0, fraction))))


class Workers:
    """Data parallelism over single-threaded processes, which share busy cores better than threads do."""

    def __init__(self, rank: int, count: int, folder: Path):
        self.rank, self.count = rank, count
        meeting = folder / "meeting"
        if rank == 0:
            meeting.unlink(missing_ok=True)
            for other in range(1, count):
                subprocess.Popen([sys.executable, "-B", *sys.argv, "--rank", str(other)], start_new_session=True)
        else:
            time.sleep(2)
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)

    def average(self, params: list, fraction: float) -> float:
        """Averages the gradients in place; every worker gets the time fraction of worker 0."""
        own = torch.tensor([fraction * self.count if self.rank == 0 else 0.0])
        flat = torch.cat([own, *(p.grad.flatten() for p in params)])
        dist.all_reduce(flat)
        flat /= self.count
        sizes = [p.numel() for p in params]
        for p, grad in zip(params, flat[1:].split(sizes)):
            p.grad.copy_(grad.view_as(p))
        return float(flat[0])

    def agree(self, params: list):
        for p in params:
            dist.broadcast(p.data, 0)


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True, help="folder for shards, checkpoints and the log")
    parser.add_argument("--until", required=True, help="local time at which to stop: the next HH:MM, or YYYY-MM-DDTHH:MM")
    parser.add_argument("--peak", type=float, default=1.0, help="the highest learning rate, as a share of the usual one")
    parser.add_argument("--export", type=Path, default=HERE.parent, help="folder for the exported model")
    parser.add_argument("--batch", type=int, default=6, help="groups of up to seven rows per worker and step")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--save-minutes", type=float, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def deadline(until: str) -> float:
    """Seconds since the epoch of a local time, the next one where no day is given."""
    if "T" in until:
        return datetime.fromisoformat(until).timestamp()
    hour, minute = map(int, until.split(":"))
    end = datetime.now().replace(hour=hour, minute=minute, second=0).timestamp()
    return end + (86_400 if end < time.time() else 0)


class Run:
    """The state of one training run."""

    def __init__(self, args):
        self.args, self.checkpoint = args, args.work / "checkpoint.pt"
        torch.manual_seed(args.seed)
        self.model = Model(Config())
        circuit.install(self.model)
        self.params = list(self.model.parameters())
        self.mean = Model(Config()).requires_grad_(False)
        self.optimizers = optimizers(self.model)
        self.peaks = [[group["lr"] for group in o.param_groups] for o in self.optimizers]
        self.step, self.rows, self.begin, self.warm_from = 0, 0, time.time(), 0
        if args.resume:
            saved = torch.load(self.checkpoint, weights_only=False)
            self.model.load_state_dict(saved["model"])
            for o, state in zip(self.optimizers, saved["optimizers"]):
                o.load_state_dict(state)
            self.step, self.rows, self.begin, self.warm_from = (saved[k] for k in ("step", "rows", "begin", "warm_from"))
            self.mean.load_state_dict(saved["mean"])

    def update(self, fraction: float):
        """One step of both optimizers at the learning rate of the moment."""
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        for o, peaks in zip(self.optimizers, self.peaks):
            for group, peak in zip(o.param_groups, peaks):
                group["lr"] = peak * self.args.peak * schedule(self.step + 1 - self.warm_from, fraction)
            o.step()
            o.zero_grad(set_to_none=True)
        self.step += 1
        torch._foreach_lerp_(list(self.mean.parameters()), [p.detach() for p in self.params], 1 / min(self.step, MEAN_STEPS))

    def save(self, loss: float, rows_each: int):
        """Checkpoint, held-out scores, a line of the curve, and the exported weights."""
        state = {"model": self.model.state_dict(), "mean": self.mean.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers]}
        part = self.checkpoint.with_suffix(".part")
        torch.save(state | {"step": self.step, "rows": self.rows, "begin": self.begin, "warm_from": self.warm_from}, part)
        part.rename(self.checkpoint)
        export(self.mean, self.args.export)
        scores = exact_match(self.mean, self.args.work / "mix.json", rows_each)
        minutes = round((time.time() - self.begin) / 60, 1)
        line = [self.step, self.rows, minutes, round(loss, 5), json.dumps(scores)]
        with open(self.args.work / "curve.csv", "a", newline="") as out:
            csv.writer(out).writerow(line)
        print(f"== {self.step} {datetime.now():%H:%M} {scores}", flush=True)


def main():
    args = parse_args()
    torch.set_num_threads(1)
    first = args.rank == 0
    args.work.mkdir(parents=True, exist_ok=True)
    workers = Workers(args.rank, args.workers, args.work)
    run = Run(args)
    end = deadline(args.until)
    g = Source(args.seed + 1000 * (args.rank + 1) + run.step, False)
    shards = Shards(args.work / "shards", 4000, 6, args.seed * 100_000 + run.step, first)
    if first:
        print(f"{sum(p.numel() for p in run.params) / 1e6:.2f}M parameters, from step {run.step}", flush=True)
    hard = Hard(g)
    losses, tokens, seen, reported, saved = [], 0, 0, time.time(), time.time()
    fraction, size = 0.0, math.inf
    while fraction < 1:
        shards.poll()
        b = batch(shards, hard, g, args.batch, size)
        own = sum(x.ids.numel() for x in [*b.groups, *b.prefixes])
        each_group = own / len(b.groups)
        size = each_group if size == math.inf else size + (each_group - size) / SIZE_STEPS
        logits, balance, pointing = run.model(b.prefixes, b.groups, b.select)
        each = CrossEntropy.apply(logits, b.targets)
        loss = each.mean()
        extra = BALANCE_WEIGHT * balance / len(run.model.blocks) + POINTER_WEIGHT * sum(pointing)
        (loss + extra).backward()
        fraction = workers.average(run.params, (time.time() - run.begin) / (end - run.begin))
        run.update(fraction)
        fresh = []
        rest = each.detach()
        for kind, part, counts in b.parts:
            *of_rows, rest = rest.split([*counts, len(rest) - sum(counts)])
            hard.judge(kind, part, [row.sum().item() for row in of_rows])
            fresh += of_rows if part[0][-1] == 0 else []
        losses += [torch.cat(fresh).mean().item()] if fresh else []
        tokens += own
        rows = sum(len(part) for _, part, _ in b.parts) * run.args.workers
        seen, run.rows = seen + rows, run.rows + rows
        if first and (run.step % 20 == 0 or run.step < 4):
            speed = tokens / (time.time() - reported)
            mean = sum(losses[-20:]) / len(losses[-20:])
            skew = balance.item() / len(run.model.blocks)
            print(f"{run.step} loss {mean:.4f} step {pointing[0]:.3f} jump {pointing[1]:.3f} balance {skew:.2f} {speed:.0f} tok/s per worker, {seen / (time.time() - reported):.1f} rows/s, time {fraction:.3f}", flush=True)
            tokens, seen, reported = 0, 0, time.time()
        if run.step % 50 == 0:
            workers.agree(run.params)
        if first and (fraction >= 1 or time.time() - saved > 60 * args.save_minutes):
            run.save(sum(losses) / len(losses), 12 if fraction < 1 else 25)
            losses, tokens, seen, reported, saved = [], 0, 0, time.time(), time.time()
    if first:
        shards.child.kill()


if __name__ == "__main__":
    main()

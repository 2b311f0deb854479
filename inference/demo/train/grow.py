"""Deepens a checkpoint: puts a sliding and a full layer, which do nothing yet, before the last two layers.

A layer does nothing while the outputs of its attention and experts are zero; gradients reach those matrices at
once. The layers keep their order, so the new model computes what the old one did.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from model import Config, Model
from optim import optimizers

ADDED, KEPT_LAST = 2, 2
ZERO = ("attn.out.weight", "attn.out.bias", "mlp.down", "mlp.down_bias")


def grown_name(name: str, old_layers: int) -> str:
    """The name in the deeper model of a parameter of the old one."""
    if not name.startswith("blocks."):
        return name
    _, layer, rest = name.split(".", 2)
    moved = ADDED if int(layer) >= old_layers - KEPT_LAST else 0
    return f"blocks.{int(layer) + moved}.{rest}"


def slots(model: Model) -> list[dict[str, tuple[int, int]]]:
    """For each optimizer, where the state of a parameter lies in its `state_dict`, by name."""
    names = {p: name for name, p in model.named_parameters()}
    found = []
    for o in optimizers(model):
        flat = [p for group in o.param_groups for p in group["params"]]
        found.append({names[p]: i for i, p in enumerate(flat)})
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    args = parser.parse_args()
    saved = torch.load(args.old, weights_only=False)
    layers = 1 + max(int(name.split(".")[1]) for name in saved["model"] if name.startswith("blocks."))
    torch.manual_seed(layers)
    old, new = Model(replace(Config(), layers=layers)), Model(replace(Config(), layers=layers + ADDED))
    weights = new.state_dict()
    for name in weights:
        if name.endswith(ZERO):
            weights[name].zero_()
    weights.update({grown_name(name, layers): w for name, w in saved["model"].items()})

    states = []
    for o, was, now, state in zip(optimizers(new), slots(old), slots(new), saved["optimizers"]):
        empty = o.state_dict()
        kept = {now[grown_name(name, layers)]: state["state"][i] for name, i in was.items() if i in state["state"]}
        groups = [g | {k: v for k, v in s.items() if k != "params"} for g, s in zip(empty["param_groups"], state["param_groups"])]
        states.append({"state": kept, "param_groups": groups})
    torch.save(saved | {"model": weights, "mean": weights, "optimizers": states}, args.new)


if __name__ == "__main__":
    main()

"""Makes a checkpoint of the committed weights, to go on training from them: `train.py --resume`.

The optimizers begin anew, so the run warms up once more. `--begun` says how many minutes of the schedule count as done:
with 200 of them and 100 to go, the learning rate is that of two thirds of a run.
"""

import argparse
import csv
import time
from pathlib import Path

import torch
from model import Config, Model
from mxfp4 import unpack
from optim import optimizers
from verify import read_safetensors

HERE = Path(__file__).resolve().parent
CURVE = HERE / "curve.csv"


def separated(rows: torch.Tensor) -> torch.Tensor:
    """All gates, then all ups, of a tensor whose dimension 1 has gate 0, up 0, gate 1, up 1, …"""
    return torch.cat([rows[:, 0::2], rows[:, 1::2]], 1)


def loaded(path: Path, c: Config) -> dict[str, torch.Tensor]:
    """The training network's float32 weights of an exported checkpoint; experts have their MXFP4 values."""
    raw = read_safetensors(path)
    out = {"embed": raw["model.embed_tokens.weight"], "unembed": raw["lm_head.weight"], "norm": raw["model.norm.weight"]}
    for i in range(c.layers):
        p, b = f"model.layers.{i}.", f"blocks.{i}."
        out[b + "attn_norm"], out[b + "mlp_norm"] = raw[p + "input_layernorm.weight"], raw[p + "post_attention_layernorm.weight"]
        for kind in ("weight", "bias"):
            out[f"{b}attn.qkv.{kind}"] = torch.cat([raw[f"{p}self_attn.{name}_proj.{kind}"] for name in "qkv"])
            out[f"{b}attn.out.{kind}"] = raw[f"{p}self_attn.o_proj.{kind}"]
            out[f"{b}mlp.router.{kind}"] = raw[f"{p}mlp.router.{kind}"]
        out[b + "attn.sinks"] = raw[p + "self_attn.sinks"]
        experts = p + "mlp.experts."
        gate_up, down = (unpack(raw[f"{experts}{name}_proj_blocks"], raw[f"{experts}{name}_proj_scales"]) for name in ("gate_up", "down"))
        out[b + "mlp.gate_up"], out[b + "mlp.gate_up_bias"] = separated(gate_up), separated(raw[experts + "gate_up_proj_bias"])
        out[b + "mlp.down"], out[b + "mlp.down_bias"] = down, raw[experts + "down_proj_bias"]
    return {name: t.float() for name, t in out.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint, made if needed")
    parser.add_argument("--begun", type=float, default=0, help="minutes of the schedule that count as done")
    args = parser.parse_args()
    model = Model(Config())
    model.load_state_dict(loaded(HERE.parent / "model.safetensors", model.c))
    curve = list(csv.reader(CURVE.open()))
    step, rows = map(int, curve[-1][:2])
    args.work.mkdir(parents=True, exist_ok=True)
    weights = model.state_dict()
    state = {"model": weights, "mean": weights, "optimizers": [o.state_dict() for o in optimizers(model)]}
    begin = time.time() - 60 * args.begun
    torch.save(state | {"step": step, "rows": rows, "begin": begin, "warm_from": step}, args.work / "checkpoint.pt")
    (args.work / "curve.csv").write_bytes(CURVE.read_bytes())
    print(f"checkpoint of step {step} in {args.work}")


if __name__ == "__main__":
    main()

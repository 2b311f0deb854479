"""Writes the model as a Hugging Face gpt-oss checkpoint: BF16 everywhere, experts in MXFP4."""

import argparse
import json
import struct
from pathlib import Path

import torch
from model import Config, Model
from mxfp4 import pack
from tokenizer import CALL, PAD, RETURN


def interleaved(gate_then_up: torch.Tensor) -> torch.Tensor:
    """Rows gate 0, up 0, gate 1, up 1, … of a tensor whose dimension 1 holds all gates, then all ups."""
    gate, up = gate_then_up.chunk(2, 1)
    return torch.stack([gate, up], 2).flatten(1, 2)


def tensors(model: Model) -> dict[str, torch.Tensor]:
    """Every tensor of the checkpoint under its Hugging Face name."""
    c = model.c
    out = {"model.embed_tokens.weight": model.embed, "lm_head.weight": model.unembed, "model.norm.weight": model.norm}
    sizes = [c.heads * c.head_dim, c.kv_heads * c.head_dim, c.kv_heads * c.head_dim]
    for i, block in enumerate(model.blocks):
        p = f"model.layers.{i}."
        out[p + "input_layernorm.weight"] = block.attn_norm
        out[p + "post_attention_layernorm.weight"] = block.mlp_norm
        weights, biases = block.attn.qkv.weight.split(sizes), block.attn.qkv.bias.split(sizes)
        for name, weight, bias in zip("qkv", weights, biases):
            out[f"{p}self_attn.{name}_proj.weight"], out[f"{p}self_attn.{name}_proj.bias"] = weight, bias
        out[p + "self_attn.o_proj.weight"], out[p + "self_attn.o_proj.bias"] = block.attn.out.weight, block.attn.out.bias
        out[p + "self_attn.sinks"] = block.attn.sinks
        out[p + "mlp.router.weight"], out[p + "mlp.router.bias"] = block.mlp.router.weight, block.mlp.router.bias
        experts = p + "mlp.experts."
        out[experts + "gate_up_proj_bias"] = interleaved(block.mlp.gate_up_bias)
        out[experts + "down_proj_bias"] = block.mlp.down_bias
        for name, weight in (("gate_up_proj", interleaved(block.mlp.gate_up)), ("down_proj", block.mlp.down)):
            out[experts + name + "_blocks"], out[experts + name + "_scales"] = pack(weight.detach())
    return {k: (t if t.dtype == torch.uint8 else t.detach().bfloat16()).contiguous() for k, t in out.items()}


def write_safetensors(path: Path, named: dict[str, torch.Tensor]):
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(named):
        t = named[name]
        data = (t if t.dtype == torch.uint8 else t.view(torch.int16)).numpy().tobytes()
        kind = "U8" if t.dtype == torch.uint8 else "BF16"
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + len(data)]}
        blobs.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def config_json(c: Config) -> dict:
    return {
        "architectures": ["GptOssForCausalLM"],
        "model_type": "gpt_oss",
        "vocab_size": c.vocab,
        "hidden_size": c.hidden,
        "intermediate_size": c.intermediate,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads,
        "head_dim": c.head_dim,
        "num_local_experts": c.experts,
        "num_experts_per_tok": c.top_k,
        "experts_per_token": c.top_k,
        "sliding_window": c.window,
        "layer_types": ["full_attention" if i % 2 else "sliding_attention" for i in range(c.layers)],
        "rope_theta": int(c.rope_theta),
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": c.rope_factor,
            "beta_fast": c.beta_fast,
            "beta_slow": c.beta_slow,
            "original_max_position_embeddings": c.rope_original,
            "truncate": False,
        },
        "initial_context_length": c.rope_original,
        "max_position_embeddings": c.max_positions,
        "rms_norm_eps": 1e-05,
        "hidden_act": "silu",
        "swiglu_limit": 7.0,
        "attention_bias": True,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "output_router_logits": False,
        "router_aux_loss_coef": 0.01,
        "tie_word_embeddings": False,
        "use_cache": True,
        "eos_token_id": RETURN,
        "pad_token_id": PAD,
        "torch_dtype": "bfloat16",
        "quantization_config": {
            "quant_method": "mxfp4",
            "modules_to_not_convert": [
                "model.layers.*.self_attn",
                "model.layers.*.mlp.router",
                "model.embed_tokens",
                "lm_head",
            ],
        },
    }


def export(model: Model, folder: Path):
    """Writes config.json, generation_config.json and model.safetensors into `folder`."""
    generation = {"do_sample": False, "eos_token_id": [RETURN, CALL], "pad_token_id": PAD}
    for name, content in (("config.json", config_json(model.c)), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    part = folder / "model.safetensors.part"
    write_safetensors(part, tensors(model))
    part.rename(folder / "model.safetensors")


def main():
    parser = argparse.ArgumentParser(description="Writes the model of a checkpoint of train.py.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--last", action="store_true", help="the weights of the last step, not their running mean")
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, weights_only=False)
    model = Model(Config())
    model.load_state_dict(saved["model" if args.last else "mean"])
    args.folder.mkdir(parents=True, exist_ok=True)
    export(model, args.folder)
    print(f"step {saved['step']} in {args.folder}")


if __name__ == "__main__":
    main()

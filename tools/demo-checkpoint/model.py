"""A minimal LLaMA for training, with the parameter names of transformers.

Every training prompt starts with the same instruction. The model computes its
keys and values once per batch and lets all sequences attend to them, which is
exact (attention is causal) and saves about a third of the work.
"""

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


def rotary_tables(positions, head_size, theta):
    """Cosine and sine tables for rotary embeddings in the half-split layout."""
    inverse = 1.0 / theta ** (torch.arange(0, head_size, 2).float() / head_size)
    angles = positions.float()[:, None] * inverse[None, :]
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, tables):
    cos, sin = tables
    left, right = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-right, left], dim=-1) * sin.to(x.dtype)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.size = config.hidden_size // self.heads
        hidden = config.hidden_size
        self.q_proj = nn.Linear(hidden, self.heads * self.size, bias=False)
        self.k_proj = nn.Linear(hidden, self.kv_heads * self.size, bias=False)
        self.v_proj = nn.Linear(hidden, self.kv_heads * self.size, bias=False)
        self.o_proj = nn.Linear(self.heads * self.size, hidden, bias=False)

    def forward(self, x, tables, prefix, mask):
        batch, length, _ = x.shape

        def split(y, heads):
            return y.view(batch, length, heads, self.size).transpose(1, 2)

        q = rotate(split(self.q_proj(x), self.heads), tables)
        k = rotate(split(self.k_proj(x), self.kv_heads), tables)
        v = split(self.v_proj(x), self.kv_heads)
        own = (k, v)
        if prefix is not None:
            k = torch.cat([prefix[0].expand(batch, -1, -1, -1), k], dim=2)
            v = torch.cat([prefix[1].expand(batch, -1, -1, -1), v], dim=2)
        # Plain products: the fused kernel's backward pass is slow on the CPU.
        q = q.reshape(batch, self.kv_heads, -1, self.size) * self.size**-0.5
        scores = (q @ k.transpose(2, 3)).view(batch, self.kv_heads, -1, length, k.shape[2])
        weights = (scores + mask).softmax(-1).view(batch, self.kv_heads, -1, k.shape[2])
        out = (weights.to(v.dtype) @ v).view(batch, self.heads, length, self.size)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1)), own


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config.hidden_size, config.intermediate_size
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x, tables, prefix, mask):
        attended, own = self.self_attn(self.input_layernorm(x), tables, prefix, mask)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), own


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class TrainingLlama(nn.Module):
    """LLaMA with tied embeddings over a shared prompt prefix."""

    def __init__(self, config, prefix_ids):
        super().__init__()
        self.model = Backbone(config)
        self.register_buffer("prefix_ids", torch.tensor([prefix_ids]), persistent=False)
        self.head_size = config.hidden_size // config.num_attention_heads
        self.theta = config.rope_parameters["rope_theta"]
        self.apply(self._initialise)

    @staticmethod
    def _initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids, targets):
        """Mean loss over the positions whose target is not -100."""
        start, length = self.prefix_ids.shape[1], ids.shape[1]
        tables = rotary_tables(torch.arange(start + length), self.head_size, self.theta)
        head = tuple(t[:start] for t in tables)
        tail = tuple(t[start:] for t in tables)
        causal = torch.full((start + length, start + length), float("-inf")).triu(1)
        prefix = self.model.embed_tokens(self.prefix_ids)
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            prefix, keys_values = layer(prefix, head, None, causal[:start, :start])
            x, _ = layer(x, tail, keys_values, causal[start:])
        wanted = (targets.reshape(-1) >= 0).nonzero().view(-1)
        # Few distinct shapes spare the CPU library from compiling new kernels.
        spare = -wanted.numel() % 64
        wanted = torch.cat([wanted, wanted.new_zeros(spare)])
        hidden = self.model.norm(x.reshape(-1, x.shape[-1])[wanted])
        logits = F.linear(hidden, self.model.embed_tokens.weight)
        return F.cross_entropy(logits.float(), targets.reshape(-1)[wanted])

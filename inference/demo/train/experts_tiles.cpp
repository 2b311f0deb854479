// A mixture of experts and its gradients with products of tiles: what is between the products stays in the processor's cache.
//
// Everything is computed turned, [channel][slot], so that weights are read as they lie in memory. A slot is a token with one of its
// experts. The backward pass computes the forward pass again.

#include <algorithm>

#include "tiles.h"

namespace {

constexpr int H = 192, I = 192, PART = 128;  // width of the model, of an expert; slots whose gradients of weights are added together
constexpr float ALPHA = 1.702f, LIMIT = 7.f;

struct Expert {
  const uint16_t *gate_up, *down;  // [2 I][H], gates first; [H][I]
  const float *gate_up_bias, *down_bias;
};

// Rows of `W` halves at the tokens of 32 slots to [tile of 16 slots][pair of columns][slot].
template <int W>
void pack_slots(const uint16_t (*rows)[W], uint32_t* out) {
  for (int t = 0; t < 2; t++)
    for (int c = 0; c < W / BLOCK; c++) {
      __m512i r[TILE];
      for (int i = 0; i < TILE; i++) r[i] = _mm512_loadu_si512(rows[t * TILE + i] + c * BLOCK);
      turn(r);
      for (int i = 0; i < TILE; i++) _mm512_store_si512(out + t * (W / 2 * TILE) + (c * TILE + i) * TILE, r[i]);
    }
}

// c0, c1 (tiles 0, 1) = 16 rows of `a` (stride in halves) x both tiles of slots; `b` has 32 rows per step and tile of slots.
template <int DEPTH>
inline void product(const uint16_t* a, int stride, const uint32_t* b, int tile_step, int depth_step, float* out) {
  sums_zero(0);
  sums_zero(1);
  for (int k = 0; k < DEPTH / BLOCK; k += 2) {
    tile_load(2, a + k * BLOCK, 2 * stride);
    tile_load(3, b + k * depth_step, 64);
    tile_load(4, b + k * depth_step + tile_step, 64);
    multiply(0, 2, 3);
    multiply(1, 2, 4);
    tile_load(5, a + (k + 1) * BLOCK, 2 * stride);
    tile_load(6, b + (k + 1) * depth_step, 64);
    tile_load(7, b + (k + 1) * depth_step + tile_step, 64);
    multiply(0, 5, 6);
    multiply(1, 5, 7);
  }
  sums_store(0, out, 4 * BLOCK);
  sums_store(1, out + TILE, 4 * BLOCK);
}

struct Activation {
  __m512 near, open, up, out;
  Activation(__m512 gate, __m512 raw_up) {
    near = _mm512_min_ps(gate, _mm512_set1_ps(LIMIT));
    const __m512 e = exp2_of(_mm512_mul_ps(near, _mm512_set1_ps(-ALPHA * LOG2E)));
    open = _mm512_div_ps(_mm512_set1_ps(1.f), _mm512_add_ps(_mm512_set1_ps(1.f), e));
    up = _mm512_add_ps(_mm512_max_ps(_mm512_min_ps(raw_up, _mm512_set1_ps(LIMIT)), _mm512_set1_ps(-LIMIT)), _mm512_set1_ps(1.f));
    out = _mm512_mul_ps(_mm512_mul_ps(near, open), up);
  }
};

// Adds [H][32] to the rows of the first `count` slots' tokens.
void scatter(const float (*turned)[BLOCK], const int64_t* tokens, int count, float* out) {
  for (int t = 0; t < 2; t++)
    for (int c = 0; c < H; c += TILE) {
      __m512i r[TILE];
      for (int i = 0; i < TILE; i++) r[i] = _mm512_loadu_si512(turned[c + i] + t * TILE);
      turn(r);
      for (int i = 0; i < TILE && t * TILE + i < count; i++) {
        float* to = out + tokens[t * TILE + i] * H + c;
        _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), _mm512_castsi512_ps(r[i])));
      }
    }
}

void gather(const uint16_t* h, const int64_t* tokens, int count, uint16_t (*rows)[H]) {
  for (int i = 0; i < BLOCK; i++)
    if (i < count) memcpy(rows[i], h + tokens[i] * H, sizeof rows[0]);
    else memset(rows[i], 0, sizeof rows[0]);
}

void forward_slots(const Expert& e, const uint16_t* h, const int64_t* tokens, const float* weights, int count, float* out) {
  alignas(64) static thread_local uint16_t rows[BLOCK][H];
  alignas(64) static thread_local uint32_t packed[H * TILE], act[I * TILE];
  alignas(64) static thread_local float gate[TILE][BLOCK], up[TILE][BLOCK], turned[H][BLOCK];
  alignas(64) float w[BLOCK] = {};
  std::copy(weights, weights + count, w);
  gather(h, tokens, count, rows);
  pack_slots<H>(rows, packed);
  written();
  for (int c = 0; c < I; c += TILE) {
    product<H>(e.gate_up + c * H, H, packed, H / 2 * TILE, 256, gate[0]);
    product<H>(e.gate_up + (I + c) * H, H, packed, H / 2 * TILE, 256, up[0]);
    for (int pair = 0; pair < TILE; pair += 2)
      for (int t = 0; t < 2; t++) {
        __m512 a[2];
        for (int i = 0; i < 2; i++) {
          const int n = pair + i;
          const __m512 g = _mm512_add_ps(_mm512_load_ps(gate[n] + t * TILE), _mm512_set1_ps(e.gate_up_bias[c + n]));
          a[i] = Activation(g, _mm512_add_ps(_mm512_load_ps(up[n] + t * TILE), _mm512_set1_ps(e.gate_up_bias[I + c + n]))).out;
        }
        _mm512_store_si512(act + t * (I / 2 * TILE) + (c + pair) / 2 * TILE, paired(a[0], a[1]));
      }
  }
  written();
  for (int c = 0; c < H; c += TILE) {
    product<I>(e.down + c * I, I, act, I / 2 * TILE, 256, turned[c]);
    for (int n = c; n < c + TILE; n++)
      for (int t = 0; t < BLOCK; t += TILE) {
        const __m512 y = _mm512_add_ps(_mm512_load_ps(turned[n] + t), _mm512_set1_ps(e.down_bias[n]));
        _mm512_store_ps(turned[n] + t, _mm512_mul_ps(y, _mm512_load_ps(w + t)));
      }
  }
  scatter(turned, tokens, count, out);
}

// `grads` [M][N] += a [M][PART] x b [step of 32 slots][16 columns][pair of slots][column].
template <int M, int N>
void add_products(const uint16_t* a, const uint32_t* b, int steps, float* grads) {
  for (int m = 0; m < M; m += 2 * TILE)
    for (int n = 0; n < N; n += 2 * TILE) {
      float* to = grads + m * N + n;
      sums_load(0, to, 4 * N);
      sums_load(1, to + TILE, 4 * N);
      sums_load(2, to + TILE * N, 4 * N);
      sums_load(3, to + TILE * N + TILE, 4 * N);
      for (int k = 0; k < steps; k++) {
        tile_load(4, a + m * PART + k * BLOCK, 2 * PART);
        tile_load(5, a + (m + TILE) * PART + k * BLOCK, 2 * PART);
        tile_load(6, b + k * (N * TILE) + n * TILE, 64);
        tile_load(7, b + k * (N * TILE) + (n + TILE) * TILE, 64);
        multiply(0, 4, 6);
        multiply(1, 4, 7);
        multiply(2, 5, 6);
        multiply(3, 5, 7);
      }
      sums_store(0, to, 4 * N);
      sums_store(1, to + TILE, 4 * N);
      sums_store(2, to + TILE * N, 4 * N);
      sums_store(3, to + TILE * N + TILE, 4 * N);
    }
}

struct Gradients {
  float *gate_up, *down, *weights, *h;        // of the expert, of the slots, of all tokens
  float gate_up_bias[2 * I][TILE], down_bias[H][TILE];  // still to be added up over 16 lanes
};

// What the gradients of weights are made of, for up to PART slots.
struct Parts {
  alignas(64) uint16_t du[2 * I][PART], dy[H][PART];
  alignas(64) uint32_t h[PART / BLOCK][H * TILE], act[PART / BLOCK][I * TILE];
};

inline void add_to(float* sum, __m512 x) { _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), x)); }

void backward_slots(const Expert& e, const uint16_t* gate_up_turned, const uint16_t* down_turned, const uint16_t* h, const float* grad, const int64_t* tokens, const float* weights, int count, int step, Parts& parts, Gradients& to) {
  alignas(64) static thread_local uint16_t rows[BLOCK][H], grads[BLOCK][H], act[TILE][BLOCK];
  alignas(64) static thread_local uint32_t packed[H * TILE], packed_grads[H * TILE], du[2 * I * TILE];
  alignas(64) static thread_local float gate[TILE][BLOCK], up[TILE][BLOCK], dact[TILE][BLOCK], turned[H][BLOCK];
  alignas(64) float w[BLOCK] = {}, of_weight[BLOCK] = {};
  std::copy(weights, weights + count, w);
  gather(h, tokens, count, rows);
  for (int i = 0; i < BLOCK; i++) {
    __m512 sum = _mm512_setzero_ps();
    for (int c = 0; c < H; c += TILE) {
      const __m512 g = i < count ? _mm512_loadu_ps(grad + tokens[i] * H + c) : _mm512_setzero_ps();
      store_half(grads[i] + c, g);
      sum = _mm512_fmadd_ps(g, _mm512_loadu_ps(e.down_bias + c), sum);
    }
    of_weight[i] = _mm512_reduce_add_ps(sum);
  }
  pack_slots<H>(rows, packed);
  pack_slots<H>(grads, packed_grads);
  for (int c = 0; c < H / TILE; c++)
    for (int p = 0; p < TILE; p++)
      _mm512_store_si512(parts.h[step] + (c * TILE + p) * TILE, _mm512_or_si512(wide(rows[2 * p] + c * TILE), _mm512_slli_epi32(wide(rows[2 * p + 1] + c * TILE), 16)));
  for (int p = 0; p < H / 2; p++)
    for (int t = 0; t < 2; t++) {
      const __m512i both = _mm512_load_si512(packed_grads + t * (H / 2 * TILE) + p * TILE);
      const __m512 ws = _mm512_load_ps(w + t * TILE);
      const __m512 low = _mm512_mul_ps(real(both), ws), high = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(0xffff0000))), ws);
      store_half(parts.dy[2 * p] + step * BLOCK + t * TILE, low);
      store_half(parts.dy[2 * p + 1] + step * BLOCK + t * TILE, high);
      add_to(to.down_bias[2 * p], low);
      add_to(to.down_bias[2 * p + 1], high);
    }
  written();
  for (int c = 0; c < I; c += TILE) {
    product<H>(e.gate_up + c * H, H, packed, H / 2 * TILE, 256, gate[0]);
    product<H>(e.gate_up + (I + c) * H, H, packed, H / 2 * TILE, 256, up[0]);
    product<H>(down_turned + c * H, H, packed_grads, H / 2 * TILE, 256, dact[0]);
    for (int pair = 0; pair < TILE; pair += 2)
      for (int t = 0; t < 2; t++) {
        const __m512 ws = _mm512_load_ps(w + t * TILE), one = _mm512_set1_ps(1.f);
        __m512 by_gate[2], by_up[2], dw = _mm512_load_ps(of_weight + t * TILE);
        for (int i = 0; i < 2; i++) {
          const int n = pair + i;
          const __m512 g = _mm512_add_ps(_mm512_load_ps(gate[n] + t * TILE), _mm512_set1_ps(e.gate_up_bias[c + n]));
          const __m512 u = _mm512_add_ps(_mm512_load_ps(up[n] + t * TILE), _mm512_set1_ps(e.gate_up_bias[I + c + n]));
          const Activation a(g, u);
          const __m512 raw = _mm512_load_ps(dact[n] + t * TILE), d = _mm512_mul_ps(_mm512_mul_ps(raw, ws), a.open);
          dw = _mm512_fmadd_ps(raw, a.out, dw);
          store_half(act[n] + t * TILE, a.out);
          const __m512 slope = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(ALPHA), a.near), _mm512_sub_ps(one, a.open), one);
          by_gate[i] = _mm512_maskz_mul_ps(_mm512_cmp_ps_mask(g, _mm512_set1_ps(LIMIT), _CMP_LE_OQ), _mm512_mul_ps(d, a.up), slope);
          by_up[i] = _mm512_maskz_mul_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(u), _mm512_set1_ps(LIMIT), _CMP_LE_OQ), d, a.near);
          store_half(parts.du[c + n] + step * BLOCK + t * TILE, by_gate[i]);
          store_half(parts.du[I + c + n] + step * BLOCK + t * TILE, by_up[i]);
          add_to(to.gate_up_bias[c + n], by_gate[i]);
          add_to(to.gate_up_bias[I + c + n], by_up[i]);
        }
        _mm512_store_ps(of_weight + t * TILE, dw);
        _mm512_store_si512(du + t * (I * TILE) + (c + pair) / 2 * TILE, paired(by_gate[0], by_gate[1]));
        _mm512_store_si512(du + t * (I * TILE) + (I + c + pair) / 2 * TILE, paired(by_up[0], by_up[1]));
      }
    __m512i r[TILE];
    for (int i = 0; i < TILE; i++) r[i] = _mm512_load_si512(act[i]);
    turn(r);
    for (int i = 0; i < TILE; i++) _mm512_store_si512(parts.act[step] + (c + i) * TILE, r[i]);
  }
  written();
  for (int c = 0; c < H; c += TILE) product<2 * I>(gate_up_turned + c * 2 * I, 2 * I, du, I * TILE, 256, turned[c]);
  scatter(turned, tokens, count, to.h);
  std::copy(of_weight, of_weight + count, to.weights);
}

void turn_weights(const uint16_t* src, int rows, int columns, uint16_t* out) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) out[c * rows + r] = src[r * columns + c];
}

Expert expert(int i, const uint16_t* gate_up, const float* gate_up_bias, const uint16_t* down, const float* down_bias) {
  return {gate_up + i * 2 * I * H, down + i * H * I, gate_up_bias + i * 2 * I, down_bias + i * H};
}

}  // namespace

// Adds to out [tokens][H]. `tokens` and `weights` are those of the slots, which are sorted by expert, `counts` of each.
extern "C" void experts_forward(int experts, const int64_t* counts, const int64_t* tokens, const float* weights, const uint16_t* h, const uint16_t* gate_up, const float* gate_up_bias, const uint16_t* down, const float* down_bias, float* out) {
  const Tiles tiles;
  for (int i = 0; i < experts; tokens += counts[i], weights += counts[i], i++)
    for (int64_t s = 0; s < counts[i]; s += BLOCK)
      forward_slots(expert(i, gate_up, gate_up_bias, down, down_bias), h, tokens + s, weights + s, std::min<int64_t>(BLOCK, counts[i] - s), out);
}

// Adds to all gradients but that of `weights`, which it writes; `grad` [tokens][H].
extern "C" void experts_backward(int experts, const int64_t* counts, const int64_t* tokens, const float* weights, const uint16_t* h, const uint16_t* gate_up, const float* gate_up_bias, const uint16_t* down, const float* down_bias, const float* grad, float* grad_weights, float* grad_h, float* grad_gate_up, float* grad_gate_up_bias, float* grad_down, float* grad_down_bias) {
  alignas(64) static thread_local Parts parts;
  static thread_local Gradients to;
  static thread_local Buffer<uint16_t> turned;
  const Tiles tiles;
  uint16_t* gate_up_turned = turned.of(3 * I * H);
  uint16_t* down_turned = gate_up_turned + 2 * I * H;
  for (int i = 0; i < experts; i++) {
    const Expert e = expert(i, gate_up, gate_up_bias, down, down_bias);
    turn_weights(e.gate_up, 2 * I, H, gate_up_turned);
    turn_weights(e.down, H, I, down_turned);
    memset(to.gate_up_bias, 0, sizeof to.gate_up_bias);
    memset(to.down_bias, 0, sizeof to.down_bias);
    to.h = grad_h;
    for (int64_t s = 0; s < counts[i]; s += PART) {
      const int most = std::min<int64_t>(PART, counts[i] - s), steps = (most + BLOCK - 1) / BLOCK;
      for (int step = 0; step < steps; step++) {
        const int64_t at = s + step * BLOCK;
        to.weights = grad_weights + at;
        backward_slots(e, gate_up_turned, down_turned, h, grad, tokens + at, weights + at, std::min<int64_t>(BLOCK, counts[i] - at), step, parts, to);
      }
      written();
      add_products<2 * I, H>(parts.du[0], parts.h[0], steps, grad_gate_up + i * 2 * I * H);
      add_products<H, I>(parts.dy[0], parts.act[0], steps, grad_down + i * H * I);
    }
    for (int n = 0; n < 2 * I; n++) grad_gate_up_bias[i * 2 * I + n] += _mm512_reduce_add_ps(_mm512_loadu_ps(to.gate_up_bias[n]));
    for (int n = 0; n < H; n++) grad_down_bias[i * H + n] += _mm512_reduce_add_ps(_mm512_loadu_ps(to.down_bias[n]));
    tokens += counts[i], weights += counts[i], grad_weights += counts[i];
  }
}

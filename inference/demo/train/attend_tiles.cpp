// Attention of rows over shared past keys and their own keys with products of tiles, scores kept in the cache; the shapes stand in attend.py.
//
// The keys that a query may see are one range of the past's keys followed by the row's own ones. `front` unused places stand before
// the past, so that the own keys begin at a block. Scores are in units of log 2. The backward pass computes the probabilities again from
// the logarithm of each query's sum (as FlashAttention-2 does, arXiv 2307.08691), the sink's share in it included.

#include <algorithm>

#include "tiles.h"

namespace {

constexpr int D = 64;

struct Shape {
  int64_t rows, queries, keys, past, heads, kv_heads, reach, at_stride;  // at_stride: 0 if all rows have the same places
  int64_t q_stride, k_stride, past_stride, out_stride;                   // elements from one token to the next
};

// Which of the 16 places from `at` on lie in lo..hi.
inline __mmask16 inside(int at, int lo, int hi) {
  uint32_t m = 0xffff;
  if (hi - at < 15) m &= hi < at ? 0 : (2u << (hi - at)) - 1;
  if (lo > at) m &= lo - at > 15 ? 0 : 0xffffu << (lo - at);
  return static_cast<__mmask16>(m);
}

// Rows of D to [tile of 16 rows][pair of columns][row]; rows before `from` and from `from + count` on are zero.
void pack_columns(const uint16_t* src, int64_t stride, int count, int from, int blocks, uint32_t* out) {
  for (int first = 0; first < blocks * BLOCK; first += TILE)
    for (int half = 0; half < D / BLOCK; half++) {
      __m512i rows[TILE];
      for (int i = 0; i < TILE; i++) {
        const int r = first + i - from;
        rows[i] = r >= 0 && r < count ? _mm512_loadu_si512(src + r * stride + half * BLOCK) : _mm512_setzero_si512();
      }
      turn(rows);
      for (int i = 0; i < TILE; i++) _mm512_store_si512(out + first * (D / 2) + (half * TILE + i) * TILE, rows[i]);
    }
}

// Rows of D to [block of 32 rows][16 columns][pair of rows][column of the 16].
void pack_rows(const uint16_t* src, int64_t stride, int count, int from, int blocks, uint32_t* out) {
  for (int pair = 0; pair < blocks * TILE; pair++) {
    int r = 2 * pair - from;
    for (int c = 0; c < D / TILE; c++) {
      __m512i low = r >= 0 && r < count ? wide(src + r * stride + c * TILE) : _mm512_setzero_si512();
      __m512i high = r + 1 >= 0 && r + 1 < count ? wide(src + (r + 1) * stride + c * TILE) : _mm512_setzero_si512();
      uint32_t* to = out + pair / TILE * (BLOCK * D / 2) + c * (TILE * TILE) + pair % TILE * TILE;
      _mm512_store_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
}

constexpr int PER_BLOCK = BLOCK * D / 2;  // packed words of a block

// Packed keys or values of one head: the past's, then a row's own.
struct Packed {
  Buffer<uint32_t> past, own;
  int past_blocks = 0;
  const uint32_t* block(int i) const { return i < past_blocks ? past.data + i * PER_BLOCK : own.data + (i - past_blocks) * PER_BLOCK; }
};

using Pack = void (*)(const uint16_t*, int64_t, int, int, int, uint32_t*);

void pack_past(Packed& p, Pack pack, const uint16_t* src, const Shape& s) {
  p.past_blocks = (s.past + BLOCK - 1) / BLOCK;
  pack(src, s.past_stride, s.past, p.past_blocks * BLOCK - s.past, p.past_blocks, p.past.of(p.past_blocks * PER_BLOCK + 1));
}

void pack_own(Packed& p, Pack pack, const uint16_t* src, const Shape& s) {
  int blocks = (s.keys + BLOCK - 1) / BLOCK;
  pack(src, s.k_stride, s.keys, 0, blocks, p.own.of(blocks * PER_BLOCK + 1));
}

// Up to `N` queries of one head, and the range of keys of each.
template <int N>
struct Queries {
  int count, lo[N], hi[N], first_block, end_block, common_lo, common_hi;
  alignas(64) uint16_t q[N][D];

  void read(const Shape& s, const uint16_t* src, const int64_t* at, int from) {
    int past = (s.past + BLOCK - 1) / BLOCK * BLOCK, front = past - s.past;
    count = std::min<int64_t>(N, s.queries - from);
    int low = 1 << 30, high = -1;
    common_lo = 0, common_hi = 1 << 30;
    for (int r = 0; r < N; r++) {
      hi[r] = r < count ? past + at[from + r] : -1;
      lo[r] = r < count ? std::max<int64_t>(front, hi[r] - s.reach + 1) : 1 << 30;
      if (r < count) low = std::min(low, lo[r]), high = std::max(high, hi[r]);
      common_lo = std::max(common_lo, lo[r]), common_hi = std::min(common_hi, hi[r]);
    }
    first_block = low / BLOCK, end_block = high / BLOCK + 1;
    copy(q, s.q_stride, src, from);
  }

  void copy(uint16_t (*to)[D], int64_t stride, const uint16_t* src, int from) {
    for (int r = 0; r < N; r++)
      if (r < count) memcpy(to[r], src + (from + r) * stride, sizeof q[0]);
      else memset(to[r], 0, sizeof q[0]);
  }

  bool all_see(int block) const { return common_lo <= block * BLOCK && common_hi >= block * BLOCK + BLOCK - 1; }
};

// `sums` [16][D] = 16 rows of numbers for the keys of blocks `first` to `end` x what is packed of them by rows.
inline void products(const uint16_t* numbers, int ld, const Packed& packed, int first, int end, float (*sums)[D]) {
  sums_zero(0);
  sums_zero(1);
  sums_zero(2);
  sums_zero(3);
  for (int b = first; b < end; b++) {
    const uint32_t* rows = packed.block(b);
    tile_load(4, numbers + (b - first) * BLOCK, 2 * ld);
    tile_load(5, rows, 64);
    tile_load(6, rows + 256, 64);
    multiply(0, 4, 5);
    multiply(1, 4, 6);
    tile_load(5, rows + 512, 64);
    tile_load(6, rows + 768, 64);
    multiply(2, 4, 5);
    multiply(3, 4, 6);
  }
  sums_store(0, sums[0], 4 * D);
  sums_store(1, sums[0] + 16, 4 * D);
  sums_store(2, sums[0] + 32, 4 * D);
  sums_store(3, sums[0] + 48, 4 * D);
}

// A block of packed columns to tiles 4 to 7.
inline void load_columns(const uint32_t* columns) {
  tile_load(4, columns, 64);
  tile_load(5, columns + 512, 64);
  tile_load(6, columns + 256, 64);
  tile_load(7, columns + 768, 64);
}

// `out` [16][32], rows `ld` apart, = the 16 rows of D in tiles 0 and 1 x the columns in tiles 4 to 7.
inline void multiply_columns(float* out, int ld) {
  sums_zero(2);
  sums_zero(3);
  multiply(2, 0, 4);
  multiply(3, 0, 5);
  multiply(2, 1, 6);
  multiply(3, 1, 7);
  sums_store(2, out, 4 * ld);
  sums_store(3, out + TILE, 4 * ld);
}

void forward_rows(const Shape& s, const Packed& k, const Packed& v, const uint16_t* src, const int64_t* at, float sink, uint16_t* out, float* lse) {
  static thread_local Buffer<float> scores;
  static thread_local Buffer<uint16_t> shares;
  const int ld = (k.past_blocks + (s.keys + BLOCK - 1) / BLOCK) * BLOCK + BLOCK;
  float* z = scores.of(TILE * ld);
  uint16_t* p = shares.of(TILE * ld);
  const __m512 scale = _mm512_set1_ps(LOG2E / std::sqrt(float(D)));
  for (int from = 0; from < s.queries; from += TILE) {
    Queries<TILE> q;
    q.read(s, src, at, from);
    written();
    tile_load(0, q.q, 2 * D);
    tile_load(1, q.q[0] + D / 2, 2 * D);
    for (int b = q.first_block; b < q.end_block; b++) {
      load_columns(k.block(b));
      multiply_columns(z + (b - q.first_block) * BLOCK, ld);
    }
    const int begin = q.first_block * BLOCK, width = (q.end_block - q.first_block) * BLOCK;
    float share[TILE];
    for (int r = 0; r < q.count; r++) {
      float* row = z + r * ld;
      const int lo = q.lo[r], hi = q.hi[r];
      __m512 most = _mm512_set1_ps(-1e30f);
      const int sure = (lo - begin + TILE - 1) / TILE * TILE, to = (hi + 1 - begin) / TILE * TILE;
      for (int c = 0; c < width; c += TILE) {
        __m512 x = _mm512_mul_ps(_mm512_load_ps(row + c), scale);
        if (c < sure || c >= to) x = _mm512_mask_mov_ps(_mm512_set1_ps(-1e30f), inside(begin + c, lo, hi), x);
        _mm512_store_ps(row + c, x);
        most = _mm512_max_ps(most, x);
      }
      const float top = std::max(_mm512_reduce_max_ps(most), sink * LOG2E);
      const __m512 tops = _mm512_set1_ps(top);
      __m512 sum = _mm512_setzero_ps();
      uint16_t* own = p + r * ld;
      for (int c = 0; c < width; c += TILE) {
        __m512 x = exp2_of(_mm512_sub_ps(_mm512_load_ps(row + c), tops));
        if (c < sure || c >= to) x = _mm512_maskz_mov_ps(inside(begin + c, lo, hi), x);
        sum = _mm512_add_ps(sum, x);
        store_half(own + c, x);
      }
      const float total = _mm512_reduce_add_ps(sum) + std::exp2(sink * LOG2E - top);
      share[r] = 1 / total;
      lse[from + r] = (top + std::log2(total)) / LOG2E;
    }
    for (int r = q.count; r < TILE; r++) memset(p + r * ld, 0, 2 * width);
    written();
    alignas(64) float sums[TILE][D];
    products(p, ld, v, q.first_block, q.end_block, sums);
    for (int r = 0; r < q.count; r++)
      for (int c = 0; c < D; c += TILE)
        store_half(out + (from + r) * s.out_stride + c, _mm512_mul_ps(_mm512_load_ps(sums[r] + c), _mm512_set1_ps(share[r])));
  }
}

// Gradients of keys and values of one head: [block of 32][keys, then values][tile of 16][16 dimensions][dimension][key].
constexpr int GRADS = 2 * BLOCK * D;

struct Back {
  const Packed &k, &k_rows, &v;
  float *past_grads, *own_grads;
  float* block(int i) const { return i < k.past_blocks ? past_grads + i * GRADS : own_grads + (i - k.past_blocks) * GRADS; }
};

constexpr int MOST_HEADS = 4;  // query heads that share a head of keys

// A block's [32][D] to [D][32].
void turn_block(const uint16_t (*src)[D], uint16_t* out) {
  for (int t = 0; t < 2; t++)
    for (int c = 0; c < D; c += BLOCK) {
      __m512i r[TILE];
      for (int i = 0; i < TILE; i++) r[i] = _mm512_loadu_si512(src[t * TILE + i] + c);
      turn(r);
      for (int i = 0; i < TILE; i++) {
        uint16_t* to = out + (c + 2 * i) * BLOCK + t * TILE;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(r[i]));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + BLOCK), _mm512_cvtepi32_epi16(_mm512_srli_epi32(r[i], 16)));
      }
    }
}

// What is kept of 32 queries of one head while they meet the keys.
struct Side {
  alignas(64) uint16_t g[BLOCK][D], q_turned[D * BLOCK], g_turned[D * BLOCK];
  alignas(64) uint32_t p_pairs[2][TILE][TILE], ds_pairs[2][TILE][TILE];
  float common[BLOCK], top[BLOCK];
  uint16_t* ds;
};

// `out` [32][32] = rows of D x a block of packed columns.
inline void scores(const uint16_t (*rows)[D], const uint32_t* columns, float (*out)[BLOCK]) {
  load_columns(columns);
  for (int half = 0; half < 2; half++) {
    tile_load(0, rows[half * TILE], 2 * D);
    tile_load(1, rows[half * TILE] + BLOCK, 2 * D);
    multiply_columns(out[half * TILE], BLOCK);
  }
}

// All query heads of one head of keys together; shapes as in `attend_backward`, from these heads on.
void backward_rows(const Shape& s, const Back& w, const uint16_t* src, const int64_t* at, const float* sinks, const uint16_t* out, const uint16_t* grad, const float* lse, const float* grad_lse, uint16_t* grad_q, float* grad_sinks) {
  static thread_local Buffer<uint16_t> slopes;
  static thread_local Side sides[MOST_HEADS];
  const int heads = s.heads / s.kv_heads;
  const int ld = (w.k.past_blocks + (s.keys + BLOCK - 1) / BLOCK) * BLOCK + BLOCK;
  uint16_t* all_slopes = slopes.of(heads * BLOCK * ld);
  const __m512 scale = _mm512_set1_ps(LOG2E / std::sqrt(float(D))), plain = _mm512_set1_ps(1 / std::sqrt(float(D)));
  alignas(64) float z[BLOCK][BLOCK], dp[BLOCK][BLOCK];
  for (int from = 0; from < s.queries; from += BLOCK) {
    Queries<BLOCK> q[MOST_HEADS];
    for (int h = 0; h < heads; h++) {
      Side& side = sides[h];
      q[h].read(s, src + h * D, at, from);
      q[h].copy(side.g, s.out_stride, grad + h * D, from);
      side.ds = all_slopes + h * BLOCK * ld;
      for (int r = 0; r < BLOCK; r++) {
        side.common[r] = side.top[r] = 0;
        if (r >= q[h].count) continue;
        __m512 sum = _mm512_setzero_ps();
        for (int c = 0; c < D; c += TILE) sum = _mm512_fmadd_ps(real(wide(out + (from + r) * s.out_stride + h * D + c)), real(wide(side.g[r] + c)), sum);
        const int64_t place = h * s.queries + from + r;
        side.common[r] = _mm512_reduce_add_ps(sum) - (grad_lse ? grad_lse[place] : 0), side.top[r] = lse[place] * LOG2E;
        grad_sinks[h] -= std::exp2(sinks[h] * LOG2E - side.top[r]) * side.common[r];
      }
      turn_block(q[h].q, side.q_turned);
      turn_block(side.g, side.g_turned);
    }
    written();
    const int first = q[0].first_block, end = q[0].end_block;
    for (int b = first; b < end; b++) {
      const bool all = q[0].all_see(b);
      for (int h = 0; h < heads; h++) {
        Side& side = sides[h];
        scores(q[h].q, w.k.block(b), z);
        scores(side.g, w.v.block(b), dp);
        uint16_t* to = side.ds + (b - first) * BLOCK;
        for (int pair = 0; pair < TILE; pair++)
          for (int t = 0; t < 2; t++) {
            __m512 p[2], d[2];
            for (int i = 0; i < 2; i++) {
              const int r = 2 * pair + i;
              p[i] = exp2_of(_mm512_fmsub_ps(_mm512_load_ps(z[r] + t * TILE), scale, _mm512_set1_ps(side.top[r])));
              if (!all) p[i] = _mm512_maskz_mov_ps(inside(b * BLOCK + t * TILE, q[0].lo[r], q[0].hi[r]), p[i]);
              d[i] = _mm512_mul_ps(_mm512_mul_ps(p[i], plain), _mm512_sub_ps(_mm512_load_ps(dp[r] + t * TILE), _mm512_set1_ps(side.common[r])));
              store_half(to + r * ld + t * TILE, d[i]);
            }
            _mm512_store_si512(side.p_pairs[t][pair], paired(p[0], p[1]));
            _mm512_store_si512(side.ds_pairs[t][pair], paired(d[0], d[1]));
          }
      }
      written();
      float* grads = w.block(b);
      for (int t = 0; t < 2; t++)
        for (int c = 0; c < D; c += TILE) {
          float* keys = grads + t * TILE * D + c * TILE;
          float* values = keys + BLOCK * D;
          sums_load(0, keys, 64);
          sums_load(1, values, 64);
          for (int h = 0; h < heads; h++) {
            tile_load(2, sides[h].q_turned + c * BLOCK, 2 * BLOCK);
            tile_load(3, sides[h].ds_pairs[t], 64);
            multiply(0, 2, 3);
            tile_load(4, sides[h].g_turned + c * BLOCK, 2 * BLOCK);
            tile_load(5, sides[h].p_pairs[t], 64);
            multiply(1, 4, 5);
          }
          sums_store(0, keys, 64);
          sums_store(1, values, 64);
        }
    }
    for (int h = 0; h < heads; h++)
      for (int half = 0; half < 2; half++) {
        alignas(64) float sums[TILE][D];
        products(sides[h].ds + half * TILE * ld, ld, w.k_rows, first, end, sums);
        for (int r = 0; r < TILE && half * TILE + r < q[h].count; r++)
          for (int c = 0; c < D; c += TILE) store_half(grad_q + (from + half * TILE + r) * s.out_stride + h * D + c, _mm512_load_ps(sums[r] + c));
      }
  }
}

// From packed gradients to rows of D, leaving out `from` places at the begin.
void unpack(const float* grads, int from, int count, int64_t stride, uint16_t* k, uint16_t* v) {
  for (int r = 0; r < count; r++) {
    const int place = from + r;
    const float* at = grads + place / BLOCK * GRADS + place % BLOCK / TILE * (TILE * D) + place % TILE;
    float row[2][D];
    for (int d = 0; d < D; d++) row[0][d] = at[d * TILE], row[1][d] = at[BLOCK * D + d * TILE];
    for (int c = 0; c < D; c += TILE) {
      store_half(k + r * stride + c, _mm512_loadu_ps(row[0] + c));
      store_half(v + r * stride + c, _mm512_loadu_ps(row[1] + c));
    }
  }
}

}  // namespace

// out [rows, queries, heads, D], and lse [rows, heads, queries], the logarithms of the sums over keys and sink.
extern "C" void attend_forward(const Shape* shape, const uint16_t* q, const uint16_t* k, const uint16_t* v, const uint16_t* past_k, const uint16_t* past_v, const float* sinks, const int64_t* at, uint16_t* out, float* lse) {
  const Shape& s = *shape;
  static thread_local Packed keys, values;
  const Tiles tiles;
  const int fold = s.heads / s.kv_heads;
  for (int head = 0; head < s.kv_heads; head++) {
    pack_past(keys, pack_columns, past_k + head * D, s);
    pack_past(values, pack_rows, past_v + head * D, s);
    for (int row = 0; row < s.rows; row++) {
      pack_own(keys, pack_columns, k + row * s.keys * s.k_stride + head * D, s);
      pack_own(values, pack_rows, v + row * s.keys * s.k_stride + head * D, s);
      for (int h = head * fold; h < (head + 1) * fold; h++)
        forward_rows(s, keys, values, q + row * s.queries * s.q_stride + h * D, at + row * s.at_stride, sinks[h], out + row * s.queries * s.out_stride + h * D, lse + (row * s.heads + h) * s.queries);
    }
  }
}

// `grad_lse` may be null. Gradients: of q like out, of k and v [rows, keys, kv heads, D], of the past [past, kv heads, D], of the sinks [heads].
extern "C" void attend_backward(const Shape* shape, const uint16_t* q, const uint16_t* k, const uint16_t* v, const uint16_t* past_k, const uint16_t* past_v, const float* sinks, const int64_t* at, const uint16_t* out, const float* lse, const uint16_t* grad, const float* grad_lse, uint16_t* grad_q, uint16_t* grad_k, uint16_t* grad_v, uint16_t* grad_past_k, uint16_t* grad_past_v, float* grad_sinks) {
  const Shape& s = *shape;
  static thread_local Packed keys, key_rows, values;
  static thread_local Buffer<float> past_grads, own_grads;
  const Tiles tiles;
  const int fold = s.heads / s.kv_heads, own_blocks = (s.keys + BLOCK - 1) / BLOCK;
  const int64_t stride = s.kv_heads * D;
  for (int h = 0; h < s.heads; h++) grad_sinks[h] = 0;
  for (int head = 0; head < s.kv_heads; head++) {
    pack_past(keys, pack_columns, past_k + head * D, s);
    pack_past(key_rows, pack_rows, past_k + head * D, s);
    pack_past(values, pack_columns, past_v + head * D, s);
    float* of_past = past_grads.of(keys.past_blocks * GRADS + 1);
    float* of_own = own_grads.of(own_blocks * GRADS + 1);
    memset(of_past, 0, sizeof(float) * keys.past_blocks * GRADS);
    for (int row = 0; row < s.rows; row++) {
      const int64_t key = row * s.keys * s.k_stride + head * D;
      pack_own(keys, pack_columns, k + key, s);
      pack_own(key_rows, pack_rows, k + key, s);
      pack_own(values, pack_columns, v + key, s);
      memset(of_own, 0, sizeof(float) * own_blocks * GRADS);
      const Back w{keys, key_rows, values, of_past, of_own};
      const int first = head * fold;
      const int64_t query = row * s.queries * s.out_stride + first * D, sum = (row * s.heads + first) * s.queries;
      backward_rows(s, w, q + row * s.queries * s.q_stride + first * D, at + row * s.at_stride, sinks + first, out + query, grad + query, lse + sum, grad_lse ? grad_lse + sum : nullptr, grad_q + query, grad_sinks + first);
      unpack(of_own, 0, s.keys, stride, grad_k + row * s.keys * stride + head * D, grad_v + row * s.keys * stride + head * D);
    }
    unpack(of_past, keys.past_blocks * BLOCK - s.past, s.past, stride, grad_past_k + head * D, grad_past_v + head * D);
  }
}

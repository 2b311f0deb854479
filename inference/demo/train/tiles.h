// What the kernels share: products of tiles, memory that is kept from call to call, powers of two, packing.

#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int TILE = 16, BLOCK = 32;
constexpr float LOG2E = 1.4426950408889634f;

inline __m512i wide(const uint16_t* at) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))); }
inline __m512 real(__m512i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(half, 16)); }

// A tile is 16 rows of 64 bytes; `stride` is the distance of rows in bytes. Tiles of sums are loaded, stored and set to zero by functions of
// their own. `multiply` adds to 16 x 16 sums the product of 16 rows of 32 halves and 16 rows of 16 pairs of halves.
#ifdef __AMX_BF16__

struct Tiles {
  // The library of matrix products remembers which configuration is loaded, so it is put back.
  alignas(64) uint8_t before[64];
  Tiles() {
    // Eight tiles of 16 rows of 64 bytes.
    alignas(64) static constexpr uint8_t config[64] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0,
                                                       0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16, 16};
    _tile_storeconfig(before);
    _tile_loadconfig(config);
  }
  ~Tiles() { _tile_loadconfig(before); }
};

// What was written before is in memory when tiles are loaded: gcc's intrinsics do not say that they read it.
inline void written() { asm volatile("" ::: "memory"); }

// Macros, since gcc's intrinsics write the number of a tile into the assembler's text.
#define tile_load _tile_loadd
#define sums_zero _tile_zero
#define sums_load _tile_loadd
#define sums_store _tile_stored
#define multiply _tile_dpbf16ps

#else

// With AVX-512 alone a loaded tile stays where it is in memory. 16 registers hold the sums while it is multiplied, as float32: processors
// that have products of bfloat16 pairs without tiles do half as many multiplications with them.
struct Tiles {};

struct Loaded {
  const char* at;
  size_t stride;
  bool widened;
  alignas(64) float wide[TILE][BLOCK];
};
static thread_local Loaded tile_loaded[8];
alignas(64) static thread_local float tile_sums[8][TILE][TILE];

inline void written() {}

inline void tile_load(int tile, const void* at, size_t stride) {
  Loaded& t = tile_loaded[tile];
  t.at = static_cast<const char*>(at), t.stride = stride, t.widened = false;
}
inline void sums_zero(int tile) { memset(tile_sums[tile], 0, sizeof tile_sums[tile]); }
inline void sums_load(int tile, const float* at, size_t stride) {
  for (int r = 0; r < TILE; r++) _mm512_store_ps(tile_sums[tile][r], _mm512_loadu_ps(at + r * stride / 4));
}
inline void sums_store(int tile, float* at, size_t stride) {
  for (int r = 0; r < TILE; r++) _mm512_storeu_ps(at + r * stride / 4, _mm512_load_ps(tile_sums[tile][r]));
}
inline void multiply(int to, int rows, int columns) {
  Loaded& a = tile_loaded[rows];
  const char* b = tile_loaded[columns].at;
  const size_t b_stride = tile_loaded[columns].stride;
  if (!a.widened) {
    for (int r = 0; r < TILE; r++)
      for (int c = 0; c < BLOCK; c += TILE) _mm512_store_ps(a.wide[r] + c, real(wide(reinterpret_cast<const uint16_t*>(a.at + r * a.stride) + c)));
    a.widened = true;
  }
  __m512 sums[TILE];
#pragma GCC unroll 16
  for (int r = 0; r < TILE; r++) sums[r] = _mm512_load_ps(tile_sums[to][r]);
  for (int k = 0; k < TILE; k++) {
    const __m512i pairs = _mm512_loadu_si512(b + k * b_stride);
    const __m512 low = real(pairs), high = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(0xffff0000)));
#pragma GCC unroll 16
    for (int r = 0; r < TILE; r++) sums[r] = _mm512_fmadd_ps(low, _mm512_set1_ps(a.wide[r][2 * k]), sums[r]);
#pragma GCC unroll 16
    for (int r = 0; r < TILE; r++) sums[r] = _mm512_fmadd_ps(high, _mm512_set1_ps(a.wide[r][2 * k + 1]), sums[r]);
  }
#pragma GCC unroll 16
  for (int r = 0; r < TILE; r++) _mm512_store_ps(tile_sums[to][r], sums[r]);
}

#endif

template <class T>
struct Buffer {
  T* data = nullptr;
  size_t size = 0;
  T* of(size_t n) {
    if (n > size) {
      free(data);
      size = n + n / 4;
      data = static_cast<T*>(aligned_alloc(64, (size * sizeof(T) + 63) / 64 * 64));
    }
    return data;
  }
};

inline __m512 exp2_of(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-126.f));
  __m512 whole = _mm512_roundscale_ps(x, 0), f = _mm512_sub_ps(x, whole);
  __m512 p = _mm512_set1_ps(1.3333558e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.6181291e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.f));
  return _mm512_scalef_ps(p, whole);
}

inline void store_half(uint16_t* to, __m512 x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(x)); }

// Two rows of 16 numbers as pairs, the first row's in the low halves.
inline __m512i paired(__m512 low, __m512 high) {
  alignas(64) static constexpr uint16_t at[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(at), (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

// 16 rows of 16 words, turned.
inline void turn(__m512i r[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]), r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]), r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 16; i += 8)
    for (int j = 0; j < 4; j++) t[i + j] = _mm512_shuffle_i32x4(r[i + j], r[i + j + 4], 0x88), t[i + j + 4] = _mm512_shuffle_i32x4(r[i + j], r[i + j + 4], 0xdd);
  for (int i = 0; i < 8; i++) r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88), r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
}

}  // namespace

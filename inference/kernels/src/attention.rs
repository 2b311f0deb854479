//! Attention with sinks over a paged f32 cache.
//!
//! A page holds 64 positions. For one layer and one key-value head it is 2 · head_dim · 64 floats: the
//! keys as (head_dim, 64), so that scores of neighbouring positions are lanes of one vector and need no
//! horizontal sum, then the values as (64, head_dim). The heads of a layer follow each other; the same
//! layer's part of the next page is `page_stride` floats further on.

use crate::simd::*;
use core::arch::wasm32::*;

/// Positions in a page.
const PAGE: usize = 64;

/// Writes one position's keys and values, (heads, head_dim) each, into slot `slot` of a page.
///
/// # Safety
/// `page` holds `heads * 2 * head_dim * 64` elements; `slot` < 64.
#[no_mangle]
pub unsafe extern "C" fn kv_store(
    k: *const f32,
    v: *const f32,
    page: *mut f32,
    slot: usize,
    heads: usize,
    head_dim: usize,
) {
    let mut h = 0;
    while h < heads {
        let keys = page.add(h * 2 * head_dim * PAGE);
        let values = keys.add(head_dim * PAGE + slot * head_dim);
        let mut d = 0;
        while d < head_dim {
            *keys.add(d * PAGE + slot) = *k.add(h * head_dim + d);
            *values.add(d) = *v.add(h * head_dim + d);
            d += 1;
        }
        h += 1;
    }
}

/// One column's attention for the query heads that share one key-value head.
///
/// `q`, `out`: (group, head_dim). `pages`: this layer's and head's part of page 0. Keys `first..end` are
/// seen. `scale` multiplies the scores. `sinks`: (group), one more logit per head that takes part in the
/// softmax, unscaled, and has no value. `scratch`: 64 + 2 · group floats. The softmax runs online, page by
/// page, starting from the sink (maximum = sink, denominator = 1).
///
/// # Safety
/// `end > first`; every page up to that of `end - 1` is there; `head_dim` is a multiple of 4; `scratch` is
/// used by no other thread; nothing overlaps.
#[no_mangle]
pub unsafe extern "C" fn attention(
    q: *const f32,
    group: usize,
    head_dim: usize,
    pages: *const f32,
    page_stride: usize,
    first: usize,
    end: usize,
    scale: f32,
    sinks: *const f32,
    out: *mut f32,
    scratch: *mut f32,
) {
    let scores = scratch;
    let maxima = scratch.add(PAGE);
    let sums = maxima.add(group);
    let mut g = 0;
    while g < group {
        *maxima.add(g) = *sinks.add(g);
        *sums.add(g) = 1.0;
        g += 1;
    }
    let mut d = 0;
    while d < group * head_dim {
        store_f32(out.add(d), f32x4_splat(0.0));
        d += 4;
    }
    let mut page = first / PAGE;
    while page * PAGE < end {
        let keys = pages.add(page * page_stride);
        let values = keys.add(head_dim * PAGE);
        let from = if first > page * PAGE {
            first - page * PAGE
        } else {
            0
        };
        let to = if end < (page + 1) * PAGE {
            end - page * PAGE
        } else {
            PAGE
        };
        let mut g = 0;
        while g < group {
            let top = page_scores(q.add(g * head_dim), keys, head_dim, from, to, scale, scores);
            let before = *maxima.add(g);
            let now = if top > before { top } else { before };
            let kept = exp1(before - now);
            let sum = page_exponentials(scores, from, to, now);
            *maxima.add(g) = now;
            *sums.add(g) = *sums.add(g) * kept + sum;
            add_values(
                out.add(g * head_dim),
                kept,
                scores,
                values,
                head_dim,
                from,
                to,
            );
            g += 1;
        }
        page += 1;
    }
    let mut g = 0;
    while g < group {
        let inverse = f32x4_splat(1.0 / *sums.add(g));
        let row = out.add(g * head_dim);
        let mut d = 0;
        while d < head_dim {
            store_f32(row.add(d), f32x4_mul(load_f32(row.add(d)), inverse));
            d += 4;
        }
        g += 1;
    }
}

/// Scaled scores of the page's positions `from..to`; the rest of the touched groups of 16 is set to -inf.
/// Returns the largest.
#[inline(always)]
unsafe fn page_scores(
    q: *const f32,
    keys: *const f32,
    head_dim: usize,
    from: usize,
    to: usize,
    scale: f32,
    scores: *mut f32,
) -> f32 {
    let zero = f32x4_splat(0.0);
    let factor = f32x4_splat(scale);
    let mut j = from & !15;
    while j < to {
        let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
        let mut d = 0;
        while d < head_dim {
            let value = splat_f32(q.add(d));
            let row = keys.add(d * PAGE + j);
            s0 = f32x4_add(s0, f32x4_mul(value, load_f32(row)));
            s1 = f32x4_add(s1, f32x4_mul(value, load_f32(row.add(4))));
            s2 = f32x4_add(s2, f32x4_mul(value, load_f32(row.add(8))));
            s3 = f32x4_add(s3, f32x4_mul(value, load_f32(row.add(12))));
            d += 1;
        }
        store_f32(scores.add(j), f32x4_mul(s0, factor));
        store_f32(scores.add(j + 4), f32x4_mul(s1, factor));
        store_f32(scores.add(j + 8), f32x4_mul(s2, factor));
        store_f32(scores.add(j + 12), f32x4_mul(s3, factor));
        j += 16;
    }
    let mut outside = from & !15;
    while outside < from {
        *scores.add(outside) = f32::NEG_INFINITY;
        outside += 1;
    }
    outside = to;
    while outside < j {
        *scores.add(outside) = f32::NEG_INFINITY;
        outside += 1;
    }
    let mut top = f32x4_splat(f32::NEG_INFINITY);
    j = from & !15;
    while j < to {
        top = f32x4_pmax(top, load_f32(scores.add(j)));
        j += 4;
    }
    max_lanes(top)
}

/// Scores to `exp(score - top)` in place; returns their sum.
#[inline(always)]
unsafe fn page_exponentials(scores: *mut f32, from: usize, to: usize, top: f32) -> f32 {
    let shift = f32x4_splat(top);
    let mut sum = f32x4_splat(0.0);
    let mut j = from & !15;
    while j < to {
        let e = exp(f32x4_sub(load_f32(scores.add(j)), shift));
        store_f32(scores.add(j), e);
        sum = f32x4_add(sum, e);
        j += 4;
    }
    sum_lanes(sum)
}

/// `out = out · kept + Σ_j p_j · values[j]` for the positions `from..to` (others may hold anything, so they
/// are not multiplied by zero but left out).
#[inline(always)]
unsafe fn add_values(
    out: *mut f32,
    kept: f32,
    p: *const f32,
    values: *const f32,
    head_dim: usize,
    from: usize,
    to: usize,
) {
    let kept = f32x4_splat(kept);
    let mut d = 0;
    while d + 16 <= head_dim {
        let column = out.add(d);
        let mut a0 = f32x4_mul(load_f32(column), kept);
        let mut a1 = f32x4_mul(load_f32(column.add(4)), kept);
        let mut a2 = f32x4_mul(load_f32(column.add(8)), kept);
        let mut a3 = f32x4_mul(load_f32(column.add(12)), kept);
        let mut j = from;
        while j < to {
            let weight = splat_f32(p.add(j));
            let row = values.add(j * head_dim + d);
            a0 = f32x4_add(a0, f32x4_mul(weight, load_f32(row)));
            a1 = f32x4_add(a1, f32x4_mul(weight, load_f32(row.add(4))));
            a2 = f32x4_add(a2, f32x4_mul(weight, load_f32(row.add(8))));
            a3 = f32x4_add(a3, f32x4_mul(weight, load_f32(row.add(12))));
            j += 1;
        }
        store_f32(column, a0);
        store_f32(column.add(4), a1);
        store_f32(column.add(8), a2);
        store_f32(column.add(12), a3);
        d += 16;
    }
    while d < head_dim {
        let mut a = f32x4_mul(load_f32(out.add(d)), kept);
        let mut j = from;
        while j < to {
            let value = load_f32(values.add(j * head_dim + d));
            a = f32x4_add(a, f32x4_mul(splat_f32(p.add(j)), value));
            j += 1;
        }
        store_f32(out.add(d), a);
        d += 4;
    }
}

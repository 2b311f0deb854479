//! Attention with sinks over a paged f32 cache.
//!
//! A page holds 64 positions. For one layer and one key-value head it is 2 · head_dim · 64 floats: the
//! keys as (4, head_dim, 16), so that scores of neighbouring positions are lanes of one vector and need no
//! horizontal sum, then the values as (head_dim / 16, 64, 16), and what head_dim leaves over as (64, rest).
//! Both are thus read strictly in order. The heads of a layer follow each other. Pages lie anywhere in a
//! pool, number `n` being `n * page_stride` floats behind number 0; a page table says which number each 64
//! positions of a session have.

use crate::simd::*;
use core::arch::wasm32::*;

/// Positions in a page.
pub const PAGE: usize = 64;
/// Positions of one group of keys, elements of one group of values.
pub const GROUP: usize = 16;

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
        let head = page.add(h * 2 * head_dim * PAGE);
        let keys = head.add((slot / GROUP) * head_dim * GROUP + slot % GROUP);
        let values = head.add(head_dim * PAGE);
        let mut d = 0;
        while d < head_dim {
            let group = d & !(GROUP - 1);
            let width = if head_dim - group < GROUP {
                head_dim - group
            } else {
                GROUP
            };
            *keys.add(d * GROUP) = *k.add(h * head_dim + d);
            *values.add(group * PAGE + slot * width + d - group) = *v.add(h * head_dim + d);
            d += 1;
        }
        h += 1;
    }
}

/// The attention of neighbouring columns for the query heads that share one key-value head.
///
/// `q`, `out`: (columns, group, head_dim). `pages`: this layer's and head's part of page number 0. `table`: the
/// numbers of the session's pages, in order. The first column sees the positions up to `end`, which is not one of them,
/// each further column one more, and of these the last `window`. `scale` multiplies the scores. `sinks`: (group), one
/// more logit per head that takes part in the softmax, unscaled, and has no value. `scratch`: 67 · group floats. The
/// softmax runs online, page by page, starting from the sink (maximum = sink, denominator = 1). Of each page, all heads
/// read the keys first, then all the values, two heads at a time: so what is loaded serves both, and there are enough
/// independent sums that none waits for its last addition.
///
/// # Safety
/// `end`, `window` and `columns` are at least 1; `table` names every page that is seen; `head_dim` is a multiple of 4;
/// `scratch` is used by no other thread; nothing overlaps.
#[no_mangle]
pub unsafe extern "C" fn attention(
    q: *const f32,
    columns: usize,
    group: usize,
    head_dim: usize,
    pages: *const f32,
    table: *const u32,
    page_stride: usize,
    window: usize,
    end: usize,
    scale: f32,
    sinks: *const f32,
    out: *mut f32,
    scratch: *mut f32,
) {
    let maxima = scratch.add(group * PAGE);
    let sums = maxima.add(group);
    let kept = sums.add(group);
    let mut c = 0;
    while c < columns {
        let (q, out) = (q.add(c * group * head_dim), out.add(c * group * head_dim));
        let (first, end) = (first_seen(end + c, window), end + c);
        begin_softmax(sinks, group, maxima, sums);
        fill_zero(out, group * head_dim);
        let mut page = first / PAGE;
        while page * PAGE < end {
            let keys = pages.add(*table.add(page) as usize * page_stride);
            let values = keys.add(head_dim * PAGE);
            let (from, to) = seen_of_page(page, first, end);
            let mut g = 0;
            while g < group {
                // The last of an odd number of heads is its own partner.
                let partner = if g + 1 < group { g + 1 } else { g };
                two_heads_scores(
                    q.add(g * head_dim),
                    q.add(partner * head_dim),
                    keys,
                    head_dim,
                    from & !(GROUP - 1),
                    to,
                    scale,
                    scratch.add(g * PAGE),
                    scratch.add(partner * PAGE),
                );
                g += 2;
            }
            let mut g = 0;
            while g < group {
                let scores = scratch.add(g * PAGE);
                *kept.add(g) = continue_softmax(scores, from, to, maxima.add(g), sums.add(g));
                g += 1;
            }
            let mut g = 0;
            while g < group {
                let partner = if g + 1 < group { g + 1 } else { g };
                two_heads_values(
                    out.add(g * head_dim),
                    out.add(partner * head_dim),
                    *kept.add(g),
                    *kept.add(partner),
                    scratch.add(g * PAGE),
                    scratch.add(partner * PAGE),
                    values,
                    head_dim,
                    from,
                    to,
                );
                g += 2;
            }
            page += 1;
        }
        divide_rows(out, sums, group, head_dim, out);
        c += 1;
    }
}

/// The first position that a column with `end` positions sees.
#[inline(always)]
pub fn first_seen(end: usize, window: usize) -> usize {
    if end > window {
        end - window
    } else {
        0
    }
}

/// Scaled scores of two heads for the groups of 16 positions from `start` up to that of `to - 1`.
#[inline(always)]
unsafe fn two_heads_scores(
    p: *const f32,
    q: *const f32,
    keys: *const f32,
    head_dim: usize,
    start: usize,
    to: usize,
    scale: f32,
    p_scores: *mut f32,
    q_scores: *mut f32,
) {
    let zero = f32x4_splat(0.0);
    let mut j = start;
    while j < to {
        let (mut p0, mut p1, mut p2, mut p3) = (zero, zero, zero, zero);
        let (mut q0, mut q1, mut q2, mut q3) = (zero, zero, zero, zero);
        let mut row = keys.add(j * head_dim);
        let mut d = 0;
        while d < head_dim {
            let (pd, qd) = (splat_f32(p.add(d)), splat_f32(q.add(d)));
            let k0 = load_f32(row);
            p0 = f32x4_add(p0, f32x4_mul(pd, k0));
            q0 = f32x4_add(q0, f32x4_mul(qd, k0));
            let k1 = load_f32(row.add(4));
            p1 = f32x4_add(p1, f32x4_mul(pd, k1));
            q1 = f32x4_add(q1, f32x4_mul(qd, k1));
            let k2 = load_f32(row.add(8));
            p2 = f32x4_add(p2, f32x4_mul(pd, k2));
            q2 = f32x4_add(q2, f32x4_mul(qd, k2));
            let k3 = load_f32(row.add(12));
            p3 = f32x4_add(p3, f32x4_mul(pd, k3));
            q3 = f32x4_add(q3, f32x4_mul(qd, k3));
            row = row.add(GROUP);
            d += 1;
        }
        let factor = f32x4_splat(scale);
        store_f32(p_scores.add(j), f32x4_mul(p0, factor));
        store_f32(p_scores.add(j + 4), f32x4_mul(p1, factor));
        store_f32(p_scores.add(j + 8), f32x4_mul(p2, factor));
        store_f32(p_scores.add(j + 12), f32x4_mul(p3, factor));
        store_f32(q_scores.add(j), f32x4_mul(q0, factor));
        store_f32(q_scores.add(j + 4), f32x4_mul(q1, factor));
        store_f32(q_scores.add(j + 8), f32x4_mul(q2, factor));
        store_f32(q_scores.add(j + 12), f32x4_mul(q3, factor));
        j += GROUP;
    }
}

/// The first slot of a page that is seen, and one past the last.
#[inline(always)]
pub fn seen_of_page(page: usize, first: usize, end: usize) -> (usize, usize) {
    let start = page * PAGE;
    (
        if first > start { first - start } else { 0 },
        if end < start + PAGE {
            end - start
        } else {
            PAGE
        },
    )
}

/// Before any score, the maximum is the sink and the denominator that of the sink alone.
#[inline(always)]
unsafe fn begin_softmax(sinks: *const f32, group: usize, maxima: *mut f32, sums: *mut f32) {
    let mut g = 0;
    while g < group {
        *maxima.add(g) = *sinks.add(g);
        *sums.add(g) = 1.0;
        g += 1;
    }
}

#[inline(always)]
pub unsafe fn fill_zero(out: *mut f32, n: usize) {
    let mut i = 0;
    while i < n {
        store_f32(out.add(i), f32x4_splat(0.0));
        i += 4;
    }
}

/// Takes a page's scores into one head's softmax: they become weights against the new maximum. Returns the
/// factor that brings what was summed before to that maximum.
#[inline(always)]
unsafe fn continue_softmax(
    scores: *mut f32,
    from: usize,
    to: usize,
    maximum: *mut f32,
    sum: *mut f32,
) -> f32 {
    let (now, kept) = raise_maximum(scores, from, to, maximum);
    *sum = *sum * kept + page_exponentials(scores, from, to, now);
    kept
}

/// Takes a page's scores into one head's maximum. Returns the new one, and the factor that brings to it what was
/// summed before.
#[inline(always)]
pub unsafe fn raise_maximum(
    scores: *mut f32,
    from: usize,
    to: usize,
    maximum: *mut f32,
) -> (f32, f32) {
    let top = largest_score(scores, from, to);
    let before = *maximum;
    let now = if top > before { top } else { before };
    let kept = exp1(before - now);
    *maximum = now;
    (now, kept)
}

/// Each head's weighted sum over its denominator.
#[inline(always)]
pub unsafe fn divide_rows(
    seen: *const f32,
    sums: *const f32,
    group: usize,
    head_dim: usize,
    out: *mut f32,
) {
    let mut g = 0;
    while g < group {
        let inverse = f32x4_splat(1.0 / *sums.add(g));
        let (row, out) = (seen.add(g * head_dim), out.add(g * head_dim));
        let mut d = 0;
        while d < head_dim {
            store_f32(out.add(d), f32x4_mul(load_f32(row.add(d)), inverse));
            d += 4;
        }
        g += 1;
    }
}

/// The largest score of the positions `from..to`; the rest of the touched groups of 16 is set to -inf.
#[inline(always)]
unsafe fn largest_score(scores: *mut f32, from: usize, to: usize) -> f32 {
    let start = from & !(GROUP - 1);
    let last = (to + GROUP - 1) & !(GROUP - 1);
    let mut outside = start;
    while outside < from {
        *scores.add(outside) = f32::NEG_INFINITY;
        outside += 1;
    }
    outside = to;
    while outside < last {
        *scores.add(outside) = f32::NEG_INFINITY;
        outside += 1;
    }
    let mut top = f32x4_splat(f32::NEG_INFINITY);
    let mut j = start;
    while j < last {
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
    let mut j = from & !(GROUP - 1);
    while j < to {
        let e = exp_to_one(f32x4_sub(load_f32(scores.add(j)), shift));
        store_f32(scores.add(j), e);
        sum = f32x4_add(sum, e);
        j += 4;
    }
    sum_lanes(sum)
}

/// `out = out · kept + Σ_j p_j · values[j]` of two heads for the positions `from..to` (others may hold
/// anything, so they are not multiplied by zero but left out).
#[inline(always)]
unsafe fn two_heads_values(
    a_out: *mut f32,
    b_out: *mut f32,
    a_kept: f32,
    b_kept: f32,
    a_weights: *const f32,
    b_weights: *const f32,
    values: *const f32,
    head_dim: usize,
    from: usize,
    to: usize,
) {
    let (a_factor, b_factor) = (f32x4_splat(a_kept), f32x4_splat(b_kept));
    let mut d = 0;
    while d + GROUP <= head_dim {
        let (a, b) = (a_out.add(d), b_out.add(d));
        let mut a0 = f32x4_mul(load_f32(a), a_factor);
        let mut a1 = f32x4_mul(load_f32(a.add(4)), a_factor);
        let mut a2 = f32x4_mul(load_f32(a.add(8)), a_factor);
        let mut a3 = f32x4_mul(load_f32(a.add(12)), a_factor);
        let mut b0 = f32x4_mul(load_f32(b), b_factor);
        let mut b1 = f32x4_mul(load_f32(b.add(4)), b_factor);
        let mut b2 = f32x4_mul(load_f32(b.add(8)), b_factor);
        let mut b3 = f32x4_mul(load_f32(b.add(12)), b_factor);
        let mut row = values.add(d * PAGE + from * GROUP);
        let mut j = from;
        while j < to {
            let (aj, bj) = (splat_f32(a_weights.add(j)), splat_f32(b_weights.add(j)));
            let v0 = load_f32(row);
            a0 = f32x4_add(a0, f32x4_mul(aj, v0));
            b0 = f32x4_add(b0, f32x4_mul(bj, v0));
            let v1 = load_f32(row.add(4));
            a1 = f32x4_add(a1, f32x4_mul(aj, v1));
            b1 = f32x4_add(b1, f32x4_mul(bj, v1));
            let v2 = load_f32(row.add(8));
            a2 = f32x4_add(a2, f32x4_mul(aj, v2));
            b2 = f32x4_add(b2, f32x4_mul(bj, v2));
            let v3 = load_f32(row.add(12));
            a3 = f32x4_add(a3, f32x4_mul(aj, v3));
            b3 = f32x4_add(b3, f32x4_mul(bj, v3));
            row = row.add(GROUP);
            j += 1;
        }
        store_f32(a, a0);
        store_f32(a.add(4), a1);
        store_f32(a.add(8), a2);
        store_f32(a.add(12), a3);
        store_f32(b, b0);
        store_f32(b.add(4), b1);
        store_f32(b.add(8), b2);
        store_f32(b.add(12), b3);
        d += GROUP;
    }
    let rest = d;
    while d < head_dim {
        let mut a = f32x4_mul(load_f32(a_out.add(d)), a_factor);
        let mut b = f32x4_mul(load_f32(b_out.add(d)), b_factor);
        let mut j = from;
        while j < to {
            let value = load_f32(values.add(rest * PAGE + j * (head_dim - rest) + d - rest));
            a = f32x4_add(a, f32x4_mul(splat_f32(a_weights.add(j)), value));
            b = f32x4_add(b, f32x4_mul(splat_f32(b_weights.add(j)), value));
            j += 1;
        }
        store_f32(a_out.add(d), a);
        store_f32(b_out.add(d), b);
        d += 4;
    }
}

//! Attention with sinks over a paged cache of 16-bit integers: half the bytes of f32, and two products per
//! lane in one instruction. A key, a value and a query are integers of at most 4095 times one f32 scale
//! each; so are the softmax's weights of a page. A sum of 128 products of such integers stays in i32, so it
//! is exact, and rounding to 1/4095 of the largest element is all that distinguishes this from f32.
//!
//! A page holds 64 positions. For one layer and one key-value head it is: the keys as (4, head_dim / 2, 16
//! positions, 2), the values as (head_dim / 16, 32, 16 elements, 2 positions), both i16, then the scales of
//! the keys and those of the values, f32 (64) each. Heads and pages follow each other as in `attention.rs`.

use crate::attention::{
    begin_softmax, continue_softmax, divide_rows, fill_zero, seen_of_page, GROUP, PAGE,
};
use crate::simd::*;
use core::arch::wasm32::*;

/// The largest integer: 128 · 4095² < 2^31.
const LARGEST: f32 = 4095.0;

/// Writes one position's keys and values, (heads, head_dim) f32 each, into slot `slot` of a page.
///
/// # Safety
/// `page` holds `heads` pages of one head as above; `slot` < 64; `head_dim` is a multiple of 16.
#[no_mangle]
pub unsafe extern "C" fn kv_store_i16(
    k: *const f32,
    v: *const f32,
    page: *mut u8,
    slot: usize,
    heads: usize,
    head_dim: usize,
) {
    let head_bytes = head_dim * PAGE * 4 + PAGE * 8;
    let mut h = 0;
    while h < heads {
        let keys = page.add(h * head_bytes) as *mut i16;
        let values = keys.add(head_dim * PAGE);
        let scales = values.add(head_dim * PAGE) as *mut f32;
        let (k, v) = (k.add(h * head_dim), v.add(h * head_dim));
        let (k_top, v_top) = (largest(k, head_dim), largest(v, head_dim));
        *scales.add(slot) = k_top / LARGEST;
        *scales.add(PAGE + slot) = v_top / LARGEST;
        let (k_factor, v_factor) = (inverse(k_top), inverse(v_top));
        let keys = keys.add((slot / GROUP) * head_dim * GROUP + (slot % GROUP) * 2);
        let values = values.add((slot / 2) * GROUP * 2 + slot % 2);
        let mut d = 0;
        while d < head_dim {
            *keys.add((d / 2) * GROUP * 2 + d % 2) = round1(*k.add(d) * k_factor);
            *values.add((d / GROUP) * PAGE * GROUP + (d % GROUP) * 2) =
                round1(*v.add(d) * v_factor);
            d += 1;
        }
        h += 1;
    }
}

/// As `attention`, over pages that `kv_store_i16` wrote; `page_stride` in units of 4 bytes.
/// `scratch`: 101 + head_dim / 2 floats per head of the group.
///
/// # Safety
/// As `attention`; `head_dim` is a multiple of 16, at most 128.
#[no_mangle]
pub unsafe extern "C" fn attention_i16(
    q: *const f32,
    group: usize,
    head_dim: usize,
    pages: *const u8,
    table: *const u32,
    page_stride: usize,
    first: usize,
    end: usize,
    scale: f32,
    sinks: *const f32,
    out: *mut f32,
    scratch: *mut f32,
) {
    // Per head: scores f32 (64), weights i16 (64), query i16 (head_dim), and five numbers.
    let weights = scratch.add(group * PAGE) as *mut i16;
    let queries = weights.add(group * PAGE);
    let maxima = queries.add(group * head_dim) as *mut f32;
    let sums = maxima.add(group);
    let kept = sums.add(group);
    let units = kept.add(group);
    let query_scales = units.add(group);
    begin_softmax(sinks, group, maxima, sums);
    let mut g = 0;
    while g < group {
        let query = q.add(g * head_dim);
        let top = largest(query, head_dim);
        *query_scales.add(g) = scale * (top / LARGEST);
        round_i16(query, inverse(top), queries.add(g * head_dim), head_dim);
        g += 1;
    }
    fill_zero(out, group * head_dim);
    let mut page = first / PAGE;
    while page * PAGE < end {
        let number = *table.add(page) as usize;
        let keys = (pages as *const f32).add(number * page_stride) as *const i16;
        let values = keys.add(head_dim * PAGE);
        let key_scales = values.add(head_dim * PAGE) as *const f32;
        let (from, to) = seen_of_page(page, first, end);
        let mut g = 0;
        while g < group {
            // The last of an odd number of heads is its own partner.
            let partner = if g + 1 < group { g + 1 } else { g };
            two_heads_scores(
                queries.add(g * head_dim),
                queries.add(partner * head_dim),
                keys,
                key_scales,
                head_dim,
                from & !(GROUP - 1),
                to,
                *query_scales.add(g),
                *query_scales.add(partner),
                scratch.add(g * PAGE),
                scratch.add(partner * PAGE),
            );
            g += 2;
        }
        let mut g = 0;
        while g < group {
            let scores = scratch.add(g * PAGE);
            *kept.add(g) = continue_softmax(scores, from, to, maxima.add(g), sums.add(g));
            let value_scales = key_scales.add(PAGE);
            *units.add(g) = page_weights(scores, value_scales, from, to, weights.add(g * PAGE));
            g += 1;
        }
        let mut g = 0;
        while g < group {
            let partner = if g + 1 < group { g + 1 } else { g };
            two_heads_values(
                out.add(g * head_dim),
                out.add(partner * head_dim),
                [*kept.add(g), *kept.add(partner)],
                [*units.add(g), *units.add(partner)],
                weights.add(g * PAGE),
                weights.add(partner * PAGE),
                values,
                head_dim,
                from & !(GROUP - 1),
                (to + GROUP - 1) & !(GROUP - 1),
            );
            g += 2;
        }
        page += 1;
    }
    divide_rows(out, sums, group, head_dim);
}

/// Scaled scores of two heads for the groups of 16 positions from `start` up to that of `to - 1`.
#[inline(always)]
unsafe fn two_heads_scores(
    p: *const i16,
    q: *const i16,
    keys: *const i16,
    key_scales: *const f32,
    head_dim: usize,
    start: usize,
    to: usize,
    p_scale: f32,
    q_scale: f32,
    p_scores: *mut f32,
    q_scores: *mut f32,
) {
    let zero = i32x4_splat(0);
    let mut j = start;
    while j < to {
        let (mut p0, mut p1, mut p2, mut p3) = (zero, zero, zero, zero);
        let (mut q0, mut q1, mut q2, mut q3) = (zero, zero, zero, zero);
        let mut row = keys.add(j * head_dim);
        let mut d = 0;
        while d < head_dim {
            let (pd, qd) = (splat_pair(p.add(d)), splat_pair(q.add(d)));
            let k0 = load_i16(row);
            p0 = i32x4_add(p0, i32x4_dot_i16x8(k0, pd));
            q0 = i32x4_add(q0, i32x4_dot_i16x8(k0, qd));
            let k1 = load_i16(row.add(8));
            p1 = i32x4_add(p1, i32x4_dot_i16x8(k1, pd));
            q1 = i32x4_add(q1, i32x4_dot_i16x8(k1, qd));
            let k2 = load_i16(row.add(16));
            p2 = i32x4_add(p2, i32x4_dot_i16x8(k2, pd));
            q2 = i32x4_add(q2, i32x4_dot_i16x8(k2, qd));
            let k3 = load_i16(row.add(24));
            p3 = i32x4_add(p3, i32x4_dot_i16x8(k3, pd));
            q3 = i32x4_add(q3, i32x4_dot_i16x8(k3, qd));
            row = row.add(2 * GROUP);
            d += 2;
        }
        let (p_factor, q_factor) = (f32x4_splat(p_scale), f32x4_splat(q_scale));
        macro_rules! store {
            ($i:literal, $p:ident, $q:ident) => {
                let s = load_f32(key_scales.add(j + $i));
                let scaled = |sums: v128, factor: v128| {
                    f32x4_mul(f32x4_convert_i32x4(sums), f32x4_mul(s, factor))
                };
                store_f32(p_scores.add(j + $i), scaled($p, p_factor));
                store_f32(q_scores.add(j + $i), scaled($q, q_factor));
            };
        }
        store!(0, p0, q0);
        store!(4, p1, q1);
        store!(8, p2, q2);
        store!(12, p3, q3);
        j += GROUP;
    }
}

/// The softmax's weights of a page times the scales of its values, as integers (0 outside `from..to`, in
/// the touched groups of 16); returns what one unit of them is worth.
#[inline(always)]
unsafe fn page_weights(
    weights: *mut f32,
    value_scales: *const f32,
    from: usize,
    to: usize,
    rounded: *mut i16,
) -> f32 {
    let start = from & !(GROUP - 1);
    let last = (to + GROUP - 1) & !(GROUP - 1);
    let zero = f32x4_splat(0.0);
    let mut top = zero;
    let mut j = start;
    while j < last {
        let weight = load_f32(weights.add(j));
        // What lies outside may have any scale, also none that is a number.
        let scaled = v128_and(
            f32x4_mul(weight, load_f32(value_scales.add(j))),
            f32x4_gt(weight, zero),
        );
        store_f32(weights.add(j), scaled);
        top = f32x4_pmax(top, scaled);
        j += 4;
    }
    let top = max_lanes(top);
    round_i16(
        weights.add(start),
        inverse(top),
        rounded.add(start),
        last - start,
    );
    top / LARGEST
}

/// `out = out · kept + unit · Σ_j weight_j · values[j]` of two heads for the positions `from..to`, whole
/// groups of 16.
#[inline(always)]
unsafe fn two_heads_values(
    a_out: *mut f32,
    b_out: *mut f32,
    kept: [f32; 2],
    unit: [f32; 2],
    a_weights: *const i16,
    b_weights: *const i16,
    values: *const i16,
    head_dim: usize,
    from: usize,
    to: usize,
) {
    let zero = i32x4_splat(0);
    let mut d = 0;
    while d < head_dim {
        let (mut a0, mut a1, mut a2, mut a3) = (zero, zero, zero, zero);
        let (mut b0, mut b1, mut b2, mut b3) = (zero, zero, zero, zero);
        let mut row = values.add(d * PAGE + from * GROUP);
        let mut j = from;
        while j < to {
            let (aj, bj) = (splat_pair(a_weights.add(j)), splat_pair(b_weights.add(j)));
            let v0 = load_i16(row);
            a0 = i32x4_add(a0, i32x4_dot_i16x8(v0, aj));
            b0 = i32x4_add(b0, i32x4_dot_i16x8(v0, bj));
            let v1 = load_i16(row.add(8));
            a1 = i32x4_add(a1, i32x4_dot_i16x8(v1, aj));
            b1 = i32x4_add(b1, i32x4_dot_i16x8(v1, bj));
            let v2 = load_i16(row.add(16));
            a2 = i32x4_add(a2, i32x4_dot_i16x8(v2, aj));
            b2 = i32x4_add(b2, i32x4_dot_i16x8(v2, bj));
            let v3 = load_i16(row.add(24));
            a3 = i32x4_add(a3, i32x4_dot_i16x8(v3, aj));
            b3 = i32x4_add(b3, i32x4_dot_i16x8(v3, bj));
            row = row.add(2 * GROUP);
            j += 2;
        }
        let (a_kept, b_kept) = (f32x4_splat(kept[0]), f32x4_splat(kept[1]));
        let (a_unit, b_unit) = (f32x4_splat(unit[0]), f32x4_splat(unit[1]));
        // Both loads before the stores: the two may be the same head.
        macro_rules! store {
            ($i:literal, $a:ident, $b:ident) => {
                let (a, b) = (a_out.add(d + $i), b_out.add(d + $i));
                let (a_old, b_old) = (load_f32(a), load_f32(b));
                let a_new = f32x4_mul(f32x4_convert_i32x4($a), a_unit);
                let b_new = f32x4_mul(f32x4_convert_i32x4($b), b_unit);
                store_f32(a, f32x4_add(f32x4_mul(a_old, a_kept), a_new));
                store_f32(b, f32x4_add(f32x4_mul(b_old, b_kept), b_new));
            };
        }
        store!(0, a0, b0);
        store!(4, a1, b1);
        store!(8, a2, b2);
        store!(12, a3, b3);
        d += GROUP;
    }
}

#[inline(always)]
unsafe fn load_i16(address: *const i16) -> v128 {
    load(address as *const u8)
}

/// Two neighbouring integers, four times.
#[inline(always)]
unsafe fn splat_pair(x: *const i16) -> v128 {
    v128_load32_splat(x as *const u32)
}

/// max|x| of `n` values, a multiple of 4.
#[inline(always)]
unsafe fn largest(x: *const f32, n: usize) -> f32 {
    let mut top = f32x4_splat(0.0);
    let mut i = 0;
    while i < n {
        top = f32x4_pmax(top, f32x4_abs(load_f32(x.add(i))));
        i += 4;
    }
    max_lanes(top)
}

/// What brings values up to `top` into the range of the integers; 0 for those too small to have a finite
/// inverse.
#[inline(always)]
fn inverse(top: f32) -> f32 {
    if top > 1e-34 {
        LARGEST / top
    } else {
        0.0
    }
}

/// `n` values times `factor`, to nearest; `n` a multiple of 8.
#[inline(always)]
unsafe fn round_i16(x: *const f32, factor: f32, rounded: *mut i16, n: usize) {
    let factor = f32x4_splat(factor);
    let mut i = 0;
    while i < n {
        let low = round4(f32x4_mul(load_f32(x.add(i)), factor));
        let high = round4(f32x4_mul(load_f32(x.add(i + 4)), factor));
        v128_store(rounded.add(i) as *mut v128, i16x8_narrow_i32x4(low, high));
        i += 8;
    }
}

#[inline(always)]
fn round4(x: v128) -> v128 {
    i32x4_trunc_sat_f32x4(f32x4_nearest(x))
}

#[inline(always)]
fn round1(x: f32) -> i16 {
    i32x4_extract_lane::<0>(round4(f32x4_splat(x))) as i16
}

//! Attention with sinks over a paged cache of 16-bit integers: half the bytes of f32, and two products per
//! lane in one instruction. A key, a value and a query are integers of at most 4095 times one f32 scale
//! each; so are the softmax's weights of a page. A sum of 128 products of such integers stays in i32, so it
//! is exact, and rounding to 1/4095 of the largest element is all that distinguishes this from f32.
//!
//! A page holds 64 positions. For one layer and one key-value head it is: the keys as (4, head_dim / 2, 16
//! positions, 2), the values as (head_dim / 16, 32, 16 elements, 2 positions), both i16, then the scales of
//! the keys and those of the values, f32 (64) each. Heads and pages follow each other as in `attention.rs`.

use crate::attention::{
    divide_rows, fill_zero, first_seen, raise_maximum, seen_of_page, GROUP, PAGE,
};
use crate::simd::*;
use core::arch::wasm32::*;

/// Adds to eight sums, two vectors of four heads each, the products of two vectors with two integers of each head.
macro_rules! add_products {
    ($low:ident, $high:ident, $x:ident, $a0:ident, $a1:ident, $b0:ident, $b1:ident, $c0:ident, $c1:ident, $d0:ident, $d1:ident) => {
        let x = splat_pair($x);
        $a0 = i32x4_add($a0, i32x4_dot_i16x8($low, x));
        $a1 = i32x4_add($a1, i32x4_dot_i16x8($high, x));
        let x = splat_pair($x.add(2));
        $b0 = i32x4_add($b0, i32x4_dot_i16x8($low, x));
        $b1 = i32x4_add($b1, i32x4_dot_i16x8($high, x));
        let x = splat_pair($x.add(4));
        $c0 = i32x4_add($c0, i32x4_dot_i16x8($low, x));
        $c1 = i32x4_add($c1, i32x4_dot_i16x8($high, x));
        let x = splat_pair($x.add(6));
        $d0 = i32x4_add($d0, i32x4_dot_i16x8($low, x));
        $d1 = i32x4_add($d1, i32x4_dot_i16x8($high, x));
    };
}

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

/// What a column needs of one page to the next, for heads by four; those that the group lacks are the last one
/// again.
#[derive(Clone, Copy)]
struct Column {
    /// i16, see `round_four`.
    queries: *mut i16,
    query_scales: *mut f32,
    maxima: *mut f32,
    sums: *mut f32,
    /// What is seen of the pages so far, and room for the next such sum: in turn, `floats` apart.
    seen: *mut f32,
    floats: usize,
}

impl Column {
    #[inline(always)]
    unsafe fn at(states: *mut f32, number: usize, padded: usize, head_dim: usize) -> Column {
        let floats = padded * head_dim;
        let queries = states.add(number * (2 * floats + floats / 2 + 3 * padded));
        let query_scales = queries.add(floats / 2);
        let maxima = query_scales.add(padded);
        let sums = maxima.add(padded);
        Column {
            queries: queries as *mut i16,
            query_scales,
            maxima,
            sums,
            seen: sums.add(padded),
            floats,
        }
    }

    /// Where the sum is behind so many pages.
    #[inline(always)]
    unsafe fn seen_after(self, pages: usize) -> *mut f32 {
        self.seen.add(pages % 2 * self.floats)
    }
}

/// As `attention`, over pages that `kv_store_i16` wrote; `page_stride` in units of 4 bytes. Each page is used by
/// all columns before the next one is.
/// `scratch`, for the group's size rounded up to a multiple of four: 99 floats per head, 3 + 2.5 · head_dim per
/// column and head, and 72.
///
/// # Safety
/// As `attention`; `head_dim` is a multiple of 16, at most 128.
#[no_mangle]
pub unsafe extern "C" fn attention_i16(
    q: *const f32,
    columns: usize,
    group: usize,
    head_dim: usize,
    pages: *const u8,
    table: *const u32,
    page_stride: usize,
    window: usize,
    end: usize,
    scale: f32,
    sinks: *const f32,
    out: *mut f32,
    scratch: *mut f32,
) {
    let padded = (group + 3) & !3;
    let scores = scratch;
    let weights = scores.add(padded * PAGE) as *mut i16;
    let tops = weights.add(padded * PAGE) as *mut f32;
    let kept = tops.add(padded);
    let units = kept.add(padded);
    let room = units.add(padded);
    let states = room.add(PAGE + 8);
    let mut c = 0;
    while c < columns {
        let column = Column::at(states, c, padded, head_dim);
        begin_column(q.add(c * group * head_dim), group, padded, head_dim, scale, sinks, column, tops);
        c += 1;
    }
    let mut page = first_seen(end, window) / PAGE;
    while page * PAGE < end + columns - 1 {
        let number = *table.add(page) as usize;
        let keys = (pages as *const f32).add(number * page_stride) as *const i16;
        let values = keys.add(head_dim * PAGE);
        let key_scales = values.add(head_dim * PAGE) as *const f32;
        c = 0;
        while c < columns {
            let (first, end) = (first_seen(end + c, window), end + c);
            // The first columns do not reach the last page, and the window of the last ones has left the first.
            if page * PAGE < end && first < (page + 1) * PAGE {
                let column = Column::at(states, c, padded, head_dim);
                let (from, to) = seen_of_page(page, first, end);
                // Whole groups of 16.
                let (start, last) = (from & !(GROUP - 1), (to + GROUP - 1) & !(GROUP - 1));
                let mut g = 0;
                while g < padded {
                    four_heads_scores(
                        column.queries.add(g * head_dim),
                        column.query_scales.add(g),
                        keys,
                        key_scales,
                        head_dim,
                        start,
                        last,
                        scores.add(g * PAGE),
                    );
                    g += 4;
                }
                g = 0;
                while g < padded {
                    let scores = scores.add(g * PAGE);
                    let (now, factor) = raise_maximum(scores, from, to, column.maxima.add(g));
                    *kept.add(g) = factor;
                    let sum = exponentials(scores, start, last, now, room);
                    *column.sums.add(g) = *column.sums.add(g) * factor + sum;
                    let top = times_scales(room, start, last, key_scales.add(PAGE), scores);
                    *tops.add(g) = top;
                    *units.add(g) = top / LARGEST;
                    g += 1;
                }
                let turn = page - first / PAGE;
                g = 0;
                while g < padded {
                    let row = scores.add(g * PAGE + start);
                    let weights = weights.add(g * PAGE);
                    round_four(row, PAGE, tops.add(g), last - start, weights);
                    four_heads_values(
                        column.seen_after(turn).add(g * head_dim),
                        column.seen_after(turn + 1).add(g * head_dim),
                        kept.add(g),
                        units.add(g),
                        weights,
                        values.add(start * GROUP),
                        head_dim,
                        last - start,
                    );
                    g += 4;
                }
            }
            c += 1;
        }
        page += 1;
    }
    c = 0;
    while c < columns {
        let column = Column::at(states, c, padded, head_dim);
        let turns = (end + c - 1) / PAGE - first_seen(end + c, window) / PAGE + 1;
        let out = out.add(c * group * head_dim);
        divide_rows(column.seen_after(turns), column.sums, group, head_dim, out);
        c += 1;
    }
}

/// Before any page: queries as integers, the softmax with the sink alone, and nothing seen.
#[inline(always)]
unsafe fn begin_column(
    q: *const f32,
    group: usize,
    padded: usize,
    head_dim: usize,
    scale: f32,
    sinks: *const f32,
    column: Column,
    tops: *mut f32,
) {
    // The last rows may be the last head again: they lie where the first sums will.
    let rows = column.seen;
    let mut g = 0;
    while g < padded {
        let head = if g < group { g } else { group - 1 };
        let (query, row) = (q.add(head * head_dim), rows.add(g * head_dim));
        let top = largest(query, head_dim);
        *tops.add(g) = top;
        *column.query_scales.add(g) = scale * (top / LARGEST);
        *column.maxima.add(g) = *sinks.add(head);
        *column.sums.add(g) = 1.0;
        let mut d = 0;
        while d < head_dim {
            store_f32(row.add(d), load_f32(query.add(d)));
            d += 4;
        }
        g += 1;
    }
    g = 0;
    while g < padded {
        let queries = column.queries.add(g * head_dim);
        round_four(rows.add(g * head_dim), head_dim, tops.add(g), head_dim, queries);
        g += 4;
    }
    fill_zero(rows, padded * head_dim);
}

/// Scaled scores of four heads for the positions `start..last`, whole groups of 16. Two neighbouring vectors of
/// keys are treated alike, so that V8 can make one of them.
#[inline(always)]
unsafe fn four_heads_scores(
    queries: *const i16,
    query_scales: *const f32,
    keys: *const i16,
    key_scales: *const f32,
    head_dim: usize,
    start: usize,
    last: usize,
    scores: *mut f32,
) {
    let zero = i32x4_splat(0);
    let mut j = start;
    while j < last {
        let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
        let (mut c0, mut c1, mut d0, mut d1) = (zero, zero, zero, zero);
        let mut row = keys.add((j & !(GROUP - 1)) * head_dim + (j & (GROUP - 1)) * 2);
        let mut query = queries;
        let mut d = 0;
        while d < head_dim {
            let (low, high) = (load_i16(row), load_i16(row.add(8)));
            add_products!(low, high, query, a0, a1, b0, b1, c0, c1, d0, d1);
            row = row.add(2 * GROUP);
            query = query.add(8);
            d += 2;
        }
        let key_scales = key_scales.add(j);
        let (low, high) = (load_f32(key_scales), load_f32(key_scales.add(4)));
        macro_rules! store {
            ($head:literal, $x0:ident, $x1:ident) => {
                let scale = splat_f32(query_scales.add($head));
                let out = scores.add(j).add($head * PAGE);
                let $x0 = f32x4_mul(f32x4_convert_i32x4($x0), f32x4_mul(low, scale));
                let $x1 = f32x4_mul(f32x4_convert_i32x4($x1), f32x4_mul(high, scale));
                store_f32(out, $x0);
                store_f32(out.add(4), $x1);
            };
        }
        store!(0, a0, a1);
        store!(1, b0, b1);
        store!(2, c0, c1);
        store!(3, d0, d1);
        j += 8;
    }
}

// Each of these passes writes where it does not read: else the compiler moves the load of a vector behind the store
// of its neighbour, and V8 can no longer make one of both.

/// `e^(score - top)` of the positions `start..last`, whole groups; returns their sum.
#[inline(always)]
unsafe fn exponentials(
    scores: *const f32,
    start: usize,
    last: usize,
    top: f32,
    out: *mut f32,
) -> f32 {
    let shift = f32x4_splat(top);
    let (mut sum0, mut sum1) = (f32x4_splat(0.0), f32x4_splat(0.0));
    let mut j = start;
    while j < last {
        let (x, out) = (scores.add(j), out.add(j));
        let (x0, x1) = (load_f32(x), load_f32(x.add(4)));
        let e0 = exp_to_one(f32x4_sub(x0, shift));
        let e1 = exp_to_one(f32x4_sub(x1, shift));
        sum0 = f32x4_add(sum0, e0);
        sum1 = f32x4_add(sum1, e1);
        store_f32(out, e0);
        store_f32(out.add(4), e1);
        j += 8;
    }
    sum_lanes(side_by_side(out.add(PAGE), sum0, sum1, f32x4_add))
}

/// Weights times scales; 0 where the weight is 0, whose scale may be any, also none that is a number. Returns the
/// largest.
#[inline(always)]
unsafe fn times_scales(
    weights: *mut f32,
    start: usize,
    last: usize,
    scales: *const f32,
    out: *mut f32,
) -> f32 {
    let zero = f32x4_splat(0.0);
    let (mut top0, mut top1) = (zero, zero);
    let mut j = start;
    while j < last {
        let (x, s, out) = (weights.add(j), scales.add(j), out.add(j));
        let (x0, x1) = (load_f32(x), load_f32(x.add(4)));
        let (s0, s1) = (load_f32(s), load_f32(s.add(4)));
        let w0 = v128_and(f32x4_mul(x0, s0), f32x4_gt(x0, zero));
        let w1 = v128_and(f32x4_mul(x1, s1), f32x4_gt(x1, zero));
        top0 = f32x4_pmax(top0, w0);
        top1 = f32x4_pmax(top1, w1);
        store_f32(out, w0);
        store_f32(out.add(4), w1);
        j += 8;
    }
    max_lanes(side_by_side(weights.add(PAGE), top0, top1, f32x4_pmax))
}

/// One vector of two that a loop has made: stored as neighbours, V8 can make one of both in the loop too.
#[inline(always)]
unsafe fn side_by_side(room: *mut f32, a: v128, b: v128, joined: fn(v128, v128) -> v128) -> v128 {
    store_f32(room, a);
    store_f32(room.add(4), b);
    joined(load_f32(room), load_f32(room.add(4)))
}

/// `next = seen · kept + unit · Σ_j weight_j · values[j]` of four heads for `count` positions, whole groups of 16,
/// that begin at `weights` and `values`.
#[inline(always)]
unsafe fn four_heads_values(
    seen: *const f32,
    next: *mut f32,
    kept: *const f32,
    units: *const f32,
    weights: *const i16,
    values: *const i16,
    head_dim: usize,
    count: usize,
) {
    let zero = i32x4_splat(0);
    let mut d = 0;
    while d < head_dim {
        let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
        let (mut c0, mut c1, mut d0, mut d1) = (zero, zero, zero, zero);
        let mut row = values.add((d & !(GROUP - 1)) * PAGE + (d & (GROUP - 1)) * 2);
        let mut weight = weights;
        let mut j = 0;
        while j < count {
            let (low, high) = (load_i16(row), load_i16(row.add(8)));
            add_products!(low, high, weight, a0, a1, b0, b1, c0, c1, d0, d1);
            row = row.add(2 * GROUP);
            weight = weight.add(8);
            j += 2;
        }
        macro_rules! store {
            ($head:literal, $x0:ident, $x1:ident) => {
                let (old, new) = (seen.add(d + $head * head_dim), next.add(d + $head * head_dim));
                let (old0, old1) = (load_f32(old), load_f32(old.add(4)));
                let (factor, unit) = (splat_f32(kept.add($head)), splat_f32(units.add($head)));
                let $x0 = f32x4_mul(f32x4_convert_i32x4($x0), unit);
                let $x1 = f32x4_mul(f32x4_convert_i32x4($x1), unit);
                let $x0 = f32x4_add(f32x4_mul(old0, factor), $x0);
                let $x1 = f32x4_add(f32x4_mul(old1, factor), $x1);
                store_f32(new, $x0);
                store_f32(new.add(4), $x1);
            };
        }
        store!(0, a0, a1);
        store!(1, b0, b1);
        store!(2, c0, c1);
        store!(3, d0, d1);
        d += 8;
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

/// `n` values (a multiple of 8) of four rows, `stride` apart, as integers, the largest of each row, `tops`, as 4095:
/// two neighbours of each row in turn.
#[inline(always)]
unsafe fn round_four(
    rows: *const f32,
    stride: usize,
    tops: *const f32,
    n: usize,
    out: *mut i16,
) {
    let factor = |row: usize| f32x4_splat(inverse(*tops.add(row)));
    let factors = [factor(0), factor(1), factor(2), factor(3)];
    let mut i = 0;
    while i < n {
        let eight = |row: usize| {
            let (x, factor) = (rows.add(row * stride + i), factors[row]);
            let low = round4(f32x4_mul(load_f32(x), factor));
            i16x8_narrow_i32x4(low, round4(f32x4_mul(load_f32(x.add(4)), factor)))
        };
        let (a, b, c, d) = (eight(0), eight(1), eight(2), eight(3));
        let (ab0, ab1) = (
            i32x4_shuffle::<0, 4, 1, 5>(a, b),
            i32x4_shuffle::<2, 6, 3, 7>(a, b),
        );
        let (cd0, cd1) = (
            i32x4_shuffle::<0, 4, 1, 5>(c, d),
            i32x4_shuffle::<2, 6, 3, 7>(c, d),
        );
        let out = out.add(i * 4) as *mut v128;
        v128_store(out, i64x2_shuffle::<0, 2>(ab0, cd0));
        v128_store(out.add(1), i64x2_shuffle::<1, 3>(ab0, cd0));
        v128_store(out.add(2), i64x2_shuffle::<0, 2>(ab1, cd1));
        v128_store(out.add(3), i64x2_shuffle::<1, 3>(ab1, cd1));
        i += 8;
    }
}

/// To nearest, of values up to 2^22: in a sum with 1.5 · 2^23 the lowest bits are the integer.
#[inline(always)]
fn round4(x: v128) -> v128 {
    i32x4_sub(f32x4_add(x, f32x4_splat(ROUNDING)), f32x4_splat(ROUNDING))
}

#[inline(always)]
fn round1(x: f32) -> i16 {
    i32x4_extract_lane::<0>(round4(f32x4_splat(x))) as i16
}

//! Upper bounds of a Q8 matrix's products from a copy of 4 bits per weight, which takes half the reading.
//! To find the largest products, only those whose bound reaches far enough are computed exactly.
//!
//! A stored weight u (0..=254) becomes h = floor((u + d) / 17), 0..=15, with a dither d of 0..=16 for each
//! column, drawn at random and the same for all rows. Then `u = 17·h - d + 8 + e`, and for any u, e is
//! evenly distributed over -8..=8 and independent of that of any other column. A sum Σ e·x of such
//! errors has deviation `√24 · |x|` and is subgaussian with it: log(sinh(17t/2) / (17·sinh(t/2))), the
//! logarithm of the moment generating function of e, is concave in t² with slope 24/2 at 0. So the sum
//! exceeds `s · |x|` with a probability of at most exp(-s²/48), and the caller chooses s (`spread`).
//!
//! Record: 8 rows × 32 columns in 144 bytes, `[8 f16 scales][4 steps][8 rows][4 bytes]`; columns lie in the
//! nibbles as in an MXFP4 record.

use crate::q8;
use crate::simd::*;
use core::arch::wasm32::*;

/// What the copy rounds to, in units of the Q8 weights.
const STEP: i32 = 17;
/// What is subtracted from a stored weight (127), and half of what rounding down takes.
const CENTRE: i32 = 127 - STEP / 2;
const SCALES: usize = ROWS * 2;
/// Bytes of 8 rows × 32 columns.
const RECORD: usize = SCALES + ROWS * BLOCK / 2;
/// Floats per block of what `screen_terms` writes.
const TERMS: usize = 3;

/// Q8 records to the copy's.
///
/// # Safety
/// `w` holds `groups * row_blocks * 272` bytes, `dither` `row_blocks * 32` bytes of 0..=16; `out` holds
/// `groups * row_blocks * 144` bytes and does not overlap them.
#[no_mangle]
pub unsafe extern "C" fn screen_pack(
    w: *const u8,
    dither: *const u8,
    out: *mut u8,
    groups: usize,
    row_blocks: usize,
) {
    let (mut from, mut to) = (w, out);
    let mut group = 0;
    while group < groups {
        let mut b = 0;
        while b < row_blocks {
            pack_record(from, dither.add(b * BLOCK), to);
            from = from.add(q8::RECORD);
            to = to.add(RECORD);
            b += 1;
        }
        group += 1;
    }
}

#[inline(always)]
unsafe fn pack_record(from: *const u8, dither: *const u8, to: *mut u8) {
    v128_store(to as *mut v128, load(from));
    let mut step = 0;
    while step < 4 {
        let (front, back) = (
            v128_load32_splat(dither.add(step * 4) as *const u32),
            v128_load32_splat(dither.add(16 + step * 4) as *const u32),
        );
        // Rows 0..4, then 4..8; the columns 16 further are 4 steps further in a Q8 record.
        let mut half = 0;
        while half < 32 {
            let at = from.add(SCALES + step * 32 + half);
            let low = quotients(load(at), front);
            let high = quotients(load(at.add(4 * 32)), back);
            let packed = v128_or(low, i8x16_shl(high, 4));
            v128_store(to.add(SCALES + step * 32 + half) as *mut v128, packed);
            half += 16;
        }
        step += 1;
    }
}

/// floor((u + d) / 17): up to 270, that is (u + d) · 241 / 4096, which stays in 16 bits.
#[inline(always)]
fn quotients(u: v128, d: v128) -> v128 {
    let quotient = |sums: v128| u16x8_shr(i16x8_mul(sums, i16x8_splat(241)), 12);
    u8x16_narrow_i16x8(
        quotient(i16x8_add(u16x8_extend_low_u8x16(u), u16x8_extend_low_u8x16(d))),
        quotient(i16x8_add(u16x8_extend_high_u8x16(u), u16x8_extend_high_u8x16(d))),
    )
}

/// What `screen_bounds` wants of one column of activations, per block: 17 times its scale; its scale
/// times Σ (8 - 127 - d)·x; its scale times the norm of its integers.
///
/// # Safety
/// `x` and `dither` hold `row_blocks * 32` elements, `x_scale` `row_blocks`, `terms` `row_blocks * 3`.
#[no_mangle]
pub unsafe extern "C" fn screen_terms(
    x: *const i8,
    x_scale: *const f32,
    dither: *const u8,
    row_blocks: usize,
    terms: *mut f32,
) {
    let mut b = 0;
    while b < row_blocks {
        let (mut offset, mut squares) = (0, 0);
        let mut k = b * BLOCK;
        while k < (b + 1) * BLOCK {
            let value = *x.add(k) as i32;
            offset -= (CENTRE + *dither.add(k) as i32) * value;
            squares += value * value;
            k += 1;
        }
        let scale = *x_scale.add(b);
        let out = terms.add(b * TERMS);
        *out = STEP as f32 * scale;
        *out.add(1) = offset as f32 * scale;
        let norm = f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(squares as f32)));
        *out.add(2) = norm * scale;
        b += 1;
    }
}

/// Upper bounds of `rows` products with one column: the copy's product plus `spread` times the norm of the
/// activations, each times the scale of the weight it meets. What is not a number becomes infinity.
///
/// # Safety
/// `w` holds `ceil(rows / 8) * row_blocks * 144` bytes, `x` `row_blocks * 32` int8, `terms` what
/// `screen_terms` made of it; `y` holds `rows` elements.
#[no_mangle]
pub unsafe extern "C" fn screen_bounds(
    w: *const u8,
    rows: usize,
    row_blocks: usize,
    x: *const i8,
    terms: *const f32,
    spread: f32,
    y: *mut f32,
) {
    if dot4_is_emulated() {
        bounds::<true>(w, rows, row_blocks, x, terms, spread, y)
    } else {
        bounds::<false>(w, rows, row_blocks, x, terms, spread, y)
    }
}

#[inline(always)]
unsafe fn bounds<const PAIRS: bool>(
    w: *const u8,
    rows: usize,
    row_blocks: usize,
    x: *const i8,
    terms: *const f32,
    spread: f32,
    y: *mut f32,
) {
    let zero = opaque_zero(row_blocks);
    let nibble = v128_or(u8x16_splat(15), zero);
    let ones = v128_or(i16x8_splat(1), zero);
    let mut record = w;
    let mut r = 0;
    while r < rows {
        touch(record, row_blocks * RECORD);
        let none = f32x4_splat(0.0);
        let (mut sum0, mut sum1, mut squares0, mut squares1) = (none, none, none, none);
        let (mut x, mut term) = (x, terms);
        let mut b = 0;
        while b < row_blocks {
            let mut i0 = i32x4_splat(0);
            let mut i1 = i0;
            let mut step = 0;
            while step < 4 {
                let (front, back) = (splat_bytes(x), splat_bytes(x.add(16)));
                let w0 = load(record.add(SCALES + step * 32));
                let w1 = load(record.add(SCALES + step * 32 + 16));
                let (low0, low1) = (v128_and(w0, nibble), v128_and(w1, nibble));
                let high0 = v128_and(u16x8_shr(w0, 4), nibble);
                let high1 = v128_and(u16x8_shr(w1, 4), nibble);
                if PAIRS {
                    // Sixteen products of at most 127 · 15 stay in i16.
                    i0 = dot4_pairs(back, high0, dot4_pairs(front, low0, i0));
                    i1 = dot4_pairs(back, high1, dot4_pairs(front, low1, i1));
                } else {
                    i0 = dot4(back, high0, dot4(front, low0, i0));
                    i1 = dot4(back, high1, dot4(front, low1, i1));
                }
                x = x.add(4);
                step += 1;
            }
            if PAIRS {
                i0 = i32x4_dot_i16x8(i0, ones);
                i1 = i32x4_dot_i16x8(i1, ones);
            }
            let (factor, offset) = (splat_f32(term), splat_f32(term.add(1)));
            let norm = splat_f32(term.add(2));
            let (s0, s1) = q8::scales(record);
            let value = |i: v128| f32x4_add(f32x4_mul(f32x4_convert_i32x4(i), factor), offset);
            sum0 = f32x4_add(sum0, f32x4_mul(value(i0), s0));
            sum1 = f32x4_add(sum1, f32x4_mul(value(i1), s1));
            let (n0, n1) = (f32x4_mul(norm, s0), f32x4_mul(norm, s1));
            squares0 = f32x4_add(squares0, f32x4_mul(n0, n0));
            squares1 = f32x4_add(squares1, f32x4_mul(n1, n1));
            record = record.add(RECORD);
            x = x.add(16);
            term = term.add(TERMS);
            b += 1;
        }
        let bound = |sum: v128, squares: v128| {
            let y = f32x4_add(sum, f32x4_mul(f32x4_splat(spread), f32x4_sqrt(squares)));
            v128_bitselect(y, f32x4_splat(f32::INFINITY), f32x4_eq(y, y))
        };
        let (low, high) = (bound(sum0, squares0), bound(sum1, squares1));
        store_rows(y.add(r), core::ptr::null(), low, high, rows - r);
        r += ROWS;
    }
}

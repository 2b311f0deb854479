//! The SIMD steps that several kernels share, and the only file in which the two builds differ:
//! with relaxed SIMD the byte dot product and the table look-up are one instruction each.

use core::arch::wasm32::*;

/// Rows in one record of a quantised matrix: two vectors of four 32-bit lanes.
pub const ROWS: usize = 8;
/// Columns that share one scale, in weights and in activations.
pub const BLOCK: usize = 32;

#[inline(always)]
pub unsafe fn load(address: *const u8) -> v128 {
    v128_load(address as *const v128)
}

#[inline(always)]
pub unsafe fn load_f32(address: *const f32) -> v128 {
    v128_load(address as *const v128)
}

#[inline(always)]
pub unsafe fn store_f32(address: *mut f32, value: v128) {
    v128_store(address as *mut v128, value)
}

#[inline(always)]
pub unsafe fn splat_f32(address: *const f32) -> v128 {
    v128_load32_splat(address as *const u32)
}

/// With at most so many columns, weights are waited for; with more, arithmetic is.
pub const TOUCHED_COLUMNS: usize = 2;

/// Loads one byte of each cache line: the lines come from memory side by side, as many as the processor can wait for at
/// once. Between other work there are fewer at a time.
#[inline(always)]
pub unsafe fn touch(from: *const u8, bytes: usize) {
    let mut at = 0;
    while at < bytes {
        core::ptr::read_volatile(from.add(at));
        at += 64;
    }
}

/// Four signed bytes of `x` (as one 32-bit value) in every lane.
#[inline(always)]
pub unsafe fn splat_bytes(x: *const i8) -> v128 {
    v128_load32_splat(x as *const u32)
}

/// `sum + Σ a·b` over the four bytes of each lane; `a` signed, `b` in 0..=127, where the relaxed
/// instruction has one result on every machine.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
pub fn dot4(a: v128, b: v128, sum: v128) -> v128 {
    i32x4_relaxed_dot_i8x16_i7x16_add(a, b, sum)
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn dot4(a: v128, b: v128, sum: v128) -> v128 {
    let low = i32x4_extadd_pairwise_i16x8(i16x8_extmul_low_i8x16(a, b));
    let high = i32x4_extadd_pairwise_i16x8(i16x8_extmul_high_i8x16(a, b));
    let even = i32x4_shuffle::<0, 2, 4, 6>(low, high);
    let odd = i32x4_shuffle::<1, 3, 5, 7>(low, high);
    i32x4_add(sum, i32x4_add(even, odd))
}

/// Whether `dot4` is emulated with byte products added in saturating pairs (x86 without VNNI), where
/// `dot4_pairs` needs less than half the work. Outside its range the instruction tells how it is made:
/// 127 · 255 twice saturates to 32767. With other operands both ways have the same exact result.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
pub fn dot4_is_emulated() -> bool {
    let sums =
        i32x4_relaxed_dot_i8x16_i7x16_add(i8x16_splat(127), u8x16_splat(255), i32x4_splat(0));
    i32x4_extract_lane::<0>(sums) == 2 * 32767
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn dot4_is_emulated() -> bool {
    false
}

/// Whether `dot4` takes `b` in 0..=255 as well and makes the exact sum of it (x86 with VNNI). Outside its range the
/// instruction tells how it is made: four times 127 · 255.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
pub fn dot4_takes_bytes() -> bool {
    let sums =
        i32x4_relaxed_dot_i8x16_i7x16_add(i8x16_splat(127), u8x16_splat(255), i32x4_splat(0));
    i32x4_extract_lane::<0>(sums) == 4 * 127 * 255
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn dot4_takes_bytes() -> bool {
    false
}

/// `sums + a·b` of neighbouring bytes as i16; `a` signed, `b` in 0..=127. The caller sees to it that no
/// sum leaves i16.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
pub fn dot4_pairs(a: v128, b: v128, sums: v128) -> v128 {
    i16x8_add(sums, i16x8_relaxed_dot_i8x16_i7x16(a, b))
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn dot4_pairs(a: v128, b: v128, sums: v128) -> v128 {
    let low = i32x4_extadd_pairwise_i16x8(i16x8_extmul_low_i8x16(a, b));
    let high = i32x4_extadd_pairwise_i16x8(i16x8_extmul_high_i8x16(a, b));
    i16x8_add(sums, i16x8_narrow_i32x4(low, high))
}

/// `sum` plus both i16 of each 32-bit lane: what `dot4` would have made of the same operands.
#[inline(always)]
pub fn add_pairs(pairs: v128, ones: v128, sum: v128) -> v128 {
    i32x4_add(sum, i32x4_dot_i16x8(pairs, ones))
}

/// `sum + integers · (scales · x_scale)`: how a block of an int8 product enters the sum of its rows.
#[inline(always)]
pub fn accumulate(sum: v128, integers: v128, scales: v128, x_scale: v128) -> v128 {
    let values = f32x4_convert_i32x4(integers);
    f32x4_add(sum, f32x4_mul(values, f32x4_mul(scales, x_scale)))
}

/// Zeros that no compiler knows to be zeros, from a count (below 2^31). A constant that is combined with
/// them is kept in a register; as it is, it would be loaded anew, through general registers, wherever it
/// is used.
#[inline(always)]
pub fn opaque_zero(count: usize) -> v128 {
    i32x4_splat(count as i32 >> 31)
}

/// `table[index]` per byte, for indices 0..=15.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
pub fn lookup(table: v128, index: v128) -> v128 {
    i8x16_relaxed_swizzle(table, index)
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
pub fn lookup(table: v128, index: v128) -> v128 {
    i8x16_swizzle(table, index)
}

/// Lanes 0 + 1 + 2 + 3, in that order of pairs: (0 + 2) + (1 + 3).
#[inline(always)]
pub fn sum_lanes(v: v128) -> f32 {
    let halves = f32x4_add(v, i32x4_shuffle::<2, 3, 2, 3>(v, v));
    f32x4_extract_lane::<0>(halves) + f32x4_extract_lane::<1>(halves)
}

#[inline(always)]
pub fn max_lanes(v: v128) -> f32 {
    let halves = f32x4_pmax(v, i32x4_shuffle::<2, 3, 2, 3>(v, v));
    let a = f32x4_extract_lane::<0>(halves);
    let b = f32x4_extract_lane::<1>(halves);
    if b > a {
        b
    } else {
        a
    }
}

/// Added to a value up to 2^22, it rounds it to the nearest integer, which the lowest bits of the sum then hold.
pub const ROUNDING: f32 = 12_582_912.0;

/// e^x, relative error under 2e-7; exactly 0 below -87 (where f32 would turn subnormal), infinity above 88.
#[inline(always)]
pub fn exp(x: v128) -> v128 {
    let too_large = f32x4_gt(x, f32x4_splat(88.0));
    let result = exp_to_one(f32x4_pmin(f32x4_splat(88.0), x));
    v128_bitselect(f32x4_splat(f32::INFINITY), result, too_large)
}

/// The same for x <= 88, in fewer steps. Range reduction by powers of two in two steps, then the Cephes
/// polynomial for |r| <= ln(2)/2.
#[inline(always)]
pub fn exp_to_one(x: v128) -> v128 {
    let above_lowest = f32x4_ge(x, f32x4_splat(-87.0));
    let t = f32x4_add(
        f32x4_mul(x, f32x4_splat(core::f32::consts::LOG2_E)),
        f32x4_splat(ROUNDING),
    );
    let n = f32x4_sub(t, f32x4_splat(ROUNDING));
    let r = f32x4_sub(x, f32x4_mul(n, f32x4_splat(0.693_359_4)));
    let r = f32x4_sub(r, f32x4_mul(n, f32x4_splat(-2.121_944_4e-4)));
    let mut p = f32x4_splat(1.987_569_2e-4);
    p = f32x4_add(f32x4_mul(p, r), f32x4_splat(1.398_2e-3));
    p = f32x4_add(f32x4_mul(p, r), f32x4_splat(8.333_452e-3));
    p = f32x4_add(f32x4_mul(p, r), f32x4_splat(4.166_579_6e-2));
    p = f32x4_add(f32x4_mul(p, r), f32x4_splat(1.666_666_5e-1));
    p = f32x4_add(f32x4_mul(p, r), f32x4_splat(0.5));
    let series = f32x4_add(
        f32x4_add(f32x4_mul(p, f32x4_mul(r, r)), r),
        f32x4_splat(1.0),
    );
    // The integer stands in the lowest bits of `t`; the others are shifted out.
    let power = i32x4_shl(i32x4_add(t, i32x4_splat(127)), 23);
    v128_and(f32x4_mul(series, power), above_lowest)
}

#[inline(always)]
pub fn exp1(x: f32) -> f32 {
    f32x4_extract_lane::<0>(exp(f32x4_splat(x)))
}

/// Writes the results of one row group, plus bias. `rows` < 8 only in the last group of a matrix.
///
/// # Safety
/// `y` and `bias` (unless null) hold `min(rows, 8)` elements.
#[inline(always)]
pub unsafe fn store_rows(y: *mut f32, bias: *const f32, low: v128, high: v128, rows: usize) {
    if rows >= ROWS {
        if bias.is_null() {
            store_f32(y, low);
            store_f32(y.add(4), high);
        } else {
            store_f32(y, f32x4_add(low, load_f32(bias)));
            store_f32(y.add(4), f32x4_add(high, load_f32(bias.add(4))));
        }
        return;
    }
    let mut lanes = low;
    let mut r = 0;
    while r < rows {
        if r == 4 {
            lanes = high;
        }
        let b = if bias.is_null() { 0.0 } else { *bias.add(r) };
        *y.add(r) = f32x4_extract_lane::<0>(lanes) + b;
        lanes = i32x4_shuffle::<1, 2, 3, 0>(lanes, lanes);
        r += 1;
    }
}

/// Blocks between the first of four columns and each of the others.
#[inline(always)]
pub fn blocks_between(columns: [usize; 4], row_blocks: usize) -> (isize, isize, isize) {
    (
        (columns[1] as isize - columns[0] as isize) * row_blocks as isize,
        (columns[2] as isize - columns[0] as isize) * row_blocks as isize,
        (columns[3] as isize - columns[0] as isize) * row_blocks as isize,
    )
}

/// The column that the `i`-th result column reads.
///
/// # Safety
/// `index` is null or holds more than `i` elements.
#[inline(always)]
pub unsafe fn column(index: *const u32, i: usize) -> usize {
    if index.is_null() {
        i
    } else {
        *index.add(i) as usize
    }
}

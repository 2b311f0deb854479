//! Q8_0 matrices: int8 values with one f16 scale per 32 columns.
//!
//! The dot instruction multiplies signed bytes by 0..=127. A weight w in -127..=127 is stored as
//! u = w + 127; with `ceil(u/2)` and `floor(u/2)`, both at most 127,
//! `x·w = x·ceil(u/2) + x·floor(u/2) - 127·Σx`, exact in integers, the last term being where each block's
//! sum starts. The average instruction gives ceil(u/2) and a subtraction the other half. Where the instruction is known
//! to take whole bytes, u goes in as it is, for the same integers with half the work.

use crate::convert::{f16_to_f32_lanes, f32_to_f16};
use crate::four_columns::row_group_times_four;
use crate::simd::*;
use core::arch::wasm32::*;

/// Added to the weights to make them unsigned.
const OFFSET: i32 = 127;
const SCALES: usize = ROWS * 2;
/// Bytes of 8 rows × 32 columns.
pub const RECORD: usize = SCALES + ROWS * BLOCK;
/// Bytes of a block in a checkpoint.
const STORED: usize = 2 + BLOCK;

/// f32 rows (rows, row_blocks · 32) to records: per block the scale is max|w| / 127 in f16 and the values are
/// rounded to nearest against the scale as stored.
///
/// # Safety
/// `w` holds `rows * row_blocks * 32` elements; `out` holds `ceil(rows / 8) * row_blocks * 272` bytes and
/// does not overlap `w`.
#[no_mangle]
pub unsafe extern "C" fn q8_pack(w: *const f32, out: *mut u8, rows: usize, row_blocks: usize) {
    let mut record = out;
    let mut group = 0;
    while group < rows {
        let mut b = 0;
        while b < row_blocks {
            let mut r = 0;
            while r < ROWS {
                let lane = record.add(SCALES + r * 4);
                if group + r < rows {
                    let block = w.add(((group + r) * row_blocks + b) * BLOCK);
                    let bits = pack_block(block, lane);
                    *(record.add(r * 2) as *mut [u8; 2]) = bits.to_le_bytes();
                } else {
                    *(record.add(r * 2) as *mut [u8; 2]) = [0; 2];
                    let mut step = 0;
                    while step < BLOCK / 4 {
                        *(lane.add(step * 32) as *mut [u8; 4]) = [OFFSET as u8; 4];
                        step += 1;
                    }
                }
                r += 1;
            }
            record = record.add(RECORD);
            b += 1;
        }
        group += ROWS;
    }
}

/// Quantises 32 values into their lane of a record; returns the scale's f16 bits.
#[inline(always)]
unsafe fn pack_block(w: *const f32, lane: *mut u8) -> u16 {
    let mut largest = f32x4_splat(0.0);
    let mut k = 0;
    while k < BLOCK {
        largest = f32x4_pmax(largest, f32x4_abs(load_f32(w.add(k))));
        k += 4;
    }
    let bits = f32_to_f16(max_lanes(largest) / 127.0);
    let scale = f32x4_extract_lane::<0>(f16_to_f32_lanes(u32x4_splat(bits as u32)));
    let inverse = f32x4_splat(if scale > 0.0 { 1.0 / scale } else { 0.0 });
    let mut step = 0;
    while step < BLOCK / 4 {
        let scaled = f32x4_nearest(f32x4_mul(load_f32(w.add(step * 4)), inverse));
        let i = i32x4_trunc_sat_f32x4(scaled);
        let i = i32x4_max(i32x4_min(i, i32x4_splat(127)), i32x4_splat(-127));
        let u = i32x4_add(i, i32x4_splat(OFFSET));
        let halves = u16x8_narrow_i32x4(u, u);
        let bytes = u8x16_narrow_i16x8(halves, halves);
        *(lane.add(step * 32) as *mut [u8; 4]) = u32x4_extract_lane::<0>(bytes).to_le_bytes();
        step += 1;
    }
    bits
}

/// ggml's Q8_0 blocks (f16 scale, then 32 signed bytes) to records, values as they are. A record has no
/// place for -128, which ggml's quantisers do not write: it becomes -127. A negative scale becomes
/// positive, and its values change their sign.
///
/// Returns 0, or 1 + the index of the first block met whose scale is infinite or not a number.
///
/// # Safety
/// `blocks` holds `rows * row_blocks * 34` bytes; `out` holds `ceil(rows / 8) * row_blocks * 272` bytes and
/// does not overlap `blocks`.
#[no_mangle]
pub unsafe extern "C" fn q8_repack(
    blocks: *const u8,
    out: *mut u8,
    rows: usize,
    row_blocks: usize,
) -> usize {
    let smallest = i8x16_splat(-127);
    let offset = i8x16_splat(OFFSET as i8);
    let mut record = out;
    let mut group = 0;
    while group < rows {
        let mut b = 0;
        while b < row_blocks {
            let mut r = 0;
            while r < ROWS {
                let (mut bits, mut low, mut high) = (0, i8x16_splat(0), i8x16_splat(0));
                if group + r < rows {
                    let at = (group + r) * row_blocks + b;
                    let block = blocks.add(at * STORED);
                    bits = u16::from_le_bytes(*(block as *const [u8; 2]));
                    if bits & 0x7c00 == 0x7c00 {
                        return at + 1;
                    }
                    low = i8x16_max(load(block.add(2)), smallest);
                    high = i8x16_max(load(block.add(18)), smallest);
                    if bits & 0x8000 != 0 {
                        bits &= 0x7fff;
                        low = i8x16_neg(low);
                        high = i8x16_neg(high);
                    }
                }
                *(record.add(r * 2) as *mut [u8; 2]) = bits.to_le_bytes();
                let lane = record.add(SCALES + r * 4);
                store_steps(lane, i8x16_add(low, offset));
                store_steps(lane.add(4 * 32), i8x16_add(high, offset));
                r += 1;
            }
            record = record.add(RECORD);
            b += 1;
        }
        group += ROWS;
    }
    0
}

/// Sixteen bytes of a row to four steps of a record.
#[inline(always)]
unsafe fn store_steps(lane: *mut u8, bytes: v128) {
    *(lane as *mut [u8; 4]) = u32x4_extract_lane::<0>(bytes).to_le_bytes();
    *(lane.add(32) as *mut [u8; 4]) = u32x4_extract_lane::<1>(bytes).to_le_bytes();
    *(lane.add(64) as *mut [u8; 4]) = u32x4_extract_lane::<2>(bytes).to_le_bytes();
    *(lane.add(96) as *mut [u8; 4]) = u32x4_extract_lane::<3>(bytes).to_le_bytes();
}

/// Q8_0 × int8 activations. Arguments as `mxfp4_matmul_i8`, with `x_start` = -127·Σx (`quantise_i8` with
/// offset 127), and `x_i16`, the values of `x` as i16.
///
/// # Safety
/// As `mxfp4_matmul_i8`.
#[no_mangle]
pub unsafe extern "C" fn q8_matmul_i8(
    w: *const u8,
    rows: usize,
    row_blocks: usize,
    x: *const i8,
    x_i16: *const i16,
    x_scale: *const f32,
    x_start: *const i32,
    index: *const u32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
) {
    let emulated = dot4_is_emulated();
    let whole = dot4_takes_bytes();
    let mut records = w;
    let mut r = 0;
    while r < rows {
        let left = rows - r;
        let row_bias = if bias.is_null() { bias } else { bias.add(r) };
        if columns <= TOUCHED_COLUMNS {
            touch(records, row_blocks * RECORD);
        }
        let mut c = 0;
        while c < columns {
            let out = y.add(c * y_stride + r);
            let first = column(index, c);
            if whole && columns - c >= 4 {
                let four = [
                    first,
                    column(index, c + 1),
                    column(index, c + 2),
                    column(index, c + 3),
                ];
                let sums = row_group_times_four(
                    records.add(SCALES),
                    RECORD,
                    |b| scales(records.add(b * RECORD)),
                    row_blocks,
                    x,
                    x_scale,
                    x_start,
                    four,
                );
                store_rows(out, row_bias, sums[0], sums[1], left);
                store_rows(out.add(y_stride), row_bias, sums[2], sums[3], left);
                store_rows(out.add(2 * y_stride), row_bias, sums[4], sums[5], left);
                store_rows(out.add(3 * y_stride), row_bias, sums[6], sums[7], left);
                c += 4;
            } else if emulated && columns - c >= 3 {
                // Of three, the last is computed twice.
                let last = if columns - c >= 4 { 3 } else { 2 };
                let four = [
                    first,
                    column(index, c + 1),
                    column(index, c + 2),
                    column(index, c + last),
                ];
                let sums = i16_group_times_four(records, row_blocks, x_i16, x_scale, x_start, four);
                store_rows(out, row_bias, sums[0], sums[1], left);
                store_rows(out.add(y_stride), row_bias, sums[2], sums[3], left);
                store_rows(out.add(2 * y_stride), row_bias, sums[4], sums[5], left);
                store_rows(out.add(last * y_stride), row_bias, sums[6], sums[7], left);
                c += 4;
            } else if !emulated && columns - c >= 2 {
                let both = [first, column(index, c + 1)];
                let sums = row_group_times_two(records, row_blocks, x, x_scale, x_start, both);
                store_rows(out, row_bias, sums[0], sums[1], left);
                store_rows(out.add(y_stride), row_bias, sums[2], sums[3], left);
                c += 2;
            } else {
                let (x_scale, x_start) = (
                    x_scale.add(first * row_blocks),
                    x_start.add(first * row_blocks),
                );
                let at = first * row_blocks * BLOCK;
                let (low, high) = if whole {
                    bytes_times_one(records, row_blocks, x.add(at), x_scale, x_start)
                } else if emulated {
                    i16_times_one(records, row_blocks, x_i16.add(at), x_scale, x_start)
                } else {
                    row_group_times_one(records, row_blocks, x.add(at), x_scale, x_start)
                };
                store_rows(out, row_bias, low, high, left);
                c += 1;
            }
        }
        records = records.add(row_blocks * RECORD);
        r += ROWS;
    }
}

/// Decode where the dot takes whole bytes: even and odd steps have accumulators of their own, so that four
/// chains are in flight.
#[inline(always)]
unsafe fn bytes_times_one(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
) -> (v128, v128) {
    let (mut sum_low, mut sum_high) = (f32x4_splat(0.0), f32x4_splat(0.0));
    let mut record = records;
    let mut x = x;
    let mut b = 0;
    while b < row_blocks {
        let start = v128_load32_splat(x_start.add(b) as *const u32);
        let (mut a0, mut a1) = (start, start);
        let (mut b0, mut b1) = (i32x4_splat(0), i32x4_splat(0));
        let mut w = record.add(SCALES);
        let end = x.add(BLOCK);
        while x < end {
            let (even, odd) = (splat_bytes(x), splat_bytes(x.add(4)));
            a0 = dot4(even, load(w), a0);
            a1 = dot4(even, load(w.add(16)), a1);
            b0 = dot4(odd, load(w.add(32)), b0);
            b1 = dot4(odd, load(w.add(48)), b1);
            w = w.add(64);
            x = x.add(8);
        }
        let xs = splat_f32(x_scale.add(b));
        let (s0, s1) = scales(record);
        sum_low = accumulate(sum_low, i32x4_add(a0, b0), s0, xs);
        sum_high = accumulate(sum_high, i32x4_add(a1, b1), s1, xs);
        record = record.add(RECORD);
        b += 1;
    }
    (sum_low, sum_high)
}

/// Four activations (i16) of a column, twice.
#[inline(always)]
unsafe fn splat_i16(x: *const i16) -> v128 {
    v128_load64_splat(x as *const u64)
}

/// Eight weights as i16: four columns of a row and of the next.
#[inline(always)]
unsafe fn widen(w: *const u8) -> v128 {
    u16x8_load_extend_u8x8(w)
}

/// Lanes 0 + 1 and 2 + 3 of both.
#[inline(always)]
fn add_neighbours(a: v128, b: v128) -> v128 {
    i32x4_add(
        i32x4_shuffle::<0, 2, 4, 6>(a, b),
        i32x4_shuffle::<1, 3, 5, 7>(a, b),
    )
}

/// Decode where the byte dot product is emulated: in 16 bits, one instruction makes and adds two products
/// per lane.
#[inline(always)]
unsafe fn i16_times_one(
    records: *const u8,
    row_blocks: usize,
    x: *const i16,
    x_scale: *const f32,
    x_start: *const i32,
) -> (v128, v128) {
    let zero = i32x4_splat(0);
    let (mut sum_low, mut sum_high) = (f32x4_splat(0.0), f32x4_splat(0.0));
    let mut record = records;
    let mut x = x;
    let mut b = 0;
    while b < row_blocks {
        // Lanes: columns 0 + 1 and 2 + 3 of a row, then of the next row.
        let (mut i0, mut i1, mut i2, mut i3) = (zero, zero, zero, zero);
        let mut w = record.add(SCALES);
        let mut step = 0;
        while step < 4 {
            let four = splat_i16(x);
            i0 = i32x4_add(i0, i32x4_dot_i16x8(four, widen(w)));
            i1 = i32x4_add(i1, i32x4_dot_i16x8(four, widen(w.add(8))));
            i2 = i32x4_add(i2, i32x4_dot_i16x8(four, widen(w.add(16))));
            i3 = i32x4_add(i3, i32x4_dot_i16x8(four, widen(w.add(24))));
            let four = splat_i16(x.add(4));
            i0 = i32x4_add(i0, i32x4_dot_i16x8(four, widen(w.add(32))));
            i1 = i32x4_add(i1, i32x4_dot_i16x8(four, widen(w.add(40))));
            i2 = i32x4_add(i2, i32x4_dot_i16x8(four, widen(w.add(48))));
            i3 = i32x4_add(i3, i32x4_dot_i16x8(four, widen(w.add(56))));
            w = w.add(64);
            x = x.add(8);
            step += 1;
        }
        let start = v128_load32_splat(x_start.add(b) as *const u32);
        let xs = splat_f32(x_scale.add(b));
        let (s0, s1) = scales(record);
        let (low, high) = (add_neighbours(i0, i1), add_neighbours(i2, i3));
        sum_low = accumulate(sum_low, i32x4_add(start, low), s0, xs);
        sum_high = accumulate(sum_high, i32x4_add(start, high), s1, xs);
        record = record.add(RECORD);
        b += 1;
    }
    (sum_low, sum_high)
}

/// The same for four columns, which share each widened weight; rows 0..4 of a block, then 4..8, so that
/// all sums have registers.
#[inline(always)]
unsafe fn i16_group_times_four(
    records: *const u8,
    row_blocks: usize,
    x: *const i16,
    x_scale: *const f32,
    x_start: *const i32,
    columns: [usize; 4],
) -> [v128; 8] {
    let none = f32x4_splat(0.0);
    let (mut a0, mut a1, mut b0, mut b1) = (none, none, none, none);
    let (mut c0, mut c1, mut d0, mut d1) = (none, none, none, none);
    let (to_b, to_c, to_d) = blocks_between(columns, row_blocks);
    let mut x = x.add(columns[0] * row_blocks * BLOCK);
    let mut scale = x_scale.add(columns[0] * row_blocks);
    let mut start = x_start.add(columns[0] * row_blocks);
    let block = BLOCK as isize;
    let mut record = records;
    let mut b = 0;
    while b < row_blocks {
        let (s0, s1) = scales(record);
        macro_rules! add_rows {
            ($offset:literal, $s:ident, $a:ident, $b:ident, $c:ident, $d:ident) => {
                let [i, j, k, l] = i16_times_four(
                    record.add(SCALES + $offset),
                    x,
                    x.offset(to_b * block),
                    x.offset(to_c * block),
                    x.offset(to_d * block),
                );
                $a = add_scaled_sums($a, i, start, scale, $s);
                $b = add_scaled_sums($b, j, start.offset(to_b), scale.offset(to_b), $s);
                $c = add_scaled_sums($c, k, start.offset(to_c), scale.offset(to_c), $s);
                $d = add_scaled_sums($d, l, start.offset(to_d), scale.offset(to_d), $s);
            };
        }
        add_rows!(0, s0, a0, b0, c0, d0);
        add_rows!(16, s1, a1, b1, c1, d1);
        record = record.add(RECORD);
        x = x.add(BLOCK);
        scale = scale.add(1);
        start = start.add(1);
        b += 1;
    }
    [a0, a1, b0, b1, c0, c1, d0, d1]
}

/// `sum + (start + sums) · scale · scales`
#[inline(always)]
unsafe fn add_scaled_sums(
    sum: v128,
    sums: v128,
    start: *const i32,
    scale: *const f32,
    scales: v128,
) -> v128 {
    let whole = i32x4_add(v128_load32_splat(start as *const u32), sums);
    accumulate(sum, whole, scales, splat_f32(scale))
}

/// Four rows of a block times four columns.
#[inline(always)]
unsafe fn i16_times_four(
    w: *const u8,
    p: *const i16,
    q: *const i16,
    r: *const i16,
    s: *const i16,
) -> [v128; 4] {
    let zero = i32x4_splat(0);
    let (mut p0, mut p1, mut q0, mut q1) = (zero, zero, zero, zero);
    let (mut r0, mut r1, mut s0, mut s1) = (zero, zero, zero, zero);
    let mut step = 0;
    while step < 8 {
        let (w0, w1) = (widen(w.add(step * 32)), widen(w.add(step * 32 + 8)));
        let four = splat_i16(p.add(step * 4));
        p0 = i32x4_add(p0, i32x4_dot_i16x8(four, w0));
        p1 = i32x4_add(p1, i32x4_dot_i16x8(four, w1));
        let four = splat_i16(q.add(step * 4));
        q0 = i32x4_add(q0, i32x4_dot_i16x8(four, w0));
        q1 = i32x4_add(q1, i32x4_dot_i16x8(four, w1));
        let four = splat_i16(r.add(step * 4));
        r0 = i32x4_add(r0, i32x4_dot_i16x8(four, w0));
        r1 = i32x4_add(r1, i32x4_dot_i16x8(four, w1));
        let four = splat_i16(s.add(step * 4));
        s0 = i32x4_add(s0, i32x4_dot_i16x8(four, w0));
        s1 = i32x4_add(s1, i32x4_dot_i16x8(four, w1));
        step += 1;
    }
    [
        add_neighbours(p0, p1),
        add_neighbours(q0, q1),
        add_neighbours(r0, r1),
        add_neighbours(s0, s1),
    ]
}

/// The eight scales of a record as f32.
#[inline(always)]
pub unsafe fn scales(record: *const u8) -> (v128, v128) {
    let bits = load(record);
    (
        f16_to_f32_lanes(u32x4_extend_low_u16x8(bits)),
        f16_to_f32_lanes(u32x4_extend_high_u16x8(bits)),
    )
}

/// Decode: the two halves have accumulators of their own, so that four dot chains are in flight.
#[inline(always)]
unsafe fn row_group_times_one(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
) -> (v128, v128) {
    let zero = u8x16_splat(0);
    let (mut sum_low, mut sum_high) = (f32x4_splat(0.0), f32x4_splat(0.0));
    let mut record = records;
    let mut x = x;
    let mut b = 0;
    while b < row_blocks {
        let start = v128_load32_splat(x_start.add(b) as *const u32);
        let (mut a0, mut a1) = (start, start);
        let (mut b0, mut b1) = (i32x4_splat(0), i32x4_splat(0));
        let mut step = 0;
        while step < 8 {
            let four = splat_bytes(x.add(step * 4));
            let w0 = load(record.add(SCALES + step * 32));
            let w1 = load(record.add(SCALES + step * 32 + 16));
            let (upper0, upper1) = (u8x16_avgr(w0, zero), u8x16_avgr(w1, zero));
            a0 = dot4(four, upper0, a0);
            a1 = dot4(four, upper1, a1);
            b0 = dot4(four, i8x16_sub(w0, upper0), b0);
            b1 = dot4(four, i8x16_sub(w1, upper1), b1);
            step += 1;
        }
        let xs = splat_f32(x_scale.add(b));
        let (s0, s1) = scales(record);
        sum_low = accumulate(sum_low, i32x4_add(a0, b0), s0, xs);
        sum_high = accumulate(sum_high, i32x4_add(a1, b1), s1, xs);
        record = record.add(RECORD);
        x = x.add(BLOCK);
        b += 1;
    }
    (sum_low, sum_high)
}

/// Prefill: two columns share each weight load and its halving.
#[inline(always)]
unsafe fn row_group_times_two(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
    columns: [usize; 2],
) -> [v128; 4] {
    let zero = u8x16_splat(0);
    let none = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (none, none, none, none);
    let (p_start, q_start) = (
        x_start.add(columns[0] * row_blocks),
        x_start.add(columns[1] * row_blocks),
    );
    let (p_scale, q_scale) = (
        x_scale.add(columns[0] * row_blocks),
        x_scale.add(columns[1] * row_blocks),
    );
    let (mut p, mut q) = (
        x.add(columns[0] * row_blocks * BLOCK),
        x.add(columns[1] * row_blocks * BLOCK),
    );
    let mut record = records;
    let mut b = 0;
    while b < row_blocks {
        let mut i0 = v128_load32_splat(p_start.add(b) as *const u32);
        let mut i1 = i0;
        let mut j0 = v128_load32_splat(q_start.add(b) as *const u32);
        let mut j1 = j0;
        let mut step = 0;
        while step < 8 {
            let (pf, qf) = (splat_bytes(p.add(step * 4)), splat_bytes(q.add(step * 4)));
            let w0 = load(record.add(SCALES + step * 32));
            let w1 = load(record.add(SCALES + step * 32 + 16));
            let (upper0, upper1) = (u8x16_avgr(w0, zero), u8x16_avgr(w1, zero));
            let (lower0, lower1) = (i8x16_sub(w0, upper0), i8x16_sub(w1, upper1));
            i0 = dot4(pf, upper0, i0);
            i1 = dot4(pf, upper1, i1);
            j0 = dot4(qf, upper0, j0);
            j1 = dot4(qf, upper1, j1);
            i0 = dot4(pf, lower0, i0);
            i1 = dot4(pf, lower1, i1);
            j0 = dot4(qf, lower0, j0);
            j1 = dot4(qf, lower1, j1);
            step += 1;
        }
        let (e0, e1) = scales(record);
        let (ps, qs) = (splat_f32(p_scale.add(b)), splat_f32(q_scale.add(b)));
        s0 = accumulate(s0, i0, e0, ps);
        s1 = accumulate(s1, i1, e1, ps);
        s2 = accumulate(s2, j0, e0, qs);
        s3 = accumulate(s3, j1, e1, qs);
        record = record.add(RECORD);
        p = p.add(BLOCK);
        q = q.add(BLOCK);
        b += 1;
    }
    [s0, s1, s2, s3]
}

//! MXFP4 matrices: FP4 (E2M1) values with one power-of-two scale per 32 columns.
//!
//! The 16 codes are looked up as doubled integers (0, 1, 2, 3, 4, 6, 8, 12 and their negatives), so
//! products with int8 activations are exact integers; the factor ½ is applied once per result. The dot
//! instruction wants its second operand in 0..=127, so the table holds the value plus 12 and each
//! block's sum starts at `-12·Σx`, which the activation's quantiser provides.

use crate::simd::*;
use core::arch::wasm32::*;

/// Bytes of 8 rows × 32 columns.
const RECORD: usize = ROWS + ROWS * BLOCK / 2;
/// Bytes of one row's block in a checkpoint.
const BLOCK_BYTES: usize = BLOCK / 2;

#[inline(always)]
fn offset_table() -> v128 {
    u8x16(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0)
}

#[inline(always)]
fn signed_table() -> v128 {
    i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
}

#[inline(always)]
fn low_nibbles(v: v128) -> v128 {
    v128_and(v, u8x16_splat(15))
}

#[inline(always)]
fn high_nibbles(v: v128) -> v128 {
    v128_and(u16x8_shr(v, 4), u8x16_splat(15))
}

/// The eight scales of a record as f32: `2^(e-127)`, which is the exponent field shifted into place;
/// only e = 0 (2^-127, a subnormal) needs the lower bound.
#[inline(always)]
unsafe fn scales(record: *const u8) -> (v128, v128) {
    let e = u16x8_load_extend_u8x8(record);
    let smallest = u32x4_splat(0x0040_0000);
    (
        u32x4_max(u32x4_shl(u32x4_extend_low_u16x8(e), 23), smallest),
        u32x4_max(u32x4_shl(u32x4_extend_high_u16x8(e), 23), smallest),
    )
}

/// Checkpoint layout to records. `blocks`: (rows, row_blocks, 16) bytes, byte j of a block = column 2j in
/// the low and 2j+1 in the high nibble. `scale_bytes`: (rows, row_blocks). Returns the index in `scale_bytes` of the first scale
/// that is 255 (not a number) plus 1, or 0 when all are sound.
///
/// # Safety
/// The inputs hold `rows * row_blocks * 16` and `rows * row_blocks` bytes; `out` holds
/// `ceil(rows / 8) * row_blocks * 136` bytes and overlaps neither.
#[no_mangle]
pub unsafe extern "C" fn mxfp4_repack(
    blocks: *const u8,
    scale_bytes: *const u8,
    out: *mut u8,
    rows: usize,
    row_blocks: usize,
) -> usize {
    let mut record = out;
    let mut group = 0;
    while group < rows {
        let mut b = 0;
        while b < row_blocks {
            let mut r = 0;
            while r < ROWS {
                let row = group + r;
                let (mut packed, mut e) = (u8x16_splat(0), 127);
                if row < rows {
                    let at = row * row_blocks + b;
                    let scale = *scale_bytes.add(at);
                    if scale == 255 {
                        return at + 1;
                    }
                    let pairs = load(blocks.add(at * BLOCK_BYTES));
                    // Zeros (codes 0 and 8) are 0 under any scale; quantisers give them the smallest
                    // one, whose subnormal products are slow on some machines. Keep 1 for those.
                    if v128_any_true(v128_and(pairs, u8x16_splat(0x77))) {
                        e = scale;
                    }
                    packed = split_halves(pairs);
                }
                *record.add(r) = e;
                let lane = record.add(ROWS + r * 4);
                *(lane as *mut [u8; 4]) = u32x4_extract_lane::<0>(packed).to_le_bytes();
                *(lane.add(32) as *mut [u8; 4]) = u32x4_extract_lane::<1>(packed).to_le_bytes();
                *(lane.add(64) as *mut [u8; 4]) = u32x4_extract_lane::<2>(packed).to_le_bytes();
                *(lane.add(96) as *mut [u8; 4]) = u32x4_extract_lane::<3>(packed).to_le_bytes();
                r += 1;
            }
            record = record.add(RECORD);
            b += 1;
        }
        group += ROWS;
    }
    0
}

/// Adjacent pairing (byte j = columns 2j, 2j+1) to split halves (byte j = columns j, j+16).
#[inline(always)]
fn split_halves(pairs: v128) -> v128 {
    let even = low_nibbles(pairs);
    let odd = high_nibbles(pairs);
    let first = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(even, odd);
    let second =
        i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(even, odd);
    v128_or(first, u8x16_shl(second, 4))
}

/// MXFP4 × int8 activations.
///
/// `w`: records of `rows` rows × `row_blocks` blocks. `x`: (columns, row_blocks · 32) int8 with `x_scale`
/// (columns, row_blocks) f32 and `x_start` (columns, row_blocks) i32 = -12·Σx, as `quantise_i8` writes them
/// with offset 12. `scratch`: `row_blocks * 288` bytes, used when there are several columns.
///
/// # Safety
/// All arrays hold what the shapes say; `y` holds `(columns - 1) * y_stride + rows` elements; `index` (or
/// null) holds `columns` values that are columns of `x`; `scratch` is used by no other thread.
#[no_mangle]
pub unsafe extern "C" fn mxfp4_matmul_i8(
    w: *const u8,
    rows: usize,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
    index: *const u32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
    scratch: *mut u8,
) {
    let mut records = w;
    let mut r = 0;
    while r < rows {
        let left = rows - r;
        let row_bias = if bias.is_null() { bias } else { bias.add(r) };
        if columns == 1 {
            let c = column(index, 0);
            let (low, high) = row_group_times_column(
                records,
                row_blocks,
                x.add(c * row_blocks * BLOCK),
                x_scale.add(c * row_blocks),
                x_start.add(c * row_blocks),
            );
            store_rows(y.add(r), row_bias, low, high, left);
        } else {
            let strip_scales = scratch.add(row_blocks * ROWS * BLOCK) as *mut f32;
            unpack_strip(records, row_blocks, scratch, strip_scales);
            let mut c = 0;
            while c < columns {
                let pair = columns - c >= 2;
                let first = column(index, c);
                let second = if pair { column(index, c + 1) } else { first };
                let sums = strip_times_columns(
                    scratch,
                    strip_scales,
                    row_blocks,
                    x,
                    x_scale,
                    x_start,
                    [first, second],
                );
                store_rows(y.add(c * y_stride + r), row_bias, sums[0], sums[1], left);
                if pair {
                    store_rows(y.add((c + 1) * y_stride + r), row_bias, sums[2], sums[3], left);
                }
                c += 2;
            }
        }
        records = records.add(row_blocks * RECORD);
        r += ROWS;
    }
}

/// Decode: one column straight from the packed records. Low and high nibbles have accumulators of their
/// own, so that four dot chains are in flight; their sum is exact either way.
#[inline(always)]
unsafe fn row_group_times_column(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
) -> (v128, v128) {
    let table = offset_table();
    let mut sum_low = f32x4_splat(0.0);
    let mut sum_high = f32x4_splat(0.0);
    let mut record = records;
    let mut x = x;
    let mut b = 0;
    while b < row_blocks {
        let start = v128_load32_splat(x_start.add(b) as *const u32);
        let (mut a0, mut a1) = (start, start);
        let (mut b0, mut b1) = (i32x4_splat(0), i32x4_splat(0));
        let mut step = 0;
        while step < 4 {
            let front = splat_bytes(x.add(step * 4));
            let back = splat_bytes(x.add(16 + step * 4));
            let w0 = load(record.add(ROWS + step * 32));
            let w1 = load(record.add(ROWS + step * 32 + 16));
            a0 = dot4(front, lookup(table, low_nibbles(w0)), a0);
            a1 = dot4(front, lookup(table, low_nibbles(w1)), a1);
            b0 = dot4(back, lookup(table, high_nibbles(w0)), b0);
            b1 = dot4(back, lookup(table, high_nibbles(w1)), b1);
            step += 1;
        }
        let xs = splat_f32(x_scale.add(b));
        let (s0, s1) = scales(record);
        let i0 = f32x4_convert_i32x4(i32x4_add(a0, b0));
        let i1 = f32x4_convert_i32x4(i32x4_add(a1, b1));
        sum_low = f32x4_add(sum_low, f32x4_mul(i0, f32x4_mul(s0, xs)));
        sum_high = f32x4_add(sum_high, f32x4_mul(i1, f32x4_mul(s1, xs)));
        record = record.add(RECORD);
        x = x.add(BLOCK);
        b += 1;
    }
    let half = f32x4_splat(0.5);
    (f32x4_mul(sum_low, half), f32x4_mul(sum_high, half))
}

/// Prefill: one row group unpacked once, to bytes (0..=24) in the order of the dot products and to f32
/// scales, then used by all columns.
#[inline(always)]
unsafe fn unpack_strip(records: *const u8, row_blocks: usize, bytes: *mut u8, strip: *mut f32) {
    let table = offset_table();
    let mut b = 0;
    while b < row_blocks {
        let record = records.add(b * RECORD);
        let (s0, s1) = scales(record);
        store_f32(strip.add(b * ROWS), s0);
        store_f32(strip.add(b * ROWS + 4), s1);
        let out = bytes.add(b * ROWS * BLOCK) as *mut v128;
        let mut step = 0;
        while step < 4 {
            let w0 = load(record.add(ROWS + step * 32));
            let w1 = load(record.add(ROWS + step * 32 + 16));
            v128_store(out.add(step * 4), lookup(table, low_nibbles(w0)));
            v128_store(out.add(step * 4 + 1), lookup(table, low_nibbles(w1)));
            v128_store(out.add(step * 4 + 2), lookup(table, high_nibbles(w0)));
            v128_store(out.add(step * 4 + 3), lookup(table, high_nibbles(w1)));
            step += 1;
        }
        b += 1;
    }
}

/// Two columns at once, so that each weight vector is loaded once for both.
#[inline(always)]
unsafe fn strip_times_columns(
    bytes: *const u8,
    strip: *const f32,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
    columns: [usize; 2],
) -> [v128; 4] {
    let (mut p, mut q) = (
        x.add(columns[0] * row_blocks * BLOCK),
        x.add(columns[1] * row_blocks * BLOCK),
    );
    let (p_scale, q_scale) = (
        x_scale.add(columns[0] * row_blocks),
        x_scale.add(columns[1] * row_blocks),
    );
    let (p_start, q_start) = (
        x_start.add(columns[0] * row_blocks),
        x_start.add(columns[1] * row_blocks),
    );
    let zero = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let mut w = bytes as *const v128;
    let mut b = 0;
    while b < row_blocks {
        let mut i0 = v128_load32_splat(p_start.add(b) as *const u32);
        let mut i1 = i0;
        let mut j0 = v128_load32_splat(q_start.add(b) as *const u32);
        let mut j1 = j0;
        let mut step = 0;
        while step < 4 {
            let (w0, w1) = (v128_load(w.add(step * 4)), v128_load(w.add(step * 4 + 1)));
            let (pf, qf) = (splat_bytes(p.add(step * 4)), splat_bytes(q.add(step * 4)));
            i0 = dot4(pf, w0, i0);
            i1 = dot4(pf, w1, i1);
            j0 = dot4(qf, w0, j0);
            j1 = dot4(qf, w1, j1);
            let (w2, w3) = (v128_load(w.add(step * 4 + 2)), v128_load(w.add(step * 4 + 3)));
            let (pb, qb) = (splat_bytes(p.add(16 + step * 4)), splat_bytes(q.add(16 + step * 4)));
            i0 = dot4(pb, w2, i0);
            i1 = dot4(pb, w3, i1);
            j0 = dot4(qb, w2, j0);
            j1 = dot4(qb, w3, j1);
            step += 1;
        }
        let (e0, e1) = (load_f32(strip.add(b * ROWS)), load_f32(strip.add(b * ROWS + 4)));
        let (ps, qs) = (splat_f32(p_scale.add(b)), splat_f32(q_scale.add(b)));
        s0 = f32x4_add(s0, f32x4_mul(f32x4_convert_i32x4(i0), f32x4_mul(e0, ps)));
        s1 = f32x4_add(s1, f32x4_mul(f32x4_convert_i32x4(i1), f32x4_mul(e1, ps)));
        s2 = f32x4_add(s2, f32x4_mul(f32x4_convert_i32x4(j0), f32x4_mul(e0, qs)));
        s3 = f32x4_add(s3, f32x4_mul(f32x4_convert_i32x4(j1), f32x4_mul(e1, qs)));
        w = w.add(16);
        p = p.add(BLOCK);
        q = q.add(BLOCK);
        b += 1;
    }
    let half = f32x4_splat(0.5);
    [f32x4_mul(s0, half), f32x4_mul(s1, half), f32x4_mul(s2, half), f32x4_mul(s3, half)]
}

/// MXFP4 × f32 activations, for precision "exact": weights are exact, products and sums f32.
///
/// As `mxfp4_matmul_i8`, with `x`: (columns, row_blocks · 32) f32 and `scratch`: `row_blocks * 1056` bytes.
///
/// # Safety
/// As `mxfp4_matmul_i8`.
#[no_mangle]
pub unsafe extern "C" fn mxfp4_matmul_f32(
    w: *const u8,
    rows: usize,
    row_blocks: usize,
    x: *const f32,
    index: *const u32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
    scratch: *mut f32,
) {
    let strip_scales = scratch.add(row_blocks * ROWS * BLOCK);
    let mut records = w;
    let mut r = 0;
    while r < rows {
        let row_bias = if bias.is_null() { bias } else { bias.add(r) };
        unpack_strip_f32(records, row_blocks, scratch, strip_scales);
        let mut c = 0;
        while c < columns {
            let xc = x.add(column(index, c) * row_blocks * BLOCK);
            let (mut sum_low, mut sum_high) = (f32x4_splat(0.0), f32x4_splat(0.0));
            let mut b = 0;
            while b < row_blocks {
                let (mut p0, mut p1) = (f32x4_splat(0.0), f32x4_splat(0.0));
                let mut k = b * BLOCK;
                while k < (b + 1) * BLOCK {
                    let value = splat_f32(xc.add(k));
                    p0 = f32x4_add(p0, f32x4_mul(value, load_f32(scratch.add(k * ROWS))));
                    p1 = f32x4_add(p1, f32x4_mul(value, load_f32(scratch.add(k * ROWS + 4))));
                    k += 1;
                }
                let (e0, e1) = (
                    load_f32(strip_scales.add(b * ROWS)),
                    load_f32(strip_scales.add(b * ROWS + 4)),
                );
                // Halved before the scale, which alone may be the largest power of two.
                let half = f32x4_splat(0.5);
                sum_low = f32x4_add(sum_low, f32x4_mul(f32x4_mul(p0, half), e0));
                sum_high = f32x4_add(sum_high, f32x4_mul(f32x4_mul(p1, half), e1));
                b += 1;
            }
            store_rows(y.add(c * y_stride + r), row_bias, sum_low, sum_high, rows - r);
            c += 1;
        }
        records = records.add(row_blocks * RECORD);
        r += ROWS;
    }
}

/// One row group as doubled values in f32, (columns, 8 rows), and its scales, (row_blocks, 8 rows).
#[inline(always)]
unsafe fn unpack_strip_f32(records: *const u8, row_blocks: usize, out: *mut f32, strip: *mut f32) {
    let table = signed_table();
    let mut b = 0;
    while b < row_blocks {
        let record = records.add(b * RECORD);
        let (s0, s1) = scales(record);
        store_f32(strip.add(b * ROWS), s0);
        store_f32(strip.add(b * ROWS + 4), s1);
        let mut step = 0;
        while step < 8 {
            // step = 2 · (step of four columns) + (rows 0..3 or 4..7)
            let packed = load(record.add(ROWS + step * 16));
            let front = out.add((b * BLOCK + step / 2 * 4) * ROWS + step % 2 * 4);
            unpack_four_columns(lookup(table, low_nibbles(packed)), front);
            unpack_four_columns(lookup(table, high_nibbles(packed)), front.add(16 * ROWS));
            step += 1;
        }
        b += 1;
    }
}

/// Bytes (4 rows, 4 columns) to f32, one vector of 4 rows per column, 8 rows apart.
#[inline(always)]
unsafe fn unpack_four_columns(bytes: v128, out: *mut f32) {
    let c0 = i32x4_shr(i32x4_shl(bytes, 24), 24);
    let c1 = i32x4_shr(i32x4_shl(bytes, 16), 24);
    let c2 = i32x4_shr(i32x4_shl(bytes, 8), 24);
    let c3 = i32x4_shr(bytes, 24);
    store_f32(out, f32x4_convert_i32x4(c0));
    store_f32(out.add(ROWS), f32x4_convert_i32x4(c1));
    store_f32(out.add(2 * ROWS), f32x4_convert_i32x4(c2));
    store_f32(out.add(3 * ROWS), f32x4_convert_i32x4(c3));
}

//! MXFP4 × int8 activations.
//!
//! The 16 codes are looked up as doubled integers (0, 1, 2, 3, 4, 6, 8, 12 and their negatives), so the
//! products are exact integers; the factor ½ is applied once per result. The dot instruction wants its
//! second operand in 0..=127, so the table holds the value plus 12 and each block's sum starts at
//! `-12·Σx`, which the activation's quantiser provides.

use crate::four_columns::row_group_times_four;
use crate::mxfp4::{scales, RECORD};
use crate::simd::*;
use core::arch::wasm32::*;

/// Most columns that are computed from packed records, where pairs are cheaper.
const MAX_PACKED_COLUMNS: usize = 4;

/// The vectors that stay the same, made so that they are kept in registers: a constant would be loaded
/// anew, through general registers, wherever it is used.
#[derive(Clone, Copy)]
struct Constants {
    table: v128,
    low: v128,
    ones: v128,
}

#[inline(always)]
fn constants(row_blocks: usize) -> Constants {
    let zero = opaque_zero(row_blocks);
    Constants {
        table: v128_or(table(), zero),
        low: v128_or(u8x16_splat(15), zero),
        ones: v128_or(i16x8_splat(1), zero),
    }
}

#[inline(always)]
fn table() -> v128 {
    u8x16(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0)
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
    if dot4_is_emulated() {
        matmul_i8::<true>(
            w, rows, row_blocks, x, x_scale, x_start, index, columns, bias, y, y_stride, scratch,
        )
    } else {
        matmul_i8::<false>(
            w, rows, row_blocks, x, x_scale, x_start, index, columns, bias, y, y_stride, scratch,
        )
    }
}

#[inline(always)]
unsafe fn matmul_i8<const PAIRS: bool>(
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
        if columns <= TOUCHED_COLUMNS {
            touch(records, row_blocks * RECORD);
        }
        if columns == 1 {
            let c = column(index, 0);
            let (low, high) = row_group_times_column::<PAIRS>(
                records,
                row_blocks,
                x.add(c * row_blocks * BLOCK),
                x_scale.add(c * row_blocks),
                x_start.add(c * row_blocks),
            );
            store_rows(y.add(r), row_bias, low, high, left);
        } else if PAIRS && columns <= MAX_PACKED_COLUMNS {
            // For few columns, unpacking costs more than it saves.
            let mut i = 0;
            while i + 2 <= columns {
                let both = [column(index, i), column(index, i + 1)];
                let sums = row_group_times_two(records, row_blocks, x, x_scale, x_start, both);
                let out = y.add(i * y_stride + r);
                store_rows(out, row_bias, sums[0], sums[1], left);
                store_rows(out.add(y_stride), row_bias, sums[2], sums[3], left);
                i += 2;
            }
            if i < columns {
                let c = column(index, i);
                let (low, high) = row_group_times_column::<PAIRS>(
                    records,
                    row_blocks,
                    x.add(c * row_blocks * BLOCK),
                    x_scale.add(c * row_blocks),
                    x_start.add(c * row_blocks),
                );
                store_rows(y.add(i * y_stride + r), row_bias, low, high, left);
            }
        } else {
            let strip_scales = scratch.add(row_blocks * ROWS * BLOCK) as *mut f32;
            unpack_strip(records, row_blocks, scratch, strip_scales);
            let mut c = 0;
            while !PAIRS && columns - c >= 4 {
                let four = [
                    column(index, c),
                    column(index, c + 1),
                    column(index, c + 2),
                    column(index, c + 3),
                ];
                let scales = |b: usize| {
                    let at = strip_scales.add(b * ROWS);
                    (load_f32(at), load_f32(at.add(4)))
                };
                let sums = row_group_times_four(
                    scratch,
                    ROWS * BLOCK,
                    scales,
                    row_blocks,
                    x,
                    x_scale,
                    x_start,
                    four,
                );
                let [a0, a1, b0, b1, c0, c1, d0, d1] = sums;
                let [a0, a1, b0, b1] = halves([a0, a1, b0, b1]);
                let [c0, c1, d0, d1] = halves([c0, c1, d0, d1]);
                let out = y.add(c * y_stride + r);
                store_rows(out, row_bias, a0, a1, left);
                store_rows(out.add(y_stride), row_bias, b0, b1, left);
                store_rows(out.add(2 * y_stride), row_bias, c0, c1, left);
                store_rows(out.add(3 * y_stride), row_bias, d0, d1, left);
                c += 4;
            }
            while c < columns {
                let pair = columns - c >= 2;
                let first = column(index, c);
                let second = if pair { column(index, c + 1) } else { first };
                let sums = strip_times_columns::<PAIRS>(
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
                    store_rows(
                        y.add((c + 1) * y_stride + r),
                        row_bias,
                        sums[2],
                        sums[3],
                        left,
                    );
                }
                c += 2;
            }
        }
        records = records.add(row_blocks * RECORD);
        r += ROWS;
    }
}

/// Decode: one column straight from the packed records.
#[inline(always)]
unsafe fn row_group_times_column<const PAIRS: bool>(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
) -> (v128, v128) {
    let c = constants(row_blocks);
    let mut sum_low = f32x4_splat(0.0);
    let mut sum_high = f32x4_splat(0.0);
    let mut record = records;
    let mut x = x;
    let mut b = 0;
    while b < row_blocks {
        let start = v128_load32_splat(x_start.add(b) as *const u32);
        let (i0, i1) = if PAIRS {
            block_by_pairs(record, x, start, c)
        } else {
            block_by_dots(record, x, start, c)
        };
        let xs = splat_f32(x_scale.add(b));
        let (s0, s1) = scales(record);
        sum_low = accumulate(sum_low, i0, s0, xs);
        sum_high = accumulate(sum_high, i1, s1, xs);
        record = record.add(RECORD);
        x = x.add(BLOCK);
        b += 1;
    }
    let half = f32x4_splat(0.5);
    (f32x4_mul(sum_low, half), f32x4_mul(sum_high, half))
}

/// One block's integer sums of rows 0..4 and 4..8. Low and high nibbles have accumulators of their own, so
/// that four chains are in flight; their sum is exact either way.
#[inline(always)]
unsafe fn block_by_dots(record: *const u8, x: *const i8, start: v128, c: Constants) -> (v128, v128) {
    let (mut a0, mut a1) = (start, start);
    let (mut b0, mut b1) = (i32x4_splat(0), i32x4_splat(0));
    let (mut w, mut x) = (record.add(ROWS), x);
    let end = record.add(RECORD);
    while w < end {
        let (w0, w1) = (load(w), load(w.add(16)));
        let (front, back) = (splat_bytes(x), splat_bytes(x.add(16)));
        a0 = dot4(front, lookup(c.table, v128_and(w0, c.low)), a0);
        a1 = dot4(front, lookup(c.table, v128_and(w1, c.low)), a1);
        b0 = dot4(back, lookup(c.table, v128_and(u16x8_shr(w0, 4), c.low)), b0);
        b1 = dot4(back, lookup(c.table, v128_and(u16x8_shr(w1, 4), c.low)), b1);
        w = w.add(32);
        x = x.add(4);
    }
    (i32x4_add(a0, b0), i32x4_add(a1, b1))
}

/// The same sums where pairs are cheaper. Four steps of two products of at most 128 · 24 stay in i16.
#[inline(always)]
unsafe fn block_by_pairs(record: *const u8, x: *const i8, start: v128, c: Constants) -> (v128, v128) {
    let zero = i16x8_splat(0);
    let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
    let (mut w, mut x) = (record.add(ROWS), x);
    let end = record.add(RECORD);
    while w < end {
        let (w0, w1) = (load(w), load(w.add(16)));
        let (front, back) = (splat_bytes(x), splat_bytes(x.add(16)));
        a0 = dot4_pairs(front, lookup(c.table, v128_and(w0, c.low)), a0);
        a1 = dot4_pairs(front, lookup(c.table, v128_and(w1, c.low)), a1);
        b0 = dot4_pairs(back, lookup(c.table, v128_and(u16x8_shr(w0, 4), c.low)), b0);
        b1 = dot4_pairs(back, lookup(c.table, v128_and(u16x8_shr(w1, 4), c.low)), b1);
        w = w.add(32);
        x = x.add(4);
    }
    (
        add_pairs(a0, c.ones, add_pairs(b0, c.ones, start)),
        add_pairs(a1, c.ones, add_pairs(b1, c.ones, start)),
    )
}

/// Two columns straight from the packed records, where pairs are cheaper.
#[inline(always)]
unsafe fn row_group_times_two(
    records: *const u8,
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
    columns: [usize; 2],
) -> [v128; 4] {
    let c = constants(row_blocks);
    let none = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (none, none, none, none);
    let to_q = (columns[1] as isize - columns[0] as isize) * row_blocks as isize;
    let mut p = x.add(columns[0] * row_blocks * BLOCK);
    let mut scale = x_scale.add(columns[0] * row_blocks);
    let mut start = x_start.add(columns[0] * row_blocks);
    let mut record = records;
    let mut b = 0;
    while b < row_blocks {
        let [i0, i1, j0, j1] = two_columns_by_pairs(record, p, p.offset(to_q * BLOCK as isize), c);
        let (e0, e1) = scales(record);
        let (p_start, q_start) = (
            v128_load32_splat(start as *const u32),
            v128_load32_splat(start.offset(to_q) as *const u32),
        );
        let (ps, qs) = (splat_f32(scale), splat_f32(scale.offset(to_q)));
        s0 = accumulate(s0, i32x4_add(i0, p_start), e0, ps);
        s1 = accumulate(s1, i32x4_add(i1, p_start), e1, ps);
        s2 = accumulate(s2, i32x4_add(j0, q_start), e0, qs);
        s3 = accumulate(s3, i32x4_add(j1, q_start), e1, qs);
        record = record.add(RECORD);
        p = p.add(BLOCK);
        scale = scale.add(1);
        start = start.add(1);
        b += 1;
    }
    halves([s0, s1, s2, s3])
}

/// The table's values are doubled.
#[inline(always)]
fn halves([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let half = f32x4_splat(0.5);
    [f32x4_mul(a, half), f32x4_mul(b, half), f32x4_mul(c, half), f32x4_mul(d, half)]
}

/// One packed block times two columns, without the starts.
#[inline(always)]
unsafe fn two_columns_by_pairs(
    record: *const u8,
    p: *const i8,
    q: *const i8,
    c: Constants,
) -> [v128; 4] {
    let zero = i16x8_splat(0);
    let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
    let (mut d0, mut d1, mut e0, mut e1) = (zero, zero, zero, zero);
    let mut step = 0;
    while step < 4 {
        let w0 = load(record.add(ROWS + step * 32));
        let w1 = load(record.add(ROWS + step * 32 + 16));
        let (p_front, q_front) = (splat_bytes(p.add(step * 4)), splat_bytes(q.add(step * 4)));
        let low = lookup(c.table, v128_and(w0, c.low));
        a0 = dot4_pairs(p_front, low, a0);
        d0 = dot4_pairs(q_front, low, d0);
        let low = lookup(c.table, v128_and(w1, c.low));
        a1 = dot4_pairs(p_front, low, a1);
        d1 = dot4_pairs(q_front, low, d1);
        let (p_back, q_back) = (
            splat_bytes(p.add(16 + step * 4)),
            splat_bytes(q.add(16 + step * 4)),
        );
        let high = lookup(c.table, v128_and(u16x8_shr(w0, 4), c.low));
        b0 = dot4_pairs(p_back, high, b0);
        e0 = dot4_pairs(q_back, high, e0);
        let high = lookup(c.table, v128_and(u16x8_shr(w1, 4), c.low));
        b1 = dot4_pairs(p_back, high, b1);
        e1 = dot4_pairs(q_back, high, e1);
        step += 1;
    }
    let sum = |front: v128, back: v128| {
        add_pairs(front, c.ones, i32x4_dot_i16x8(back, c.ones))
    };
    [sum(a0, b0), sum(a1, b1), sum(d0, e0), sum(d1, e1)]
}

/// Prefill: one row group unpacked once, to bytes (0..=24) in the order of the inputs and to f32 scales, then used by all columns.
#[inline(always)]
unsafe fn unpack_strip(records: *const u8, row_blocks: usize, bytes: *mut u8, strip: *mut f32) {
    let c = constants(row_blocks);
    let (mut record, mut out, mut strip) = (records, bytes as *mut v128, strip);
    let last = records.add(row_blocks * RECORD);
    while record < last {
        let (s0, s1) = scales(record);
        store_f32(strip, s0);
        store_f32(strip.add(4), s1);
        strip = strip.add(ROWS);
        let mut w = record.add(ROWS);
        record = record.add(RECORD);
        while w < record {
            let (w0, w1) = (load(w), load(w.add(16)));
            v128_store(out, lookup(c.table, v128_and(w0, c.low)));
            v128_store(out.add(1), lookup(c.table, v128_and(w1, c.low)));
            v128_store(out.add(8), lookup(c.table, v128_and(u16x8_shr(w0, 4), c.low)));
            v128_store(out.add(9), lookup(c.table, v128_and(u16x8_shr(w1, 4), c.low)));
            w = w.add(32);
            out = out.add(2);
        }
        out = out.add(8);
    }
}

/// Two columns at once, so that each weight vector is loaded once for both.
#[inline(always)]
unsafe fn strip_times_columns<const PAIRS: bool>(
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
    let c = constants(row_blocks);
    let zero = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let mut w = bytes as *const v128;
    let mut b = 0;
    while b < row_blocks {
        let p0 = v128_load32_splat(p_start.add(b) as *const u32);
        let q0 = v128_load32_splat(q_start.add(b) as *const u32);
        let [i0, i1, j0, j1] = if PAIRS {
            strip_block_by_pairs(w, p, q, p0, q0, c)
        } else {
            strip_block_by_dots(w, p, q, p0, q0)
        };
        let (e0, e1) = (
            load_f32(strip.add(b * ROWS)),
            load_f32(strip.add(b * ROWS + 4)),
        );
        let (ps, qs) = (splat_f32(p_scale.add(b)), splat_f32(q_scale.add(b)));
        s0 = accumulate(s0, i0, e0, ps);
        s1 = accumulate(s1, i1, e1, ps);
        s2 = accumulate(s2, j0, e0, qs);
        s3 = accumulate(s3, j1, e1, qs);
        w = w.add(16);
        p = p.add(BLOCK);
        q = q.add(BLOCK);
        b += 1;
    }
    halves([s0, s1, s2, s3])
}

/// One unpacked block times two columns: the integer sums of rows 0..4 and 4..8 for each.
#[inline(always)]
unsafe fn strip_block_by_dots(
    w: *const v128,
    p: *const i8,
    q: *const i8,
    p_start: v128,
    q_start: v128,
) -> [v128; 4] {
    let (mut i0, mut i1, mut j0, mut j1) = (p_start, p_start, q_start, q_start);
    let (mut w, mut p, mut q) = (w, p, q);
    let end = p.add(BLOCK);
    while p < end {
        let (w0, w1) = (v128_load(w), v128_load(w.add(1)));
        let (pf, qf) = (splat_bytes(p), splat_bytes(q));
        i0 = dot4(pf, w0, i0);
        i1 = dot4(pf, w1, i1);
        j0 = dot4(qf, w0, j0);
        j1 = dot4(qf, w1, j1);
        w = w.add(2);
        p = p.add(4);
        q = q.add(4);
    }
    [i0, i1, j0, j1]
}

/// The same sums where pairs are cheaper; half a block at a time, which stays in i16.
#[inline(always)]
unsafe fn strip_block_by_pairs(
    w: *const v128,
    p: *const i8,
    q: *const i8,
    p_start: v128,
    q_start: v128,
    c: Constants,
) -> [v128; 4] {
    let (mut i0, mut i1, mut j0, mut j1) = (p_start, p_start, q_start, q_start);
    let zero = i16x8_splat(0);
    let mut half = 0;
    while half < 2 {
        let (mut a0, mut a1, mut b0, mut b1) = (zero, zero, zero, zero);
        let (mut w, mut p, mut q) = (w.add(half * 8), p.add(half * 16), q.add(half * 16));
        let mut step = 0;
        while step < 2 {
            let (w0, w1) = (v128_load(w), v128_load(w.add(1)));
            let (w2, w3) = (v128_load(w.add(2)), v128_load(w.add(3)));
            let (p0, q0) = (splat_bytes(p), splat_bytes(q));
            let (p1, q1) = (splat_bytes(p.add(4)), splat_bytes(q.add(4)));
            a0 = dot4_pairs(p1, w2, dot4_pairs(p0, w0, a0));
            a1 = dot4_pairs(p1, w3, dot4_pairs(p0, w1, a1));
            b0 = dot4_pairs(q1, w2, dot4_pairs(q0, w0, b0));
            b1 = dot4_pairs(q1, w3, dot4_pairs(q0, w1, b1));
            w = w.add(4);
            p = p.add(8);
            q = q.add(8);
            step += 1;
        }
        i0 = add_pairs(a0, c.ones, i0);
        i1 = add_pairs(a1, c.ones, i1);
        j0 = add_pairs(b0, c.ones, j0);
        j1 = add_pairs(b1, c.ones, j1);
        half += 1;
    }
    [i0, i1, j0, j1]
}

//! MXFP4 × f32 activations, for precision "exact".

use crate::mxfp4::{high_nibbles, low_nibbles, scales, RECORD};
use crate::simd::*;
use core::arch::wasm32::*;

/// The codes' doubled values.
#[inline(always)]
fn table() -> v128 {
    i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
}

/// Weights are exact, products and sums f32.
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
            store_rows(
                y.add(c * y_stride + r),
                row_bias,
                sum_low,
                sum_high,
                rows - r,
            );
            c += 1;
        }
        records = records.add(row_blocks * RECORD);
        r += ROWS;
    }
}

/// One row group as doubled values in f32, (columns, 8 rows), and its scales, (row_blocks, 8 rows).
#[inline(always)]
unsafe fn unpack_strip_f32(records: *const u8, row_blocks: usize, out: *mut f32, strip: *mut f32) {
    let table = table();
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

//! Activations to int8, one f32 scale per 32 values.

use crate::simd::*;
use core::arch::wasm32::*;

/// Quantises one column of `blocks · 32` values: scale = max|x| / 127, values to nearest (ties to even).
/// `start` receives `-offset · Σq` per block, where the integer sums of the matrix kernels begin (offset 12
/// for MXFP4, 127 for Q8). The scale of a block with a NaN is NaN, so that products with it are, too. `x_i16` receives the same values as i16, unless it is null.
///
/// # Safety
/// `x`, `q` and `x_i16` hold `blocks * 32` elements, `scale` and `start` `blocks`; nothing overlaps.
#[no_mangle]
pub unsafe extern "C" fn quantise_i8(
    x: *const f32,
    blocks: usize,
    q: *mut i8,
    scale: *mut f32,
    start: *mut i32,
    offset: i32,
    x_i16: *mut i16,
) {
    let mut b = 0;
    while b < blocks {
        let block = x.add(b * BLOCK);
        let mut largest = f32x4_splat(0.0);
        // NaN in the lanes that met a NaN, which `pmax` passes over; 0 elsewhere (infinity · 0 is NaN, too).
        let mut zeros = f32x4_splat(0.0);
        let mut k = 0;
        while k < BLOCK {
            let value = load_f32(block.add(k));
            largest = f32x4_pmax(largest, f32x4_abs(value));
            zeros = f32x4_add(zeros, f32x4_mul(value, f32x4_splat(0.0)));
            k += 4;
        }
        let top = max_lanes(largest);
        let broken = sum_lanes(zeros);
        // Too small for its inverse to be finite: it cannot matter, and 0 · inf would be NaN.
        let inverse = if top > 1e-36 { 127.0 / top } else { 0.0 };
        let factor = f32x4_splat(inverse);
        let mut sum = i32x4_splat(0);
        let mut k = 0;
        while k < BLOCK {
            let i0 = round(f32x4_mul(load_f32(block.add(k)), factor));
            let i1 = round(f32x4_mul(load_f32(block.add(k + 4)), factor));
            let i2 = round(f32x4_mul(load_f32(block.add(k + 8)), factor));
            let i3 = round(f32x4_mul(load_f32(block.add(k + 12)), factor));
            sum = i32x4_add(sum, i32x4_add(i32x4_add(i0, i1), i32x4_add(i2, i3)));
            let (first, second) = (i16x8_narrow_i32x4(i0, i1), i16x8_narrow_i32x4(i2, i3));
            let bytes = i8x16_narrow_i16x8(first, second);
            v128_store(q.add(b * BLOCK + k) as *mut v128, bytes);
            if !x_i16.is_null() {
                v128_store(x_i16.add(b * BLOCK + k) as *mut v128, first);
                v128_store(x_i16.add(b * BLOCK + k + 8) as *mut v128, second);
            }
            k += 16;
        }
        let total = i32x4_extract_lane::<0>(sum)
            + i32x4_extract_lane::<1>(sum)
            + i32x4_extract_lane::<2>(sum)
            + i32x4_extract_lane::<3>(sum);
        *scale.add(b) = top / 127.0 + broken;
        *start.add(b) = -offset * total;
        b += 1;
    }
}

#[inline(always)]
fn round(x: v128) -> v128 {
    i32x4_trunc_sat_f32x4(f32x4_nearest(x))
}

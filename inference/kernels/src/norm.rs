//! RMSNorm.

use crate::simd::*;
use core::arch::wasm32::*;

/// `y = x / sqrt(mean(x²) + epsilon) · weight`, all f32, `n` elements. All of `y` is NaN where the mean is
/// infinite or NaN.
///
/// # Safety
/// `x`, `weight`, `y` hold `n` elements; `y` may be `x`.
#[no_mangle]
pub unsafe extern "C" fn rms_norm(
    x: *const f32,
    weight: *const f32,
    y: *mut f32,
    n: usize,
    epsilon: f32,
) {
    let (mut s0, mut s1) = (f32x4_splat(0.0), f32x4_splat(0.0));
    let mut i = 0;
    while i + 8 <= n {
        let (a, b) = (load_f32(x.add(i)), load_f32(x.add(i + 4)));
        s0 = f32x4_add(s0, f32x4_mul(a, a));
        s1 = f32x4_add(s1, f32x4_mul(b, b));
        i += 8;
    }
    let mut sum = sum_lanes(f32x4_add(s0, s1));
    while i < n {
        sum += *x.add(i) * *x.add(i);
        i += 1;
    }
    let mean = sum / n as f32 + epsilon;
    let factor = 1.0 / f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(mean)));
    // Infinity - infinity is NaN; without it, all would become 0.
    let factor = factor + (mean - mean);
    let factors = f32x4_splat(factor);
    let mut i = 0;
    while i + 4 <= n {
        let scaled = f32x4_mul(load_f32(x.add(i)), factors);
        store_f32(y.add(i), f32x4_mul(scaled, load_f32(weight.add(i))));
        i += 4;
    }
    while i < n {
        *y.add(i) = *x.add(i) * factor * *weight.add(i);
        i += 1;
    }
}

//! The residual additions.

use crate::simd::*;
use core::arch::wasm32::*;

/// `y += scale · x`, `n` elements.
///
/// # Safety
/// `x` and `y` hold `n` elements and do not overlap.
#[no_mangle]
pub unsafe extern "C" fn add_scaled(y: *mut f32, x: *const f32, scale: f32, n: usize) {
    let factor = f32x4_splat(scale);
    let mut i = 0;
    while i + 4 <= n {
        let sum = f32x4_add(load_f32(y.add(i)), f32x4_mul(factor, load_f32(x.add(i))));
        store_f32(y.add(i), sum);
        i += 4;
    }
    while i < n {
        *y.add(i) += scale * *x.add(i);
        i += 1;
    }
}

//! The clamped SwiGLU of gpt-oss.

use crate::simd::*;
use core::arch::wasm32::*;

/// `x`: (2n) with gate and up interleaved, `y`: (n).
/// `gate = min(x[2i], limit)`, `up = clamp(x[2i+1], -limit, limit)`,
/// `y[i] = gate · sigmoid(alpha · gate) · (up + 1)`: the up projection has an extra bias of 1, and the gate
/// has no lower bound.
///
/// # Safety
/// `x` holds `2 * n` elements, `y` `n`; they do not overlap.
#[no_mangle]
pub unsafe extern "C" fn swiglu(x: *const f32, y: *mut f32, n: usize, limit: f32, alpha: f32) {
    let mut i = 0;
    while i + 4 <= n {
        let (a, b) = (load_f32(x.add(2 * i)), load_f32(x.add(2 * i + 4)));
        let gate = i32x4_shuffle::<0, 2, 4, 6>(a, b);
        let up = i32x4_shuffle::<1, 3, 5, 7>(a, b);
        store_f32(y.add(i), activate(gate, up, limit, alpha));
        i += 4;
    }
    while i < n {
        let gate = f32x4_splat(*x.add(2 * i));
        let up = f32x4_splat(*x.add(2 * i + 1));
        *y.add(i) = f32x4_extract_lane::<0>(activate(gate, up, limit, alpha));
        i += 1;
    }
}

#[inline(always)]
fn activate(gate: v128, up: v128, limit: f32, alpha: f32) -> v128 {
    let one = f32x4_splat(1.0);
    let top = f32x4_splat(limit);
    let gate = f32x4_min(gate, top);
    let up = f32x4_max(f32x4_min(up, top), f32x4_splat(-limit));
    let e = exp(f32x4_mul(gate, f32x4_splat(-alpha)));
    let sigmoid = f32x4_div(one, f32x4_add(one, e));
    f32x4_mul(f32x4_mul(gate, sigmoid), f32x4_add(up, one))
}

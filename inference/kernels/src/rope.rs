//! Rotary position embedding with half-split pairs: element i of a head turns with element i + half.

use crate::simd::*;
use core::arch::wasm32::*;

/// Rotates `heads` heads of `2 · half` values in place by the angles whose cosines and sines (`half` each,
/// attention scaling included) are given.
///
/// # Safety
/// `x` holds `heads * 2 * half` elements, `cos` and `sin` `half`.
#[no_mangle]
pub unsafe extern "C" fn rope(
    x: *mut f32,
    heads: usize,
    half: usize,
    cos: *const f32,
    sin: *const f32,
) {
    let mut h = 0;
    while h < heads {
        let first = x.add(h * 2 * half);
        let second = first.add(half);
        let mut i = 0;
        while i + 4 <= half {
            let (a, b) = (load_f32(first.add(i)), load_f32(second.add(i)));
            let (c, s) = (load_f32(cos.add(i)), load_f32(sin.add(i)));
            store_f32(first.add(i), f32x4_sub(f32x4_mul(a, c), f32x4_mul(b, s)));
            store_f32(second.add(i), f32x4_add(f32x4_mul(b, c), f32x4_mul(a, s)));
            i += 4;
        }
        while i < half {
            let (a, b) = (*first.add(i), *second.add(i));
            let (c, s) = (*cos.add(i), *sin.add(i));
            *first.add(i) = a * c - b * s;
            *second.add(i) = b * c + a * s;
            i += 1;
        }
        h += 1;
    }
}

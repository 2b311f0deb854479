//! 16-bit float formats to f32 and back, and which numbers are none.

use crate::simd::*;
use core::arch::wasm32::*;

/// bf16 is the upper half of an f32. `n` elements.
///
/// # Safety
/// `x` holds `n` u16, `y` `n` f32; they do not overlap.
#[no_mangle]
pub unsafe extern "C" fn bf16_to_f32(x: *const u16, y: *mut f32, n: usize) {
    let mut i = 0;
    while i + 8 <= n {
        let v = load(x.add(i) as *const u8);
        store_f32(y.add(i), u32x4_shl(u32x4_extend_low_u16x8(v), 16));
        store_f32(y.add(i + 4), u32x4_shl(u32x4_extend_high_u16x8(v), 16));
        i += 8;
    }
    while i < n {
        *y.add(i) = f32::from_bits((*x.add(i) as u32) << 16);
        i += 1;
    }
}

/// The index of the first of `n` 16-bit floats that is infinite or NaN, `n` when there is none. `exponent`:
/// the bits of the exponent, which are all set in those, 0x7f80 for bf16, 0x7c00 for f16.
///
/// # Safety
/// `x` holds `n` elements.
#[no_mangle]
pub unsafe extern "C" fn not_finite_16(x: *const u16, n: usize, exponent: u32) -> usize {
    let wanted = u16x8_splat(exponent as u16);
    let mut i = 0;
    while i + 8 <= n {
        let bits = v128_and(load(x.add(i) as *const u8), wanted);
        if v128_any_true(i16x8_eq(bits, wanted)) {
            break;
        }
        i += 8;
    }
    while i < n && (*x.add(i) as u32) & exponent != exponent {
        i += 1;
    }
    i
}

/// The index of the first of `n` f32 that is infinite or NaN, `n` when there is none.
///
/// # Safety
/// `x` holds `n` elements.
#[no_mangle]
pub unsafe extern "C" fn not_finite_32(x: *const u32, n: usize) -> usize {
    const EXPONENT: u32 = 0x7f80_0000;
    let wanted = u32x4_splat(EXPONENT);
    let mut i = 0;
    while i + 4 <= n {
        let bits = v128_and(load(x.add(i) as *const u8), wanted);
        if v128_any_true(i32x4_eq(bits, wanted)) {
            break;
        }
        i += 4;
    }
    while i < n && *x.add(i) & EXPONENT != EXPONENT {
        i += 1;
    }
    i
}

/// f16 to f32, exact, subnormals, infinities and NaN included. `n` elements.
///
/// # Safety
/// As `bf16_to_f32`.
#[no_mangle]
pub unsafe extern "C" fn f16_to_f32(x: *const u16, y: *mut f32, n: usize) {
    let mut i = 0;
    while i < n {
        let bits = *x.add(i) as u32;
        let magnitude = bits & 0x7fff;
        let value = if magnitude >= 0x7c00 {
            f32::from_bits(0x7f80_0000 | (magnitude & 0x3ff) << 13)
        } else {
            f32x4_extract_lane::<0>(f16_to_f32_lanes(u32x4_splat(magnitude)))
        };
        *y.add(i) = if bits & 0x8000 != 0 { -value } else { value };
        i += 1;
    }
}

/// Finite, non-negative f16 bits (one per 32-bit lane) to f32: exponent and fraction moved into place, the
/// difference of the exponent biases (127 - 15) made good by an exact multiplication.
#[inline(always)]
pub fn f16_to_f32_lanes(bits: v128) -> v128 {
    f32x4_mul(
        u32x4_shl(bits, 13),
        f32x4_splat(f32::from_bits((127 + 112) << 23)),
    )
}

/// A non-negative f32 to f16 bits, to nearest, ties to even; at most the largest finite f16.
#[inline(always)]
pub fn f32_to_f16(x: f32) -> u16 {
    if x >= 65504.0 {
        return 0x7bff;
    }
    if x < 6.103_515_6e-5 {
        // Subnormal in f16: a multiple of 2^-24. Adding 0.5 puts that unit at the last bit of the sum.
        return ((x + 0.5).to_bits() - 0.5f32.to_bits()) as u16;
    }
    let bits = x.to_bits();
    let rounded = bits + 0x0fff + ((bits >> 13) & 1);
    ((rounded >> 13) - (112 << 10)) as u16
}

//! What sampling asks of a whole vocabulary: the largest of many numbers, all from some value on, and the
//! Gumbel noise that makes the largest a draw.

use crate::simd::*;
use core::arch::wasm32::*;

/// The index of the largest value, the first of equals; of the first NaN where there is one; 0 when all
/// are -infinity.
///
/// # Safety
/// `values` holds `n` elements.
#[no_mangle]
pub unsafe extern "C" fn largest(values: *const f32, n: usize) -> usize {
    // Every number is looked at once, but few are larger than all before.
    let (mut best, mut top) = (0, f32::NEG_INFINITY);
    let mut i = first::<true>(values, 0, n, top);
    while i < n {
        best = i;
        top = *values.add(i);
        if top != top {
            break;
        }
        i = first::<true>(values, i + 1, n, top);
    }
    best
}

/// The indices of all values that are at least `least`, in order; returns how many.
///
/// # Safety
/// `values` and `indices` hold `n` elements.
#[no_mangle]
pub unsafe extern "C" fn at_least(
    values: *const f32,
    n: usize,
    least: f32,
    indices: *mut u32,
) -> usize {
    let mut count = 0;
    let mut i = first::<false>(values, 0, n, least);
    while i < n {
        *indices.add(count) = i as u32;
        count += 1;
        i = first::<false>(values, i + 1, n, least);
    }
    count
}

/// The first index from `from` on whose value is at least `bound` or, if `ABOVE`, above it or NaN; `n` when
/// there is none.
#[inline(always)]
unsafe fn first<const ABOVE: bool>(values: *const f32, from: usize, n: usize, bound: f32) -> usize {
    let bounds = f32x4_splat(bound);
    let reach = |value: v128| {
        if ABOVE {
            v128_not(f32x4_le(value, bounds))
        } else {
            f32x4_ge(value, bounds)
        }
    };
    let mut i = from;
    while i + 8 <= n {
        // Not one question about both: with relaxed SIMD, the compiler makes of it one about their
        // maximum, by an instruction that has any result where one of them is not a number.
        let (a, b) = (
            reach(load_f32(values.add(i))),
            reach(load_f32(values.add(i + 4))),
        );
        if v128_any_true(a) | v128_any_true(b) {
            break;
        }
        i += 8;
    }
    while i < n {
        let value = *values.add(i);
        if value > bound
            || (if ABOVE {
                value != value
            } else {
                value == bound
            })
        {
            break;
        }
        i += 1;
    }
    i
}

/// `bounds[i]` = an upper bound of `values[i] + temperature · noise(i)`, or -infinity where the value is
/// below `least` or not a number.
///
/// noise(i) is -log(-log(1 - v)) with v a number in 0..1, whose first 32 bits are
/// `mix(mix(i ^ first) + second)` (`mix` being the finaliser of MurmurHash3). Since -log(1 - v) >= v, that is
/// at most -log(v), and a float's bits are a logarithm that is never too large and at most 0.0861 too small.
///
/// # Safety
/// `values` and `bounds` hold `n` elements.
#[no_mangle]
pub unsafe extern "C" fn gumbel_bounds(
    values: *const f32,
    n: usize,
    temperature: f32,
    least: f32,
    first: u32,
    second: u32,
    bounds: *mut f32,
) {
    let c = constants(n);
    let (a, b) = (u32x4_splat(first), u32x4_splat(second));
    let (least, temperature) = (f32x4_splat(least), f32x4_splat(temperature));
    let mut ids = u32x4(0, 1, 2, 3);
    let mut i = 0;
    while i < n {
        let hash = mix(i32x4_add(mix(v128_xor(ids, a), c), b), c);
        let noise = negative_log(hash, c);
        ids = i32x4_add(ids, u32x4_splat(4));
        if i + 4 <= n {
            let bound = add_noise(load_f32(values.add(i)), noise, temperature, least);
            store_f32(bounds.add(i), bound);
        } else {
            let mut noise = noise;
            let mut last = i;
            while last < n {
                let bound = add_noise(splat_f32(values.add(last)), noise, temperature, least);
                *bounds.add(last) = f32x4_extract_lane::<0>(bound);
                noise = i32x4_shuffle::<1, 2, 3, 0>(noise, noise);
                last += 1;
            }
        }
        i += 4;
    }
}

/// Kept in registers: see `opaque_zero`.
#[derive(Clone, Copy)]
struct Constants {
    first_factor: v128,
    second_factor: v128,
    whole: v128,
    unit: v128,
}

#[inline(always)]
fn constants(n: usize) -> Constants {
    // Half of 2^32 has the exponent field 127 + 31; the field's unit is 2^23.
    const WHOLE: f32 = core::f32::consts::LN_2 * 158.0;
    const UNIT: f32 = core::f32::consts::LN_2 / 8_388_608.0;
    /// More than rounding can take.
    const SLACK: f32 = 1e-4;
    let zero = opaque_zero(n);
    Constants {
        first_factor: v128_or(u32x4_splat(0x85eb_ca6b), zero),
        second_factor: v128_or(u32x4_splat(0xc2b2_ae35), zero),
        whole: v128_or(f32x4_splat(WHOLE + SLACK), zero),
        unit: v128_or(f32x4_splat(UNIT), zero),
    }
}

/// A bijection of 32-bit integers that spreads every input bit over all output bits.
#[inline(always)]
fn mix(h: v128, c: Constants) -> v128 {
    let h = v128_xor(h, u32x4_shr(h, 16));
    let h = i32x4_mul(h, c.first_factor);
    let h = v128_xor(h, u32x4_shr(h, 13));
    let h = i32x4_mul(h, c.second_factor);
    v128_xor(h, u32x4_shr(h, 16))
}

/// A little more than -log(h / 2^32).
#[inline(always)]
fn negative_log(h: v128, c: Constants) -> v128 {
    let bits = f32x4_convert_i32x4(f32x4_convert_i32x4(u32x4_shr(h, 1)));
    f32x4_sub(c.whole, f32x4_mul(bits, c.unit))
}

/// `value + temperature · noise`, plus more than rounding can take, where the value is at least `least`.
#[inline(always)]
fn add_noise(value: v128, noise: v128, temperature: v128, least: v128) -> v128 {
    let slack = f32x4_mul(f32x4_abs(value), f32x4_splat(1e-6));
    let bound = f32x4_add(f32x4_add(value, slack), f32x4_mul(noise, temperature));
    v128_bitselect(
        bound,
        f32x4_splat(f32::NEG_INFINITY),
        f32x4_ge(value, least),
    )
}

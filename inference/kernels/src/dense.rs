//! Row-major f32 and bf16 matrices × f32 activations: the router, and every dense matrix under precision
//! "exact". Any shape.

use crate::simd::*;
use core::arch::wasm32::*;

trait Element: Copy {
    /// Eight consecutive elements as f32.
    unsafe fn load8(address: *const Self) -> (v128, v128);
    fn to_f32(self) -> f32;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load8(address: *const f32) -> (v128, v128) {
        (load_f32(address), load_f32(address.add(4)))
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
}

/// bf16 bits.
impl Element for u16 {
    #[inline(always)]
    unsafe fn load8(address: *const u16) -> (v128, v128) {
        let v = load(address as *const u8);
        (
            u32x4_shl(u32x4_extend_low_u16x8(v), 16),
            u32x4_shl(u32x4_extend_high_u16x8(v), 16),
        )
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits((self as u32) << 16)
    }
}

/// `w`: (rows, k); `x`: (columns, k) f32.
///
/// # Safety
/// All arrays hold what the shapes say; `y` holds `(columns - 1) * y_stride + rows` elements and overlaps
/// no input; `bias` is null or holds `rows`.
#[no_mangle]
pub unsafe extern "C" fn f32_matmul(
    w: *const f32,
    rows: usize,
    k: usize,
    x: *const f32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
) {
    matmul(w, rows, k, x, columns, bias, y, y_stride)
}

/// `w`: (rows, k) bf16; the rest as `f32_matmul`.
///
/// # Safety
/// As `f32_matmul`.
#[no_mangle]
pub unsafe extern "C" fn bf16_matmul(
    w: *const u16,
    rows: usize,
    k: usize,
    x: *const f32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
) {
    matmul(w, rows, k, x, columns, bias, y, y_stride)
}

#[inline(always)]
unsafe fn matmul<W: Element>(
    w: *const W,
    rows: usize,
    k: usize,
    x: *const f32,
    columns: usize,
    bias: *const f32,
    y: *mut f32,
    y_stride: usize,
) {
    let mut r = 0;
    while r < rows {
        let row = w.add(r * k);
        let b = if bias.is_null() { 0.0 } else { *bias.add(r) };
        let mut c = 0;
        while c < columns {
            *y.add(c * y_stride + r) = dot(row, x.add(c * k), k) + b;
            c += 1;
        }
        r += 1;
    }
}

/// Sixteen partial sums, then their tree, then the tail: a fixed order, and a smaller rounding error than
/// one running sum.
#[inline(always)]
unsafe fn dot<W: Element>(w: *const W, x: *const f32, k: usize) -> f32 {
    let zero = f32x4_splat(0.0);
    let (mut s0, mut s1, mut s2, mut s3) = (zero, zero, zero, zero);
    let mut i = 0;
    while i + 16 <= k {
        let (w0, w1) = W::load8(w.add(i));
        let (w2, w3) = W::load8(w.add(i + 8));
        s0 = f32x4_add(s0, f32x4_mul(w0, load_f32(x.add(i))));
        s1 = f32x4_add(s1, f32x4_mul(w1, load_f32(x.add(i + 4))));
        s2 = f32x4_add(s2, f32x4_mul(w2, load_f32(x.add(i + 8))));
        s3 = f32x4_add(s3, f32x4_mul(w3, load_f32(x.add(i + 12))));
        i += 16;
    }
    let mut sum = sum_lanes(f32x4_add(f32x4_add(s0, s1), f32x4_add(s2, s3)));
    while i < k {
        sum += (*w.add(i)).to_f32() * *x.add(i);
        i += 1;
    }
    sum
}

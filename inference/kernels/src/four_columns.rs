//! A row group of bytes times four int8 columns, where the dot is one instruction: what takes the time of a prefill.

use crate::simd::*;
use core::arch::wasm32::*;

/// Steps of four inputs in one turn of the inner loop. More of them need fewer instructions around, and with vectors of
/// 256 bits there are registers for it.
const STEPS: usize = if cfg!(wide) { 2 } else { 1 };

/// Sums of eight rows for four columns: rows 0..4 and 4..8 of the first column, of the second and so on.
///
/// `w`: of each block, `stride` bytes apart, 8 steps of 32 bytes: four inputs of rows 0..4, then of rows 4..8. The other
/// arguments are those of the matrix kernels; `scales` gives the scales of the rows of a block.
///
/// # Safety
/// All arrays hold what the shapes say; the columns are columns of `x`.
#[inline(always)]
pub unsafe fn row_group_times_four(
    w: *const u8,
    stride: usize,
    scales: impl Fn(usize) -> (v128, v128),
    row_blocks: usize,
    x: *const i8,
    x_scale: *const f32,
    x_start: *const i32,
    columns: [usize; 4],
) -> [v128; 8] {
    let none = f32x4_splat(0.0);
    let (mut a0, mut a1, mut b0, mut b1) = (none, none, none, none);
    let (mut c0, mut c1, mut d0, mut d1) = (none, none, none, none);
    let (to_b, to_c, to_d) = blocks_between(columns, row_blocks);
    let block = BLOCK as isize;
    let mut x = x.add(columns[0] * row_blocks * BLOCK);
    let mut scale = x_scale.add(columns[0] * row_blocks);
    let mut start = x_start.add(columns[0] * row_blocks);
    let mut blocks = w;
    let mut b = 0;
    while b < row_blocks {
        let mut i0 = v128_load32_splat(start as *const u32);
        let mut i1 = i0;
        let mut j0 = v128_load32_splat(start.offset(to_b) as *const u32);
        let mut j1 = j0;
        let mut k0 = v128_load32_splat(start.offset(to_c) as *const u32);
        let mut k1 = k0;
        let mut l0 = v128_load32_splat(start.offset(to_d) as *const u32);
        let mut l1 = l0;
        let mut w = blocks;
        let end = x.add(BLOCK);
        while x < end {
            let (p, q, r) = (
                x.offset(to_b * block),
                x.offset(to_c * block),
                x.offset(to_d * block),
            );
            macro_rules! step {
                ($step:literal) => {
                    if $step < STEPS {
                        let (w0, w1) = (load(w.add($step * 32)), load(w.add($step * 32 + 16)));
                        (i0, i1) = dot_both(x.add($step * 4), w0, w1, i0, i1);
                        (j0, j1) = dot_both(p.add($step * 4), w0, w1, j0, j1);
                        (k0, k1) = dot_both(q.add($step * 4), w0, w1, k0, k1);
                        (l0, l1) = dot_both(r.add($step * 4), w0, w1, l0, l1);
                    }
                };
            }
            step!(0);
            step!(1);
            w = w.add(STEPS * 32);
            x = x.add(STEPS * 4);
        }
        let (e0, e1) = scales(b);
        let xs = splat_f32(scale);
        a0 = accumulate(a0, i0, e0, xs);
        a1 = accumulate(a1, i1, e1, xs);
        let xs = splat_f32(scale.offset(to_b));
        b0 = accumulate(b0, j0, e0, xs);
        b1 = accumulate(b1, j1, e1, xs);
        let xs = splat_f32(scale.offset(to_c));
        c0 = accumulate(c0, k0, e0, xs);
        c1 = accumulate(c1, k1, e1, xs);
        let xs = splat_f32(scale.offset(to_d));
        d0 = accumulate(d0, l0, e0, xs);
        d1 = accumulate(d1, l1, e1, xs);
        blocks = blocks.add(stride);
        scale = scale.add(1);
        start = start.add(1);
        b += 1;
    }
    [a0, a1, b0, b1, c0, c1, d0, d1]
}

/// Four inputs of a column with two vectors of weights.
#[inline(always)]
unsafe fn dot_both(x: *const i8, w0: v128, w1: v128, low: v128, high: v128) -> (v128, v128) {
    let four = splat_bytes(x);
    (dot4(four, w0, low), dot4(four, w1, high))
}

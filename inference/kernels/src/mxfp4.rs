//! MXFP4 matrices: FP4 (E2M1) values with one power-of-two scale per 32 columns. The record, how its parts
//! are read, and how it is made from a checkpoint's layout; the products are in `mxfp4_i8` and `mxfp4_f32`.

use crate::simd::*;
use core::arch::wasm32::*;

/// Bytes of 8 rows × 32 columns.
pub const RECORD: usize = ROWS + ROWS * BLOCK / 2;
/// Bytes of one row's block, without its scale.
const BLOCK_BYTES: usize = BLOCK / 2;

#[inline(always)]
pub fn low_nibbles(v: v128) -> v128 {
    v128_and(v, u8x16_splat(15))
}

#[inline(always)]
pub fn high_nibbles(v: v128) -> v128 {
    v128_and(u16x8_shr(v, 4), u8x16_splat(15))
}

/// The eight scales of a record as f32: `2^(e-127)`, which is the exponent field shifted into place;
/// only e = 0 (2^-127, a subnormal) needs the lower bound.
#[inline(always)]
pub unsafe fn scales(record: *const u8) -> (v128, v128) {
    let e = u16x8_load_extend_u8x8(record);
    let smallest = u32x4_splat(0x0040_0000);
    (
        u32x4_max(u32x4_shl(u32x4_extend_low_u16x8(e), 23), smallest),
        u32x4_max(u32x4_shl(u32x4_extend_high_u16x8(e), 23), smallest),
    )
}

/// Any checkpoint's layout to records. A block is 16 bytes of codes and a scale byte: apart
/// (`block_bytes` 16, all scales together), or joined (`block_bytes` 17, the scale in front, so that
/// `codes` is `scales + 1`). Byte j has column 2j in its low and 2j+1 in its high nibble, or, where
/// `split` is not 0, columns j and j+16. Rows follow each other; where `odd` is not 0, rows 1, 3, 5, …
/// are a sequence of their own, `odd` bytes behind that of rows 0, 2, 4, …
///
/// Returns 0, or 1 + `row * row_blocks + block` of the first scale met that is 255 (not a number).
///
/// # Safety
/// `codes` and `scales` hold the blocks of all rows as said; `out` holds `ceil(rows / 8) * row_blocks * 136`
/// bytes and overlaps neither.
#[no_mangle]
pub unsafe extern "C" fn mxfp4_repack(
    codes: *const u8,
    scales: *const u8,
    block_bytes: usize,
    split: u32,
    odd: usize,
    out: *mut u8,
    rows: usize,
    row_blocks: usize,
) -> usize {
    let scale_stride = if block_bytes == BLOCK_BYTES { 1 } else { block_bytes };
    let mut record = out;
    let mut group = 0;
    while group < rows {
        let mut b = 0;
        while b < row_blocks {
            let mut r = 0;
            while r < ROWS {
                let row = group + r;
                let (mut packed, mut e) = (u8x16_splat(0), 127);
                if row < rows {
                    let (index, offset) = if odd == 0 {
                        (row, 0)
                    } else {
                        (row >> 1, (row & 1) * odd)
                    };
                    let at = index * row_blocks + b;
                    let scale = *scales.add(at * scale_stride + offset);
                    if scale == 255 {
                        return row * row_blocks + b + 1;
                    }
                    let bytes = load(codes.add(at * block_bytes + offset));
                    // Zeros (codes 0 and 8) are 0 under any scale; quantisers give them the smallest
                    // one, whose subnormal products are slow on some machines. Keep 1 for those.
                    if v128_any_true(v128_and(bytes, u8x16_splat(0x77))) {
                        e = scale;
                    }
                    packed = if split == 0 { split_halves(bytes) } else { bytes };
                }
                *record.add(r) = e;
                let lane = record.add(ROWS + r * 4);
                *(lane as *mut [u8; 4]) = u32x4_extract_lane::<0>(packed).to_le_bytes();
                *(lane.add(32) as *mut [u8; 4]) = u32x4_extract_lane::<1>(packed).to_le_bytes();
                *(lane.add(64) as *mut [u8; 4]) = u32x4_extract_lane::<2>(packed).to_le_bytes();
                *(lane.add(96) as *mut [u8; 4]) = u32x4_extract_lane::<3>(packed).to_le_bytes();
                r += 1;
            }
            record = record.add(RECORD);
            b += 1;
        }
        group += ROWS;
    }
    0
}

/// Adjacent pairing (byte j = columns 2j, 2j+1) to split halves (byte j = columns j, j+16).
#[inline(always)]
fn split_halves(pairs: v128) -> v128 {
    let even = low_nibbles(pairs);
    let odd = high_nibbles(pairs);
    let first = i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(even, odd);
    let second =
        i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(even, odd);
    v128_or(first, u8x16_shl(second, 4))
}

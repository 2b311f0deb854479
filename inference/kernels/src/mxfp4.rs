//! MXFP4 matrices: FP4 (E2M1) values with one power-of-two scale per 32 columns. The record, how its parts
//! are read, and how it is made from a checkpoint's layout; the products are in `mxfp4_i8` and `mxfp4_f32`.

use crate::simd::*;
use core::arch::wasm32::*;

/// Bytes of 8 rows × 32 columns.
pub const RECORD: usize = ROWS + ROWS * BLOCK / 2;
/// Bytes of one row's block in a checkpoint.
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

/// Checkpoint layout to records. `blocks`: (rows, row_blocks, 16) bytes, byte j of a block = column 2j in
/// the low and 2j+1 in the high nibble. `scale_bytes`: (rows, row_blocks). Returns the index in `scale_bytes` of the first scale
/// that is 255 (not a number) plus 1, or 0 when all are sound.
///
/// # Safety
/// The inputs hold `rows * row_blocks * 16` and `rows * row_blocks` bytes; `out` holds
/// `ceil(rows / 8) * row_blocks * 136` bytes and overlaps neither.
#[no_mangle]
pub unsafe extern "C" fn mxfp4_repack(
    blocks: *const u8,
    scale_bytes: *const u8,
    out: *mut u8,
    rows: usize,
    row_blocks: usize,
) -> usize {
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
                    let at = row * row_blocks + b;
                    let scale = *scale_bytes.add(at);
                    if scale == 255 {
                        return at + 1;
                    }
                    let pairs = load(blocks.add(at * BLOCK_BYTES));
                    // Zeros (codes 0 and 8) are 0 under any scale; quantisers give them the smallest
                    // one, whose subnormal products are slow on some machines. Keep 1 for those.
                    if v128_any_true(v128_and(pairs, u8x16_splat(0x77))) {
                        e = scale;
                    }
                    packed = split_halves(pairs);
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

//! Kernels of the inference engine, compiled to WebAssembly SIMD. Bytes and lengths only: no names,
//! no allocator, no statics, no data section and no stack in memory, so any number of instances can
//! work on one shared memory at once. The caller owns every address.
//!
//! Conventions of the ABI
//! - Every pointer is a byte address in the imported memory `env.memory`; counts are elements unless
//!   said otherwise. Pointers of type `f32`/`i32`/`u32` are aligned to 4 bytes; 16 is faster.
//! - A null `bias` means none; a null `index` means columns 0, 1, 2, …
//! - "Column" = one token's activation vector. Matrix kernels compute, for each column `c` and row `r`,
//!   `y[c * y_stride + r] = Σ_k w[r][k] · x[index[c]][k] + bias[r]`.
//! - Sums run in an order that depends on the shapes alone: results are the same on any number of
//!   threads, for any number of columns, and in both builds (no fused multiply-add anywhere).
//!
//! Weight layouts
//! - MXFP4 record: 8 rows × 32 columns in 136 bytes, `[8 scale bytes][4 steps][8 rows][4 bytes]`;
//!   byte `4·step + i` of a row holds column `4·step + i` in its low nibble and column
//!   `16 + 4·step + i` in its high nibble. Records run along a row group, then to the next 8 rows.
//! - Q8 record: 8 rows × 32 columns in 272 bytes, `[8 f16 scales][8 steps][8 rows][4 bytes]`; a byte is
//!   the signed value plus 127 (0..=254).
//! - Copy of a Q8 matrix in 4 bits: see `screen.rs`.
//! - All pad the last row group to 8 rows; `y` and `bias` are touched for real rows only.
//! - f32 and bf16 matrices are row-major as in the checkpoint.
//!
//! Exports (arguments in the order of the functions' own documentation)
//! | file | functions |
//! |---|---|
//! | `mxfp4.rs`, `mxfp4_i8.rs`, `mxfp4_f32.rs` | `mxfp4_repack`, `mxfp4_matmul_i8`, `mxfp4_matmul_f32` |
//! | `q8.rs` | `q8_pack`, `q8_repack`, `q8_matmul_i8` |
//! | `dense.rs` | `f32_matmul`, `bf16_matmul` |
//! | `quantise.rs` | `quantise_i8` |
//! | `convert.rs` | `bf16_to_f32`, `f16_to_f32`, `not_finite_16`, `not_finite_32` |
//! | `norm.rs` | `rms_norm` |
//! | `rope.rs` | `rope` |
//! | `attention.rs` | `kv_store`, `attention` |
//! | `attention_i16.rs` | `kv_store_i16`, `attention_i16` |
//! | `router.rs` | `top_k_softmax` |
//! | `screen.rs` | `screen_pack`, `screen_terms`, `screen_bounds` |
//! | `select.rs` | `largest`, `at_least`, `gumbel_bounds` |
//! | `swiglu.rs` | `swiglu` |
//! | `add.rs` | `add_scaled` |
#![no_std]
#![allow(clippy::too_many_arguments)]

mod add;
mod attention;
mod attention_i16;
mod convert;
mod dense;
mod four_columns;
mod mxfp4;
mod mxfp4_f32;
mod mxfp4_i8;
mod norm;
mod q8;
mod quantise;
mod rope;
mod router;
mod screen;
mod select;
mod simd;
mod swiglu;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

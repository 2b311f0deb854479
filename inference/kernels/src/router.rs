//! Expert choice: the k largest logits, then a softmax over those alone.

use crate::simd::exp1;

/// `logits`: (n). Writes the indices of the `k` largest, largest first, to `index` and their softmax to
/// `weight`. Of equal logits the lowest index wins.
///
/// # Safety
/// `logits` holds `n` elements, `index` and `weight` `k`; `0 < k <= n`.
#[no_mangle]
pub unsafe extern "C" fn top_k_softmax(
    logits: *const f32,
    n: usize,
    k: usize,
    index: *mut u32,
    weight: *mut f32,
) {
    let mut found = 0;
    while found < k {
        let mut best = n;
        let mut i = 0;
        while i < n {
            let better = best == n || *logits.add(i) > *logits.add(best);
            if better && !taken(index, found, i) {
                best = i;
            }
            i += 1;
        }
        *index.add(found) = best as u32;
        *weight.add(found) = *logits.add(best);
        found += 1;
    }
    let top = *weight;
    let mut sum = 0.0;
    let mut i = 0;
    while i < k {
        let e = exp1(*weight.add(i) - top);
        *weight.add(i) = e;
        sum += e;
        i += 1;
    }
    let mut i = 0;
    while i < k {
        *weight.add(i) /= sum;
        i += 1;
    }
}

#[inline(always)]
unsafe fn taken(index: *const u32, found: usize, candidate: usize) -> bool {
    let mut i = 0;
    while i < found {
        if *index.add(i) as usize == candidate {
            return true;
        }
        i += 1;
    }
    false
}

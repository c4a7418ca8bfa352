//! mimalloc, asked in the cheapest way: for all but over-aligned blocks its plain `malloc`, which
//! aligns to a word at least, takes half the instructions of the one that is told an alignment.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys as mi;

pub struct Allocator;

fn is_plain(layout: Layout) -> bool {
    layout.align() <= align_of::<usize>()
}

// SAFETY: mimalloc's functions keep the contract of C's `malloc` family, and its aligned ones take
// any power of two. Either kind of block is freed and moved by the same functions; a block that
// moves keeps the alignment of its layout by being asked for in the same way again.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: nothing is asked of the arguments.
        unsafe {
            match is_plain(layout) {
                true => mi::mi_malloc(layout.size()).cast(),
                false => mi::mi_malloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match is_plain(layout) {
                true => mi::mi_zalloc(layout.size()).cast(),
                false => mi::mi_zalloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, _layout: Layout) {
        // SAFETY: the block came from mimalloc.
        unsafe { mi::mi_free(pointer.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from mimalloc.
        unsafe {
            match is_plain(layout) {
                true => mi::mi_realloc(pointer.cast(), size).cast(),
                false => mi::mi_realloc_aligned(pointer.cast(), size, layout.align()).cast(),
            }
        }
    }
}

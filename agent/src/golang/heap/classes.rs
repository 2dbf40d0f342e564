//! The allocator's size classes.

/// How many there are, with 0 for large objects, which have a span each.
pub(super) const CLASSES: usize = 68;

/// The bytes of an object of each class: `class_to_size` (`internal/runtime/gc/sizeclasses.go`), the
/// same in Go 1.21 to 1.27. The sums that are made with it are compared with the runtime's own.
pub(super) const BYTES: [u64; CLASSES] = [
    0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320,
    352, 384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792,
    2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728,
    10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672,
    32768,
];

/// Counts by class.
pub(super) type ByClass = [u64; CLASSES];

/// The bytes that so many objects of each class have.
pub(super) fn bytes(counts: &ByClass) -> u64 {
    counts.iter().zip(BYTES).fold(0, |sum, (count, bytes)| {
        let bytes = count.wrapping_mul(bytes);
        sum.wrapping_add(bytes)
    })
}

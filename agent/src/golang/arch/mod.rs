//! What differs between processor architectures.

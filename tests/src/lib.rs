//! The harness of the integration tests: builds Go targets, starts them, and reads what they say of themselves.

pub mod dwarf_image;
pub mod reference;

//! A fleet for people and for programs.

mod json;
mod text;

pub use json::write_json;
pub use text::write_text;

#[cfg(test)]
mod tests;

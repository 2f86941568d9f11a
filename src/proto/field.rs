//! What is declared of a field, as constants: `build.rs` makes one of each field's option `memsync.v1.limits`.

use super::v1::TextForm;

/// A field. Where no limit is declared, there is none.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Characters, at least.
    pub min_length: usize,
    /// Characters, at most.
    pub max_length: usize,
    /// The smallest number.
    pub minimum: i64,
    /// The largest number.
    pub maximum: i64,
    /// Items of a list, at least.
    pub min_items: usize,
    /// Items of a list, at most.
    pub max_items: usize,
    /// Bytes, at most: of a text in UTF-8, of free data as JSON.
    pub max_bytes: usize,
    /// Different items of a list, at most.
    pub max_distinct_items: usize,
    /// Levels of free data, at most.
    pub max_depth: usize,
    /// What a text may consist of.
    pub form: TextForm,
    /// The words of its enum, as JSON has them.
    pub words: &'static [&'static str],
}

impl Field {
    /// One without limits.
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            min_length: 0,
            max_length: usize::MAX,
            minimum: i64::MIN,
            maximum: i64::MAX,
            min_items: 0,
            max_items: usize::MAX,
            max_bytes: usize::MAX,
            max_distinct_items: usize::MAX,
            max_depth: usize::MAX,
            form: TextForm::Unspecified,
            words: &[],
        }
    }
}

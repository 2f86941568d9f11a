//! The keys of forms and profiles, from `assets/english/keys.tsv`: which there are, and what sentence each makes.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::shape::Shape;
use crate::model::Category;

static TEXT: &str = include_str!("../../../assets/english/keys.tsv");

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::read(TEXT));

/// What a line with such a key is worth as a sign that it is about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// One line is enough.
    Alone,
    /// Two are enough.
    Among,
    /// It says nothing of that, and is read where others do.
    Beside,
    /// No person's key.
    Thing,
}

/// One reading of a key.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) stands: Stands,
    /// Whether each part of the value makes a sentence.
    pub(super) each: bool,
    pub(super) shape: Shape,
    pub(super) template: &'static str,
    pub(super) category: Option<Category>,
}

/// The readings of a key, the first that fits counts.
pub(super) type Rows = Vec<Row>;

struct Keys {
    by_name: HashMap<&'static str, usize>,
    rows: Vec<Rows>,
}

impl Keys {
    fn read(text: &'static str) -> Self {
        let mut keys = Self {
            by_name: HashMap::new(),
            rows: Vec::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&'static str> = line.split('\t').collect();
            let [names, stands, many, shape, template, category] = fields[..] else {
                continue;
            };
            if !names.is_empty() {
                let at = keys.rows.len();
                keys.by_name.extend(names.split(',').map(|name| (name.trim(), at)));
                keys.rows.push(Vec::new());
            }
            if let Some(rows) = keys.rows.last_mut() {
                rows.push(Row {
                    stands: match stands {
                        "alone" => Stands::Alone,
                        "among" => Stands::Among,
                        "beside" => Stands::Beside,
                        _ => Stands::Thing,
                    },
                    each: many == "each",
                    shape: Shape::read(shape),
                    template,
                    category: category.parse().ok(),
                });
            }
        }
        keys
    }
}

/// The reading that a value makes of a key, if any.
pub(super) fn fitting(rows: &'static Rows, value: &str) -> Option<&'static Row> {
    rows.iter().find(|row| row.shape.fits(value))
}

/// The readings of the key with this name in lower case.
pub(super) fn rows(name: &str) -> Option<&'static Rows> {
    KEYS.rows.get(*KEYS.by_name.get(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(KEYS.rows.iter().map(Vec::len).sum::<usize>(), lines);
        for row in KEYS.rows.iter().flatten() {
            assert!(row.shape != Shape::Unknown, "{}", row.template);
            assert!(row.template == "-" || row.category.is_some(), "{}", row.template);
        }
    }
}

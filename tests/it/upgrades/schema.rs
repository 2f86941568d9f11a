//! A schema as far as programs rely on it: columns, and the rules that rows keep.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Postgres;

const COLUMNS: &str =
    "SELECT table_name, column_name, data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
    || COALESCE(' default ' || column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";
/// What makes a row unique, what it refers to, what it must be.
const RULES: &str = "SELECT tablename, 'rule', indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'seaql_migrations' AND indexdef LIKE 'CREATE UNIQUE%'
    UNION ALL SELECT conrelid::regclass::text, 'rule', pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace";

#[derive(Debug, Default)]
pub struct Schema {
    /// What each column holds, by table and name.
    columns: BTreeMap<(String, String), String>,
    /// By table.
    rules: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    pub fn of(postgres: &Postgres) -> Self {
        let rows = postgres
            .sql(&format!("{COLUMNS} UNION ALL ({RULES})"))
            .replace('|', "\t");
        Self::read(&rows)
    }

    /// From lines of a table, a column or `rule`, and what it is.
    pub fn read(text: &str) -> Self {
        let mut schema = Self::default();
        for line in text.lines() {
            let [table, name, what] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
            match name {
                "rule" => {
                    _ = schema
                        .rules
                        .entry(table.to_owned())
                        .or_default()
                        .insert(what.to_owned())
                }
                _ => {
                    _ = schema
                        .columns
                        .insert((table.to_owned(), name.to_owned()), what.to_owned())
                }
            }
        }
        schema
    }

    pub fn lines(&self) -> BTreeSet<String> {
        let columns = self
            .columns
            .iter()
            .map(|((table, name), what)| format!("{table}\t{name}\t{what}"));
        let rules = self.rules.iter();
        let rules = rules.flat_map(|(table, rules)| rules.iter().map(move |rule| format!("{table}\trule\t{rule}")));
        columns.chain(rules).collect()
    }

    /// The columns of a table that a new row must have a value for.
    pub fn needed<'s>(&'s self, table: &str) -> impl Iterator<Item = &'s str> {
        let of_table = self.columns.iter().filter(move |((of, _), _)| of == table);
        of_table
            .filter(|(_, what)| is_needed(what))
            .map(|((_, name), _)| name.as_str())
    }
}

fn is_needed(column: &str) -> bool {
    column.ends_with(" not null")
}

/// What a program that knows the `earlier` schema would stumble over in the `newest` one.
pub fn changes_that_break(earlier: &Schema, newest: &Schema) -> Vec<String> {
    let mut broken = Vec::new();
    let tables: BTreeSet<&String> = earlier.columns.keys().map(|(table, _)| table).collect();
    for ((table, name), was) in &earlier.columns {
        match newest.columns.get(&(table.clone(), name.clone())) {
            None => broken.push(format!("{table}.{name} is gone")),
            Some(is) if is != was => broken.push(format!("{table}.{name} was {was:?} and is {is:?}")),
            Some(_) => {}
        }
    }
    for (column, is) in &newest.columns {
        let (table, name) = column;
        if tables.contains(table) && !earlier.columns.contains_key(column) && is_needed(is) {
            broken.push(format!("{table}.{name} is new, and needed"));
        }
    }
    let none = BTreeSet::new();
    for table in tables {
        let of = |schema: &Schema| schema.rules.get(table).unwrap_or(&none).clone();
        let (were, are) = (of(earlier), of(newest));
        broken.extend(were.difference(&are).map(|rule| format!("{table}: gone is {rule}")));
        broken.extend(are.difference(&were).map(|rule| format!("{table}: new is {rule}")));
    }
    broken
}

#[test]
fn what_is_added_is_let_through_and_what_breaks_earlier_programs_is_named() {
    const EARLIER: &str = "cats\tid\ttext not null\ncats\tname\ttext\ncats\trule\tUNIQUE (id)\n";
    let broken = |newest: &str| changes_that_break(&Schema::read(EARLIER), &Schema::read(newest));
    let none: [&str; 0] = [];
    let more = "cats\tage\tinteger\ncats\tlives\tinteger not null default 9\ndogs\tid\ttext not null\n";
    assert_eq!(broken(&format!("{EARLIER}{more}dogs\trule\tUNIQUE (id)\n")), none);
    for (newest, expected) in [
        (EARLIER.replace("cats\tname\ttext\n", ""), "cats.name is gone"),
        (
            EARLIER.replace("name\ttext", "name\tbytea"),
            "cats.name was \"text\" and is \"bytea\"",
        ),
        (
            EARLIER.replace("name\ttext", "name\ttext not null"),
            "cats.name was \"text\" and is \"text not null\"",
        ),
        (
            format!("{EARLIER}cats\tage\tinteger not null\n"),
            "cats.age is new, and needed",
        ),
        (
            format!("{EARLIER}cats\trule\tUNIQUE (name)\n"),
            "cats: new is UNIQUE (name)",
        ),
        (
            EARLIER.replace("cats\trule\tUNIQUE (id)\n", ""),
            "cats: gone is UNIQUE (id)",
        ),
    ] {
        assert_eq!(broken(&newest), [expected]);
    }
}

//! Statements that are written by hand.

use sea_orm::{DbBackend, Statement, Value};

/// The values of a statement, in the order in which its text names them.
#[derive(Default)]
pub(super) struct Sql(Vec<Value>);

impl Sql {
    /// The name by which the text calls a value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    pub(super) fn postgres(self, text: String) -> Statement {
        self.statement(DbBackend::Postgres, text)
    }

    pub(super) fn statement(self, backend: DbBackend, text: String) -> Statement {
        Statement::from_sql_and_values(backend, text, self.0)
    }
}

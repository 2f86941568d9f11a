//! Everything that the command line prints. Where nobody reads any more, as after `memsync key list | head -1`, the
//! program ends quietly.

use std::fmt;
use std::io::{self, ErrorKind, Write};

use serde_json::Value;

/// Between two columns of a list.
const GAP: &str = "  ";

/// Prints a line on standard output. The error is to be handed on, so that the program ends.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::cli::output::print_line(format_args!($($words)*))
    };
}

/// Says something on standard error, where nobody need read it.
macro_rules! note {
    ($($words:tt)*) => {
        $crate::cli::output::note_line(format_args!($($words)*))
    };
}

pub(crate) use {note, say};

/// Whoever read standard output has gone.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
struct ReaderGone;

/// Whether a command failed for nothing else but that nobody reads what it prints.
pub fn is_reader_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(|inner| inner.is::<ReaderGone>())
    })
}

/// Standard output. A pipe that its reader has closed is told apart from every other one.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).map_err(mark)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().map_err(mark)
    }
}

fn mark(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, ReaderGone),
        _ => error,
    }
}

/// See `say!`.
pub fn print_line(words: fmt::Arguments<'_>) -> io::Result<()> {
    Stdout.write_all(format!("{words}\n").as_bytes())
}

/// See `note!`.
pub fn note_line(words: fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(format!("{words}\n").as_bytes());
}

/// Prints a list: in columns under their headers, or as one JSON object a line. An empty one prints nothing.
pub fn print_list<T, const N: usize>(
    items: &[T],
    is_json: bool,
    headers: [&str; N],
    cells: impl Fn(&T) -> [String; N],
    object: impl Fn(&T) -> Value,
) -> io::Result<()> {
    if !is_json {
        return print_columns(items, headers, cells);
    }
    let mut out = io::BufWriter::new(Stdout);
    for item in items {
        writeln!(out, "{}", object(item))?;
    }
    out.flush()
}

/// Prints a list in columns under their headers. An empty one prints nothing.
pub fn print_columns<T, const N: usize>(
    items: &[T],
    headers: [&str; N],
    cells: impl Fn(&T) -> [String; N],
) -> io::Result<()> {
    if items.is_empty() {
        note!("The list is empty.");
        return Ok(());
    }
    let rows: Vec<[String; N]> = items.iter().map(|item| cells(item).map(visible)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headers[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = io::BufWriter::new(Stdout);
    writeln!(out, "{}", aligned(headers.map(str::to_owned), &widths))?;
    for row in rows {
        writeln!(out, "{}", aligned(row, &widths))?;
    }
    out.flush()
}

fn aligned<const N: usize>(cells: [String; N], widths: &[usize; N]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    cells.join(GAP).trim_end().to_owned()
}

/// Without line ends and what else would move a terminal's cursor; `-` for nothing.
fn visible(cell: String) -> String {
    match cell.as_str() {
        "" => "-".to_owned(),
        _ if cell.contains(char::is_control) => cell.escape_debug().to_string(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_nothing_moves_the_cursor() {
        assert_eq!(visible("two\nlines\u{1b}[2J".to_owned()), "two\\nlines\\u{1b}[2J");
        assert_eq!(visible(String::new()), "-");
        let row = |cells: [&str; 3]| aligned(cells.map(str::to_owned), &[4, 6, 5]);
        assert_eq!(row(["NAME", "STATE", "ERROR"]), "NAME  STATE   ERROR");
        assert_eq!(row(["Zoë", "active", ""]), "Zoë   active");
    }

    #[test]
    fn only_a_pipe_that_was_closed_counts_as_a_reader_who_has_gone() {
        let failed = |error: io::Error| anyhow::Error::from(error).context("a list");
        let closed = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_reader_gone(&failed(mark(closed()))));
        assert!(!is_reader_gone(&failed(closed())), "that of a database, say");
        assert!(!is_reader_gone(&failed(mark(io::Error::from(ErrorKind::StorageFull)))));
    }
}

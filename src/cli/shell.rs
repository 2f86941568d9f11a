//! What a shell and `man` need to know the command line: made from its declaration.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap_complete::Shell;

use super::output::{Stdout, note};

/// Prints what makes a shell complete commands and options.
pub fn completions(shell: Shell, mut command: clap::Command) -> io::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    Stdout.write_all(&script)
}

/// Prints the page of `memsync`, or writes it with a page for each of its commands into a directory.
pub fn man(command: clap::Command, directory: Option<&Path>) -> anyhow::Result<()> {
    let Some(directory) = directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(Stdout.write_all(&page)?);
    };
    let place = || directory.display().to_string();
    std::fs::create_dir_all(directory).with_context(place)?;
    clap_mangen::generate_to(command, directory).with_context(place)?;
    note!("wrote the pages into {}", directory.display());
    Ok(())
}

//! How far a background task is.

use std::str::FromStr;

use super::UnknownWord;

/// How far a background task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for its turn, the first or another one.
    Pending,
    /// An instance is at it.
    Running,
    /// It is done.
    Done,
    /// It was given up.
    Failed,
}

impl TaskState {
    /// The word used in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for TaskState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "pending" => Ok(Self::Pending),
            "running" => Ok(Self::Running),
            "done" => Ok(Self::Done),
            "failed" => Ok(Self::Failed),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

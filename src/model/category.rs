//! The ten categories that a memory is filed under.

use std::fmt;
use std::str::FromStr;

/// What part of a life a memory is about. A memory has one to three, the most fitting first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Name, age, origin, languages, beliefs, character.
    Identity,
    /// Jobs, employers, colleagues, professional plans.
    Career,
    /// Hobbies, tastes, media, sports as pastimes.
    Interests,
    /// Family, partners, friends, pets.
    Relationships,
    /// Body, mind, exercise for health, diet, illness.
    Health,
    /// Income, spending, savings, debts, property.
    Finance,
    /// Courses, degrees, skills being learnt, books read to learn.
    Learning,
    /// Trips, places visited or longed for, moves.
    Travel,
    /// Habits, routines, tools, goals, projects of daily life.
    Productivity,
    /// Secrets and sensitive data; such memories get special care everywhere.
    Private,
}

impl Category {
    /// Every category, in the order of the public contract.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Career,
        Self::Interests,
        Self::Relationships,
        Self::Health,
        Self::Finance,
        Self::Learning,
        Self::Travel,
        Self::Productivity,
        Self::Private,
    ];

    /// The lower-case word used in JSON, in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Career => "career",
            Self::Interests => "interests",
            Self::Relationships => "relationships",
            Self::Health => "health",
            Self::Finance => "finance",
            Self::Learning => "learning",
            Self::Travel => "travel",
            Self::Productivity => "productivity",
            Self::Private => "private",
        }
    }

    /// This category's bit in a 16-bit set.
    pub const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no value of the type it was parsed as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown value {0:?}")]
pub struct UnknownWord(pub String);

impl FromStr for Category {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|c| c.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

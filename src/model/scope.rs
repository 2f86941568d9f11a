//! What a key may do.

use std::fmt;
use std::str::FromStr;

use super::UnknownWord;

/// One permission. An RPC names the scope that it needs beside its declaration in the proto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Search, list and read memories.
    MemoriesRead,
    /// Store, change and delete memories.
    MemoriesWrite,
    /// Read profiles.
    ProfileRead,
    /// Change profiles.
    ProfileWrite,
    /// Read the state of integrations.
    IntegrationsRead,
    /// Start and cancel integrations.
    IntegrationsWrite,
    /// Read usage counts.
    UsageRead,
    /// List keys.
    KeysRead,
    /// Make, change and revoke keys.
    KeysWrite,
}

impl Scope {
    /// Every scope, in the order of the public contract.
    pub const ALL: [Self; 9] = [
        Self::MemoriesRead,
        Self::MemoriesWrite,
        Self::ProfileRead,
        Self::ProfileWrite,
        Self::IntegrationsRead,
        Self::IntegrationsWrite,
        Self::UsageRead,
        Self::KeysRead,
        Self::KeysWrite,
    ];

    /// The word used in JSON, in the proto and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemoriesRead => "memories:read",
            Self::MemoriesWrite => "memories:write",
            Self::ProfileRead => "profile:read",
            Self::ProfileWrite => "profile:write",
            Self::IntegrationsRead => "integrations:read",
            Self::IntegrationsWrite => "integrations:write",
            Self::UsageRead => "usage:read",
            Self::KeysRead => "keys:read",
            Self::KeysWrite => "keys:write",
        }
    }

    /// What it allows, in the words that people are asked with.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::MemoriesRead => "search and read your memories",
            Self::MemoriesWrite => "store, change and delete your memories",
            Self::ProfileRead => "read your profile",
            Self::ProfileWrite => "change your profile",
            Self::IntegrationsRead => "see the status of your imports",
            Self::IntegrationsWrite => "start and cancel imports",
            Self::UsageRead => "see how much your account is used",
            Self::KeysRead => "list your API keys",
            Self::KeysWrite => "create and revoke API keys",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// What a key gets that is made without naming scopes: all of memories, profile and integrations.
    pub fn default_for_keys() -> Self {
        Scope::ALL[..6].iter().copied().collect()
    }

    /// Every scope: what a signed-in person may do.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// What a person can grant to a program: all but the management of keys.
    pub fn for_programs() -> Self {
        Scope::ALL[..7].iter().copied().collect()
    }

    /// The scopes of both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The first scope that `other` lacks.
    pub fn missing_from(self, other: Self) -> Option<Scope> {
        self.iter().find(|scope| !other.contains(*scope))
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `scope` is granted.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u16) != 0
    }

    /// The granted scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |s| self.contains(*s))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, s| set | (1 << s as u16)))
    }
}

impl fmt::Display for ScopeSet {
    /// Space-separated, as the database keeps it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = UnknownWord;

    fn from_str(words: &str) -> Result<Self, Self::Err> {
        words.split_whitespace().map(str::parse).collect()
    }
}
